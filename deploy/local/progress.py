"""Progress of long steps: a live line on a terminal, otherwise a line every 15 seconds."""

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
        """Show the progress of a step; on a terminal it replaces the line shown before."""
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
        """Show the last line of a step."""
        self._shown_at = float("-inf")
        self.note(text)

    def _clear(self) -> None:
        if self._line_open:
            self._stream.write("\r\x1b[K")
            self._line_open = False
