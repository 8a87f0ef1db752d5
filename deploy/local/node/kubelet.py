"""kubelet's configuration and command line. Nothing is started here."""

import json
from pathlib import Path

from deploy.local.build import Binaries
from deploy.local.certificates import KeyPair
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Program

NODE = LOOPBACK
"""The node's name; an IP address as a name makes it the node's address, as which it is asked."""


def kubelet(
    binaries: Binaries,
    folder: Path,
    *,
    port: int,
    kubeconfig: Path,
    ca: Path,
    serving: KeyPair,
    containerd: Path,
    cgroup: str,
) -> Program:
    """Describe the process. It keeps all that it knows in `folder`."""
    configuration = folder / "kubelet.json"
    configuration.write_text(
        json.dumps(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "address": LOOPBACK,
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
                # Machines with version 1 are still many; kubelet would refuse to start there.
                "failCgroupV1": False,
                "failSwapOn": False,
                "makeIPTablesUtilChains": False,
                # It sets nothing of the kernel's, and would not start if it had to.
                "protectKernelDefaults": True,
                "resolvConf": "",
                # The machine's own room is not what is tested.
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
        f"--hostname-override={NODE}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'kubelet-certificates'}",
    ]
    return Program("kubelet", [str(argument) for argument in argv])
