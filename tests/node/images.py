"""The scenario images, made here; scenarios/README.md says what each does.

As a command, `python -m tests.node.images KUBECTL FILE` writes the archive.
"""

import subprocess
import sys
from pathlib import Path

from deploy.local.node.packages import BUSYBOX
from deploy.oci.archive import Image, write
from deploy.oci.layers import of_programs

ARCHIVE = "scenarios.tar"
SCENARIOS = Path(__file__).with_name("scenarios")
# Nobody listens there: an image that the node does not have cannot come from anywhere.
REPOSITORY = "127.0.0.1:9/krkn"
HOME = {"HOME": "/tmp", "PATH": "/bin"}
# Of the pod comes KRKN_KUBE_CONFIG; the images of krkn-hub set KUBECONFIG to the same path.
KUBECONFIG = {"KUBECONFIG": "/home/krkn/.kube/config"}
MEMORY = 'BEGIN { text = sprintf("%1000000s", ""); while (1) kept[n++] = text n }'

ENTRYPOINTS = {
    "deletes-pods": ("/scenarios/deletes-pods.sh",),
    "exits-3": ("/scenarios/exits-3.sh",),
    "rolls-back": ("/scenarios/rolls-back.sh",),
    "under-a-shell": ("/bin/sh", "-c", "true && /scenarios/run.sh; exit $?"),
    "prepares": ("/bin/sh", "-c", "echo preparing; sleep 5; /scenarios/run.sh; exit $?"),
    "prepares-and-becomes": (
        "/bin/sh",
        "-c",
        "echo preparing; sleep 5; exec /scenarios/rolls-back.sh",
    ),
    "ignores-sigterm": ("/scenarios/ignores-sigterm.sh",),
    "talks": ("/scenarios/talks.sh",),
    "reports": ("/scenarios/reports.sh",),
    "eats-memory": ("/bin/awk", MEMORY),
    "lasts": ("/scenarios/lasts.sh",),
}
NO_SHELL = "no-shell"


def name_of(image: str) -> str:
    """Return the name by which a scenario's image is run."""
    return f"{REPOSITORY}/{image}:1"


def build(kubectl: Path, archive: Path) -> None:
    """Write an archive with all images."""
    listed = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    links = {f"/bin/{applet}": "busybox" for applet in listed.stdout.split() if applet != "busybox"}
    shell = of_programs({"/bin/busybox": BUSYBOX.read_bytes()}, links)
    client = of_programs({"/bin/kubectl": kubectl.read_bytes()})
    scripts = of_programs(
        {f"/scenarios/{path.name}": path.read_bytes() for path in SCENARIOS.glob("*.sh")}
    )
    environment = HOME | KUBECONFIG
    images = [
        Image(name_of(name), (shell, client, scripts), entrypoint, environment)
        for name, entrypoint in ENTRYPOINTS.items()
    ]
    watch = ("/bin/kubectl", "get", "pods", "--all-namespaces", "--watch")
    images.append(Image(name_of(NO_SHELL), (client,), watch, environment))
    write(archive, images)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
