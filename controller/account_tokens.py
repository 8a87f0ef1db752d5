"""Gets the other accounts of our pod their tokens: a pod has one account, and its processes three.

Each account has a folder that the controller writes and one other container reads, with the files
that a process in a pod looks for. The tokens are short-lived (docs/decisions/0034).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from krkn_grpc.kube import errors, paths
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.meta import Kind
from krkn_grpc.told import told

ACCOUNTS = ("krkn-grpc-server", "krkn-grpc-logs")
TOKEN_SECONDS = 3600
_FIRST_PAUSE_SECONDS = 1.0
_ACCOUNT = Kind("v1", "ServiceAccount", "serviceaccounts")
_log = structlog.get_logger(__name__)


class _Status(msgspec.Struct):
    token: str


class _TokenRequest(msgspec.Struct):
    status: _Status


@dataclass
class AccountTokens:
    """The folders of the accounts, in `directory`, and what goes into them."""

    session: Session
    namespace: str
    directory: Path
    ca_pem: str
    clock: Callable[[], float] = time.time
    look_seconds: float = 10.0
    """How long a failed renewal waits, and how late one is after the machine slept."""
    _renewed_at: float = 0.0

    async def first(self) -> None:
        """Write all files; until the API server gives the tokens, ask again."""
        while True:
            if await self._renew():
                return
            await asyncio.sleep(_FIRST_PAUSE_SECONDS)

    async def keep_fresh(self) -> None:
        """Replace the tokens whenever half of their lifetime is over."""
        while True:
            await asyncio.sleep(self.look_seconds)
            # By the time of day: tokens age while the machine sleeps and our clock stands still.
            if abs(self.clock() - self._renewed_at) >= TOKEN_SECONDS / 2:
                await self._renew()

    async def _renew(self) -> bool:
        now = self.clock()
        try:
            for account in ACCOUNTS:
                self._write(account, await self._token(account))
        except (errors.KubeError, OSError) as error:
            _log.warning("tokens not renewed", error=told(error))
            return False
        self._renewed_at = now
        return True

    async def _token(self, account: str) -> str:
        path = paths.single(paths.collection(_ACCOUNT, self.namespace), account, "token")
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        content = await self.session.call("POST", path, body=msgspec.json.encode(request))
        try:
            return msgspec.json.decode(content, type=_TokenRequest).status.token
        except msgspec.MsgspecError:
            # Not chained: the error would show what was decoded.
            raise errors.Unreadable("not what the API server answers") from None

    def _write(self, account: str, token: str) -> None:
        files = {"ca.crt": self.ca_pem, "namespace": self.namespace, "token": token}
        for name, text in files.items():
            _replace(self.directory / account / name, text)


def _replace(path: Path, text: str) -> None:
    """Write the file so that a reader sees the old one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)
