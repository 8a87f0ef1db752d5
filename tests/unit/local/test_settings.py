import re
from pathlib import Path

import pytest

from deploy.local.errors import StartError
from deploy.local.settings import Settings


def test_nothing_has_to_be_set() -> None:
    settings = Settings.read({})
    assert (settings.rest_port, settings.grpc_port) == (8080, 50051)
    assert (settings.namespace, settings.auth) == ("krkn-operator-system", "none")
    assert settings.kubeconfig is None


def test_all_can_be_set(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").touch()
    settings = Settings.read(
        {
            "KRKN_REST_PORT": "80",
            "KRKN_GRPC_PORT": "81",
            "KRKN_NAMESPACE": "chaos",
            "KRKN_AUTH": "kubernetes",
            "KRKN_KUBECONFIG": str(tmp_path / "kubeconfig"),
        }
    )
    assert settings == Settings(80, 81, "chaos", "kubernetes", tmp_path / "kubeconfig")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"KRKN_REST_PORT": "http"}, "KRKN_REST_PORT=http is not a port"),
        ({"KRKN_GRPC_PORT": "70000"}, "KRKN_GRPC_PORT=70000 is not a port"),
        ({"KRKN_GRPC_PORT": "0"}, "KRKN_GRPC_PORT=0 is not a port"),
        ({"KRKN_GRPC_PORT": "8080"}, "are both 8080"),
        ({"KRKN_AUTH": "None"}, "KRKN_AUTH is none or kubernetes"),
        ({"KRKN_NAMESPACE": "../kube-system"}, "no name of a namespace"),
        ({"KRKN_KUBECONFIG": "/no/such/file"}, "KRKN_KUBECONFIG=/no/such/file is no file"),
    ],
)
def test_a_wrong_value_is_named(environment: dict[str, str], says: str) -> None:
    with pytest.raises(StartError, match=re.escape(says)):
        Settings.read(environment)
