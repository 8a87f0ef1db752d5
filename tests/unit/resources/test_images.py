"""Which images the settings allow: a prefix ends where a part of the reference does."""

import pytest

from krkn_grpc.resources import images
from krkn_grpc.resources.images import is_allowed

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("anything at all", "*"),
        ("quay.io/krkn-chaos/krkn-hub", "quay.io/krkn-chaos/krkn-hub"),
        ("quay.io/krkn-chaos/krkn-hub:pod-scenarios", "quay.io/krkn-chaos/krkn-hub"),
        (f"quay.io/krkn-chaos/krkn-hub@{DIGEST}", "quay.io/krkn-chaos/krkn-hub"),
        ("quay.io/krkn-chaos/krkn-hub/more", "quay.io/krkn-chaos/krkn-hub"),
        ("quay.io/krkn-chaos/krkn-hub:x", "quay.io/krkn-chaos/"),
        ("quay.io/krkn-chaos/krkn-hub:x", "quay.io"),
        ("quay.io/krkn-chaos/krkn-hub:x", "quay.io/krkn-chaos/krkn-hub:"),
        ("quay.io/krkn-chaos/krkn-hub:x", "quay.io/krkn-chaos/krkn-hub:x"),
        (f"anywhere.example/x@{DIGEST}", DIGEST),
        (f"anywhere.example/x:tag@{DIGEST}", DIGEST),
    ],
)
def test_an_allowed_image(image: str, allowed: str) -> None:
    assert is_allowed(image, (allowed,))
    assert is_allowed(image, ("other.example/", allowed))


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("quay.io/krkn-chaos/krkn-hub-evil", "quay.io/krkn-chaos/krkn-hub"),
        ("quay.io.evil.example/x", "quay.io"),
        ("quay.io-evil.example/x", "quay.io"),
        ("quay.io/krkn-chaos/krkn-hub:xy", "quay.io/krkn-chaos/krkn-hub:x"),
        ("evil.example/quay.io/krkn-chaos/krkn-hub", "quay.io/krkn-chaos/krkn-hub"),
        ("QUAY.IO/krkn-chaos/krkn-hub", "quay.io/krkn-chaos/krkn-hub"),
        (f"x@{DIGEST}0", DIGEST),
        (f"{DIGEST}/x", DIGEST),
        (f"x:{DIGEST}", DIGEST),
        ("x", "**"),
        ("*", "a"),
    ],
)
def test_an_image_that_only_looks_like_an_allowed_one(image: str, allowed: str) -> None:
    assert not is_allowed(image, (allowed,))


def test_nothing_is_allowed_when_nothing_is_said() -> None:
    assert not is_allowed("quay.io/x", ())


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("quay.io/krkn-chaos/krkn-hub:pod-scenarios", "quay.io/krkn-chaos/krkn-hub"),
        (f"quay.io/krkn-chaos/krkn-hub:x@{DIGEST}", "quay.io/krkn-chaos/krkn-hub"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("app:1", "app"),
        ("", ""),
    ],
)
def test_the_repository_of_an_image(image: str, repository: str) -> None:
    assert images.repository_of(image) == repository


@pytest.mark.parametrize("repository", ["krkn-hub", "krkn-hub-multiarch"])
def test_what_is_published_is_allowed_by_default(repository: str) -> None:
    assert images.is_allowed(f"quay.io/krkn-chaos/{repository}:pod-scenarios", images.DEFAULT)
    assert not images.is_allowed(f"quay.io/krkn-chaos/{repository}-x:y", images.DEFAULT)
