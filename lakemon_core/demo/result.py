"""What the demo answers: one document of all its runs, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from shlex import quote
from typing import Any

from lakemon_core.demo.facts import Facts, Series, subject_of
from lakemon_core.demo.home import Home
from lakemon_core.domain.run import ExitCode, Stage, StageOutcome, StageStatus
from lakemon_core.pipeline.result import RunResult
from lakemon_core.ports import Ledger

APRIL, OCTOBER = "2013-04-01", "2013-10-01"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The demo as it stands, whether it was played now or before.

    Attributes:
        config: the config it was played with.
        report: the page that tells it.
        facts: what was found.
        whole: all runs as one: what each stage came to, every incident, every message.
    """

    config: Path
    report: Path
    facts: Facts
    whole: RunResult

    @property
    def exit_code(self) -> ExitCode:
        """The first one that was not `done`."""
        return self.whole.exit_code

    @property
    def commands(self) -> tuple[str, ...]:
        """What to try next, ready for a shell; the config lies in the folder that the first one enters."""
        return (
            f"cd {quote(str(self.config.parent))}",
            f'lakemon query "{self.facts.sql}"',
            f"lakemon table show {self.whole.tables['drift_metrics']}",
            "lakemon run",
            "lakemon stop",
        )

    def document(self) -> dict[str, Any]:
        """Returns the document of a run, with the facts under `demo`."""
        own = {"config": str(self.config), "report": str(self.report), "next": list(self.commands)}
        return self.whole.document() | {"demo": self.facts.document() | own}

    def story(self) -> str:
        """Returns what a person reads at the end."""
        return "\n".join([*self._findings(), "", *self._incidents(), "", *self._places()])

    def _findings(self) -> Iterator[str]:
        facts, worst = self.facts, self.facts.worst_week
        auc, loss = facts.roc_auc, facts.log_loss
        april, october = auc.windows.get(APRIL), auc.windows.get(OCTOBER)
        yield f"What happened to {facts.model}"
        yield (
            f"  ROC AUC      {_figure(auc.baseline)} on the baseline,"
            f" {_figure(april)} in April, {_figure(october)} in October"
        )
        week = (
            f"{_figure(worst.value)} in the worst week, from {worst.start}" if worst else "no week measured"
        )
        yield f"  log loss     {_figure(loss.baseline)} on the baseline, {week}"
        yield f"  PSI of temp  {_by_month(facts.psi_of_temp)}"
        yield (
            f"  rows         {facts.rows.endpoint:,} through the endpoint, {facts.rows.batch:,} in batches,"
            f" {facts.rows.labelled:,} with their label"
        )

    def _incidents(self) -> Iterator[str]:
        told = sorted(
            (moved for moved in self.facts.transitions if moved.told), key=lambda moved: moved.window
        )
        silent = len(self.facts.transitions) - len(told)
        yield "Incidents, by the window that moved them"
        for moved in told:
            yield f"  {moved.window}  {moved.transition:<9}  {moved.title}"
        if silent:
            yield f"  {silent} more passed while a whole batch came in at once: recorded, nobody was told"
        yield ""
        yield "Mails"
        for path in self.facts.mails:
            yield f"  {subject_of(path)}"

    def _places(self) -> Iterator[str]:
        facts = self.facts
        yield f"Mails lie in {facts.outbox}, tables in {facts.tables}."
        yield f"The endpoint answers at {facts.endpoint}."
        yield f"The report: {self.report}"
        yield ""
        yield "Try next (the run finds nothing new: it changes no table and sends nothing)"
        for command in self.commands:
            yield f"  {command}"


def conclude(home: Home, facts: Facts, runs: Sequence[RunResult], ledger: Ledger) -> DemoResult:
    """Puts the runs of all calls of the demo together.

    Args:
        home: where it was played.
        facts: what was found.
        runs: of this call, in order.
        ledger: knows those of earlier calls.
    """
    first_trouble = next((run for run in runs if run.exit_code is not ExitCode.DONE), runs[-1])
    whole = replace(
        runs[-1],
        status=first_trouble.status,
        exit_code=first_trouble.exit_code,
        stages=_stages(ledger),
        incidents=tuple(one for one in ledger.incidents().values() if one.episode),
        deliveries=tuple(ledger.outbox()),
    )
    return DemoResult(home.config, home.report, facts, whole)


def _stages(ledger: Ledger) -> tuple[StageOutcome, ...]:
    """Returns for each stage the newest run in which it did something, and the seconds of all runs."""
    outcomes = [outcome for run in ledger.runs(limit=1000) for outcome in run.stages]

    def together(stage: Stage) -> StageOutcome:
        mine = [outcome for outcome in outcomes if outcome.name is stage]
        busy = (outcome for outcome in mine if outcome.status is not StageStatus.NOTHING_TO_DO)
        return replace(next(busy, mine[0]), seconds=sum(outcome.seconds for outcome in mine))

    return tuple(together(stage) for stage in Stage)


def _by_month(series: Series) -> str:
    return ", ".join(f"{date.fromisoformat(start):%B} {value:.2f}" for start, value in series.windows.items())


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
