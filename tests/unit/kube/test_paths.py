"""The resource that a path asks for is a label of metrics: it never has a name in it."""

import pytest

from krkn_grpc.kube import paths
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.pod import Pod

JOBS = paths.collection(ChaosJob.KIND, "chaos")
PODS = paths.collection(Pod.KIND, "chaos")


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        (JOBS, "krknchaosjobs"),
        (paths.single(JOBS, "a-name", "status"), "krknchaosjobs"),
        (paths.single(JOBS, "a-name") + "?fieldValidation=Ignore", "krknchaosjobs"),
        (paths.single(PODS, "a-name", "log"), "pods"),
        (PODS, "pods"),
        (paths.namespace("pods"), "namespaces"),
        ("/apis/authentication.k8s.io/v1/tokenreviews", "tokenreviews"),
        ("/readyz", "none"),
    ],
)
def test_a_path_has_a_resource(path: str, resource: str) -> None:
    assert paths.resource_of(path) == resource
