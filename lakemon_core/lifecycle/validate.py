"""Validate: real test requests are sent and found again; the inference table has what monitoring needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import Finding, Severity, Stage, StageStatus
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.deploy import resolve_model
from lakemon_core.lifecycle.probes import Probes
from lakemon_core.lifecycle.samples import sample_requests
from lakemon_core.ports import (
    PROBE_PREFIX,
    EndpointState,
    ModelVersion,
    PayloadHealth,
    ServingResponse,
)

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Validated:
    """What the stage leaves behind. `ok` is False when a critical finding stands."""

    status: StageStatus
    findings: tuple[Finding, ...] = ()
    endpoint: EndpointState | None = None
    responses: tuple[ServingResponse, ...] = ()
    rows: pa.Table | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def ok(self) -> bool:
        """No critical finding."""
        return all(finding.severity is not Severity.CRITICAL for finding in self.findings)


def validate(context: RunContext) -> Validated:
    """Validates the endpoint with real requests, or the batch inference table by its columns.

    An endpoint that was validated with the same model version and config is not asked again: a second run
    changes nothing, and tells what was logged lately. Test requests that were sent before and are not logged
    yet are looked for again, until logging has to have worked.

    Raises:
        DataError: LM301 when a batch table is missing, LM302 when a role's column is missing.
        ModelError: when the endpoint does not exist.
    """
    if context.monitor.serving is None:
        return _validate_table(context)
    model = resolve_model(context)
    key = f"validated:{context.monitor.serving.endpoint_name}"
    mark = f"{model.version}:{context.monitor.config_hash}"
    endpoint = context.backend.serving.get(context.monitor.serving.endpoint_name)
    if context.backend.ledger.get(key) == mark and endpoint is not None:
        health = context.backend.payload_health(context.monitor.inference_table.payload)
        reason = f"version {model.version} was validated with this config before"
        detail: dict[str, object] = {"reason": reason, **_counted(health)}
        return Validated(StageStatus.NOTHING_TO_DO, _lost(health), endpoint, detail=detail)
    sent = Probes.noted(context, mark)
    result = _look_again(context, sent, endpoint) if sent else _send(context, model, endpoint, mark)
    if result.status is StageStatus.DONE and result.ok:
        context.backend.ledger.put(key, mark)
    return result


def _send(context: RunContext, model: ModelVersion, endpoint: EndpointState | None, mark: str) -> Validated:
    """Sends samples one by one, checks what came back, and looks each up in the payload table."""
    serving = context.monitor.serving
    assert serving is not None
    samples = sample_requests(context, model)
    responses: list[ServingResponse] = []
    for number, record in enumerate(samples):
        context.progress.update("sending test requests", number + 1, len(samples))
        probe = f"{PROBE_PREFIX}{context.run_id}-{number}"
        responses.append(
            context.backend.serving.query(serving.endpoint_name, [record], client_request_id=probe)
        )
    rows, unreadable = _predictions(context, model, responses)
    findings = (*_answers(responses, unreadable), *_checked(context, rows))
    sent = Probes.of(context, mark, responses)
    if not findings:
        sent.note(context)  # before the wait: a run that is killed meanwhile has sent them
    looked = _look(context, sent)
    return replace(
        looked,
        findings=(*findings, *looked.findings),
        endpoint=endpoint,
        responses=tuple(responses),
        rows=rows,
    )


def _look_again(context: RunContext, sent: Probes, endpoint: EndpointState | None) -> Validated:
    """Looks for test requests of an earlier run, whose answers were right."""
    return replace(_look(context, sent), endpoint=endpoint)


def _look(context: RunContext, sent: Probes) -> Validated:
    """Looks for test requests in the payload table; what is still missing stays noted until the limit."""
    payload = context.monitor.inference_table.payload
    logged = context.backend.serving.logged(
        payload,
        sent.waiting,
        wait_seconds=max(0.0, min(context.backend.log_wait_seconds, sent.left(context))),
        progress=context.progress,
    )
    rest, health = sent.without(logged), context.backend.payload_health(payload)
    missing = rest.finding(context)
    if missing is None or missing.severity is Severity.CRITICAL:
        Probes.forget(context)
    detail: dict[str, object] = {
        "requests": sent.requests,
        "answered": sent.answered,
        "logged": sent.requests - len(rest.waiting),
        "payload_table": str(payload),
        **_counted(health),
    }
    status = StageStatus.PENDING if rest.waiting else StageStatus.DONE
    return Validated(status, (*([missing] if missing else []), *_lost(health)), detail=detail)


def _answers(responses: Sequence[ServingResponse], unreadable: Sequence[str]) -> tuple[Finding, ...]:
    refused = [response for response in responses if response.status != 200]
    found: list[Finding] = []
    if refused:
        title = f"{len(refused)} of {len(responses)} test requests were refused: {refused[0].error}"
        found.append(_critical("validate/refused", title, {"status": refused[0].status}))
    if unreadable:
        title = f"{len(unreadable)} predictions are not understood: {unreadable[0]}"
        found.append(_critical("validate/unreadable", title, {"first": unreadable[0]}))
    return tuple(found)


def _lost(health: PayloadHealth | None) -> tuple[Finding, ...]:
    """Warns of requests whose bodies are not in the payload table, and so never in the inference table."""
    if health is None or not health.oversize:
        return ()
    title = (
        f"{health.oversize} of {health.requests} requests were too large to be logged:"
        " they are missing in the inference table"
    )
    return (
        Finding("validate/oversize", Stage.VALIDATE, Severity.WARNING, title, {"count": health.oversize}),
    )


def _counted(health: PayloadHealth | None) -> dict[str, object]:
    """Returns what is known of the payload table, as plain values."""
    if health is None:
        return {}
    return {
        "logged_lately": health.requests,
        "doubled": health.doubled,
        "failed": health.failed,
        "oversize": health.oversize,
        "newest": health.newest.isoformat() if health.newest else None,
    }


def _checked(context: RunContext, rows: pa.Table | None) -> tuple[Finding, ...]:
    if rows is None:
        return ()
    return tuple(
        _critical(f"validate/prediction/{number}", sentence, {})
        for number, sentence in enumerate(context.model_type.check_predictions(rows))
    )


def _critical(finding_id: str, title: str, evidence: Mapping[str, object]) -> Finding:
    return Finding(finding_id, Stage.VALIDATE, Severity.CRITICAL, title, evidence)


def _predictions(
    context: RunContext, model: ModelVersion, responses: Sequence[ServingResponse]
) -> tuple[pa.Table | None, list[str]]:
    """Unpacks the answers as the inference table will hold them; returns rows and what was not understood."""
    import pyarrow as pa

    records: list[Mapping[str, object]] = []
    unreadable: list[str] = []
    for response in responses:
        for prediction in response.predictions:
            try:
                records.append(context.model_type.unpack(prediction, model))
            except ValueError as error:
                unreadable.append(str(error))
    return (pa.Table.from_pylist([dict(record) for record in records]) if records else None), unreadable


def _validate_table(context: RunContext) -> Validated:
    """Checks the columns that play a part in a batch inference table, without reading its rows."""
    info = context.backend.tables.info(context.monitor.inference_table.name)
    columns = info.schema.names
    roles = context.roles
    needed = {"timestamp_col": roles.timestamp}
    if _is_named(context, "prediction_col"):
        needed["prediction_col"] = roles.prediction
    needed |= {f"features.{number}": name for number, name in enumerate(roles.features)}
    if roles.prediction_proba:
        needed["prediction_proba_col"] = roles.prediction_proba
    if roles.label and context.monitor.inference_table.labels is None:
        needed["label_col"] = roles.label
    missing = [(part, column) for part, column in needed.items() if column not in columns]
    if missing:
        told = (f"model.{part} names column {column!r}, which is not there" for part, column in missing)
        no_time = missing[0][0] == "timestamp_col" and not _is_named(context, "timestamp_col")
        cure = _timing(info.schema) if no_time else did_you_mean(missing[0][1], columns)
        raise DataError("LM302", f"{'; '.join(told)}.", where=str(info.name), cure=cure)
    _check_timestamp(info.schema, roles.timestamp, str(info.name))
    findings = _optional_columns(context, columns)
    detail: dict[str, object] = {"table": str(info.name), "version": info.version, "columns": len(columns)}
    return Validated(StageStatus.DONE, findings, detail=detail)


def _is_named(context: RunContext, key: str) -> bool:
    """Whether the config itself says which column it is."""
    model = context.monitor.model
    return model is not None and key in model.settings


def _timing(schema: pa.Schema) -> str:
    """Says how rows get a time where nobody said which column has it."""
    times = [plain(field.name) for field in schema if _is_time(field.type)]
    if times:
        return f"Name it under `model:`, as `timestamp_col: {times[0]}`. With times: {', '.join(times)}."
    give = "lakemon table import TABLE FILE --at 2026-03-01 --mode replace"
    return f"No column has times. To give them one: {give}."


def _is_time(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def _check_timestamp(schema: pa.Schema, column: str, table: str) -> None:
    kind = schema.field(column).type
    if not _is_time(kind):
        raise DataError(
            "LM304",
            f"column {column!r} plays the timestamp but is {kind};",
            where=table,
            cure="store it as a timestamp or date.",
        )


def _optional_columns(context: RunContext, columns: Sequence[str]) -> tuple[Finding, ...]:
    """Says what is not measured, or not apart, where a column that nobody named is not there."""
    roles = context.roles
    without = {
        "model_id": (roles.model_id, "all rows count as one model"),
        "prediction": (roles.prediction, "the other columns are measured, and no quality"),
    }
    return tuple(
        Finding(
            f"validate/{part}",
            Stage.VALIDATE,
            Severity.WARNING,
            f"column {column!r} ({part}_col) is not there: {then}",
            {},
        )
        for part, (column, then) in without.items()
        if column not in columns
    )
