"""The merge of a job, the administrator's rules and what is fixed: no rule loosens the pod."""

from typing import Any

import msgspec
import pytest

from controller.jobs import pod as pods
from controller.scenario_pods import template as pod_template
from controller.scenario_pods.rules import PodRules, Proxies
from controller.scenario_pods.template import PodTemplate
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.jobs.builders import a_job
from tests.unit.controller.jobs.test_pod import WITH_ALL
from tests.unit.controller.scenario_pods.test_template import WHOLE

PROXIES = Proxies("http://proxy.example:3128", "http://proxy.example:3129", "10.0.0.0/8,.svc")
# As no text could be read: the merge alone must keep what is fixed.
HOSTILE = PodTemplate(
    labels={
        "app": "krkn-grpc",
        "krkn-job-id": "another",
        "krkn-target-uuid": "another",
        "sidecar.istio.io/inject": "true",
        "istio.io/dataplane-mode": "ambient",
    },
    annotations={
        "sidecar.istio.io/inject": "true",
        "linkerd.io/inject": "enabled",
        "krkn.krkn-chaos.dev/job-uid": "another",
    },
)
EVERY = PodRules(
    template=pod_template.read(WHOLE),
    service_account="own",
    has_fixed_user=False,
    mirrors=(("quay.io", "mirror.example/quay"),),
    proxies=PROXIES,
    ca_config_map="company",
    ca_key="tls-ca",
)
RULES = {"usual": PodRules(), "hostile": PodRules(template=HOSTILE), "every": EVERY}


def written(job: ChaosJob, rules: PodRules) -> Any:
    return msgspec.to_builtins(pods.pod(job, rules))


def environment(job: ChaosJob, rules: PodRules) -> dict[str, Any]:
    [container] = written(job, rules)["spec"]["containers"]
    variables = {
        each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]
    }
    assert len(variables) == len(container["env"]), "no name is there twice"
    return variables


@pytest.mark.parametrize("job", [a_job(), WITH_ALL], ids=["least", "all"])
@pytest.mark.parametrize("name", RULES)
def test_what_is_fixed_stays(name: str, job: ChaosJob) -> None:
    usual, pod = written(job, PodRules()), written(job, RULES[name])
    for key, value in usual["metadata"]["labels"].items():
        assert pod["metadata"]["labels"][key] == value
    for key, value in usual["metadata"]["annotations"].items():
        assert pod["metadata"]["annotations"][key] == value
    for key in ("name", "namespace", "ownerReferences"):
        assert pod["metadata"][key] == usual["metadata"][key]
    spec, usual_spec = pod["spec"], usual["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for key in (
        "schedulingGates",
        "restartPolicy",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "activeDeadlineSeconds",
        "terminationGracePeriodSeconds",
    ):
        assert spec[key] == usual_spec[key]
    [container], [usual_container] = spec["containers"], usual_spec["containers"]
    for key in ("name", "imagePullPolicy", "lifecycle", "securityContext"):
        assert container[key] == usual_container[key]
    assert not {"command", "args", "envFrom", "ports"} & container.keys()
    for key in ("volumeMounts", "env"):
        kept = [each for each in usual_container[key] if each in container[key]]
        assert kept == usual_container[key]
    kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"secret", "emptyDir", "configMap"}


def test_what_the_rules_add() -> None:
    pod = written(WITH_ALL, EVERY)
    spec, [container] = pod["spec"], pod["spec"]["containers"]
    assert pod["metadata"]["labels"]["cost-center"] == "42"
    assert pod["metadata"]["annotations"]["example.com/contact"] == "team chaos, phone 42"
    assert spec["nodeSelector"] == {"node-role.kubernetes.io/chaos": ""}
    assert spec["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "chaos", "effect": "NoSchedule"},
        {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60},
    ]
    assert spec["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": "krkn-scenario"}},
        }
    ]
    assert (spec["priorityClassName"], spec["runtimeClassName"]) == ("chaos", "gvisor")
    assert spec["serviceAccountName"] == "own"
    registry = f"krkn-job-{WITH_ALL.metadata.name}-registry"
    assert [each["name"] for each in spec["imagePullSecrets"]] == [registry, "mirror"]
    assert container["image"] == "mirror.example/quay/krkn-chaos/krkn-hub:node-cpu-hog"
    assert container["resources"]["limits"] == {"memory": "2Gi", "ephemeral-storage": "1Gi"}
    [bundle] = [volume["configMap"] for volume in spec["volumes"] if "configMap" in volume]
    assert bundle == {"name": "company", "items": [{"key": "tls-ca", "path": "ca-bundle.crt"}]}
    mount = {"name": "ca", "mountPath": "/etc/krkn-ca", "readOnly": True}
    assert mount in container["volumeMounts"]


def test_the_cluster_may_choose_the_user() -> None:
    assert written(a_job(), PodRules(has_fixed_user=False))["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_tmp_is_as_large_as_the_pod_may_be() -> None:
    text = "{limits: {ephemeral-storage: %s}}"
    for limit, expected in (("5Gi", {"sizeLimit": "5Gi"}), ("null", {})):
        given = f"spec: {{containers: [{{name: scenario, resources: {text % limit}}}]}}"
        [tmp, *_] = written(a_job(), PodRules(template=pod_template.read(given)))["spec"]["volumes"]
        assert tmp == {"name": "tmp", "emptyDir": expected}


# --- whose variables win ---

AROUND = ["HTTPS_PROXY", "https_proxy", "Http_Proxy", "ALL_PROXY", "no_proxy", "SOCKS5_PROXY"]


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("is_secret", [False, True], ids=["public", "secret"])
def test_no_request_goes_around_a_proxy(name: str, is_secret: bool) -> None:
    """A caller could otherwise send a target's traffic past what the company looks at."""
    job = a_job(**({"secret_environment": [name]} if is_secret else {"environment": {name: "x"}}))
    rules = PodRules(proxies=Proxies(https="http://proxy.example:3128"))
    assert environment(job, rules) == {
        "KRKN_KUBE_CONFIG": job.spec.kubeconfig_path,
        "UUID": job.metadata.name,
        "HTTPS_PROXY": "http://proxy.example:3128",
        "https_proxy": "http://proxy.example:3128",
    }
    assert name in environment(job, PodRules()), "without a proxy of the administrator's"


def test_the_environment_of_every_scenario() -> None:
    job = a_job(environment={"SSL_CERT_FILE": "/mnt/own.pem", "PRICE": "$5"})
    bundle = "/etc/krkn-ca/ca-bundle.crt"
    assert environment(job, EVERY) == {
        "PRICE": "$$5",
        "KRKN_KUBE_CONFIG": job.spec.kubeconfig_path,
        "UUID": job.metadata.name,
        **PROXIES.environment,
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "CURL_CA_BUNDLE": bundle,
    }
    assert environment(job, PodRules())["SSL_CERT_FILE"] == "/mnt/own.pem"
