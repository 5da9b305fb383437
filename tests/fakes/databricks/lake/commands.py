"""Statements that are no SQL to SQLGlot: DESCRIBE, SHOW, OPTIMIZE, VACUUM, ANALYZE, GRANT, REVOKE."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from . import failures
from .types import type_text

if TYPE_CHECKING:
    from .lake import Lake, Session

Command = Callable[["Lake", "Session"], pa.Table]
_NAME = r"(?P<name>[\w`.\-]+|\bIDENTIFIER\s*\(\s*:\w+\s*\))"
_HISTORY = pa.schema(
    [
        ("version", pa.int64()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("userName", pa.string()),
        ("operation", pa.string()),
        ("operationMetrics", pa.map_(pa.string(), pa.string())),
    ]
)


def find(text: str) -> Command | None:
    """Returns the command of a text; None when it is a statement for SQLGlot."""
    plain = text.strip().rstrip(";").strip()
    for pattern, command in _COMMANDS:
        found = pattern.fullmatch(plain)
        if found:
            return partial(_run, command, found)
    return None


def _run(
    command: Callable[[Lake, Session, re.Match[str]], pa.Table],
    found: re.Match[str],
    lake: Lake,
    session: Session,
) -> pa.Table:
    return command(lake, session, found)


def full_name(written: str, session: Session) -> str:
    """Returns a written name (or `IDENTIFIER(:parameter)`) in full."""
    if written.upper().startswith("IDENTIFIER"):
        parameter = written[written.index(":") + 1 : written.rindex(")")].strip()
        written = session.parameters[parameter].value or ""
    parts = [quoted or plain for quoted, plain in re.findall(r"`([^`]*)`|([^.`]+)", written)]
    return ".".join([session.catalog, session.schema][: 3 - len(parts)] + parts).lower()


def _history(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    table = lake.usable(full_name(found["name"], session), session.user, "SELECT")
    commits = lake.versions.commits.get(table.id, [])[::-1]
    limit = int(found["limit"]) if found["limit"] else len(commits)
    rows = [
        {
            "version": commit.version,
            "timestamp": commit.timestamp,
            "userName": session.user,
            "operation": commit.operation,
            "operationMetrics": list(commit.metrics.items()),
        }
        for commit in commits[:limit]
    ]
    return pa.Table.from_pylist(rows, schema=_HISTORY)


def _detail(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    table = lake.usable(full_name(found["name"], session), session.user, "SELECT")
    kind = pa.map_(pa.string(), pa.string())
    size = lake.read(table.name).nbytes
    return pa.table(
        {
            "format": ["delta"],
            "id": [table.id],
            "name": [table.name],
            "description": pa.array([table.comment or None], pa.string()),
            "numFiles": pa.array([lake.versions.files(table)], pa.int64()),
            "sizeInBytes": pa.array([size], pa.int64()),
            "properties": pa.array([list(table.properties.items())], kind),
        }
    )


def _describe(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    name = full_name(found["name"], session)
    lake.usable(name, session.user, "SELECT")
    return _text_table(
        ("col_name", "data_type", "comment"),
        [(field.name, type_text(field.type).lower(), None) for field in lake.columns(name)],
    )


def _show_tables(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    schema = _schema_name(found["name"], session)
    lake.metastore.schema(schema)
    names = [name.rpartition(".")[2] for name in lake.metastore.tables if name.startswith(f"{schema}.")]
    rows = pa.array(names, pa.string())
    databases = pa.array([schema.partition(".")[2]] * len(names), pa.string())
    return pa.table(
        {"database": databases, "tableName": rows, "isTemporary": pa.array([False] * len(names), pa.bool_())}
    )


def _show_schemas(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    catalog = (found["name"] or session.catalog).strip("`").lower()
    if catalog not in lake.metastore.catalogs:
        raise failures.no_catalog(catalog)
    names = [(name.partition(".")[2],) for name in lake.metastore.schemas if name.startswith(f"{catalog}.")]
    return _text_table(("databaseName",), names)


def _show_catalogs(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    return _text_table(("catalog",), [(name,) for name in lake.metastore.catalogs])


def _show_properties(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    table = lake.usable(full_name(found["name"], session), session.user, "SELECT")
    return _text_table(("key", "value"), list(table.properties.items()))


def _show_grants(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    name = found["name"].replace("`", "").lower()
    rows = [
        (principal, privilege, type(securable).__name__.upper(), securable.name)
        for securable in lake.metastore.upwards(name)
        for principal, privileges in securable.grants.items()
        for privilege in sorted(privileges)
    ]
    return _text_table(("Principal", "ActionType", "ObjectType", "ObjectKey"), rows)


def _grant(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    name = found["name"].replace("`", "").lower()
    if lake.metastore.find(name) is None:
        raise failures.no_table(name)
    lake.metastore.demand(session.user, "MANAGE", name)
    privileges = [part.strip().upper().replace("_", " ") for part in found["privileges"].split(",")]
    change = lake.metastore.grant if found["verb"].upper() == "GRANT" else lake.metastore.revoke
    change(name, found["principal"].strip("`'\""), *privileges)
    return pa.table({})


def _keep(lake: Lake, session: Session, found: re.Match[str]) -> pa.Table:
    """OPTIMIZE, VACUUM and ANALYZE change no row; the first two are commits of their own."""
    table = lake.usable(full_name(found["name"], session), session.user, "MODIFY")
    verb = found["verb"].upper()
    if verb == "VACUUM" and found["hours"] and int(found["hours"]) < 168:
        raise failures.SqlFailure(
            "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT",
            "Are you sure you would like to vacuum files with such a low retention period?",
            "22003",
        )
    if verb == "VACUUM" or (verb == "OPTIMIZE" and lake.versions.files(table) > 1):
        place = lake.place(table.name)
        operation = "OPTIMIZE" if verb == "OPTIMIZE" else "VACUUM END"
        lake.versions.record(table, place, operation, lake.clock.now())
    return pa.table({"path": pa.array([None], pa.string())})


def _schema_name(written: str | None, session: Session) -> str:
    parts = [part.strip("`") for part in (written or session.schema).split(".")]
    return ".".join([session.catalog, *parts][-2:]).lower()


def _text_table(names: tuple[str, ...], rows: Sequence[tuple[str | None, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table(
        {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.DOTALL)


_COMMANDS: tuple[tuple[re.Pattern[str], Callable[[Lake, Session, re.Match[str]], pa.Table]], ...] = (
    (_pattern(rf"DESC(?:RIBE)?\s+HISTORY\s+{_NAME}(?:\s+LIMIT\s+(?P<limit>\d+))?"), _history),
    (_pattern(rf"DESC(?:RIBE)?\s+DETAIL\s+{_NAME}"), _detail),
    (_pattern(rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?:EXTENDED\s+)?{_NAME}"), _describe),
    (_pattern(rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+{_NAME})?"), _show_tables),
    (_pattern(rf"SHOW\s+(?:SCHEMAS|DATABASES)(?:\s+(?:IN|FROM)\s+{_NAME})?"), _show_schemas),
    (_pattern(r"SHOW\s+CATALOGS"), _show_catalogs),
    (_pattern(rf"SHOW\s+TBLPROPERTIES\s+{_NAME}"), _show_properties),
    (_pattern(rf"SHOW\s+GRANTS\s+ON\s+(?:CATALOG|SCHEMA|TABLE)\s+{_NAME}"), _show_grants),
    (
        _pattern(
            rf"(?P<verb>GRANT|REVOKE)\s+(?P<privileges>[\w\s,]+?)\s+ON\s+(?:CATALOG|SCHEMA|TABLE)\s+{_NAME}"
            r"\s+(?:TO|FROM)\s+(?P<principal>`[^`]+`|\S+)"
        ),
        _grant,
    ),
    (
        _pattern(
            rf"(?P<verb>OPTIMIZE|VACUUM|ANALYZE)\s+(?:TABLE\s+)?{_NAME}(?:\s+RETAIN\s+(?P<hours>\d+)\s+HOURS?)?"
            r"(?:\s+(?:WHERE|ZORDER|FULL|COMPUTE|LITE|USING)\b.*)?"
        ),
        _keep,
    ),
)
