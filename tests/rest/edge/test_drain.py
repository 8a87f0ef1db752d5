"""An Envoy that is asked to drain: callers go when they are told to, and no call fails."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local.processes.ports import free_port
from krkn_grpc.edge import drain
from tests.rest.edge.running import LOOPBACK, SECONDS, Door, check_health, open_door

HEALTH = "/api/v1/health"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    admin = tmp_path / "admin.sock"
    with open_door(tmp_path, envoy_admin_socket=admin, probe_port=free_port()) as opened:
        yield opened


def draining(door: Door, wait: float, within: float) -> "subprocess.Popen[bytes]":
    """Run the hook as the kubelet does."""
    line = [sys.executable, "-m", drain.__name__, str(door.settings.envoy_admin_socket)]
    return subprocess.Popen([*line, str(wait), str(within)])


def test_calls_are_served_until_the_end_of_the_wait(door: Door) -> None:
    began = time.monotonic()
    with door.client() as client, draining(door, 1.0, 60.0) as hook:
        while "connection" not in (told := client.get(HEALTH)).headers:
            assert told.status_code == 200
        assert time.monotonic() - began >= 1.0
        assert (told.status_code, told.headers["connection"]) == (200, "close")
    # Its callers are gone, so it need not wait for the end of its time.
    assert hook.wait(SECONDS) == 0
    assert time.monotonic() - began < 50


def test_a_grpc_channel_goes_without_an_error(door: Door) -> None:
    with door.channel() as channel, draining(door, 0.0, 10.0) as hook:
        while hook.poll() is None:
            check_health(channel)
            time.sleep(0.01)
    assert hook.returncode == 0


def test_who_stays_holds_it_up_no_longer_than_was_said(door: Door) -> None:
    with door.client() as idle:
        assert idle.get(HEALTH).status_code == 200
        began = time.monotonic()
        assert draining(door, 0.0, 1.0).wait(SECONDS) == 0
        assert 1.0 <= time.monotonic() - began < 15


def test_the_kubelet_does_not_kill_what_drains(door: Door) -> None:
    assert draining(door, 0.0, 0.0).wait(SECONDS) == 0
    kubelet = f"http://{LOOPBACK}:{door.settings.probe_port}"
    assert httpx.get(f"{kubelet}/livez").status_code == 200
    assert httpx.get(f"{kubelet}/readyz").status_code == 503


def test_an_envoy_that_has_gone_is_no_error(tmp_path: Path) -> None:
    drain.main([str(tmp_path / "admin.sock"), "0", "0"])
