"""Tables: which there are, what is in them, and a box for SQL that only reads."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from lakemon_core.domain.errors import LakemonError, UsageError
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.names import TableName, quote
from lakemon_core.ports import TableInfo
from lakemon_core.ui.desk import Desk, desk_of, read_form
from lakemon_core.ui.questions import MOST_ROWS, SECONDS, Answer
from lakemon_core.ui.render import cell, is_part, problems_of
from lakemon_core.ui.watched import Watched

if TYPE_CHECKING:
    import pyarrow as pa
    from starlette.requests import Request
    from starlette.responses import Response

NEWEST_ROWS = 20
MOST_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows as text: column names with types, rows, and which columns hold numbers."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]

    @classmethod
    def of(cls, rows: pa.Table) -> Shown:
        """Turns rows into text."""
        import pyarrow as pa

        kinds = [field.type for field in rows.schema]
        numeric = [pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds]
        columns = [(field.name, str(field.type)) for field in rows.schema]
        values = [column.to_pylist() for column in rows.columns]
        return cls(columns, [[cell(value) for value in row] for row in zip(*values, strict=True)], numeric)


def tables(request: Request) -> Response:
    """Lists the tables of one environment."""
    desk = desk_of(request)
    watched = _chosen(desk, request.query_params.get("place", ""))
    names: Sequence[TableName] = ()
    infos: list[TableInfo] = []
    problems: list[dict[str, str]] = []
    parts: dict[str, str] = {}
    if watched is not None:
        try:
            session = watched.session()
            names = session.backend.tables.list()
            parts = _parts(session.monitor)
            for name in names:
                infos.append(session.backend.tables.info(name))  # noqa: PERF401 - those before a broken one stay
        except LakemonError as error:
            problems = problems_of(error)
    return desk.show.page(
        request, "tables", infos=infos, parts=parts, problems=problems, **_places(desk, watched)
    )


def table(request: Request) -> Response:
    """Shows one table: columns, and its newest rows."""
    desk = desk_of(request)
    watched = desk.dashboard.watched(request.path_params["slug"])
    session = watched.session()
    name = TableName.parse(request.path_params["name"])
    info = session.backend.tables.info(name)
    if is_part(request):
        try:
            rows, order = _newest(desk, watched, info)
            shown, problems = Shown.of(rows), []
        except LakemonError as error:
            shown, order, problems = None, "", problems_of(error)
        return desk.show.page(request, "table_rows", shown=shown, order=order, problems=problems, info=info)
    return desk.show.page(
        request,
        "table",
        info=info,
        part=_parts(session.monitor).get(str(name), ""),
        sql=_FIRST.format(table=_written(name)),
        **_places(desk, watched),
    )


def query(request: Request) -> Response:
    """Shows the box for SQL."""
    desk = desk_of(request)
    watched = _chosen(desk, request.query_params.get("place", ""))
    return desk.show.page(
        request,
        "query",
        sql=request.query_params.get("sql", ""),
        answer=None,
        shown=None,
        problems=(),
        examples=_examples(watched),
        most=MOST_ROWS,
        limit_seconds=SECONDS,
        query_id=secrets.token_urlsafe(9),
        **_places(desk, watched),
    )


async def ask(request: Request) -> Response:
    """Runs a statement, by the code of `lakemon query`, and shows its rows."""
    desk = desk_of(request)
    form = await read_form(request)
    return await run_in_threadpool(_asked, request, desk, form)


async def stop(request: Request) -> Response:
    """Stops a statement."""
    desk = desk_of(request)
    form = await read_form(request)
    desk.questions.stop(form.get("query_id", ""))
    return desk.show.unchanged()


def _asked(request: Request, desk: Desk, form: Mapping[str, str]) -> Response:
    sql = form.get("sql", "")
    watched = _chosen(desk, form.get("place", ""))
    answer: Answer | None = None
    problems: list[dict[str, str]] = []
    try:
        if watched is None:
            raise UsageError("LM191", "there are no tables yet;", cure="import one: `lakemon table import`.")
        name = form.get("query_id", "") or secrets.token_urlsafe(9)
        answer = desk.questions.ask(watched.session().backend.tables, sql, name)
    except LakemonError as error:
        problems = problems_of(error)
    values: dict[str, Any] = {
        "answer": answer,
        "shown": Shown.of(answer.rows) if answer else None,
        "problems": problems,
        "most": MOST_ROWS,
    }
    if is_part(request):
        return desk.show.page(request, "query_answer", 422 if problems else 200, **values)
    return desk.show.page(
        request,
        "query",
        422 if problems else 200,
        sql=sql,
        examples=_examples(watched),
        limit_seconds=SECONDS,
        query_id=secrets.token_urlsafe(9),
        **_places(desk, watched),
        **values,
    )


def _chosen(desk: Desk, slug: str) -> Watched | None:
    """Returns the environment that is asked for, or the first that can be opened."""
    found = desk.dashboard.with_tables()
    if slug:
        return desk.dashboard.watched(slug)
    for one in found:
        try:
            one.session()
        except LakemonError:
            continue
        return one
    return found[0] if found else None


def _places(desk: Desk, watched: Watched | None) -> dict[str, Any]:
    found = [one.place for one in desk.dashboard.with_tables()]
    return {"places": found, "place": watched.place if watched else None}


def _parts(monitor: Monitor) -> dict[str, str]:
    """Returns which part the tables of the config play: name → words."""
    table_of = monitor.inference_table
    parts = {str(table_of.name): "inference table", str(table_of.payload): "payload table"}
    kinds = ("profile_metrics", "drift_metrics", "signals", "quality_history")
    parts |= {str(monitor.metric_table(kind)): kind.replace("_", " ") for kind in kinds}
    if monitor.monitoring.baseline_table:
        parts[str(monitor.monitoring.baseline_table)] = "baseline table"
    if table_of.labels:
        parts[str(table_of.labels.table)] = "label table"
    return parts


def _newest(desk: Desk, watched: Watched, info: TableInfo) -> tuple[pa.Table, str]:
    """Returns the newest rows by the first column of times, else the first rows; and that column."""
    import pyarrow as pa

    session = watched.session()
    order, wanted = _time_column(info.schema)
    columns = info.schema.names[:MOST_COLUMNS]
    if not order:
        batches = session.backend.tables.scan(info.name, columns=columns)
        found = list(islice((batch for batch in batches if batch.num_rows), 1))
        schema = pa.schema([info.schema.field(name) for name in columns])
        first = pa.Table.from_batches(found, found[0].schema) if found else schema.empty_table()
        return first.slice(0, NEWEST_ROWS), ""
    listed = ", ".join(_identifier(name) for name in columns)
    sql = f"SELECT {listed} FROM {_written(info.name)} ORDER BY {wanted} DESC NULLS LAST LIMIT {NEWEST_ROWS}"  # noqa: S608 - names are quoted
    return desk.questions.ask(session.backend.tables, sql, secrets.token_urlsafe(9)).rows, order


def _time_column(schema: pa.Schema) -> tuple[str, str]:
    """Returns the column of times that says how new a row is, and how SQL names it."""
    import pyarrow as pa

    for field in schema:
        if pa.types.is_timestamp(field.type):
            return field.name, _identifier(field.name)
        if field.name == "window" and pa.types.is_struct(field.type):
            return "window", f"{_identifier('window')}.start"
    return "", ""


def _identifier(name: str) -> str:
    return quote(name)


def _written(name: TableName) -> str:
    return ".".join(
        quote(part) if not part.isidentifier() else part for part in (name.catalog, name.schema, name.table)
    )


def _examples(watched: Watched | None) -> Sequence[tuple[str, str]]:
    """Returns statements to start from: what they show, and the statement."""
    if watched is None:
        return ()
    try:
        session = watched.session()
        known = set(session.backend.tables.list())
    except LakemonError:
        return ()
    monitor = session.monitor
    drift, signals = monitor.metric_table("drift_metrics"), monitor.metric_table("signals")
    rows = monitor.inference_table.name
    found: list[tuple[str, str]] = []
    if drift in known:
        found.append(("The strongest drift", _STRONGEST.format(table=_written(drift))))
    if signals in known:
        found.append(("Signals of the newest windows", _SIGNALS.format(table=_written(signals))))
    if rows in known:
        found.append(("How many predictions", f"SELECT count(*) AS predictions FROM {_written(rows)}"))  # noqa: S608 - shown, and run only when a person asks
    return found


_FIRST = "SELECT * FROM {table} LIMIT 100"
_STRONGEST = """\
SELECT window.start, column_name, population_stability_index AS psi, js_distance
FROM {table}
WHERE drift_type = 'BASELINE' AND slice_key IS NULL
ORDER BY psi DESC NULLS LAST
LIMIT 50"""
_SIGNALS = """\
SELECT window.start, granularity, column_name, signal, value, lower, upper, n, reason
FROM {table}
ORDER BY window.start DESC
LIMIT 100"""
