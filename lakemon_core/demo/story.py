"""The story of the demo: from raw flights to mails, through the doors that every user has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lakemon_core.demo.facts import gather
from lakemon_core.demo.flights import FEATURES, Flights, load_flights, weeks
from lakemon_core.demo.home import Home
from lakemon_core.demo.result import DemoResult, conclude
from lakemon_core.demo.traffic import LIVE_ROWS, Traffic, to_arrow
from lakemon_core.demo.train import fit, log_and_register, quiet_mlflow, with_predictions
from lakemon_core.domain.errors import LakemonError, ModelError
from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Window
from lakemon_core.pipeline.result import RunResult
from lakemon_core.pipeline.run import run_session
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.ports import ModelVersion, Progress
from lakemon_core.tracking import CHAMPION, ModelRegistry

LIVE_WEEKS = 6
"""Weeks that are played one by one: the storm of April 22 is the fourth; the sixth is calm again."""

TRAINING_TABLE = "training_data"
_NOT_THERE = {"LM401", "LM402"}


def play(directory: Path, *, progress: Progress, fresh: bool = False) -> DemoResult:
    """Plays the demo; what was played before in this folder is not done again.

    Args:
        directory: holds everything; made when it is not there.
        progress: is told all the time what is being done.
        fresh: removes what an earlier demo left in the folder first.

    Returns:
        what was found, and one document of all runs.

    Raises:
        UsageError: LM170 when a package of the extra `demo` is missing, LM171 for a folder of somebody else.
        LakemonError: LM172 when a stage of a run failed.
        KeyboardInterrupt: the next call goes on.
    """
    progress.update("reading the flights of 2013")
    flights = load_flights()
    home = Home(directory.absolute())
    if fresh:
        home.clear()
    home.furnish()
    with open_session(home.request, progress=progress) as session:
        story = _Story(home, flights, session)
        with quiet_mlflow():
            model = story.train()
        runs = [story.run("deploying"), *story.live(model)]
        runs.append(story.rest(model))
        facts = gather(session, f"{model.name} version {model.version}")
        return conclude(home.config, facts, runs, session.backend.ledger)


@dataclass(frozen=True, slots=True)
class _Story:
    """The chapters, in order; each may be told again."""

    home: Home
    flights: Flights
    session: Session

    def train(self) -> ModelVersion:
        """Returns the champion; trains and registers it where there is none."""
        session = self.session
        name, registry = session.monitor.model_name, ModelRegistry(session.workspace)
        try:
            return registry.resolve(name, CHAMPION)
        except ModelError as error:
            if error.code not in _NOT_THERE:
                raise
        session.progress.update(f"training on {len(self.flights.training):,} flights of January to March")
        model = fit(self.flights.training)
        features = self.flights.holdout[list(FEATURES)]
        holdout = with_predictions(self.flights.holdout, model.predict_proba(features))
        tables = session.backend.tables
        training_table = session.monitor.inference_table.name.sibling(table=TRAINING_TABLE)
        tables.replace(training_table, to_arrow(self.flights.training), where=[])
        tables.replace(self._baseline(), to_arrow(holdout), where=[])
        session.progress.update(f"registering {name}")
        return log_and_register(
            model,
            holdout,
            name=name,
            trained_on=tables.info(training_table),
            baseline=tables.info(self._baseline()),
            workspace=session.workspace,
        )

    def run(self, chapter: str) -> RunResult:
        """Does what `lakemon run` does, and tells what came of it.

        Raises:
            LakemonError: LM172 when a stage failed: the story ends there.
        """
        result = run_session(self.session, self.home.request)
        failed = result.failed_stage()
        if failed is not None:
            raise LakemonError(
                "LM172",
                f"{failed.name} failed: {failed.detail.get('error')}",
                where=f"{chapter}:",
                cure="When that is mended, run the demo again: it goes on from there.",
            )
        told = "; ".join(item.notification.title for item in result.deliveries)
        self.session.progress.update(f"{chapter}: {told or 'nothing to tell'}")
        return result

    def live(self, model: ModelVersion) -> list[RunResult]:
        """Plays the weeks one by one: requests and a batch job, the arrivals of the week before, a run."""
        traffic = self._traffic(model)
        results: list[RunResult] = []
        before: Window | None = None
        for number, week in enumerate(weeks(LIVE_WEEKS)):
            flights = self.flights.departing(week)
            traffic.send(f"demo-{week}", flights.head(LIVE_ROWS))
            traffic.score(number, flights.iloc[LIVE_ROWS:])
            if before is not None:
                traffic.report_arrivals(number, self.flights.departing(before))
            results.append(self.run(f"week of {week}"))
            before = week
        return results

    def rest(self, model: ModelVersion) -> RunResult:
        """Plays the rest of the year at once: one batch, all arrivals, one run."""
        *_, last = weeks(LIVE_WEEKS)
        traffic = self._traffic(model)
        traffic.score(LIVE_WEEKS, self.flights.departing_from(last.end))
        traffic.report_arrivals(LIVE_WEEKS, self.flights.departing_from(last.start))
        return self.run("the rest of the year")

    def _traffic(self, model: ModelVersion) -> Traffic:
        loaded = ModelRegistry(self.session.workspace).load(model.name, model.version)
        return Traffic(self.session, loaded, model.version)

    def _baseline(self) -> TableName:
        name = self.session.monitor.monitoring.baseline_table
        assert name is not None
        return name
