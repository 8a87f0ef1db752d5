"""A kubeconfig whose user is an `exec` plugin, as those of many clouds are."""

import json
from datetime import datetime
from pathlib import Path

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.control_plane import ControlPlane

VERSION = "client.authentication.k8s.io/v1"


class Plugin:
    """Gives the token that the test named last, and counts how often it was asked."""

    def __init__(self, control_plane: ControlPlane, folder: Path) -> None:
        self._answer, self._calls = folder / "answer.json", folder / "calls"
        script = f"echo >>'{self._calls}'; exec cat '{self._answer}'"
        self.kubeconfig = kubeconfig.write(
            folder / "plugin.kubeconfig",
            url=control_plane.url,
            ca_pem=control_plane.ca_pem,
            user={"exec": {"apiVersion": VERSION, "command": "sh", "args": ["-c", script]}},
        )

    @property
    def calls(self) -> int:
        return len(self._calls.read_text()) if self._calls.exists() else 0

    def gives(self, token: str, *, until: datetime | None = None) -> None:
        status = {"token": token}
        if until is not None:
            status["expirationTimestamp"] = until.isoformat(timespec="seconds")
        answer = {"apiVersion": VERSION, "kind": "ExecCredential", "status": status}
        self._answer.write_text(json.dumps(answer))

    def fails(self) -> None:
        self._answer.unlink()
