"""The log of one container, as the node streams it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from krkn_grpc.kube import errors, paths
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.pod import Pod
from krkn_grpc.told import told

_LARGEST_CHUNK = 64 * 1024


@dataclass(frozen=True)
class LogOptions:
    """Which part of a log to stream; `tail_lines` None is all of it."""

    follow: bool = False
    tail_lines: int | None = None
    timestamps: bool = False


class Logs:
    """Streams the logs of pods in one namespace."""

    def __init__(self, session: Session, namespace: str) -> None:
        """Read over `session`."""
        self._session = session
        self._path = paths.collection(Pod.KIND, namespace)

    @asynccontextmanager
    async def open(
        self, pod: str, container: str, options: LogOptions
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """Open the log and give its chunks; raises a KubeError as `Session.stream` does.

        Leaving the context closes the connection: the node stops sending.
        """
        query = {"container": container}
        if options.follow:
            query["follow"] = "true"
        if options.tail_lines is not None:
            query["tailLines"] = str(options.tail_lines)
        if options.timestamps:
            query["timestamps"] = "true"
        path = paths.single(self._path, pod, "log")
        # A scenario may log nothing for hours, so silence does not close the stream.
        async with self._session.stream(path, query, silence_seconds=None) as stream:
            yield _chunks(stream)


async def _chunks(stream: aiohttp.StreamReader) -> AsyncGenerator[bytes, None]:
    try:
        while chunk := await stream.read(_LARGEST_CHUNK):
            yield chunk
    except aiohttp.ClientError as error:
        raise errors.OutcomeUnknown(f"the log was cut: {told(error)}") from None
