"""Deploy: a registered model becomes an endpoint whose requests are logged from its creation on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from lakemon_core.domain.errors import ModelError, UsageError
from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.domain.run import StageStatus
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import EndpointState, ModelVersion


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the stage leaves behind; model and endpoint are None for a batch inference table."""

    status: StageStatus
    model: ModelVersion | None = None
    endpoint: EndpointState | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


def deploy(context: RunContext) -> Deployed:
    """Resolves the version and brings the endpoint to it; does nothing when it is there already.

    Raises:
        UsageError: LM140 when the config names no model.
        ModelError: LM401, LM402 for an unknown model or version; LM410 to LM414 from the endpoint.
    """
    spec = context.monitor.serving
    if spec is None:
        return Deployed(
            StageStatus.NOTHING_TO_DO, detail={"reason": "batch inference table, nothing to serve"}
        )
    model = resolve_model(context)
    serving = context.backend.serving
    payload = context.monitor.inference_table.payload
    key, mark = f"deployed:{spec.endpoint_name}", _mark(spec, model, payload)
    before = serving.get(spec.endpoint_name)
    if before and _stands(before, model, payload) and context.backend.ledger.get(key) == mark:
        detail = _detail(model, before) | {"reason": f"version {model.version} answers already"}
        return Deployed(StageStatus.NOTHING_TO_DO, model, before, detail)
    context.progress.update(f"deploying {model.name} version {model.version} to {spec.endpoint_name}")
    endpoint = serving.deploy(spec, model, payload, progress=context.progress)
    if not endpoint.ready or endpoint.version != model.version:
        raise ModelError(
            "LM414",
            f"endpoint {spec.endpoint_name} answers with version {endpoint.version or 'none'},"
            f" not {model.version}: {endpoint.detail}",
            cure="see `lakemon status` for its log.",
        )
    context.backend.ledger.put(key, mark)
    return Deployed(StageStatus.DONE, model, endpoint, _detail(model, endpoint))


def _stands(endpoint: EndpointState, model: ModelVersion, payload: TableName) -> bool:
    return endpoint.ready and endpoint.version == model.version and endpoint.payload in {None, payload}


def _mark(spec: ServingSpec, model: ModelVersion, payload: TableName) -> str:
    """Returns a hash of all that the endpoint was asked for; secrets enter as references."""
    wanted = json.dumps([asdict(spec), model.name, model.version, str(payload)], sort_keys=True)
    return hashlib.sha256(wanted.encode()).hexdigest()[:12]


def resolve_model(context: RunContext) -> ModelVersion:
    """Returns the version that the config asks for.

    Raises:
        UsageError: LM140 when the config names no model.
        ModelError: LM401, LM402 for an unknown model or version.
    """
    monitor = context.monitor
    if monitor.model is None:
        raise UsageError(
            "LM140",
            "the config names no model;",
            where=str(monitor.source or ""),
            cure="add `model: {name: my_model, type: classification}`.",
        )
    return context.backend.registry.resolve(monitor.model_name, monitor.model.version)


def _detail(model: ModelVersion, endpoint: EndpointState) -> dict[str, object]:
    return {
        "model": model.name,
        "version": model.version,
        "endpoint": endpoint.name,
        "url": endpoint.url,
        "payload_table": str(endpoint.payload) if endpoint.payload else None,
    }
