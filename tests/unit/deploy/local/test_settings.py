import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.services import REPOSITORY, metrics_ports
from deploy.local.settings import Settings
from krkn_grpc.startup import settings_or_exit

OBSERVED = ("OBSERVE", "PROMETHEUS_PORT")
METRICS = ("SERVER_METRICS_PORT", "CONTROLLER_METRICS_PORT", "ENVOY_METRICS_PORT")


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REST_PORT", "GRPC_PORT", "NAMESPACE", "AUTH", "KUBECONFIG", *METRICS, *OBSERVED):
        monkeypatch.delenv(f"KRKN_{name}", raising=False)


def test_nothing_has_to_be_set() -> None:
    settings = Settings()
    assert (settings.rest_port, settings.grpc_port) == (8080, 50051)
    assert (settings.namespace, settings.auth) == ("krkn-operator-system", "none")
    assert settings.kubeconfig is None
    assert settings.metrics_ports == {}
    assert (settings.observe, settings.prometheus_port) == (False, None)


def test_a_prometheus_is_wanted_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, wanted in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("KRKN_OBSERVE", given)
        assert Settings().observe is wanted


def test_a_port_of_metrics_is_a_free_one_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRKN_SERVER_METRICS_PORT", "9100")
    monkeypatch.setenv("KRKN_ENVOY_METRICS_PORT", "0")
    ports = metrics_ports(Settings().metrics_ports)
    assert (ports["server"], ports["envoy"]) == (9100, 0)
    assert ports["controller"] not in (0, 9100)


def test_all_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kubeconfig").touch()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "REST_PORT": "80",
        "GRPC_PORT": "81",
        "NAMESPACE": "chaos",
        "AUTH": "kubernetes",
        "KUBECONFIG": "kubeconfig",
    }.items():
        monkeypatch.setenv(f"KRKN_{name}", value)
    settings = Settings()
    assert (settings.rest_port, settings.grpc_port) == (80, 81)
    assert (settings.namespace, settings.auth) == ("chaos", "kubernetes")
    assert settings.kubeconfig == tmp_path / "kubeconfig"


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRKN_KUBECONFIG", "")
    monkeypatch.setenv("KRKN_REST_PORT", "")
    assert (Settings().kubeconfig, Settings().rest_port) == (None, 8080)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("REST_PORT", "http", "KRKN_REST_PORT: Input should be a valid integer"),
        ("GRPC_PORT", "70000", "KRKN_GRPC_PORT: Input should be less than or equal to 65535"),
        ("GRPC_PORT", "0", "KRKN_GRPC_PORT: Input should be greater than or equal to 1"),
        ("GRPC_PORT", "8080", "KRKN_REST_PORT and KRKN_GRPC_PORT are both 8080"),
        ("AUTH", "None", "KRKN_AUTH: Input should be 'none' or 'kubernetes'"),
        ("NAMESPACE", "../kube-system", "KRKN_NAMESPACE: String should match pattern"),
        ("KUBECONFIG", "/no/such/file", "KRKN_KUBECONFIG: Path does not point to a file"),
    ],
)
def test_a_wrong_value_is_named(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KRKN_{name}", value)
    with pytest.raises(SystemExit) as ended:
        settings_or_exit(Settings, "krkn-grpc cannot start")
    assert str(ended.value).startswith(f"krkn-grpc cannot start: {says}")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".local").touch()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("krkn-grpc cannot start: [Errno 17] File exists")
