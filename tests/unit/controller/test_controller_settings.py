"""The controller's settings for targets, where one must fit another."""

import pytest
from pydantic import ValidationError

from controller.settings import Settings
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
