"""The command line of each component of the control plane. Nothing is started here."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.local.cluster.api import Manifest
from deploy.local.cluster.certificates import KeyPair
from deploy.local.go.build import Binaries
from deploy.local.processes.children import Program
from deploy.local.processes.ports import LOOPBACK

STAGES = Path(__file__).parents[1] / "fake_node" / "stages"
_REPOSITORY = Path(__file__).resolve().parents[3]
NODE = "local"
NODE_LOGS = "node-logs"

# etcd listens on a socket file in its folder, named so because etcd requires a host and a port:
# no other user of the machine can reach it, and it needs no port.
ETCD_CLIENTS = "unix://localhost:2379"
ETCD_PEERS = "unix://localhost:2380"

CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "ttl-after-finished-controller",
)
# Besides, where our Deployment itself runs in pods.
WORKLOAD_CONTROLLERS = (
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
)
# Client requests per second, high enough that the local components never throttle.
QPS, BURST = 2000, 4000


@dataclass(frozen=True)
class Files:
    """The files that the components read, and the folder that they write to."""

    folder: Path
    ca: Path
    serving: KeyPair
    kubelet_client: KeyPair
    """The API server's client certificate for requests to the kubelet (logs)."""
    service_account_key: KeyPair


def etcd(binaries: Binaries, files: Files, folder: Path) -> Program:
    """Describe etcd, with its data in `folder`; no write waits for a disk: it is a local try."""
    argv = [
        binaries["etcd"],
        f"--data-dir={folder / 'etcd-data'}",
        f"--listen-client-urls={ETCD_CLIENTS}",
        f"--advertise-client-urls={ETCD_CLIENTS}",
        f"--listen-peer-urls={ETCD_PEERS}",
        f"--initial-advertise-peer-urls={ETCD_PEERS}",
        f"--initial-cluster=default={ETCD_PEERS}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=8589934592",
        "--log-level=warn",
    ]
    return _program("etcd", argv, files)


def api_server(
    binaries: Binaries, files: Files, port: int, *, is_target: bool, audit_log: Path | None
) -> Program:
    """Describe the API server, RBAC on.

    A bare target has no controllers, so the admission plugin is off that needs their objects (a
    `default` ServiceAccount in each namespace).
    """
    argv: list[object] = [
        binaries["kube-apiserver"],
        f"--etcd-servers={ETCD_CLIENTS}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={port}",
        "--permit-port-sharing",
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        f"--tls-cert-file={files.serving.certificate}",
        f"--tls-private-key-file={files.serving.key}",
        f"--client-ca-file={files.ca}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={files.service_account_key.certificate}",
        f"--service-account-signing-key-file={files.service_account_key.key}",
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
        "--enable-priority-and-fairness=false",
        "--profiling=false",
    ]
    if is_target:
        argv.append("--disable-admission-plugins=ServiceAccount")
    else:
        argv += [
            f"--kubelet-certificate-authority={files.ca}",
            f"--kubelet-client-certificate={files.kubelet_client.certificate}",
            f"--kubelet-client-key={files.kubelet_client.key}",
            "--kubelet-preferred-address-types=InternalIP",
        ]
    if audit_log is not None:
        policy = files.folder / "audit-policy.yaml"
        policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")
        argv += [f"--audit-log-path={audit_log}", f"--audit-policy-file={policy}"]
    return _program("kube-apiserver", argv, files)


def controller_manager(
    binaries: Binaries, files: Files, kubeconfig: Path, *, workloads: bool
) -> Program:
    """Describe the controllers that the product relies on, and no others.

    With `workloads` also those that run the product itself: Deployment, Service, disruption budget.
    """
    controllers = CONTROLLERS + (WORKLOAD_CONTROLLERS if workloads else ())
    argv = [
        binaries["kube-controller-manager"],
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={files.ca}",
        f"--service-account-private-key-file={files.service_account_key.key}",
        f"--kube-api-qps={QPS}",
        f"--kube-api-burst={BURST}",
        "--profiling=false",
    ]
    return _program("kube-controller-manager", argv, files)


def scheduler(binaries: Binaries, files: Files, kubeconfig: Path) -> Program:
    """Describe the scheduler; it retries pods soon (2 s at most), as resources are not scarce."""
    config = files.folder / "scheduler.yaml"
    content = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": QPS, "burst": BURST},
        "leaderElection": {"leaderElect": False},
        "podMaxBackoffSeconds": 2,
    }
    config.write_text(yaml.safe_dump(content))
    argv = [
        binaries["kube-scheduler"],
        f"--config={config}",
        "--secure-port=0",
        "--profiling=false",
    ]
    return _program("kube-scheduler", argv, files)


def kwok(binaries: Binaries, files: Files, kubeconfig: Path) -> Program:
    """Describe kwok, the fake kubelet, which simulates the fake node's pods by the stages."""
    options = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "manageSingleNode": NODE,
            # No node lease: a restarted kwok would wait for its old lease to expire.
            "nodeLeaseDurationSeconds": 0,
            "nodePlayStageParallelism": 1,
            "podsOnNodeSyncParallelism": 1,
            "podPlayStageParallelism": 32,
        },
    }
    config = files.folder / "kwok.yaml"
    documents = [yaml.safe_dump(options), *(s.read_text() for s in sorted(STAGES.glob("*.yaml")))]
    config.write_text("\n---\n".join(documents))
    argv = [binaries["kwok"], f"--config={config}", f"--kubeconfig={kubeconfig}"]
    return _program("kwok", argv, files)


def node_manifest() -> Manifest:
    """Return the fake node."""
    metadata = {"name": NODE, "labels": {"kubernetes.io/hostname": NODE}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata}


def node_status(port: int) -> Manifest:
    """Return what is said of the fake node at each start: the loopback port of its kubelet.

    A node that was kept has the port of the start before.
    """
    status = {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "status": status}


def node_logs(files: Files, port: int, url: str, serving: KeyPair, client: KeyPair) -> Program:
    """Describe the process that serves logs as the node's kubelet."""
    pairs = (serving.certificate, serving.key, client.certificate, client.key)
    argv = [sys.executable, "-m", "deploy.local.fake_node.kubelet", port, url, files.ca, *pairs]
    return Program(NODE_LOGS, [str(argument) for argument in argv], folder=_REPOSITORY)


def _program(name: str, argv: Sequence[object], files: Files) -> Program:
    return Program(name, [str(argument) for argument in argv], folder=files.folder)
