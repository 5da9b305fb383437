"""From MLflow's words to ours: registered versions and signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakemon_core.domain.errors import ModelError
from lakemon_core.ports import ModelVersion

if TYPE_CHECKING:
    import pyarrow as pa
    from mlflow.entities.model_registry import ModelVersion as RegisteredVersion
    from mlflow.models import Model
    from mlflow.types import Schema


def version_of(registered: RegisteredVersion, model: Model) -> ModelVersion:
    """Returns a version as lakemon knows it, from the registry's entry and its MLmodel file."""
    signature = model.signature
    number = str(registered.version)
    return ModelVersion(
        name=registered.name,
        version=number,
        aliases=tuple(sorted(registered.aliases or ())),
        run_id=registered.run_id or "",
        inputs=columns_of(signature.inputs if signature else None),
        outputs=columns_of(signature.outputs if signature else None),
        flavors=tuple(sorted(model.flavors)),
        tags=dict(registered.tags or {}),
        uri=f"models:/{registered.name}/{number}",
    )


def columns_of(schema: Schema | None) -> dict[str, str]:
    """Returns column name → MLflow type, in order; a column without a name goes by its position."""
    if schema is None:
        return {}
    return {
        str(column["name"]) if column.get("name") is not None else str(position): _type_name(column)
        for position, column in enumerate(schema.to_dict())
    }


def _type_name(column: dict[str, Any]) -> str:
    """Returns e.g. `double`, `tensor(float64)`, `array(string)`."""
    kind = str(column["type"])
    if kind == "tensor":
        return f"tensor({column['tensor-spec']['dtype']})"
    if kind == "array":
        return f"array({_type_name(column['items'])})"
    return kind


def example_table(example: object) -> pa.Table | None:
    """Returns a logged input example as Arrow; None for shapes that are no table."""
    import pandas as pd
    import pyarrow as pa

    frame = example.to_frame().T if isinstance(example, pd.Series) else example
    if not isinstance(frame, pd.DataFrame):
        try:
            frame = pd.DataFrame(frame)  # arrays, lists of records and dicts of columns alike
        except (ValueError, TypeError):
            return None
    frame.columns = [str(name) for name in frame.columns]
    return pa.Table.from_pandas(frame, preserve_index=False)


def signature_missing(name: str) -> ModelError:
    """Returns the error for a model that Unity Catalog would refuse."""
    return ModelError(
        "LM404",
        f"{name} cannot be registered in Unity Catalog: the model has no signature with inputs and outputs;",
        cure="log it with `signature=infer_signature(inputs, predictions)`.",
    )
