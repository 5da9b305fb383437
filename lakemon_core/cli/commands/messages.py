"""`lakemon alert test`, `flush` and `replay`: messages outside of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lakemon_core.cli.opening import opened
from lakemon_core.cli.options import ConfigOption, Environment, Output, Verbose, Workspace, set_logging
from lakemon_core.cli.output import Format, answer
from lakemon_core.domain.incident import with_code
from lakemon_core.domain.run import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from lakemon_core.domain.incident import DeliveryResult, OutboxItem, TargetResult

OUTCOMES = {
    "partial": "some got it, some did not",
    "rejected": "not sent, refused for good",
    "retry": "not sent, can be tried again",
    "unknown": "may have arrived, or not",
}
"""What the outcomes of a try are called; the others speak for themselves."""

ARRIVED = {"delivered", "accepted"}
"""Statuses of a message that reached its sink."""

Sink = Annotated[str, typer.Argument(metavar="SINK", help="Name of a sink in the config.")]
To = Annotated[list[str] | None, typer.Option("--to", help="Whom it shall reach there; may be repeated.")]
Keys = Annotated[
    list[str] | None, typer.Argument(metavar="KEY", help="Keys of dead messages, or their beginnings.")
]
Everything = Annotated[bool, typer.Option("--all", help="All dead messages.")]


def send_test_message(
    sink: Sink,
    *,
    to: To = None,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Send one test message through a sink and say what came of it."""
    from lakemon_core.pipeline.delivery import send_test

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        result = send_test(session, sink, tuple(to or ()))
    document = {
        "sink": sink,
        "status": result.status.value,
        "code": result.code,
        "detail": result.detail,
        "targets": [
            {"target": one.target, "status": one.status.value, "code": one.code, "detail": one.detail}
            for one in result.targets
        ],
    }
    answer(output, document, lambda console: _show_test(console, sink, result))
    return ExitCode.DONE if result.status.value in ARRIVED else ExitCode.UNDELIVERED


def flush_messages(
    *,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Send the messages that are due now, e.g. after a mail server was down."""
    from lakemon_core.pipeline.delivery import flush

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        items = flush(session)
    return _tell(items, output, nothing="nothing is due")


def replay_messages(
    keys: Keys = None,
    *,
    everything: Everything = False,
    config_option: ConfigOption = None,
    environment: Environment = None,
    workspace: Workspace = None,
    output: Output = Format.TEXT,
    verbose: Verbose = 0,
) -> int:
    """Send dead messages again, to those who did not get them, with the same keys."""
    from lakemon_core.pipeline.delivery import replay

    set_logging(verbose, quiet=False)
    with opened(config_option, environment, workspace) as session:
        items = replay(session, tuple(keys or ()), everything=everything)
    return _tell(items, output, nothing="no message is dead")


def _show_test(console: Console, sink: str, result: DeliveryResult) -> None:
    console.print(f"{sink}: {_told(result)}", soft_wrap=True, markup=False)
    if result.status.value == "accepted":
        console.print("  the channel took it, and never says whether it was shown: look there")
    for one in result.targets:
        console.print(f"  {one.target}: {_told(one)}", soft_wrap=True, markup=False)


def _told(result: DeliveryResult | TargetResult) -> str:
    """Returns what came of a try, in words for people, and what the channel said."""
    words = OUTCOMES.get(result.status.value, result.status.value)
    said = with_code(result.code, result.detail)
    return f"{words}: {said}" if said else words


def _tell(items: Sequence[OutboxItem], output: Format, *, nothing: str) -> int:
    rows = [
        {"sink": item.sink, "status": item.status, "title": item.notification.title, "detail": item.detail}
        for item in items
    ]

    def show(console: Console) -> None:
        for row in rows:
            line = f"{row['status']} by {row['sink']}: {row['title']}; {row['detail']}"
            console.print(line.rstrip("; "), soft_wrap=True, markup=False)
        if not rows:
            console.print(nothing)

    answer(output, {"deliveries": rows}, show)
    return ExitCode.DONE if all(item.status in ARRIVED for item in items) else ExitCode.UNDELIVERED
