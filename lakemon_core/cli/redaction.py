"""Secrets do not get out: what was revealed in this process is hidden in logs, tracebacks and answers."""

from __future__ import annotations

import logging
import traceback

from lakemon_core.domain.redaction import redacted


class Redacting(logging.Filter):
    """Hides secrets in messages and tracebacks of a handler, whoever logs them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record; keeps it always."""
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True


def redact_logs() -> None:
    """Puts the filter on every handler that is there."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, Redacting) for one in handler.filters):
            handler.addFilter(Redacting())


def traceback_of(error: BaseException) -> str:
    """Returns the traceback of an error without secrets."""
    return redacted("".join(traceback.format_exception(error)))
