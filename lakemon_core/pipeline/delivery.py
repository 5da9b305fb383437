"""Messages outside of a run: a test through one sink, and what is still due."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from lakemon_core.alerting.sending.aftermath import revived
from lakemon_core.alerting.sending.once import clean, try_once
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.incident import Attempt, DeliveryResult, Notification, OutboxItem, Transition
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import Severity
from lakemon_core.lifecycle.alert import deliver
from lakemon_core.pipeline.session import Session, new_run_id

TEST_SECONDS = 30.0


def send_test(session: Session, sink: str, targets: tuple[str, ...] = ()) -> DeliveryResult:
    """Sends one test message through a sink, past the outbox: one attempt, nothing is noted.

    Args:
        sink: its name in the config.
        targets: whom it shall reach there; empty takes the sink's own default.

    Returns:
        what the channel answered, without secrets.

    Raises:
        UsageError: LM187 for a sink that the config does not name.
    """
    if sink not in session.sinks:
        raise UsageError(
            "LM187", f"there is no sink {sink!r}.", cure=did_you_mean(sink, sorted(session.sinks))
        )
    key = f"test-{secrets.token_hex(8)}"
    attempt = Attempt(key, 1, TEST_SECONDS, targets)
    return clean(
        try_once(session.sinks[sink], _test_message(session, key, targets), attempt), session.secrets.redact
    )


def _test_message(session: Session, key: str, targets: tuple[str, ...]) -> Notification:
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
        targets=targets,
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


def replay(session: Session, keys: Sequence[str], *, everything: bool = False) -> Sequence[OutboxItem]:
    """Makes dead messages due again, for those who did not get them, and sends what is due.

    Args:
        keys: of dead messages, or their beginnings.
        everything: all that are dead.

    Returns:
        what became of the messages.

    Raises:
        UsageError: LM126 when a key names no dead message, or none is named.
        WorkspaceBusy: LM601, a run holds the workspace.
    """
    run_id = new_run_id(session.clock)
    context = session.context(run_id)
    with session.backend.hold(run_id):
        ledger, now = session.backend.ledger, session.clock.now()
        chosen = _dead(ledger.outbox("dead"), keys, everything=everything)
        again = {item.key for item in chosen if ledger.revise(item, revived(item, now))}
        sent = deliver(context, session.sinks, session.secrets, at_once=True)
    return [item for item in sent if item.key in again]


def _dead(dead: Sequence[OutboxItem], keys: Sequence[str], *, everything: bool) -> Sequence[OutboxItem]:
    if everything:
        return dead
    chosen = [item for item in dead if any(key and item.key.startswith(key) for key in keys)]
    missing = [key for key in keys if not any(item.key.startswith(key) for item in chosen)]
    if missing or not keys:
        what = f"no dead message has the key {plain(missing[0])!r};" if missing else "no message is named;"
        raise UsageError("LM126", what, cure="`lakemon alert list` shows them; `--all` takes all.")
    return chosen
