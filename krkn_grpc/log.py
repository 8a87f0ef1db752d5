"""Logs: one JSON object per line on standard error, the same for every process of the project.

Records that libraries log by `logging`, warnings and uncaught errors, also those of threads and of
finalizers, have the same form. In every line, text that looks like a credential is blanked.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

from krkn_grpc.told import without_credentials

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str) -> None:
    """Write records at `level` or above to standard error; those of libraries from warnings on."""
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_SHARED, *_rendering()],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _not_raised


def _rendering() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
        # Last, because it must see the finished line.
        _blank_credentials,
    ]


def _blank_credentials(logger: Any, method: str, line: Any) -> Any:
    del logger, method
    return without_credentials(line)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.get_logger(__name__).critical("crashed", exc_info=(kind, error, trace))


def _thread_crashed(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is None or issubclass(told.exc_type, SystemExit):
        return
    trace = told.exc_type, told.exc_value, told.exc_traceback
    structlog.get_logger(__name__).error("thread crashed", exc_info=trace)


def _not_raised(told: "sys.UnraisableHookArgs") -> None:
    # Without the object: its text is foreign.
    if told.exc_value is not None:
        trace = told.exc_type, told.exc_value, told.exc_traceback
        structlog.get_logger(__name__).error("error ignored", exc_info=trace)
