"""The controller's settings for targets, where one must fit another."""

import pytest
import yaml
from pydantic import ValidationError

from controller.settings import Settings
from deploy.local.services import REPOSITORY
from krkn_grpc.server.settings import Settings as ServerSettings


def test_by_default_nothing_under_way_is_taken_for_abandoned() -> None:
    controller, server = Settings(), ServerSettings()
    assert controller.write_seconds == server.write_seconds
    assert controller.abandoned_seconds > server.write_seconds
    assert 2 * controller.target_sweep_seconds + controller.abandoned_seconds < 60


def test_a_longer_write_needs_a_longer_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRKN_WRITE_SECONDS", "60")
    with pytest.raises(ValidationError, match="KRKN_ABANDONED_SECONDS must be longer"):
        Settings()
    monkeypatch.setenv("KRKN_ABANDONED_SECONDS", "61")
    assert Settings().abandoned_seconds == 61


def test_no_time_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [name for name in Settings.model_fields if name.endswith("_seconds")]
    assert "lease_seconds" in times
    for name in times:
        monkeypatch.setenv(f"KRKN_{name.upper()}", "inf")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert {str(each["loc"][0]) for each in refused.value.errors()} == set(times)


@pytest.mark.parametrize(
    ("given", "read"),
    [("", ()), (" , ", ()), ("acm", ("acm",)), (" acm, other-one.x ,acm", ("acm", "other-one.x"))],
)
def test_providers_to_adopt(
    monkeypatch: pytest.MonkeyPatch, given: str, read: tuple[str, ...]
) -> None:
    assert Settings().adopt_providers == ()
    monkeypatch.setenv("KRKN_ADOPT_PROVIDERS", given)
    assert Settings().adopt_providers == read


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("krkn-operator", "own name"),
        ("acm,krkn-operator", "own name"),
        ("Acm", "not the name of a provider"),
        ("a/b", "not the name of a provider"),
        ("a" * 254, "not the name of a provider"),
    ],
)
def test_names_that_are_no_other_providers(
    monkeypatch: pytest.MonkeyPatch, given: str, why: str
) -> None:
    monkeypatch.setenv("KRKN_ADOPT_PROVIDERS", given)
    with pytest.raises(ValidationError, match=why):
        Settings()


def test_the_components_setting_is_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    component = REPOSITORY / "deploy" / "components" / "adoption" / "settings.yaml"
    for name, value in yaml.safe_load(component.read_text())["data"].items():
        monkeypatch.setenv(name, value)
    assert Settings().adopt_providers == ("krkn-operator-acm",)
