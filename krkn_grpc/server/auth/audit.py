"""The audit log: one line for each call that changes something, also when it was refused.

event "audit", user, method, what `facts` finds in request and reply, and outcome: the gRPC code
"""

import asyncio
import logging
import sys
from typing import Any, TextIO

import structlog
from grpc import StatusCode

from krkn_grpc.server.auth.facts import Audit, Facts
from krkn_grpc.server.errors import answer_for


def unfiltered(file: TextIO) -> Any:
    """Return a logger of its own, because no log level may silence the audit log."""
    return structlog.wrap_logger(
        structlog.PrintLogger(file),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


_audit = unfiltered(sys.stderr)


class Entry:
    """The audit line of one call, filled as the call goes on and written once."""

    def __init__(self, audit: Audit, method: str) -> None:
        """Begin with what is known before the caller is."""
        self._audit = audit
        self._facts: Facts = {"user": "", "method": method}

    def called_by(self, user: str) -> None:
        """Note who is calling."""
        self._facts["user"] = user

    def asks(self, request: Any) -> None:
        """Note what is asked for."""
        self._facts |= self._audit.asked(request)

    def done(self, reply: Any) -> None:
        """Write the line of a call that was answered."""
        _audit.info("audit", **self._facts | self._audit.told(reply), outcome="OK")

    def failed(self, error: BaseException) -> None:
        """Write the line of a call that was refused or failed, or whose caller left too soon."""
        is_left = isinstance(error, asyncio.CancelledError)
        code = StatusCode.CANCELLED if is_left else answer_for(error).code
        _audit.info("audit", **self._facts, outcome=code.name)
