"""Data profiling of the inference table behind the port `LakeProfiles`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, LakeMetrics, Ledger, ModelType, Progress
from lakemon_databricks.dashboards import Dashboards
from lakemon_databricks.dashboards.page import Board, page
from lakemon_databricks.profiling import expressions
from lakemon_databricks.profiling.data_quality import DataQuality
from lakemon_databricks.profiling.definition import Profile, ProfilingSettings, profile_of
from lakemon_databricks.profiling.found import Found, ProfilingApi, Progressing
from lakemon_databricks.profiling.quality_monitors import QualityMonitors
from lakemon_databricks.statements import Binding, Statements, column_sql, table_sql
from lakemon_databricks.tables import LakeTables
from lakemon_databricks.tables.predicates import predicate
from lakemon_databricks.workspace.refusals import message_of, refused

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

T = TypeVar("T")
OLDEST = timedelta(days=30)
"""Of rows that data profiling measures; those before it are left out."""
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between two looks; the last one repeats."""


@dataclass(frozen=True)
class LakeProfiling:
    """Tells data profiling what to measure, refreshes it and waits for its tables.

    Attributes:
        client: of the workspace.
        statements: of the warehouse.
        tables: of the workspace.
        ledger: notes the refresh of a version, so that a run which was killed meets it again.
        monitor: the config.
        settings: how it is used.
        dashboards: shows the signals.
    """

    client: WorkspaceClient
    statements: Statements
    tables: LakeTables
    ledger: Ledger
    monitor: Monitor
    settings: ProfilingSettings
    dashboards: Dashboards

    def bring_up(self, model_type: ModelType, *, progress: Progress) -> LakeMetrics:
        """Lets Databricks measure the table as it stands now; returns the tables it has written.

        Raises:
            ModelError: LM424 a config that Databricks refuses, LM461 a monitor that does not come up, LM462 a
                refresh that failed, LM463 one that takes too long, LM464 tables that are in our way.
        """
        until = time.monotonic() + self.settings.seconds
        info = self.tables.info(self._table)
        wanted = self._api.possible(self._wanted(model_type, info.schema.names))
        found = self._told(wanted, until, progress)
        self._refreshed(f"{info.version}:{hash_of(wanted)}", until, progress)
        metrics = self._metrics(found, until, progress)
        asked = {one.name for one in wanted.metrics}
        ours = {str(one["name"]) for one in self.monitor.monitoring.custom_metrics} - asked
        return replace(metrics, missing=self._show(model_type, progress), left_to_us=frozenset(ours))

    def rows(
        self,
        name: TableName,
        *,
        columns: Sequence[str],
        slices: Mapping[str, str],
        where: Sequence[Condition] = (),
        version: int | None = None,
    ) -> pa.Table:
        """Reads some columns of a table with the value of each slice as text."""
        binding = Binding()
        parts = [*map(column_sql, columns), *expressions.slice_columns(slices)]
        return self.statements.read(
            f"SELECT {', '.join(parts)} FROM {self._some(name, where, version, binding)}",  # noqa: S608 - names quoted, values are parameters, slices are of the config
            binding.values,
        )

    def summed(
        self,
        name: TableName,
        *,
        aggregates: Mapping[str, str],
        slices: Mapping[str, str],
        model_id: str | None,
        where: Sequence[Condition],
        version: int | None = None,
    ) -> pa.Table:
        """Computes aggregates of groups of rows; see `LakeProfiles.summed`."""
        binding = Binding()
        source = self._some(name, where, version, binding)
        sql = expressions.sums_sql(source, aggregates, slices, model_id, binding)
        return self.statements.read(sql, binding.values)

    def evaluate(self, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
        """Lets the warehouse compute a value of every row; see `LakeProfiles.evaluate`."""
        return expressions.evaluate(self.statements, rows, columns)

    def aggregate(self, rows: pa.Table, columns: Mapping[str, str]) -> Mapping[str, object]:
        """Lets the warehouse compute a value of all rows; see `LakeProfiles.aggregate`."""
        return expressions.aggregate(self.statements, rows, columns)

    def _some(
        self, name: TableName, where: Sequence[Condition], version: int | None, binding: Binding
    ) -> str:
        """Returns the SQL of some rows of a version of a table."""
        filtered = predicate(where, self.tables.info(name).schema, str(name), binding)
        at = "" if version is None else f"VERSION AS OF {int(version)}"
        return f"{table_sql(name)} {at} WHERE {filtered}"

    @property
    def _table(self) -> TableName:
        return self.monitor.inference_table.name

    @cached_property
    def _api(self) -> ProfilingApi:
        """The newer API, or the older one where the workspace has only that."""
        from databricks.sdk import errors

        place = (self.client, self._table, self.settings.assets_dir, self.statements.warehouse_id)
        newer = DataQuality(*place)
        if self.settings.api == "quality_monitors":
            return QualityMonitors(*place)
        try:
            newer.find()
        except (errors.NotFound, errors.NotImplemented):
            if self.settings.api == "data_quality":
                raise
            return QualityMonitors(*place)
        return newer

    def _wanted(self, model_type: ModelType, columns: Sequence[str]) -> Profile:
        return profile_of(self.monitor, model_type, columns, self.settings)

    def _told(self, wanted: Profile, until: float, progress: Progress) -> Found:
        """Returns the monitor as it is wanted, made or changed where it is another."""
        found = self._api.find()
        if found is None:
            progress.update(f"creating the data profile of {self._table}")
            catalog, schema = self.settings.schema.split(".", 1)
            self.statements.run(f"CREATE SCHEMA IF NOT EXISTS {column_sql(catalog)}.{column_sql(schema)}")
            self._asked(lambda: self._api.create(wanted))
            found = self._up(until, progress)
        if changed := wanted.differences(found.profile):
            progress.update(f"changing the data profile of {self._table}: {', '.join(changed)}")
            self._asked(lambda: self._api.update(wanted, changed))
        return self._up(until, progress)

    def _asked(self, change: Callable[[], None]) -> None:
        """Makes or changes the monitor."""
        from databricks.sdk.errors import BadRequest

        try:
            change()
        except BadRequest as error:
            raise refused(error, f"profile {self._table} as the config asks") from error

    def _up(self, until: float, progress: Progress) -> Found:
        """Waits until the monitor can be refreshed."""

        def look() -> Found | None:
            found = self._api.find()
            if found is not None and found.state is Progressing.FAILED:
                raise ModelError(
                    "LM461",
                    f"the data profile of {self._table} does not work: {found.detail};",
                    cure="mend what it names; columns that the config names have to be in the table.",
                )
            return found if found is not None and found.state is Progressing.DONE else None

        return self._waited(look, until, f"waiting for the data profile of {self._table}", progress)

    def _refreshed(self, mark: str, until: float, progress: Progress) -> None:
        """Refreshes once for each version of the table; a refresh that was begun is waited for."""
        key = f"profiled:{self._table}"
        noted, _, refresh_id = (self.ledger.get(key) or "").rpartition(" ")
        known = self._api.refreshed(refresh_id) if noted == mark else None
        if known is None or known.state is Progressing.FAILED:
            refresh_id = self._api.refresh()
            self.ledger.put(key, f"{mark} {refresh_id}")

        def look() -> bool | None:
            refreshed = self._api.refreshed(refresh_id)
            if refreshed is not None and refreshed.state is Progressing.FAILED:
                raise ModelError(
                    "LM462",
                    f"refresh {refresh_id} of the data profile of {self._table} failed: {refreshed.detail};",
                    cure="mend what it names and run again: a new refresh is begun.",
                )
            return (refreshed is not None and refreshed.state is Progressing.DONE) or None

        self._waited(look, until, f"Databricks measures {self._table} (refresh {refresh_id})", progress)

    def _metrics(self, found: Found, until: float, progress: Progress) -> LakeMetrics:
        """Returns the tables of the lake, once they are there: the first time they may come minutes later."""
        profile = found.profile_table
        if profile is None:
            profile = TableName.parse(f"{self.settings.schema}.{self._table.table}_profile_metrics")
        if profile == self.monitor.metric_table("profile_metrics"):
            raise ModelError(
                "LM464",
                f"Databricks writes its own metrics to {profile}, where lakemon's shall be;",
                where="monitoring.output_schema",
                cure="choose another schema there, or another one for `databricks.state_schema`.",
            )
        self._waited(
            lambda: self.tables.exists(profile) or None, until, f"waiting for the table {profile}", progress
        )
        drift = found.drift_table or profile.sibling(table=f"{self._table.table}_drift_metrics")
        return LakeMetrics(profile, drift if self.tables.exists(drift) else None, OLDEST)

    def _show(self, model_type: ModelType, progress: Progress) -> Mapping[str, str]:
        """Publishes our dashboard; where this account may not make one, why is returned."""
        from databricks.sdk.errors.base import DatabricksError

        progress.update(f"publishing the dashboard of {self._table}")
        board = Board(
            self.monitor.metric_table("signals"),
            model_type.roles().model_id,
            str(self.monitor.monitoring.granularities[0]),
            [one.name for one in model_type.metrics],
            f"{self.monitor.model_name} ({self.monitor.environment})",
            self.monitor.monitoring.rules or tuple(model_type.default_rules()),
            frozenset(one.name for one in model_type.metrics if one.two_sided),
        )
        try:
            self.dashboards.bring_up(page(board))
        except (ModelError, DatabricksError) as error:
            return {"dashboard": message_of(error)}
        return {}

    def _waited(self, look: Callable[[], T | None], until: float, what: str, progress: Progress) -> T:
        for pause in _pauses():
            answer = look()
            if answer is not None:
                return answer
            left = until - time.monotonic()
            if left <= 0:
                raise ModelError(
                    "LM463",
                    f"{what} took longer than {self.settings.seconds:g} s;",
                    cure="Databricks goes on: run again later, or raise `databricks.refresh_seconds`.",
                )
            progress.update(what)
            time.sleep(min(pause, left))
        raise AssertionError("unreachable")


def hash_of(profile: Profile) -> str:
    """Returns a mark of what is measured, for the ledger."""
    import hashlib

    return hashlib.sha256(repr(profile).encode()).hexdigest()[:12]


def _pauses() -> Iterator[float]:
    yield from _PAUSES
    while True:
        yield _PAUSES[-1]
