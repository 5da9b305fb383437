"""One call of Apprise, quietly: it writes the URLs of its services, which are credentials, into its log."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lakemon_core.domain.incident import DeliveryStatus, TargetResult
from lakemon_core.domain.names import plain

if TYPE_CHECKING:
    from apprise import NotifyBase

_KINDS = {
    "info": "info",
    "warning": "warning",
    "critical": "failure",
    "resolved": "success",
    "acknowledged": "info",
    "test": "info",
}


def read_service(url: str) -> NotifyBase | None:
    """Returns the service of a URL; None when Apprise knows none. Long messages are cut, not refused."""
    import apprise

    with _quiet():
        service = apprise.Apprise.instantiate(url)
    if service is not None and "overflow=" not in url:
        service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return service


def notify(name: str, service: NotifyBase, message: Mapping[str, str], seconds: float) -> TargetResult:
    """Sends one message through one service.

    Apprise does not say why a service failed in a form to be judged, so every failure is tried again.

    Args:
        name: of the service in the config.
        service: of `read_service`.
        message: `title`, `body` and `state`.
        seconds: it ends within this time.
    """
    import apprise

    sender = apprise.Apprise()
    sender.add(service)
    with _quiet():
        result = sender.notify(
            body=message["body"],
            title=message["title"],
            notify_type=apprise.NotifyType(_KINDS[message["state"]]),
            body_format=apprise.NotifyFormat.TEXT,
            interpret_escapes=False,
            timeout=seconds,
            log_level=logging.WARNING,
        )
        said = "; ".join(entry.message for entry in result.logs())
        outcome = result.status.name
        result.close()
    kind = str(service.service_name)
    if outcome == "SUCCESS":
        return TargetResult(name, DeliveryStatus.DELIVERED, kind)
    status = DeliveryStatus.UNKNOWN if outcome == "TIMEOUT" else DeliveryStatus.RETRY
    return TargetResult(name, status, outcome.lower(), plain(f"{kind}: {said or 'no reason was given'}", 300))


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps Apprise's log within Apprise."""
    logger = logging.getLogger("apprise")
    propagated, quiet = logger.propagate, logging.NullHandler()
    logger.propagate = False
    logger.addHandler(quiet)
    try:
        yield
    finally:
        logger.removeHandler(quiet)
        logger.propagate = propagated
