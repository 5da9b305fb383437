"""Looks whether everything that a run needs is there, without doing anything of a run."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from lakemon_core.domain.errors import LakemonError
from lakemon_core.pipeline.plugins import discover
from lakemon_core.pipeline.result import RunRequest
from lakemon_core.pipeline.session import Session, open_session
from lakemon_core.profiling.numeric.kernel import loops

LEAST_FREE = 1 << 30
"""Bytes that should be free where the workspace lies."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, whether it is well, and one sentence."""

    name: str
    ok: bool
    detail: str


def examine(request: RunRequest) -> list[Check]:
    """Looks at Python, plugins, compiled loops, config, workspace, backend and sinks, in this order.

    Returns:
        one check a thing; the checks that need a config are left out where its config does not load.
    """
    checks = [_python(), *_plugins(), Check("kernel", ok=True, detail=loops())]
    if isinstance(request.config, Path) and not request.config.exists():
        return [
            *checks,
            Check("config", ok=True, detail=f"{request.config} is not there yet; `lakemon init`"),
        ]
    try:
        with open_session(request) as session:
            checks.append(Check("config", ok=True, detail=f"{session.monitor.source} is fine"))
            checks += _session(session)
    except LakemonError as error:
        checks.append(Check("config", ok=False, detail=str(error)))
    return checks


def _python() -> Check:
    return Check(
        "python", ok=sys.version_info >= (3, 11), detail=f"{platform.python_version()}, {sys.executable}"
    )


def _plugins() -> Generator[Check]:
    for row in discover().rows():
        ok = row.status in {"active", "disabled"}
        yield Check(row.kind, ok=ok, detail=f"{row.name} {row.status} {row.error}".rstrip())


def _session(session: Session) -> Generator[Check]:
    yield _workspace(session.workspace)
    for one in session.backend.preflight():
        yield Check(one.name, one.ok, one.detail)
    yield _tried("tables", lambda: f"{len(session.backend.tables.list())} tables")
    yield _tried("ledger", lambda: f"{len(session.backend.ledger.runs(1))} of its newest runs read")
    if session.monitor.model is not None and session.monitor.serving is not None:
        yield _tried("model", lambda: _model(session))
    for name, sink in session.sinks.items():
        found = sink.check()
        yield Check("alert sink", found.ok, f"{name}: {found.detail}")


def _workspace(folder: Path) -> Check:
    present = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(present, os.W_OK):
        return Check(
            "workspace", ok=False, detail=f"{present} cannot be written; choose another with --workspace"
        )
    free = shutil.disk_usage(present).free
    detail = f"{folder}, {free / (1 << 30):.1f} GiB free"
    return Check("workspace", ok=free >= LEAST_FREE, detail=detail)


def _model(session: Session) -> str:
    model = session.monitor.model
    version = model.version if model else "latest"
    found = session.backend.registry.resolve(session.monitor.model_name, version)
    return f"{found.name} version {found.version}"


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, detail=look())
    except LakemonError as error:
        return Check(name, ok=False, detail=str(error))
