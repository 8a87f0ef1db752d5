"""What an administrator's template may say, and what it is told when it may not."""

import pytest

from controller.scenario_pods import template as pod_template

WHOLE = """\
metadata:
  labels: {cost-center: "42", example.com/team: chaos}
  annotations: {example.com/contact: "team chaos, phone 42"}
spec:
  nodeSelector: {node-role.kubernetes.io/chaos: ""}
  tolerations:
    - {key: dedicated, operator: Equal, value: chaos, effect: NoSchedule}
    - {operator: Exists, effect: NoExecute, tolerationSeconds: 60}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: topology.kubernetes.io/zone
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: {matchLabels: {app: krkn-scenario}}
  priorityClassName: chaos
  runtimeClassName: gvisor
  imagePullSecrets: [{name: mirror}]
  containers:
    - name: scenario
      resources:
        requests: {cpu: 1}
        limits: {cpu: null, memory: 2Gi}
"""


def test_a_template_with_all() -> None:
    template = pod_template.read(WHOLE)
    assert template.labels == {"cost-center": "42", "example.com/team": "chaos"}
    assert template.annotations == {"example.com/contact": "team chaos, phone 42"}
    assert template.node_selector == {"node-role.kubernetes.io/chaos": ""}
    assert [each.operator for each in template.tolerations] == ["Equal", "Exists"]
    [spread] = template.spread
    assert spread.label_selector is not None
    assert spread.label_selector.match_labels == {"app": "krkn-scenario"}
    assert (template.priority_class, template.runtime_class) == ("chaos", "gvisor")
    assert template.pull_secrets == ("mirror",)


def test_resources_are_merged_with_the_defaults() -> None:
    usual, given = pod_template.PodTemplate().resources, pod_template.read(WHOLE).resources
    assert given.requests == usual.requests | {"cpu": "1"}
    assert given.limits == {"memory": "2Gi", "ephemeral-storage": usual.limits["ephemeral-storage"]}


@pytest.mark.parametrize("text", ["", "  \n", "{}", "metadata: {}\nspec: {}", '{"spec": {}}'])
def test_nothing_is_the_default(text: str) -> None:
    assert pod_template.read(text) == pod_template.PodTemplate()


@pytest.mark.parametrize("key", ["requests", "limits"])
def test_every_usual_resource_has_both(key: str) -> None:
    usual = pod_template.PodTemplate().resources
    assert set(getattr(usual, key)) == {"cpu", "memory", "ephemeral-storage"}


def in_spec(text: str) -> str:
    return f"spec: {{{text}}}"


def in_container(text: str) -> str:
    return in_spec(f"containers: [{{name: scenario, {text}}}]")


# Every field of a pod or container by which it would get more than it needs, or stop being ours.
FORBIDDEN_OF_POD = [
    *("hostNetwork: true", "hostPID: true", "hostIPC: true", "hostUsers: false"),
    *("securityContext: {}", "serviceAccountName: admin", "automountServiceAccountToken: true"),
    *("volumes: []", "initContainers: []", "ephemeralContainers: []", "restartPolicy: Always"),
    *("schedulingGates: []", "nodeName: node-1", "schedulerName: mine", "activeDeadlineSeconds: 1"),
    *("terminationGracePeriodSeconds: 0", "shareProcessNamespace: true", "hostAliases: []"),
    *("enableServiceLinks: true", "os: {name: windows}", "affinity: {}", "dnsConfig: {}"),
]
FORBIDDEN_OF_CONTAINER = [
    *("image: evil", "command: [sh]", "args: [x]", "env: []", "envFrom: []", "ports: []"),
    *("securityContext: {privileged: true}", "volumeMounts: []", "volumeDevices: []"),
    *("lifecycle: {}", "livenessProbe: {}", "imagePullPolicy: Never", "workingDir: /"),
    *("stdin: true", "tty: true", "restartPolicy: Always", "terminationMessagePath: /x"),
]
FORBIDDEN_OF_METADATA = [
    *("name: mine", "namespace: other", "uid: x", "ownerReferences: []", "finalizers: []"),
]


