"""What a list of images allows, looked at by somebody who wants to run another one."""

import pytest

from krkn_grpc.resources.images import is_allowed, read

DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
APP = "quay.io/team/app"


@pytest.mark.parametrize(
    ("image", "entry"),
    [
        pytest.param("quay.io:5000/team/app", "quay.io", id="a registry at another port"),
        pytest.param("quay.io:5000/team/app", "quay.io/", id="a registry at another port, folder"),
        pytest.param(f"{APP}:v1@{OTHER}", f"{APP}:v1", id="a digest beside the tag"),
        pytest.param(f"{APP}:@{OTHER}", f"{APP}:", id="a digest and no tag"),
        pytest.param(f"{APP}:v1@{OTHER}", f"{APP}:", id="a digest beside any tag"),
        pytest.param(f"{APP}@{OTHER}", f"{APP}@{DIGEST}", id="another digest"),
        pytest.param(f"evil.example/app@{DIGEST}", f"{APP}@{DIGEST}", id="another repository"),
        pytest.param(f"{APP}:{DIGEST}", DIGEST, id="a tag like a digest"),
        pytest.param(f"{APP}/../../evil/app", APP, id="dots"),
        pytest.param(f"{APP}/./../evil", "quay.io/team/", id="dots in a folder"),
        pytest.param(f"{APP}//evil", APP, id="an empty part"),
        pytest.param("quay.io/team/", "quay.io/team/", id="a folder alone"),
        pytest.param(f"{APP}:v1/evil", f"{APP}:v1", id="a path after the tag"),
        pytest.param(f"@{DIGEST}{OTHER}", DIGEST, id="more than a digest"),
        pytest.param("", APP, id="nothing"),
    ],
)
def test_not_allowed(image: str, entry: str) -> None:
    assert not is_allowed(image, [entry])


@pytest.mark.parametrize(
    ("image", "entry"),
    [
        (f"{APP}:v1@{DIGEST}", f"{APP}@{DIGEST}"),
        (f"{APP}:v1", f"{APP}:"),
        (f"{APP}:v1@{OTHER}", APP),
        ("registry:5000/team/app:v1", "registry:5000"),
        ("registry:5000/team/app:v1", "registry:5000/team/app"),
    ],
)
def test_allowed(image: str, entry: str) -> None:
    assert is_allowed(image, read(entry))


@pytest.mark.parametrize(
    "text",
    ["", " , ", "*", DIGEST, "quay.io", "localhost/a", "registry:5000/a", "[::1]:5000/a", APP],
)
def test_a_list(text: str) -> None:
    assert read(text) == tuple(filter(None, (part.strip() for part in text.split(","))))


@pytest.mark.parametrize(
    "entry",
    ["krkn-hub", "team/app", "**", "sha256:abc", "sha256:" + "A" * 64, "/a", "https://q.io/a"],
)
def test_no_list(entry: str) -> None:
    with pytest.raises(ValueError, match="its registry's host"):
        read(f"quay.io/a,{entry}")
