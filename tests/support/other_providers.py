"""Starts the other provider as a process with an account of its own; it can be killed."""

import contextlib
import dataclasses
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from deploy.local.cluster.api import Cluster
from deploy.local.processes.children import Child, Program
from deploy.local.services import REPOSITORY
from krkn_grpc.resources.meta import API_VERSION, GROUP
from tests.support.accounts import RBAC, make_account
from tests.support.other_provider_types import NAME, Instructions
from tests.support.waiting import SECONDS, eventually

_ALL = ["get", "list", "watch", "create", "update", "patch", "delete"]
_RULES = [
    {
        "apiGroups": [GROUP],
        "resources": ["krkntargetrequests", "krknoperatortargetproviders"],
        "verbs": _ALL,
    },
    {
        "apiGroups": [GROUP],
        "resources": ["krkntargetrequests/status", "krknoperatortargetproviders/status"],
        "verbs": ["update"],
    },
    {"apiGroups": [""], "resources": ["secrets"], "verbs": _ALL},
]


class OtherProviderProcess:
    """The process. It does what it was told at its last start."""

    def __init__(self, told: Instructions, log: Path) -> None:
        self.told = told
        self.child = Child(Program("other-provider", _argv(told), folder=REPOSITORY), log)
        self._offset = 0

    @property
    def name(self) -> str:
        """The provider's operator-name, the key of its clusters."""
        return self.told.name

    async def start(self, **changes: Any) -> None:
        """Start it, with changed instructions if there are any; it is active when this returns."""
        self.start_soon(**changes)
        await self.did("active")

    def start_soon(self, **changes: Any) -> None:
        """Start it and do not wait."""
        self.told = dataclasses.replace(self.told, **changes)
        log = self.child.log
        self._offset = log.stat().st_size if log.exists() else 0
        self.child.start(Program("other-provider", _argv(self.told), folder=REPOSITORY))

    async def did(
        self, step: str, request: str = "", *, seconds: float = SECONDS
    ) -> dict[str, Any]:
        """Wait until it has done a step since its start: active, label, pending, secret, status."""

        async def look() -> list[dict[str, Any]]:
            found = [
                line
                for line in self.lines()
                if line.get("did") == step and request in ("", line["request"])
            ]
            if not found and not self.child.is_running:
                raise AssertionError(f"the other provider ended:\n{self.child.log_tail()}")
            return found

        return (await eventually(look, seconds=seconds))[0]

    def has_overwritten(self, request: str) -> bool:
        """Whether it ever wrote its section over all others: it has lost a race, and won it so."""
        lines = self.child.log.read_text().splitlines()
        return any("overwrites" in line and request in line for line in lines)

    def lines(self) -> list[dict[str, Any]]:
        """Return what it said since its start."""
        with self.child.log.open("rb") as log:
            log.seek(self._offset)
            lines = log.read().splitlines()
        return [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]

    async def kill(self) -> None:
        """End it at once: it stays active, as one that has crashed."""
        self.child.kill()
        await self.child.wait()

    async def leave(self) -> None:
        """End it in order: it says that it is inactive."""
        await self.child.stop()


@contextlib.asynccontextmanager
async def other_provider(
    cluster: Cluster, namespace: str, folder: Path, name: str = NAME, **told: Any
) -> AsyncIterator[OtherProviderProcess]:
    """A provider that is not started; it is killed at the end."""
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": name, "namespace": namespace},
        "rules": _RULES,
    }
    await cluster.apply([role])
    await make_account(cluster, namespace, name, name)
    token = await cluster.token(namespace, name, seconds=3600)
    instructions = Instructions(cluster.url, cluster.ca_pem, token, namespace, name, **told)
    log = folder / f"{name}-{uuid.uuid4().hex[:6]}.log"
    process = OtherProviderProcess(instructions, log)
    try:
        yield process
    finally:
        process.child.kill()
        if process.child.exit_code is None and process.child.is_running:
            await process.child.wait()


def provider_object(name: str, *, active: bool = True) -> dict[str, Any]:
    """A provider as somebody writes it by hand."""
    return {
        "apiVersion": API_VERSION,
        "kind": "KrknOperatorTargetProvider",
        "metadata": {"name": name},
        "spec": {"operator-name": name, "active": active},
    }


def _argv(told: Instructions) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tests.support.other_provider",
        json.dumps(dataclasses.asdict(told)),
    ]