@pytest.mark.parametrize("field", FORBIDDEN_OF_POD)
def test_no_other_field_of_the_pod(field: str) -> None:
    with pytest.raises(ValueError, match=f"^spec.{field.split(':', maxsplit=1)[0]} is not a field"):
        pod_template.read(in_spec(field))


@pytest.mark.parametrize("field", FORBIDDEN_OF_CONTAINER)
def test_no_other_field_of_the_container(field: str) -> None:
    name = field.split(":", maxsplit=1)[0]
    with pytest.raises(ValueError, match=rf"^spec.containers\[0\].{name} is not a field"):
        pod_template.read(in_container(field))


@pytest.mark.parametrize("field", FORBIDDEN_OF_METADATA)
def test_no_other_field_of_the_metadata(field: str) -> None:
    with pytest.raises(
        ValueError, match=f"^metadata.{field.split(':', maxsplit=1)[0]} is not a field"
    ):
        pod_template.read(f"metadata: {{{field}}}")


@pytest.mark.parametrize(
    "key",
    [
        *("app", "krkn-job-id", "krkn-scenario-name", "krkn-target-uuid", "krkn-anything"),
        *("krkn.krkn-chaos.dev/job-uid", "app.kubernetes.io/name", "sub.krkn.krkn-chaos.dev/x"),
        *("sidecar.istio.io/inject", "linkerd.io/inject", "config.linkerd.io/x", "istio.io/rev"),
        "istio.io/dataplane-mode",
        "container.apparmor.security.beta.kubernetes.io/scenario",
        "seccomp.security.alpha.kubernetes.io/pod",
    ],
)
@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_keys_of_ours_and_of_privileges(where: str, key: str) -> None:
    with pytest.raises(ValueError, match=f"^metadata.{where}: {key} is not for a template"):
        pod_template.read(f'metadata: {{{where}: {{{key}: "true"}}}}')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "it is not YAML: "),
        ("just text", "the template: Expected `object`, got `str`"),
        ("metadata: {labels: {a: yes}}", r"metadata.labels.*: Expected `str`, got `bool`"),
        ("metadata: {labels: {a: b c}}", "metadata.labels: a: b c is not a label"),
        ('metadata: {annotations: {"a b": c}}', "metadata.annotations: a b is not a key"),
        (in_spec("nodeSelector: {-a: b}"), "spec.nodeSelector: -a: b is not a label"),
        (in_spec("priorityClassName: A_B"), "spec.priorityClassName: 'A_B' is not the name"),
        (in_spec("runtimeClassName: a/b"), "spec.runtimeClassName: 'a/b' is not the name"),
        (in_spec('imagePullSecrets: [{name: ""}]'), "spec.imagePullSecrets: '' is not the name"),
        (in_spec("tolerations: [{operator: In}]"), r"spec.tolerations.*Invalid enum value 'In'"),
        (in_spec("tolerations: [{effect: NoSchedule}]"), "without key has operator Exists"),
        (in_spec("tolerations: [{key: a, keey: b}]"), "keey is not a field"),
        (
            in_spec("topologySpreadConstraints: [{maxSkew: 1}]"),
            r"spec.topologySpreadConstraints\[0\]: Object missing required field",
        ),
        (in_spec("containers: [{name: other}]"), "spec.containers.*Invalid enum value 'other'"),
        (
            in_spec("containers: [{name: scenario}, {name: scenario}]"),
            "spec.containers: a scenario pod has one container",
        ),
        (in_container("resources: {claims: []}"), "resources.claims is not a field"),
        (in_container("resources: {limits: {memory: 1 GB}}"), "limits of memory: '1 GB' is not"),
        (in_container("resources: {limits: {memory: -1}}"), "limits of memory: '-1' is not"),
        (
            in_container("resources: {limits: {memory: 100Mi}}"),
            "requests 256Mi of memory, more than its limit 100Mi",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as error:
        pod_template.read(text)
    assert "\n" not in str(error.value)
