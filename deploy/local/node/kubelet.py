"""kubelet's configuration and command line. Nothing is started here."""

import json
from pathlib import Path

from deploy.local.cluster.certificates import KeyPair
from deploy.local.go.build import Binaries
from deploy.local.node.place import Place
from deploy.local.processes.children import Program


def kubelet(
    binaries: Binaries,
    place: Place,
    *,
    port: int,
    kubeconfig: Path,
    ca: Path,
    serving: KeyPair,
    containerd: Path,
    cgroup: str,
) -> Program:
    """Describe the kubelet process. It keeps all its state in the node's folder."""
    folder = place.folder
    configuration = folder / "kubelet.json"
    configuration.write_text(
        json.dumps(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "address": place.name,
                "port": port,
                "healthzPort": 0,
                "tlsCertFile": str(serving.certificate),
                "tlsPrivateKeyFile": str(serving.key),
                "authentication": {
                    "anonymous": {"enabled": False},
                    "webhook": {"enabled": False},
                    "x509": {"clientCAFile": str(ca)},
                },
                "authorization": {"mode": "AlwaysAllow"},
                "containerRuntimeEndpoint": f"unix://{containerd}",
                "cgroupDriver": "cgroupfs",
                "cgroupRoot": f"/{cgroup}",
                # cgroup version 1 is still common; kubelet would refuse to start there.
                "failCgroupV1": False,
                "failSwapOn": False,
                "makeIPTablesUtilChains": False,
                # kubelet must not change kernel settings; it fails if it would have to.
                "protectKernelDefaults": True,
                "resolvConf": "",
                # The machine's free memory and disk are not under test.
                "evictionHard": {
                    "memory.available": "50Mi",
                    "nodefs.available": "1%",
                    "imagefs.available": "1%",
                },
                "imageGCHighThresholdPercent": 100,
                "podLogsDir": str(folder / "pod-logs"),
                "volumePluginDir": str(folder / "volume-plugins"),
            }
        )
    )
    argv = [
        binaries["kubelet"],
        f"--config={configuration}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={place.name}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-certificates'}",
    ]
    return Program("kubelet", [str(argument) for argument in argv])
