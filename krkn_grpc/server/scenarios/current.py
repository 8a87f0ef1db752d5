"""Keeps the catalogue current: the entries of the release, and those of the folder."""

import asyncio
from collections.abc import Hashable
from pathlib import Path

import structlog

from krkn_grpc.catalogue import built_in, folder
from krkn_grpc.catalogue.model import Catalogue
from krkn_grpc.told import told

_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class CurrentCatalogue:
    """The catalogue as it is now; calls read it without waiting."""

    def __init__(self, directory: Path | None, seconds: float = _SECONDS) -> None:
        """Begin with the built-in entries; look at `directory` every `seconds`, if there is one."""
        self.value: Catalogue = built_in.catalogue()
        self._directory = directory
        self._seconds = seconds
        self._seen: Hashable = None

    async def refresh(self) -> None:
        """Read the folder if it has changed since the last time.

        While the folder itself cannot be read, the catalogue stays as it is.
        """
        if self._directory is None:
            return
        try:
            signature = await asyncio.to_thread(folder.signature, self._directory)
            if signature == self._seen:
                return
            reading = await asyncio.to_thread(folder.read, self._directory)
        except OSError as error:
            # A tuple is no error number: the next success is a change.
            if self._seen != error.errno:
                _log.warning("the folder of the catalogue cannot be read", error=told(error))
            self._seen = error.errno
            return
        for skipped in reading.skipped:
            _log.warning("a file of the catalogue is skipped", file=skipped.file, why=skipped.why)
        self._seen = signature
        self.value = built_in.catalogue().merged(reading.scenarios, reading.of_all)
        _log.info(
            "the catalogue was read",
            folder=str(self._directory),
            read=len(reading.scenarios),
            skipped=len(reading.skipped),
        )

    async def keep_current(self) -> None:
        """Refresh until cancelled."""
        while self._directory is not None:
            await asyncio.sleep(self._seconds)
            await self.refresh()
