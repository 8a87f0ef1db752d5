"""The README's section "In a cluster": its blocks of commands, to be run as they stand there."""

import re

from deploy.local.services import REPOSITORY

NAMESPACE = "krkn-operator-system"
HOST = f"krkn-grpc.{NAMESPACE}.svc"
KINDS = (
    "crd,namespace,clusterrole,clusterrolebinding,"
    "validatingadmissionpolicy,validatingadmissionpolicybinding"
)
"""What no namespace holds; ours have a label."""
OURS = "app.kubernetes.io/part-of=krkn-grpc"


def _commands() -> list[str]:
    section = (REPOSITORY / "README.md").read_text().split("\n## In a cluster\n")[1]
    return re.findall(r"^```shell\n(.*?)^```$", section.split("\n## ")[0], re.MULTILINE | re.DOTALL)


DEFINITIONS, INSTALLATION, BINDING, CALL, REMOVAL, LAST = _commands()
UPGRADE = (DEFINITIONS, INSTALLATION.splitlines()[-1])
"""Described, not shown: the same two `apply` commands."""


def calling_curl(port: int) -> str:
    """Return a line of shell after which `curl` reaches the Service at a port of loopback."""
    to = f"{HOST}:443:127.0.0.1:{port}"
    return f'curl() {{ command curl -sS --connect-to {to} "$@"; }}\n'
