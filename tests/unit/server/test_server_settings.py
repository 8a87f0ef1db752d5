"""Which settings the server refuses, because they would let somebody in whom nobody knows."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from krkn_grpc.server.settings import Settings

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing set, and no pod, wherever the tests run."""
    for name in (
        "KUBERNETES_SERVICE_HOST",
        *(f"KRKN_{name.upper()}" for name in Settings.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of the test."""
    environment: dict[str, str] = request.param
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def test_callers_are_known_unless_something_else_is_said() -> None:
    settings = Settings()
    assert settings.auth == "kubernetes"
    assert settings.grpc_address == "127.0.0.1:50051"
    assert settings.allowed_images == (
        "quay.io/krkn-chaos/krkn-hub",
        "quay.io/krkn-chaos/krkn-hub-multiarch",
    )


ALLOWED = [
    {"KRKN_AUTH": "none"},
    {"KRKN_AUTH": "none", "KRKN_GRPC_HOST": "::1"},
    {"KRKN_AUTH": "none", "KRKN_GRPC_HOST": "localhost"},
    {"KRKN_AUTH": "none", "KRKN_GRPC_HOST": "127.8.9.10", "KRKN_REST_HOST": "::1"},
    {"KRKN_AUTH": "kubernetes", **POD},
    {"KRKN_TLS": "on", "KRKN_REST_HOST": "0.0.0.0", **POD},
    {"KRKN_TLS": "mesh", "KRKN_GRPC_HOST": "0.0.0.0", **POD},
    {"KRKN_TLS": "mesh", "KRKN_GRPC_HOST": "::"},
]
NONE, TLS = "KRKN_AUTH=none", "KRKN_TLS=mesh"
REFUSED = [
    ({"KRKN_AUTH": "none", **POD}, f"{NONE} is for one's own machine"),
    ({"KRKN_AUTH": "none", "KRKN_TLS": "mesh", **POD}, NONE),
    *(
        ({"KRKN_AUTH": "none", "KRKN_TLS": "mesh", name: host}, NONE)
        for name in ("KRKN_GRPC_HOST", "KRKN_REST_HOST")
        for host in ("0.0.0.0", "::", "", "192.0.2.1", "::ffff:127.0.0.1", "127.1", "my-machine")
    ),
    *(
        ({"KRKN_TLS": tls, "KRKN_GRPC_HOST": host}, TLS)
        for tls in ("off", "on")
        for host in ("0.0.0.0", "::", "", "192.0.2.1", "127.0.0.1.example", "my-machine")
    ),
    ({"KRKN_AUTH": ""}, "'none' or 'kubernetes'"),
    ({"KRKN_AUTH": "None"}, "'none' or 'kubernetes'"),
    ({"KRKN_TLS": "yes"}, "'off', 'on' or 'mesh'"),
    ({"KRKN_AUDIENCE": ""}, "at least 1 character"),
    ({"KRKN_RECHECK_SECONDS": "61"}, "less than or equal to 60"),
    ({"KRKN_AUTH_CACHE_SECONDS": "0"}, "greater than 0"),
    ({"KRKN_CHECK_ENVIRONMENT": "on"}, "'auto', 'off', 'warn' or 'enforce'"),
    *(({"KRKN_NAMESPACE": name}, "match pattern") for name in ("", "A_b", "a.b", "a/b", "a" * 64)),
    *(
        ({"KRKN_WRITE_SECONDS": time}, "must be at most 2147483647|greater than 0")
        for time in ("inf", "nan", "1e300", "2147483648")
    ),
    ({"KRKN_IDEMPOTENCY_SECONDS": str(10**12)}, "must be at most 2147483647"),
    ({"KRKN_ALLOWED_IMAGES": "krkn-hub"}, "its registry's host"),
    ({"KRKN_ALLOWED_IMAGES": "quay.io/a,sha256:abc"}, "sha256:abc"),
]


@pytest.mark.parametrize("told", ALLOWED, indirect=True, ids=str)
def test_allowed(told: dict[str, str]) -> None:
    Settings()


@pytest.mark.parametrize(("told", "why"), REFUSED, indirect=["told"], ids=str)
def test_refused(told: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings()


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({"KRKN_GRPC_HOST": "::1"}, "[::1]:50051"),
        ({"KRKN_GRPC_HOST": "[::1]"}, "[::1]:50051"),
        ({"KRKN_GRPC_HOST": "localhost", "KRKN_GRPC_PORT": "0"}, "localhost:0"),
    ],
    indirect=["told"],
)
def test_the_address_is_one_that_grpc_understands(told: dict[str, str], address: str) -> None:
    assert Settings().grpc_address == address


@pytest.mark.parametrize(
    ("told", "images"),
    [
        ({"KRKN_ALLOWED_IMAGES": ""}, ()),
        ({"KRKN_ALLOWED_IMAGES": "*"}, ("*",)),
        (
            {"KRKN_ALLOWED_IMAGES": " quay.io/a , localhost:5000/b,"},
            ("quay.io/a", "localhost:5000/b"),
        ),
    ],
    indirect=["told"],
)
def test_images_are_separated_by_commas(told: dict[str, str], images: tuple[str, ...]) -> None:
    assert Settings().allowed_images == images


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, (None, "auto")),
        ({"KRKN_CATALOGUE_DIR": "", "KRKN_CHECK_ENVIRONMENT": ""}, (None, "auto")),
        ({"KRKN_CATALOGUE_DIR": "/c", "KRKN_CHECK_ENVIRONMENT": "warn"}, (Path("/c"), "warn")),
    ],
    indirect=["told"],
)
def test_the_catalogue(told: dict[str, str], found: tuple[Path | None, str]) -> None:
    settings = Settings()
    assert (settings.catalogue_dir, settings.check_environment) == found


@pytest.mark.parametrize(
    ("given", "read"),
    [("never", "never"), ("0", 0), ("604800", 604_800), (str(2**31 - 1), 2**31 - 1)],
)
def test_how_long_jobs_are_kept(
    monkeypatch: pytest.MonkeyPatch, given: str, read: int | str
) -> None:
    monkeypatch.setenv("KRKN_DEFAULT_TTL_SECONDS", given)
    assert Settings().default_ttl_seconds == read


@pytest.mark.parametrize("given", ["", "-1", "1.5", "soon", "Never", str(2**31), "9" * 5000])
def test_how_long_jobs_cannot_be_kept(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("KRKN_DEFAULT_TTL_SECONDS", given)
    with pytest.raises(ValidationError) as refused:
        Settings()
    [error] = refused.value.errors()
    assert error["loc"] == ("default_ttl_seconds",)
    assert "0 to 2147483647, or never" in error["msg"]
