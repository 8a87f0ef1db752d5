"""What the CRDs refuse: one wrong field in an object that is right otherwise, as a table."""

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.custom_objects import (
    BLACKOUTS,
    GONE,
    HALTS,
    JOBS,
    PROVIDERS,
    REQUESTS,
    RUNS,
    TARGETS,
    assert_refused,
    collection,
    store,
    whole,
)

ANOTHER_ID = "6f1c1b6e-0000-4000-8000-00000000000f"
UPPER_CASE = "6F1C1B6E-0000-4000-8000-00000000000F"
MANY_NAMES = {f"A{number}": "" for number in range(32769)}
FILE = {"name": "a", "mountPath": "/a"}
TARGET = {"targetUUID": ANOTHER_ID, "jobId": ANOTHER_ID}
REFUSED = {"targetUUID": "a", "error": "not found"}

WRONG: list[tuple[str, str, object, str]] = [
    (PROVIDERS, "operator-name", "", "spec.operator-name"),
    (PROVIDERS, "operator-name", GONE, "spec.operator-name: Required"),
    (TARGETS, "uuid", ANOTHER_ID, "the name of a target is its spec.uuid"),
    (TARGETS, "clusterName", "", "spec.clusterName"),
    (TARGETS, "clusterName", " one", "spec.clusterName"),
    (TARGETS, "clusterName", "one\n", "spec.clusterName"),
    (TARGETS, "clusterName", "a" * 254, "spec.clusterName"),
    (TARGETS, "clusterName", "a\u3000", "spec.clusterName"),
    (TARGETS, "clusterName", "a\x00b", "spec.clusterName"),
    (TARGETS, "clusterName", "a\x85b", "spec.clusterName"),
    (TARGETS, "clusterName", "a\u2028b", "spec.clusterName"),
    (TARGETS, "clusterName", "a\u202eb", "spec.clusterName"),
    (TARGETS, "clusterName", "a\u2069b", "spec.clusterName"),
    (TARGETS, "clusterAPIURL", "http://one.example.com", "spec.clusterAPIURL"),
    # pragma: allowlist nextline secret
    (TARGETS, "clusterAPIURL", "https://user:word@one.example.com", "spec.clusterAPIURL"),
    (TARGETS, "clusterAPIURL", "https:///path", "spec.clusterAPIURL"),
    (TARGETS, "clusterAPIURL", "https://one.example.com/a b", "spec.clusterAPIURL"),
    (TARGETS, "secretType", "password", "spec.secretType"),
    (TARGETS, "secretUUID", "../secrets/another", "spec.secretUUID"),
    (TARGETS, "secretUUID", GONE, "spec.secretUUID: Required"),
    (TARGETS, "insecureSkipTLSVerify", "yes", "spec.insecureSkipTLSVerify"),
    (TARGETS, "maxConcurrentJobs", -1, "spec.maxConcurrentJobs"),
    (TARGETS, "maxConcurrentJobs", 10_001, "spec.maxConcurrentJobs"),
    (REQUESTS, "uuid", ANOTHER_ID, "the name of a target request is its spec.uuid"),
    (HALTS, "reason", "a" * 1025, "spec.reason"),
    (HALTS, "since", "today", "spec.since"),
    (HALTS, "targetSelector", {"matchLabels": {"env": "prod"}}, "spec.targetSelector"),
    (HALTS, "targetSelector", "a" * 32769, "spec.targetSelector"),
    (BLACKOUTS, "schedule", GONE, "spec.schedule: Required"),
    (BLACKOUTS, "schedule", "", "spec.schedule"),
    (BLACKOUTS, "schedule", "*" * 257, "spec.schedule"),
    (BLACKOUTS, "durationSeconds", GONE, "spec.durationSeconds: Required"),
    (BLACKOUTS, "durationSeconds", 59, "spec.durationSeconds"),
    (BLACKOUTS, "durationSeconds", 604_801, "spec.durationSeconds"),
    (BLACKOUTS, "timeZone", "", "spec.timeZone"),
    (BLACKOUTS, "timeZone", "a" * 65, "spec.timeZone"),
    (BLACKOUTS, "targetSelector", {"matchLabels": {"env": "prod"}}, "spec.targetSelector"),
    (BLACKOUTS, "stopRunning", "yes", "spec.stopRunning"),
    (JOBS, "jobId", ANOTHER_ID, "the name of a job is its spec.jobId"),
    (JOBS, "targetUUID", UPPER_CASE, "spec.targetUUID"),
    (JOBS, "targetUID", "", "spec.targetUID"),
    (JOBS, "targetSecretUUID", UPPER_CASE, "spec.targetSecretUUID"),
    (JOBS, "clusterAPIURL", "http://one.example.com", "spec.clusterAPIURL"),
    (JOBS, "scenarioName", GONE, "spec.scenarioName: Required"),
    (JOBS, "scenarioName", "a" * 254, "spec.scenarioName"),
    (JOBS, "scenarioName", " \u3000", "spec.scenarioName"),
    (JOBS, "scenarioName", "a\nb", "spec.scenarioName"),
    (JOBS, "scenarioName", "a\u2066b", "spec.scenarioName"),
    (JOBS, "scenarioImage", "", "spec.scenarioImage"),
    (JOBS, "kubeconfigPath", "config", "spec.kubeconfigPath"),
    (JOBS, "kubeconfigPath", "/a:b", "spec.kubeconfigPath"),
    (JOBS, "kubeconfigPath", "/a\u202eb", "spec.kubeconfigPath"),
    (JOBS, "kubeconfigPath", "/a/../b", "kubeconfigPath has no"),
    (JOBS, "kubeconfigPath", "//proc/self/config", "kubeconfigPath has no"),
    (JOBS, "kubeconfigPath", "/./proc/self/config", "kubeconfigPath has no"),
    (JOBS, "kubeconfigPath", "/a/.", "kubeconfigPath has no"),
    (JOBS, "kubeconfigPath", "/a/", "kubeconfigPath has no"),
    (JOBS, "kubeconfigPath", "/dev/x", "kubeconfigPath is not under"),
    (JOBS, "environment", {"A": 1}, "spec.environment.A"),
    (JOBS, "environment", {"A B": ""}, "a variable's name has"),
    (JOBS, "environment", {"1A": ""}, "a variable's name has"),
    (JOBS, "environment", {"": ""}, "a variable's name has"),
    (JOBS, "environment", {"KUBECONFIG": "/a"}, "are set by the controller"),
    (JOBS, "environment", {"KRKN_KUBE_CONFIG": "/a"}, "are set by the controller"),
    (JOBS, "environment", MANY_NAMES, "spec.environment: Too many"),
    (JOBS, "secretEnvironment", ["A", "A"], "spec.secretEnvironment[1]: Duplicate"),
    (JOBS, "secretEnvironment", ["A=B"], "spec.secretEnvironment[0]"),
    (JOBS, "secretEnvironment", ["KUBECONFIG"], "are set by the controller"),
    (JOBS, "secretEnvironment", list(MANY_NAMES), "spec.secretEnvironment: Too many"),
    (JOBS, "files", [FILE | {"name": "a\tb"}], "spec.files[0].name"),
    (JOBS, "files", [FILE | {"name": "a\u2029b"}], "spec.files[0].name"),
    (JOBS, "files", [FILE | {"mountPath": "/a:b"}], "spec.files[0].mountPath"),
    (JOBS, "files", [FILE | {"mountPath": "/a\u2028b"}], "spec.files[0].mountPath"),
    (JOBS, "files", [FILE | {"mountPath": "a"}], "spec.files[0].mountPath"),
    (JOBS, "files", [FILE | {"mountPath": "/a/.."}], "a mountPath has no"),
    (JOBS, "files", [FILE | {"mountPath": "/./proc/x"}], "a mountPath has no"),
    (JOBS, "files", [FILE | {"mountPath": "/a/./b"}], "a mountPath has no"),
    (JOBS, "files", [FILE | {"mountPath": "/a//b"}], "a mountPath has no"),
    (JOBS, "files", [FILE, FILE | {"mountPath": "/a/"}], "a mountPath has no"),
    (JOBS, "files", [FILE | {"mountPath": "/sys"}], "a mountPath is not under"),
    (JOBS, "files", [FILE, FILE | {"name": "b"}], "each file has a mountPath of its own"),
    (JOBS, "files", [FILE] * 17, "spec.files: Too many"),
    (JOBS, "timeoutSeconds", 0, "spec.timeoutSeconds"),
    (JOBS, "timeoutSeconds", 86401, "spec.timeoutSeconds"),
    (JOBS, "queueSeconds", -1, "spec.queueSeconds"),
    (JOBS, "queueSeconds", 2_592_001, "spec.queueSeconds"),
    (JOBS, "onBusy", "wait", "spec.onBusy"),
    (JOBS, "ttlSecondsAfterFinished", -1, "spec.ttlSecondsAfterFinished"),
    (JOBS, "ttlSecondsAfterFinished", 2**31, "spec.ttlSecondsAfterFinished"),
    (JOBS, "requestId", UPPER_CASE, "spec.requestId"),
    (JOBS, "runId", UPPER_CASE, "spec.runId"),
    (JOBS, "runUID", "a" * 65, "spec.runUID"),
    (JOBS, "requestedBy", "a" * 1025, "spec.requestedBy"),
    (RUNS, "targets", GONE, "spec.targets: Required"),
    (RUNS, "targets", [], "spec.targets"),
    (RUNS, "targets", [TARGET] * 1001, "spec.targets: Too many"),
    (RUNS, "targets", [TARGET | {"targetUUID": UPPER_CASE}], "spec.targets[0].targetUUID"),
    (RUNS, "targets", [TARGET | {"jobId": UPPER_CASE}], "spec.targets[0].jobId"),
    (RUNS, "targets", [{"targetUUID": ANOTHER_ID}], "spec.targets[0].jobId: Required"),
    (RUNS, "refused", [REFUSED] * 1001, "spec.refused: Too many"),
    (RUNS, "refused", [REFUSED | {"targetUUID": ""}], "spec.refused[0].targetUUID"),
    (RUNS, "refused", [REFUSED | {"targetUUID": "a" * 254}], "spec.refused[0].targetUUID"),
    (RUNS, "refused", [REFUSED | {"error": "a" * 1025}], "spec.refused[0].error"),
    (RUNS, "refused", [{"targetUUID": "a"}], "spec.refused[0].error: Required"),
    (RUNS, "fingerprint", GONE, "spec.fingerprint: Required"),
    (RUNS, "fingerprint", "", "spec.fingerprint"),
    (RUNS, "fingerprint", "a" * 257, "spec.fingerprint"),
    (RUNS, "requestId", UPPER_CASE, "spec.requestId"),
    (RUNS, "idempotencySeconds", 0, "spec.idempotencySeconds"),
    (RUNS, "idempotencySeconds", 2**31, "spec.idempotencySeconds"),
    (RUNS, "scenarioName", GONE, "spec.scenarioName: Required"),
    (RUNS, "scenarioName", "a" * 254, "spec.scenarioName"),
    (RUNS, "scenarioName", " \u3000", "spec.scenarioName"),
    (RUNS, "scenarioName", "a\nb", "spec.scenarioName"),
    (RUNS, "scenarioName", "a\u2066b", "spec.scenarioName"),
    (RUNS, "scenarioImage", GONE, "spec.scenarioImage: Required"),
    (RUNS, "scenarioImage", "", "spec.scenarioImage"),
    (RUNS, "scenarioImage", "a" * 513, "spec.scenarioImage"),
    (RUNS, "kubeconfigPath", "config", "spec.kubeconfigPath"),
    (RUNS, "kubeconfigPath", "/a:b", "spec.kubeconfigPath"),
    (RUNS, "environment", {"A": 1}, "spec.environment.A"),
    (RUNS, "environment", {"A B": ""}, "a variable's name has"),
    (RUNS, "environment", {"KUBECONFIG": "/a"}, "are set by the controller"),
    (RUNS, "environment", {"KRKN_KUBE_CONFIG": "/a"}, "are set by the controller"),
    (RUNS, "environment", MANY_NAMES, "spec.environment: Too many"),
    (RUNS, "secretEnvironment", ["A", "A"], "spec.secretEnvironment[1]: Duplicate"),
    (RUNS, "secretEnvironment", ["A=B"], "spec.secretEnvironment[0]"),
    (RUNS, "secretEnvironment", ["KUBECONFIG"], "are set by the controller"),
    (RUNS, "secretEnvironment", list(MANY_NAMES), "spec.secretEnvironment: Too many"),
    (RUNS, "files", [FILE | {"name": "a\tb"}], "spec.files[0].name"),
    (RUNS, "files", [FILE | {"mountPath": "/a:b"}], "spec.files[0].mountPath"),
    (RUNS, "files", [FILE | {"mountPath": "/a/.."}], "a mountPath has no"),
    (RUNS, "files", [FILE | {"mountPath": "/sys"}], "a mountPath is not under"),
    (RUNS, "files", [FILE, FILE | {"name": "b"}], "each file has a mountPath of its own"),
    (RUNS, "files", [FILE] * 17, "spec.files: Too many"),
    (RUNS, "timeoutSeconds", 0, "spec.timeoutSeconds"),
    (RUNS, "timeoutSeconds", 86401, "spec.timeoutSeconds"),
    (RUNS, "ttlSecondsAfterFinished", -1, "spec.ttlSecondsAfterFinished"),
    (RUNS, "registryUrl", "", "spec.registryUrl"),
    (RUNS, "registryUrl", "a" * 2049, "spec.registryUrl"),
    (RUNS, "labels", {f"a{number}": "" for number in range(65)}, "spec.labels: Too many"),
    (RUNS, "labels", {"a": "a" * 64}, "spec.labels.a"),
    (RUNS, "requestedBy", "a" * 1025, "spec.requestedBy"),
    (RUNS, "maxParallel", -1, "spec.maxParallel"),
    (RUNS, "maxFailures", -1, "spec.maxFailures"),
    (RUNS, "abortRunning", "yes", "spec.abortRunning"),
    (RUNS, "queueSeconds", -1, "spec.queueSeconds"),
    (RUNS, "queueSeconds", 2_592_001, "spec.queueSeconds"),
    (RUNS, "onBusy", "wait", "spec.onBusy"),
    (RUNS, "abortOn", [""], "spec.abortOn[0]"),
    (RUNS, "abortOn", ["a" * 1025], "spec.abortOn[0]"),
    (RUNS, "abortOn", ["a"] * 17, "spec.abortOn: Too many"),
    (RUNS, "stop", {}, "spec.stop.reason: Required"),
    (RUNS, "stop", {"reason": ""}, "spec.stop.reason"),
    (RUNS, "stop", {"reason": "Maintenance"}, "spec.stop.reason"),
    (RUNS, "stop", {"reason": "StopRequested", "message": "a" * 1025}, "spec.stop.message"),
    (RUNS, "stop", {"reason": "StopRequested", "by": "a" * 1025}, "spec.stop.by"),
]


