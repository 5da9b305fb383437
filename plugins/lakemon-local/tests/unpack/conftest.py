"""A small model type, a payload table to fill, and the unpacking between."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from lakemon_local.ledger import SqliteLedger
from lakemon_local.serving.endpoints import Entity
from lakemon_local.serving.spool import payload_schema
from lakemon_local.tables import DeltaTables
from lakemon_local.unpack import Unpacking

from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import InferenceTableSpec, LabelSpec, Monitor, MonitoringSpec, Roles
from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Granularity
from lakemon_core.ports import ModelType, ModelVersion, PluginConfig, UnpackResult

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAYLOAD = TableName("dev", "flights", "logs_payload")
TARGET = TableName("dev", "flights", "logs")
LABELS = TableName("dev", "flights", "labels")


class Scores(ModelType):
    """Predictions are numbers or `{"prediction": …, "proba": …}`."""

    type = "scores"
    Config = PluginConfig

    def __init__(self, roles: Roles) -> None:
        super().__init__(PluginConfig())
        self._roles = roles

    def roles(self) -> Roles:
        return self._roles

    metrics = ()

    def quality_fields(self):
        return ()

    def quality(self, rows):
        raise NotImplementedError

    def default_rules(self):
        return ()

    def check_predictions(self, rows):
        return ()

    def unpack(self, prediction: object, model: ModelVersion | None):
        if isinstance(prediction, dict):
            return prediction
        if isinstance(prediction, int | float | str):
            return {"prediction": prediction}
        raise ValueError(f"a {type(prediction).__name__} is no score")


class Catalogue:
    """A registry with two versions: the first has a signature, the second has none."""

    def point(self) -> None:
        pass

    def input_example(self, version):
        return None

    def resolve(self, name: str, version: str) -> ModelVersion:
        if version == "3":
            raise ModelError("LM402", "no such version")
        signed = {"distance": "double", "hour": "long", "at": "datetime", "tags": "array(string)"}
        return ModelVersion(name, version, inputs=signed if version == "1" else {})


class Clock:
    def now(self) -> datetime:
        return NOON


class Quiet:
    def update(self, what, done=None, total=None) -> None:
        pass


class Lake:
    """A payload table, an inference table, and what stands between."""

    payload, target, labels = PAYLOAD, TARGET, LABELS

    def __init__(self, folder, **roles: object) -> None:
        self.tables = DeltaTables(folder / "tables")
        self.ledger = SqliteLedger(folder / "ledger.db", Clock())
        self.roles = Roles(**roles)
        self._sent = 0

    def log(self, request: object, response: object, **changes: object) -> str:
        """Appends one request to the payload table; returns its id."""
        self._sent += 1
        row: dict[str, object] = {
            "databricks_request_id": f"r{self._sent}",
            "client_request_id": None,
            "request_time": NOON + timedelta(seconds=self._sent),
            "status_code": 200,
            "request": request if request is None or isinstance(request, str) else json.dumps(request),
            "response": response if response is None or isinstance(response, str) else json.dumps(response),
            "served_entity_id": "e1",
        }
        row |= changes
        self.tables.append(PAYLOAD, pa.Table.from_pylist([row], schema=payload_schema()))
        return str(row["databricks_request_id"])

    def ask(self, *records: dict, predictions: list | None = None, **changes: object) -> str:
        """Logs a request of records that was answered with one number a row."""
        answers = predictions if predictions is not None else [0.5] * len(records)
        return self.log({"dataframe_records": list(records)}, {"predictions": answers}, **changes)

    def unpack(self) -> UnpackResult:
        monitor = Monitor(
            environment="dev",
            backend="local",
            catalog="dev",
            schema="flights",
            model=None,
            serving=None,
            inference_table=InferenceTableSpec(
                TARGET, PAYLOAD, labels=LabelSpec(LABELS, ("flight_id",), "late")
            ),
            monitoring=MonitoringSpec("monitoring", (Granularity("1 day"),)),
        )
        entities = {f"e{n}": Entity(f"e{n}", "dev.flights.m", str(n), False, NOON) for n in (1, 2, 3)}
        unpacking = Unpacking(monitor, Scores(self.roles), self.tables, self.ledger, Catalogue(), entities)
        return unpacking.run(Quiet())

    def rows(self) -> list[dict]:
        """The inference table, by request and position."""
        found = self.tables.scan(TARGET).read_all().to_pylist()
        return sorted(found, key=lambda row: (row["request_id"], row["row_index"]))

    def column(self, name: str) -> list:
        return [row[name] for row in self.rows()]

    def type_of(self, name: str) -> pa.DataType:
        return self.tables.info(TARGET).schema.field(name).type


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    yield lake
    lake.ledger.close()


@pytest.fixture
def make_lake(tmp_path):
    """Makes lakes with other roles."""
    return lambda folder=tmp_path, **roles: Lake(folder, **roles)
