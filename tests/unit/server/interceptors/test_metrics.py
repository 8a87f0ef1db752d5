"""Methods are counted under the names of their descriptors, and never under a caller's."""

import pytest

from krkn_grpc.server.auth.policy import METHODS, REFLECTION
from krkn_grpc.server.interceptors.metrics import OTHER, labels_of


@pytest.mark.parametrize(
    "path", [path for path, rule in METHODS.items() if rule.pool != REFLECTION]
)
def test_each_method_has_its_own_name(path: str) -> None:
    kind, service, method = labels_of(path)
    assert path == f"/{service}/{method}"
    assert kind == ("server_stream" if "Stream" in method or "Watch" in method else "unary")


@pytest.mark.parametrize("path", ["", "/", "/krkn.v1.Canary/Do", "/krkn.v1.TargetService/Canary"])
def test_what_has_no_descriptor_has_no_name(path: str) -> None:
    assert labels_of(path)[1:] == (OTHER, OTHER)
