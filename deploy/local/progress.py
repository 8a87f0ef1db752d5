"""Telling a person what takes long: a live line on a terminal, now and then a line elsewhere."""

import sys
import time
from typing import TextIO

PIPE_SECONDS = 15.0


class Progress:
    """Lines for a person, on `stream` (standard error by default)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._shown_at = float("-inf")
        self._line_open = False

    def note(self, text: str) -> None:
        """Show one whole line, now."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def update(self, text: str) -> None:
        """Show how far something is; on a terminal, in place of what was shown before."""
        now = time.monotonic()
        if now - self._shown_at < (0.1 if self._live else PIPE_SECONDS):
            return
        self._shown_at = now
        if self._live:
            self._clear()
            self._stream.write(text[:110])
            self._stream.flush()
            self._line_open = True
        else:
            print(text, file=self._stream, flush=True)

    def done(self, text: str) -> None:
        """Show the last line of what was going on."""
        self._shown_at = float("-inf")
        self.note(text)

    def _clear(self) -> None:
        if self._line_open:
            self._stream.write("\r\x1b[K")
            self._line_open = False
