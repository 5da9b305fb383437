"""One try of one message: in a thread of its own, with an end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace

from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, TargetResult
from lakemon_core.domain.names import plain
from lakemon_core.ports import AlertSink

OVERRUN = "overrun"
"""Code of a try that did not come back in time."""

GRACE_SECONDS = 2.0
"""A sink keeps its deadline itself; this much later it is left behind."""


def try_once(sink: AlertSink, notification: Notification, attempt: Attempt) -> DeliveryResult:
    """Renders and delivers once, in a daemon thread, within the attempt's deadline.

    Returns:
        what the sink answered; `retry` when it raised before anything was handed over, `unknown` when it
        raised, hung or gave no proper answer while delivering: then the message may have arrived.
    """
    answers: queue.Queue[DeliveryResult] = queue.Queue(1)

    def work() -> None:
        phase, status = "rendering", DeliveryStatus.RETRY
        try:
            rendered = sink.render(notification)
            phase, status = "delivering", DeliveryStatus.UNKNOWN
            answers.put(_proper(sink.deliver(rendered, attempt)))
        except BaseException as error:  # noqa: BLE001 - SystemExit of a sink is as bad as any other error
            detail = f"{phase} failed: {type(error).__name__}: {error}".rstrip(": ")
            answers.put(DeliveryResult(status, type(error).__name__, detail))

    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="lakemon-sink").start()
    try:
        return answers.get(timeout=attempt.deadline_seconds + GRACE_SECONDS)
    except queue.Empty:
        detail = f"did not come back within {attempt.deadline_seconds:g} s"
        return DeliveryResult(DeliveryStatus.UNKNOWN, OVERRUN, detail)


def _proper(answer: object) -> DeliveryResult:
    """Returns the answer of a sink with the types it should have, or raises."""
    if not isinstance(answer, DeliveryResult):
        raise TypeError(f"the sink returned {type(answer).__name__}, not a DeliveryResult")
    return DeliveryResult(
        status=DeliveryStatus(answer.status),
        code=str(answer.code),
        detail=str(answer.detail),
        retry_after=None if answer.retry_after is None else float(answer.retry_after),
        receipt={str(name): str(value) for name, value in answer.receipt.items()},
        targets=tuple(
            TargetResult(str(one.target), DeliveryStatus(one.status), str(one.code), str(one.detail))
            for one in answer.targets
        ),
    )


def clean(result: DeliveryResult, redact: Callable[[str], str]) -> DeliveryResult:
    """Returns a result that is safe to keep and to show: no secrets, one line, at most 500 characters."""

    def safe(text: str) -> str:
        return plain(redact(text), 500)

    return replace(
        result,
        code=safe(result.code),
        detail=safe(result.detail),
        receipt={name: redact(value) for name, value in result.receipt.items()},
        targets=tuple(
            TargetResult(one.target, one.status, safe(one.code), safe(one.detail)) for one in result.targets
        ),
    )
