"""A lake of its own in which stages run in this process, at a time that the test sets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.alert import Alerted, raise_incidents
from lakemon_core.lifecycle.analyze import Analyzed, analyze
from lakemon_core.lifecycle.monitor import Monitored, monitor
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.testing.sinks import FixedClock

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Lake:
    """An open session with what tests do to it."""

    session: Session
    clock: FixedClock

    def append(self, table: str, rows: pa.Table) -> None:
        self.session.backend.tables.append(TableName("c", "s", table), rows)

    def rows(self, table: str, schema: str = "monitoring") -> list[dict]:
        tables, name = self.session.backend.tables, TableName("c", schema, table)
        return tables.scan(name).read_all().to_pylist() if tables.exists(name) else []

    def versions(self) -> dict[str, int]:
        tables = self.session.backend.tables
        return {str(name): tables.info(name).version for name in tables.list()}

    @property
    def context(self) -> RunContext:
        return self.session.context("run")

    def refresh(self, at: datetime | None = None) -> tuple[Monitored, Analyzed]:
        """Runs the stages monitor and analyze."""
        if at is not None:
            self.clock.moment = at
        monitored = monitor(self.context)
        return monitored, analyze(self.context)

    def alert(self, analyzed: Analyzed) -> Alerted:
        return raise_incidents(self.context, self.session.sinks, analyzed)

    def signals(self, name: str) -> dict[tuple, float | None]:
        """Start of the window and column → value, for the whole table."""
        return {
            (row["window"]["start"], row["column"]): row["value"]
            for row in self.rows("logs_signals")
            if row["signal"] == name and row["slice_key"] is None and row["model_id"] == "*"
        }


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Callable[..., Lake]]:
    """Opens a lake for a config: `lake(text, logs=table, …)`; each call makes another one.

    With `before=made` the config of a lake is changed: it is opened again.
    """
    opened = {}

    def make(config: str, before: Lake | None = None, **tables: pa.Table) -> Lake:
        folder = before.session.workspace.parent if before else tmp_path / str(len(opened))
        if before:
            opened.pop(folder).__exit__(None, None, None)
        folder.mkdir(exist_ok=True)
        path = folder / "monitoring_config.yml"
        path.write_text(config, encoding="utf-8")
        clock = FixedClock(LATER)
        opened[folder] = open_session(RunRequest(path), clock=clock)
        made = Lake(opened[folder].__enter__(), clock)
        for name, rows in tables.items():
            made.append(name, rows)
        return made

    yield make
    for one in opened.values():
        one.__exit__(None, None, None)
