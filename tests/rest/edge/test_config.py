"""The configuration: Envoy takes it whatever is set, and what is not safe is not rendered."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import ValidationError

from deploy.local.services import REPOSITORY
from krkn_grpc.edge.command import binary
from krkn_grpc.edge.local_replies import REFUSALS
from krkn_grpc.edge.render import CONFIG, render, render_files
from krkn_grpc.edge.settings import EnvoySettings
from tests.rest.edge.running import SECONDS, open_door

ROOT = REPOSITORY


def settings(**chosen: Any) -> EnvoySettings:
    return EnvoySettings.model_validate(chosen)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"auth": "none"},
        {"auth": "none", "rest_host": "::1"},
        {"auth": "none", "rest_host": "localhost", "grpc_host": "localhost"},
        {"tls": "mesh", "rest_host": "0.0.0.0"},
        {"tls": "mesh", "rest_host": "::", "grpc_host": "server.example", "access_log": False},
        {"tls": "on", "rest_host": "0.0.0.0", "tls_directory": "/tls"},
        {"tls": "on", "tls_directory": "/tls", "tls_client_certificates": True},
        {
            "envoy_admin_socket": "/tmp/admin",
            "rate_limit": 1,
            "max_connections": 1,
            "envoy_max_heap_mib": 64,
        },
        {"call_timeout_seconds": 1, "rest_port": 1, "grpc_port": 65535},
        {"probe_port": 8084, "logs_grpc_port": 50053},
        {"envoy_admin_socket": "/tmp/admin", "metrics_host": "::", "envoy_metrics_port": 9100},
        {"envoy_admin_socket": "/tmp/admin", "envoy_metrics_port": 0},
        {"allowed_origins": "https://console.example,http://localhost:3000"},
        {"client_address": "x-forwarded-for", "trusted_proxies": "10.0.0.9, fd00::/8"},
        {
            "client_address": "proxy-protocol",
            "trusted_proxies": "10.0.0.0/8",
            "tls": "on",
            "tls_directory": "/tls",
            "rest_host": "::",
        },
    ],
    ids=str,
)
def test_envoy_takes_it(tmp_path: Path, chosen: dict[str, Any]) -> None:
    for name, text in render_files(settings(**chosen, envoy_directory=tmp_path)).items():
        (tmp_path / name).write_text(text)
    checked = subprocess.run(
        [binary(), "--mode", "validate", "-c", tmp_path / CONFIG],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "deprecated" not in checked.stderr.lower()


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"auth": "none", "rest_host": "0.0.0.0"}, "KRKN_AUTH=none is for one's own machine"),
        ({"auth": "none", "rest_host": "::", "tls": "mesh"}, "KRKN_AUTH=none is for one's own"),
        (
            {"auth": "none", "rest_host": "10.0.0.1", "tls": "on", "tls_directory": "/t"},
            "KRKN_AUTH",
        ),
        ({"rest_host": "0.0.0.0"}, "0.0.0.0 is beyond this machine"),
        ({"rest_host": "192.168.1.5"}, "KRKN_TLS=on with KRKN_TLS_DIRECTORY"),
        ({"grpc_host": "server.example"}, "server.example is beyond this machine"),
        ({"grpc_host": "10.0.0.1", "tls": "on", "tls_directory": "/t"}, "KRKN_GRPC_HOST 10.0.0.1"),
        ({"tls": "on"}, "KRKN_TLS_DIRECTORY"),
        ({"tls_client_certificates": True}, "KRKN_TLS=on"),
        ({"tls": "yes"}, "'off', 'on' or 'mesh'"),
        ({"auth": "basic"}, "'none' or 'kubernetes'"),
        ({"rest_host": "not an address"}, "does not appear to be"),
        ({"probe_port": 8080}, "KRKN_PROBE_PORT and KRKN_REST_PORT are both 8080"),
        ({"logs_grpc_port": 50051}, "KRKN_LOGS_GRPC_PORT and KRKN_GRPC_PORT are both 50051"),
        ({"rest_port": 0}, "greater than or equal to 1"),
        ({"rate_limit": 0}, "greater than or equal to 1"),
        ({"trusted_proxies": "10.0.0.0/8"}, "need each other"),
        ({"client_address": "x-forwarded-for"}, "need each other"),
        ({"client_address": "proxy-protocol", "trusted_proxies": ","}, "need each other"),
        ({"client_address": "x-forwarded-for", "trusted_proxies": "::/0"}, "all addresses"),
        ({"client_address": "x-forwarded-for", "trusted_proxies": "10.0.0.1/8"}, "host bits set"),
        (
            {"client_address": "x-forwarded-for", "trusted_proxies": "proxy"},
            "does not appear to be",
        ),
    ],
    ids=str,
)
def test_what_is_not_safe_is_refused(chosen: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        settings(**chosen)


def test_no_value_is_taken_for_configuration(tmp_path: Path) -> None:
    odd = tmp_path / 'a"\n: {b}'
    chosen = settings(tls="on", tls_directory=odd, envoy_directory=odd, envoy_admin_socket=odd)
    files = {name: yaml.safe_load(text) for name, text in render_files(chosen).items()}
    assert files[CONFIG]["admin"]["address"]["pipe"]["path"] == str(odd)
    (secret,) = files["certificate.yaml"]["resources"]
    assert secret["tls_certificate"]["watched_directory"]["path"] == str(odd)


def run_render(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "krkn_grpc.edge.render", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_rendered_from_the_environment() -> None:
    done = run_render(KRKN_REST_PORT="8081", KRKN_GRPC_HOST="0.0.0.0", KRKN_AUTH="none")
    assert (done.returncode, done.stderr) == (0, "")
    expected = render(settings(rest_port=8081, grpc_host="127.0.0.1", auth="none"))
    assert done.stdout == expected
    config = yaml.safe_load(done.stdout)
    (listener,) = config["static_resources"]["listeners"]
    assert listener["address"]["socket_address"]["port_value"] == 8081
    assert "admin" not in config


def test_rendered_into_a_directory(tmp_path: Path) -> None:
    done = run_render(str(tmp_path / "new"), KRKN_TLS="on", KRKN_TLS_DIRECTORY="/tls")
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == [
        "certificate.yaml",
        "envoy.yaml",
    ]
    assert str(tmp_path / "new" / "certificate.yaml") in (tmp_path / "new" / CONFIG).read_text()


def test_a_bad_environment_is_a_line_each() -> None:
    done = run_render(KRKN_REST_PORT="x", KRKN_AUTH="basic")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["krkn-grpc envoy", "KRKN_REST_PORT"],
        ["krkn-grpc envoy", "KRKN_AUTH"],
    ]
    done = run_render(KRKN_AUTH="none", KRKN_REST_HOST="0.0.0.0")
    (line,) = done.stderr.splitlines()
    assert line.startswith("krkn-grpc envoy: KRKN_AUTH=none is for one's own machine")


def test_admin_is_on_a_socket_of_its_owner_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "admin"
    with open_door(tmp_path, envoy_admin_socket=path):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            assert client.get("http://admin/ready").text == "LIVE\n"


def test_metrics_have_a_port_where_the_admin_interface_has_a_socket(tmp_path: Path) -> None:
    def listeners(**chosen: Any) -> set[str]:
        rendered = yaml.safe_load(render(settings(**chosen)))
        return {each["name"] for each in rendered["static_resources"]["listeners"]}

    socket = tmp_path / "admin"
    assert listeners() == {"edge"}
    assert listeners(envoy_admin_socket=socket) == {"edge", "metrics"}
    assert listeners(envoy_admin_socket=socket, envoy_metrics_port=0) == {"edge"}
    with pytest.raises(
        ValidationError, match="KRKN_ENVOY_METRICS_PORT and KRKN_REST_PORT are both"
    ):
        settings(envoy_admin_socket=socket, envoy_metrics_port=8080, rest_port=8080)


def test_every_refusal_is_worded_as_the_servers_are() -> None:
    for refusal in REFUSALS:
        assert not refusal.message.endswith(".")
        assert 0 < refusal.code <= 16
        # A percent sign would be a command of Envoy's.
        assert "%" not in refusal.message


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    (tmp_path / CONFIG).symlink_to("/dev/full")
    done = run_render(str(tmp_path), KRKN_AUTH="none")
    assert done.returncode == 1
    assert done.stderr == f"krkn-grpc envoy: cannot write {tmp_path}: No space left on device\n"
