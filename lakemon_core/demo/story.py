"""The story of the demo: from raw flights to mails, through the doors that every user has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lakemon_core.demo.facts import gather
from lakemon_core.demo.flights import FEATURES, Flights, demand_packages, load_flights, weeks
from lakemon_core.demo.home import Home, demand
from lakemon_core.demo.result import DemoResult, conclude
from lakemon_core.demo.traffic import LIVE_ROWS, Traffic, to_arrow
from lakemon_core.demo.train import fit, log_and_register, quiet_mlflow, with_predictions
from lakemon_core.domain.errors import LakemonError, ModelError
from lakemon_core.domain.names import TableName
from lakemon_core.domain.run import Stage
from lakemon_core.pipeline.reporting import write_report
from lakemon_core.pipeline.result import RunResult
from lakemon_core.pipeline.run import run_session
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.ports import ModelVersion, Progress, TableInfo
from lakemon_core.tracking import CHAMPION, ModelRegistry

if TYPE_CHECKING:
    import pandas as pd

LIVE_WEEKS = 6
"""Weeks that are played one by one: the storm of April 22 is the fourth; the sixth is calm again."""

TRAINING_TABLE = "training_data"
_NOT_THERE = {"LM401", "LM402"}
_PLAYED = "demo:weeks"
"""Key in the ledger: how many weeks were played."""


def play(
    directory: Path,
    *,
    progress: Progress,
    fresh: bool = False,
    tell: Callable[[str], None] | None = None,
) -> DemoResult:
    """Plays the demo; what was played before in this folder is not done again.

    Args:
        directory: holds everything; made when it is not there.
        progress: is told all the time what is being done.
        fresh: removes what an earlier demo left in the folder first.
        tell: takes the lines that are worth keeping, one a chapter; None gives them to `progress`.

    Returns:
        what was found, and one document of all runs.

    Raises:
        UsageError: LM170 when a package of the extra `demo` is missing, LM171 for a folder of somebody else,
            LM173 for a config without a part that the story needs.
        LakemonError: LM172 when a stage of a run failed.
        KeyboardInterrupt: the next call goes on.
    """
    demand_packages()
    home = Home(directory.absolute())
    if fresh:
        home.clear()
    home.furnish()
    progress.update("reading the flights of 2013")
    flights = load_flights()
    progress.update("opening MLflow")
    with quiet_mlflow(home.workspace), open_session(home.request, progress=progress) as session:
        story = _Story(home, flights, session, tell or progress.update)
        model = story.train()
        runs = [story.deploy()]
        progress.update("loading the model for the batch job")
        traffic = Traffic(
            session, ModelRegistry(session.workspace).load(model.name, model.version), model.version
        )
        runs += [*story.live(traffic), story.rest(traffic)]
        facts = gather(session, f"{model.name} version {model.version}")
        write_report(session, home.report)
        return conclude(home, facts, runs, session.backend.ledger)


@dataclass(frozen=True, slots=True)
class _Story:
    """The chapters, in order; each may be told again."""

    home: Home
    flights: Flights
    session: Session
    tell: Callable[[str], None]

    def train(self) -> ModelVersion:
        """Returns the champion; trains and registers it where there is none."""
        session, name = self.session, self.session.monitor.model_name
        try:
            return ModelRegistry(session.workspace).resolve(name, CHAMPION)
        except ModelError as error:
            if error.code not in _NOT_THERE:
                raise
        session.progress.update(f"training on {len(self.flights.training):,} flights of January to March")
        model = fit(self.flights.training)
        features = self.flights.holdout[list(FEATURES)]
        holdout = with_predictions(self.flights.holdout, model.predict_proba(features))
        baseline = demand(session.monitor.monitoring.baseline_table, "monitoring.baseline_table")
        trained_on = session.monitor.inference_table.name.sibling(table=TRAINING_TABLE)
        session.progress.update(f"registering {name}")
        return log_and_register(
            model,
            holdout,
            name=name,
            trained_on=self._keep(trained_on, self.flights.training),
            baseline=self._keep(baseline, holdout),
            workspace=session.workspace,
        )

    def _keep(self, table: TableName, rows: pd.DataFrame) -> TableInfo:
        """Makes a table of these rows and describes it at its version."""
        tables = self.session.backend.tables
        tables.replace(table, to_arrow(rows), where=[])
        return tables.info(table)

    def deploy(self) -> RunResult:
        """Deploys and validates; no flight has been asked about yet."""
        return self.run("deployment", (Stage.DEPLOY, Stage.VALIDATE))

    def live(self, traffic: Traffic) -> Iterator[RunResult]:
        """Plays the weeks one by one: requests and a batch job, the arrivals of the week before, a run.

        A week that was played is noted, and left out the next time: a run in the midst of a week would judge
        half of its rows.
        """
        ledger, spans = self.session.backend.ledger, weeks(LIVE_WEEKS)
        for number in range(int(ledger.get(_PLAYED) or 0), LIVE_WEEKS):
            flights = self.flights.departing(spans[number])
            traffic.send(f"demo-{spans[number]}", flights.head(LIVE_ROWS))
            traffic.score(number, flights.iloc[LIVE_ROWS:])
            if number:
                traffic.report_arrivals(number, self.flights.departing(spans[number - 1]))
            yield self.run(f"week of {spans[number]}")
            ledger.put(_PLAYED, str(number + 1))

    def rest(self, traffic: Traffic) -> RunResult:
        """Plays the rest of the year at once: one batch, all arrivals, one run."""
        *_, last = weeks(LIVE_WEEKS)
        traffic.score(LIVE_WEEKS, self.flights.departing_from(last.end))
        traffic.report_arrivals(LIVE_WEEKS, self.flights.departing_from(last.start))
        return self.run("rest of the year")

    def run(self, chapter: str, stages: tuple[Stage, ...] = tuple(Stage)) -> RunResult:
        """Does what `lakemon run` does, and tells what came of it.

        Raises:
            LakemonError: LM172 when a stage failed: the story ends there.
        """
        result = run_session(self.session, replace(self.home.request, stages=stages))
        failed = result.failed_stage()
        if failed is not None:
            raise LakemonError(
                "LM172",
                f"{failed.name} failed: {failed.detail.get('error')}",
                where=f"{chapter}:",
                cure="When that is mended, run the demo again: it goes on from there.",
            )
        told = [f"[{item.notification.state}] {item.notification.title}" for item in result.deliveries]
        self.tell(f"{chapter}: {'; '.join(told) or 'nothing to tell'}")
        return result
