"""For every request there is: it is refused as invalid, or it makes objects that are in order."""

import base64
import re
import uuid
from functools import cache

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from controller.jobs.pod import pod
from controller.scenario_pods.rules import PodRules
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.pod import NewPod
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.runs import builders, validate
from krkn_grpc.server.runs.model import Run
from krkn_grpc.server.targets import validate as target_check
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1 import targets_pb2
from tests.support import custom_objects
from tests.support.requests import kubeconfig
from tests.support.schemas import Schema, faults
from tests.unit.server.runs.any_request import anything, of, requests
from tests.unit.server.runs.requests import A_CHAOS_RUN, ALL_IMAGES, EVERYWHERE, a_target

MIB = 1024 * 1024
DNS_1123 = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@cache
def spec_schema(plural: str) -> Schema:
    schema: Schema = custom_objects.schemas(plural)["spec"]
    return schema


def assert_told_properly(error: InvalidRequest) -> None:
    """Assert that a refusal says which fields, what the rule is, and is of a bearable length."""
    assert error.violations
    assert all(violation.field and violation.description for violation in error.violations)
    assert len(str(error)) < 1000


def assert_job_is_in_order(job: ChaosJob) -> None:
    assert list(faults(msgspec.to_builtins(job.spec), spec_schema(custom_objects.JOBS))) == []
    assert all(LABEL_VALUE.fullmatch(value) for value in job.metadata.labels.values())


def assert_secret_is_in_order(secret: Secret) -> None:
    assert DNS_1123.fullmatch(secret.metadata.name)
    assert all(DATA_KEY.fullmatch(key) for key in secret.data)
    decoded = [base64.b64decode(value, validate=True) for value in secret.data.values()]
    assert sum(map(len, decoded)) < MIB, "Kubernetes takes no more"


def assert_pod_is_in_order(made: NewPod, secrets: list[Secret]) -> None:
    [container] = made.spec.containers
    assert DNS_1123.fullmatch(made.metadata.name)
    names = [variable.name for variable in container.env]
    assert len(names) == len(set(names))
    mounts = [mount.mount_path for mount in container.volume_mounts]
    assert len(mounts) == len(set(mounts))
    assert {mount.name for mount in container.volume_mounts} <= {v.name for v in made.spec.volumes}
    assert all(LABEL_VALUE.fullmatch(value) for value in made.metadata.labels.values())
    keys = {key for secret in secrets for key in secret.data}
    referred = [each.value_from.secret_key_ref.key for each in container.env if each.value_from]
    assert set(referred) <= keys


@given(requests)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_run_is_refused_as_invalid_or_makes_objects_that_are_in_order(
    request: pb.RunScenarioRequest,
) -> None:
    try:
        run = validate.run(request, ALL_IMAGES, EVERYWHERE)
    except InvalidRequest as error:
        event("refused")
        assert_told_properly(error)
        return
    event("passed")
    assert_keeps_secrets(request, run)
    job = builders.job(run, a_target(), A_CHAOS_RUN, str(uuid.uuid4()), "alice")
    secrets = builders.secrets(run, job)
    assert_job_is_in_order(job)
    for secret in secrets:
        assert_secret_is_in_order(secret)
    assert_pod_is_in_order(pod(job, PodRules()), secrets)


def assert_keeps_secrets(request: pb.RunScenarioRequest, run: Run) -> None:
    """Assert that nothing is lost, and that what was given as a secret stays one."""
    assert run.environment | run.secret_environment == (
        dict(request.environment) | dict(request.secret_environment)
    )
    assert not run.environment.keys() & request.secret_environment.keys()
    assert [file.mount_path for file in run.files] == [file.mount_path for file in request.files]


registrations = st.builds(
    targets_pb2.CreateTargetRequest,
    cluster_name=of(good=["c", " näher "], near=["", " ", "x" * 254, "a\0"]),
    secret_type=of(good=["kubeconfig", "token", "credentials"], near=["", "Token"]),
    cluster_api_url=of(
        good=["https://a.example:6443", "https://10.0.0.1", "HTTPS://[fd12::1]:443/x/"],
        near=[
            "",
            "http://a",
            "https://127.0.0.1",
            "https://[::1",
            "https://a:99999",
            "https://a/b",
        ],
    ),
    ca_bundle=of(good=[""], near=["x", "-----BEGIN CERTIFICATE-----\n"]),
    kubeconfig=of(
        good=[kubeconfig("https://a.example", "abc")],
        near=["", "a: b", "{", "!!python/object:x {}", "&a [*a]", "a" * 600_000],
    ),
    token=of(good=["abc"], near=["", "a b", "a\n"]),
    username=of(good=["bob"], near=["", "a:b"]),
    password=of(good=["abc"], near=["", "\0"]),
)


@settings(deadline=None)
@given(registrations)
def test_a_registration_is_refused_as_invalid_or_makes_a_target_that_is_in_order(
    request: targets_pb2.CreateTargetRequest,
) -> None:
    try:
        new = target_check.registration(request, AddressRules())
    except InvalidRequest as error:
        event("refused")
        assert_told_properly(error)
        return
    event("passed")
    spec = a_target(
        cluster_name=new.cluster_name,
        cluster_api_url=new.kubeconfig.server,
        secret_type=new.secret_type,
        ca_bundle=new.ca_bundle,
    ).spec
    schema = spec_schema(custom_objects.TARGETS)
    assert list(faults(msgspec.to_builtins(spec), schema)) == []


@settings(deadline=None)
@given(anything, anything)
def test_no_text_of_a_caller_breaks_a_registration(url: str, text: str) -> None:
    """Everything at once is anything: nothing but a refusal may come of it."""
    request = targets_pb2.CreateTargetRequest(
        cluster_name=text,
        secret_type="kubeconfig" if len(url) % 2 else "credentials",
        cluster_api_url=f"https://{url}",
        ca_bundle=text,
        kubeconfig=text,
        username=text,
        password=text,
    )
    try:
        target_check.registration(request, AddressRules())
    except InvalidRequest as error:
        assert_told_properly(error)
