"""The pod and the Secret that a job becomes, whole, as Kubernetes gets them."""

import base64
from pathlib import Path
from typing import Any

import msgspec
import yaml

from controller.jobs import pod as pods
from controller.scenario_pods.rules import PodRules
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob, JobFile
from krkn_grpc.resources.meta import Resource
from krkn_grpc.resources.pod import NewPod
from tests.unit.controller.jobs.builders import JOB_ID, a_credential, a_job

GOLDEN = Path(__file__).with_name("golden")

WITH_ALL: ChaosJob = a_job(
    scenario_name="node cpu hog: 80% für alle!",
    environment={"TOTAL_CHAOS_DURATION": "60", "EXPANDED": "$(HOME) and $PATH"},
    secret_environment=["AWS_SECRET_ACCESS_KEY", "ES_PASSWORD"],
    files=[
        JobFile(name="plan.yaml", mount_path="/home/krkn/plan.yaml"),
        JobFile(name="more.yaml", mount_path="/home/krkn/more.yaml"),
    ],
    pull_secret=True,
)


def written(resource: Resource) -> object:
    return msgspec.to_builtins(resource)


def golden(name: str) -> object:
    return yaml.safe_load((GOLDEN / name).read_text())


def test_pod_with_all() -> None:
    assert written(pods.pod(WITH_ALL, PodRules())) == golden("pod-with-all.yaml")


def test_pod_with_the_least() -> None:
    assert written(pods.pod(a_job(), PodRules("IfNotPresent", 5))) == golden(
        "pod-with-the-least.yaml"
    )


def test_secret_of_the_kubeconfig() -> None:
    secret = pods.kubeconfig_secret(WITH_ALL, a_credential())
    assert base64.b64decode(secret.data["kubeconfig"]).decode() == a_credential().kubeconfig
    plain = msgspec.structs.replace(secret, data={"kubeconfig": "..."})
    assert written(plain) == golden("secret.yaml")


def test_no_credential_is_in_the_pod() -> None:
    text = msgspec.json.encode(pods.pod(WITH_ALL, PodRules())).decode()
    assert "the-token" not in text
    assert base64.b64encode(b"the-token").decode() not in text


CALL = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def traced(**changes: Any) -> ChaosJob:
    job = a_job(**changes)
    metadata = msgspec.structs.replace(job.metadata, annotations={well_known.TRACEPARENT: CALL})
    return msgspec.structs.replace(job, metadata=metadata)


def variables(pod: NewPod, name: str = "TRACEPARENT") -> list[str]:
    return [each.value for each in pod.spec.containers[0].env if each.name == name]


def test_the_id_of_krkns_run_is_the_jobs_unless_the_request_says_otherwise() -> None:
    assert variables(pods.pod(a_job(), PodRules()), "UUID") == [JOB_ID]
    assert variables(pods.pod(a_job(environment={"UUID": "mine"}), PodRules()), "UUID") == ["mine"]
    secret = pods.pod(a_job(secret_environment=["UUID"]), PodRules())
    [variable] = [e for e in secret.spec.containers[0].env if e.name == "UUID"]
    assert variable.value_from is not None


def test_a_scenario_is_told_its_place_in_the_trace() -> None:
    pod = pods.pod(traced(), PodRules())
    assert variables(pod) == [CALL]
    assert pod.metadata.annotations[well_known.TRACEPARENT] == CALL
    [below] = variables(pods.pod(traced(), PodRules(are_jobs_traced=True)))
    assert below.split("-")[1] == CALL.split("-")[1]
    assert below != CALL


def test_a_request_may_name_another_place_in_a_trace() -> None:
    public = pods.pod(traced(environment={"TRACEPARENT": "mine"}), PodRules())
    assert variables(public) == ["mine"]
    secret = pods.pod(traced(secret_environment=["TRACEPARENT"]), PodRules())
    [variable] = [e for e in secret.spec.containers[0].env if e.name == "TRACEPARENT"]
    assert variable.value_from is not None


def test_what_is_no_trace_is_not_told() -> None:
    job = traced()
    metadata = msgspec.structs.replace(job.metadata, annotations={well_known.TRACEPARENT: "$(X)"})
    pod = pods.pod(msgspec.structs.replace(job, metadata=metadata), PodRules())
    assert variables(pod) == []
    assert well_known.TRACEPARENT not in pod.metadata.annotations
