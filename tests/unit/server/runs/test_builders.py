"""The job and the Secrets of one run on one target: secrets in Secrets, the rest in the job."""

import base64
import json
import uuid
from typing import Any

import msgspec
import pytest

from krkn_grpc.resources.chaos_job import JobFile
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, RefusedTarget
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.runs import builders
from krkn_grpc.server.runs.model import Run
from tests.unit.server.runs.requests import A_CHAOS_RUN, a_file, a_run, a_target

JOB_ID = str(uuid.uuid4())


def decoded(secret: Secret) -> dict[str, str]:
    """The data of a Secret as text."""
    return {key: base64.b64decode(value).decode() for key, value in secret.data.items()}


def made(run: Run) -> tuple[str, list[Secret]]:
    """The job of a run as JSON, and its Secrets."""
    job = builders.job(run, a_target(), A_CHAOS_RUN, JOB_ID, "alice")
    return msgspec.json.encode(job).decode(), builders.secrets(run, job)


def test_the_job_pins_the_target_as_it_is_now() -> None:
    target = a_target(cluster_api_url="https://10.9.9.9", cluster_name="prod")
    job = builders.job(a_run(), target, A_CHAOS_RUN, JOB_ID, "alice")
    assert (job.metadata.name, job.metadata.namespace) == (JOB_ID, "krkn")
    assert job.spec.job_id == JOB_ID
    assert job.spec.target_uuid == target.metadata.name
    assert job.spec.target_uid == target.metadata.uid
    assert job.spec.target_secret_uuid == target.spec.secret_uuid
    assert job.spec.cluster_api_url == "https://10.9.9.9"
    assert job.spec.cluster_name == "prod"
    assert job.spec.requested_by == "alice"
    assert not job.spec.stop


def test_the_job_has_all_that_was_asked_for() -> None:
    run = a_run(
        kubeconfig_path="/k",
        environment={"A": "1"},
        timeout_seconds=5,
        ttl_seconds_after_finished=0,
        request_id=str(uuid.uuid4()),
    )
    spec = builders.job(run, a_target(), A_CHAOS_RUN, JOB_ID, "").spec
    assert (spec.scenario_image, spec.scenario_name) == ("i", "n")
    assert (spec.kubeconfig_path, spec.environment) == ("/k", {"A": "1"})
    assert (spec.timeout_seconds, spec.ttl_seconds_after_finished) == (5, 60), "that of the run"
    assert spec.request_id == run.request_id
    assert (spec.run_id, spec.run_uid) == (A_CHAOS_RUN.metadata.name, "uid-of-run")


@pytest.mark.parametrize(
    ("asked", "default", "kept"),
    [(None, None, None), (None, 60, 60), (None, 0, 0), (5, 60, 5), (0, 60, 0), (5, None, 5)],
)
def test_a_job_is_kept_as_asked_and_else_by_default(
    asked: int | None, default: int | None, kept: int | None
) -> None:
    run = a_run() if asked is None else a_run(ttl_seconds_after_finished=asked)
    assert stored(run, default_ttl_seconds=default).spec.ttl_seconds_after_finished == kept


def stored(run: Run, **changes: Any) -> ChaosRun:
    """The resource of a run."""
    given: dict[str, Any] = {
        "fingerprint": "f",
        "idempotency_seconds": 60,
        "default_ttl_seconds": None,
    }
    metadata = ObjectMeta(name="name", namespace="krkn")
    targets, refused = A_CHAOS_RUN.spec.targets, [RefusedTarget(target_uuid="b", error="no")]
    return builders.chaos_run(run, metadata, targets, refused, caller="alice", **(given | changes))


def test_the_resource_of_a_run_has_all_that_is_no_secret() -> None:
    run = a_run(
        kubeconfig_path="/k",
        environment={"A_TOKEN": "hidden-1", "B": "public"},
        secret_environment={"C": "hidden-2"},
        files=[a_file(content=base64.b64encode(b"hidden-3").decode())],
        registry_url="r.example",
        token="hidden-4",
        labels={"team": "a"},
        request_id=str(uuid.uuid4()),
        require_ready=True,
        max_parallel=3,
        max_failures=0,
        abort_running=True,
        queue_seconds=9,
        on_busy="Refuse",
        timeout_seconds=5,
    )
    made = stored(run, trace="the-call")
    assert "hidden" not in msgspec.json.encode(made).decode()
    assert made.metadata.labels == {"team": "a", "krkn-scenario-name": "n"}
    assert made.metadata.annotations == {"krkn.krkn-chaos.dev/trace": "the-call"}
    assert made.spec == ChaosRunSpec(
        targets=A_CHAOS_RUN.spec.targets,
        refused=[RefusedTarget(target_uuid="b", error="no")],
        fingerprint="f",
        request_id=run.request_id,
        idempotency_seconds=60,
        scenario_name="n",
        scenario_image="i",
        kubeconfig_path="/k",
        environment={"B": "public"},
        secret_environment=["A_TOKEN", "C"],
        files=[JobFile(name="f", mount_path="/etc/f")],
        timeout_seconds=5,
        registry_url="r.example",
        labels={"team": "a"},
        requested_by="alice",
        require_ready=True,
        max_parallel=3,
        max_failures=0,
        abort_running=True,
        queue_seconds=9,
        on_busy="Refuse",
    )