@pytest.mark.parametrize(
    ("plural", "field", "value", "violation"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{number}") for number, row in enumerate(WRONG)],
)
async def test_a_wrong_field_is_refused(
    control_plane: ControlPlane,
    namespace: str,
    plural: str,
    field: str,
    value: object,
    violation: str,
) -> None:
    changed = store(control_plane.cluster, namespace, plural, **{field: value})
    await assert_refused(changed, violation)


@pytest.mark.parametrize(
    ("plural", "field"), [(TARGETS, "uuid"), (REQUESTS, "uuid"), (JOBS, "jobId")]
)
@pytest.mark.parametrize("name", ["a", ANOTHER_ID[:-1], f"{ANOTHER_ID}0", UPPER_CASE])
async def test_a_name_that_is_no_canonical_uuid_is_refused(
    control_plane: ControlPlane, namespace: str, plural: str, field: str, name: str
) -> None:
    manifest = whole(plural)
    manifest["metadata"]["name"] = manifest["spec"][field] = name
    path = collection(plural, namespace)
    await assert_refused(control_plane.cluster.request("POST", path, manifest), name)


@pytest.mark.parametrize("plural", [PROVIDERS, TARGETS, REQUESTS, JOBS, RUNS])
async def test_an_object_without_a_spec_is_refused(
    control_plane: ControlPlane, namespace: str, plural: str
) -> None:
    manifest = whole(plural)
    del manifest["spec"]
    path = collection(plural, namespace)
    await assert_refused(control_plane.cluster.request("POST", path, manifest), "spec: Required")
