"""The client: one object for one service."""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from krkn_grpc.client import address
from krkn_grpc.client.address import Certificates
from krkn_grpc.client.connection import Connection, Way
from krkn_grpc.client.halts import Halts
from krkn_grpc.client.jobs import Jobs
from krkn_grpc.client.models import Access, Target, TargetJobResult
from krkn_grpc.client.options import RunOptions
from krkn_grpc.client.retries import Patience
from krkn_grpc.client.run import Run
from krkn_grpc.client.runs import Runs
from krkn_grpc.client.scenarios import Scenarios
from krkn_grpc.client.targets import Targets
from krkn_grpc.client.tokens import Token, source
from krkn_grpc.v1.access_pb2 import GetAccessRequest

CALL_SECONDS = 30.0
RETRY_SECONDS = 60.0


class Krkn:
    """A client of one service, for asyncio: `async with Krkn() as krkn`.

    `targets`, `runs`, `jobs`, `scenarios` and `halts` are its parts.
    """

    targets: Targets
    runs: Runs
    jobs: Jobs
    scenarios: Scenarios
    halts: Halts

    def __init__(
        self,
        server: str = "",
        *,
        token: Token | None = None,
        tls: bool | None = None,
        ca: Path | str | None = None,
        certificate: Path | str | None = None,
        key: Path | str | None = None,
        call_seconds: float = CALL_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """Speak to `server`: HOST, HOST:PORT or a URL; nothing is sent yet.

        Left out, it is KRKN_SERVER, else this machine's port 8080 (or KRKN_REST_PORT); `ca` is
        KRKN_CA. TLS is used except to this machine itself; `ca`, `certificate` and `key` are PEM
        files. `token` is a text, a function, or a source of `krkn_grpc.client.tokens`; left out,
        the file KRKN_TOKEN_FILE or the variable KRKN_TOKEN. An attempt of a call ends after
        `call_seconds`; what may safely be repeated is, for `retry_seconds` at most, and a stream
        that is cut is resumed for as long.
        Raises BadAddress and BadToken.
        """
        given = Certificates(_path(ca or os.environ.get("KRKN_CA")), _path(certificate), _path(key))
        if tls is None and (given.ca or given.certificate):
            tls = True
        self._way = Way(
            address=address.address(server or address.default_server(), tls),
            certificates=given,
            token=source(token),
            patience=Patience(retry_seconds),
            deadline_seconds=call_seconds,
        )
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        """Make the client ready; it connects with its first call.

        Raises OSError for files that cannot be read.
        """
        self._connection = connection = Connection(self._way)
        self.targets = Targets(connection)
        self.runs = Runs(connection)
        self.jobs = Jobs(connection)
        self.scenarios = Scenarios(connection)
        self.halts = Halts(connection)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection; what is still open ends."""
        if self._connection is not None:
            await self._connection.close()

    async def run(
        self, scenario: str, targets: Iterable[str | Target], **options: Unpack[RunOptions]
    ) -> Run:
        """Run a scenario on each of the targets (or their uuids), one job per target.

        Best effort: a target that is refused does not affect the others, and `Run.refused` has it.
        Nothing starts twice, whatever happens to the connection: the call has a requestId.
        Raises InvalidArgument, Halted if all targets are halted, NothingStarted if the service
        refused all of them, and Unavailable if it is not known whether it was started: the same
        call with the error's `request_id` says what came of it. One without it is another run.
        """
        return await self.runs.start(scenario, targets, **options)

    async def validate(
        self, scenario: str, targets: Iterable[str | Target], **options: Unpack[RunOptions]
    ) -> tuple[TargetJobResult, ...]:
        """Check all that `run` checks, start nothing, and return what would become of each."""
        return await self.runs.validate(scenario, targets, **options)

    async def access(self) -> Access:
        """Return who the caller is to the service, and what the caller may do."""
        assert self._connection is not None
        return await self._connection.ask(
            self._connection.access.GetAccess, GetAccessRequest(), Access
        )


def _path(given: Path | str | None) -> Path | None:
    return Path(given) if given else None