def test_the_jobs_labels_are_the_requests_and_ours() -> None:
    target = a_target()
    run = a_run(labels={"team": "a"}, scenario_name="Pods & nodes, " + "x" * 80)
    labels = builders.job(run, target, A_CHAOS_RUN, JOB_ID, "").metadata.labels
    assert labels == {
        "team": "a",
        "krkn-run-id": A_CHAOS_RUN.metadata.name,
        "krkn-target-uuid": target.metadata.name,
        "krkn-scenario-name": ("Pods-nodes-" + "x" * 80)[:63],
    }


def test_a_run_without_inputs_needs_no_secret() -> None:
    text, secrets = made(a_run(environment={"A": "public"}))
    assert secrets == []
    assert "public" in text
    assert json.loads(text)["spec"].get("pullSecret", False) is False


def test_secret_environment_and_files_are_in_one_secret_and_not_in_the_job() -> None:
    run = a_run(
        environment={"A_TOKEN": "hidden-1", "B": "public"},
        secret_environment={"C": "hidden-2"},
        files=[a_file(content=base64.b64encode(b"hidden-3").decode())],
    )
    text, secrets = made(run)
    [inputs] = secrets
    assert inputs.metadata.name == f"krkn-job-{JOB_ID}-inputs"
    assert inputs.metadata.labels == {"app": "krkn-scenario", "krkn-job-id": JOB_ID}
    assert inputs.type == "Opaque"
    assert decoded(inputs) == {
        "env-A_TOKEN": "hidden-1",
        "env-C": "hidden-2",
        "file-0": "hidden-3",
    }
    assert "hidden" not in text
    assert json.loads(text)["spec"]["secretEnvironment"] == ["A_TOKEN", "C"]
    assert json.loads(text)["spec"]["files"] == [{"name": "f", "mountPath": "/etc/f"}]


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("registry.example", "registry.example"),
        ("registry.example:5000", "registry.example:5000"),
        ("registry.example/team/app", "registry.example"),
        ("https://registry.example", "registry.example"),
        ("HTTPS://Registry.example:5000/v2/", "Registry.example:5000"),
        ("https://index.docker.io/v1/", "index.docker.io"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_the_pull_secret_is_for_the_registrys_host(url: str, server: str) -> None:
    text, [pull] = made(a_run(registry_url=url, username="bob", password="hidden"))
    assert pull.metadata.name == f"krkn-job-{JOB_ID}-registry"
    assert pull.metadata.labels == {"app": "krkn-scenario", "krkn-job-id": JOB_ID}
    assert pull.type == "kubernetes.io/dockerconfigjson"
    auth = base64.b64encode(b"bob:hidden").decode()
    entry = {"username": "bob", "password": "hidden", "auth": auth}
    assert json.loads(decoded(pull)[".dockerconfigjson"]) == {"auths": {server: entry}}
    assert "hidden" not in text
    assert "bob" not in text
    assert json.loads(text)["spec"]["pullSecret"] is True


def test_a_token_is_the_password_of_oauth2_when_nobody_is_named() -> None:
    _, [pull] = made(a_run(registry_url="r", token="hidden"))
    [entry] = json.loads(decoded(pull)[".dockerconfigjson"])["auths"].values()
    assert (entry["username"], entry["password"]) == ("oauth2", "hidden")


def test_options_without_effect_are_noted_on_the_job() -> None:
    job = builders.job(a_run(skip_tls=True, insecure=True), a_target(), A_CHAOS_RUN, JOB_ID, "")
    assert job.metadata.annotations == {"krkn.krkn-chaos.dev/ignored-options": "skipTls, insecure"}
    assert builders.job(a_run(), a_target(), A_CHAOS_RUN, JOB_ID, "").metadata.annotations == {}


def test_a_job_says_which_call_asked_for_it() -> None:
    job = builders.job(a_run(), a_target(), A_CHAOS_RUN, JOB_ID, "", "the-call")
    assert job.metadata.annotations == {"krkn.krkn-chaos.dev/trace": "the-call"}


def test_the_same_run_makes_the_same_objects() -> None:
    run = a_run(secret_environment={"B": "2", "A": "1"}, registry_url="r", token="t")
    target = a_target()
    first, second = (builders.job(run, target, A_CHAOS_RUN, JOB_ID, "a") for _ in range(2))
    assert first == second
    assert builders.secrets(run, first) == builders.secrets(run, second)
