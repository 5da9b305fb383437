"""Messages outside of a run: a test through one sink, and what is still due."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from lakemon_core.alerting.sending.once import try_once
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.incident import Attempt, DeliveryResult, Notification, OutboxItem, Transition
from lakemon_core.domain.run import Severity
from lakemon_core.lifecycle.alert import deliver
from lakemon_core.pipeline.session import Session, new_run_id

TEST_SECONDS = 30.0


def send_test(session: Session, sink: str) -> DeliveryResult:
    """Sends one test message through a sink, past the outbox: one attempt, nothing is noted.

    Raises:
        UsageError: LM187 for a sink that the config does not name.
    """
    if sink not in session.sinks:
        raise UsageError(
            "LM187", f"there is no sink {sink!r}.", cure=did_you_mean(sink, sorted(session.sinks))
        )
    key = f"test-{secrets.token_hex(8)}"
    return try_once(session.sinks[sink], _test_message(session, key), Attempt(key, 1, TEST_SECONDS, ()))


def _test_message(session: Session, key: str) -> Notification:
    monitor = session.monitor
    return Notification(
        key=key,
        thread=key,
        transition=Transition.TEST,
        severity=Severity.INFO,
        title=f"{monitor.model_name} {monitor.environment}: lakemon reaches you here",
        lines=("This message was sent by `lakemon alert test`. Nothing is wrong.",),
        facts={"environment": monitor.environment, "model": monitor.model_name},
        model=monitor.model_name,
        environment=monitor.environment,
        targets=(),
        owner="",
        runbook="",
        command="lakemon alert list",
        links={},
        created_at=session.clock.now(),
    )


def flush(session: Session) -> Sequence[OutboxItem]:
    """Sends everything that is due, now or later, and returns what became of each message.

    Raises:
        WorkspaceBusy: LM601, a run holds the workspace.
    """
    run_id = new_run_id(session.clock)
    context = session.context(run_id)
    with session.backend.hold(run_id):
        return deliver(context, session.sinks, session.secrets, at_once=True)
