"""By which name a node pulls an image."""

import pytest

from krkn_grpc.resources import image_mirrors

HUB = "quay.io/krkn-chaos/krkn-hub"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("mirrors", "image", "pulled"),
    [
        ("", f"{HUB}:pod", f"{HUB}:pod"),
        ("quay.io=m.example", f"{HUB}:pod", "m.example/krkn-chaos/krkn-hub:pod"),
        (
            "quay.io=m.example:5000/quay",
            f"{HUB}:pod",
            "m.example:5000/quay/krkn-chaos/krkn-hub:pod",
        ),
        ("quay.io/krkn-chaos=m.example/k", f"{HUB}@{DIGEST}", f"m.example/k/krkn-hub@{DIGEST}"),
        (f"{HUB}=m.example/hub", f"{HUB}:pod@{DIGEST}", f"m.example/hub:pod@{DIGEST}"),
        (f"{HUB}=m.example/hub", HUB, "m.example/hub"),
        (f"{HUB}=m.example/hub", f"{HUB}/below:x", "m.example/hub/below:x"),
        (f"{HUB}=m.example/hub", f"{HUB}-other:x", f"{HUB}-other:x"),
        ("quay.io=m.example", "quay.io.evil.example/a:x", "quay.io.evil.example/a:x"),
        ("quay.io=m.example", "quay.io:443/a:x", "quay.io:443/a:x"),
        ("quay.io=a.example, quay.io/krkn-chaos=b.example", f"{HUB}:pod", "b.example/krkn-hub:pod"),
        ("quay.io=a.example", "docker.io/quay.io/a:x", "docker.io/quay.io/a:x"),
    ],
)
def test_it_is_pulled_from(mirrors: str, image: str, pulled: str) -> None:
    assert image_mirrors.pulled_from(image, image_mirrors.read(mirrors)) == pulled


@pytest.mark.parametrize(
    "text",
    [
        "quay.io",
        "quay.io=",
        "=m.example",
        "quay.io=m.example/",
        "team/app=m.example",
        "quay.io=a=b",
        "quay.io=team/app",
        "quay.io=https://m.example",
        f"{HUB}@{DIGEST}=m.example",
    ],
)
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not prefix=replacement"):
        image_mirrors.read(text)


def test_one_prefix_has_one_mirror() -> None:
    with pytest.raises(ValueError, match=r"'quay\.io' has two mirrors"):
        image_mirrors.read("quay.io=a.example,quay.io=b.example")
