"""What happens to a deployed model: requests, a batch job beside them, and labels that come late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lakemon_core.demo.flights import FEATURES, KEY, LABEL, TIME
from lakemon_core.demo.train import with_predictions
from lakemon_core.domain.errors import ModelError
from lakemon_core.domain.monitor import LabelSpec, ServingSpec
from lakemon_core.pipeline.session import Session

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from mlflow.pyfunc import PyFuncModel

LIVE_ROWS = 500
"""Flights a week that are asked for one request after the other; the batch job scores the others."""

REQUEST_ROWS = 25
DELAY = timedelta(days=7)
"""Arrivals are known at once; the table of arrivals gets them a week later."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Sends and writes everything exactly once, however often it is asked to.

    Attributes:
        session: of the demo's config.
        model: the version that is deployed, loaded for the batch job.
        version: its number.
    """

    session: Session
    model: PyFuncModel
    version: str

    def send(self, name: str, flights: pd.DataFrame) -> int:
        """Asks the endpoint about flights, a few a request; returns how many rows were sent now.

        Args:
            name: goes into the ids of the requests.
            flights: at most a few thousand.

        Raises:
            ModelError: LM418 when the endpoint refuses a request.
        """
        serving = self._serving()
        requests, logged = dict(_requests(name, flights)), self._logged()
        missing = [key for key in requests if key not in logged]
        for number, key in enumerate(missing, start=1):
            self.session.progress.update(
                f"asking {serving.endpoint_name} about flights", number, len(missing)
            )
            answer = self.session.backend.serving.query(
                serving.endpoint_name, requests[key], client_request_id=key
            )
            if answer.status != 200:
                raise ModelError(
                    "LM418",
                    f"endpoint {serving.endpoint_name} refused request {key}: {answer.error}",
                    cure="see `lakemon status` for its log.",
                )
        return sum(len(requests[key]) for key in missing)

    def score(self, number: int, flights: pd.DataFrame) -> int:
        """Does the work of a batch job: scores flights and appends them to the inference table.

        Args:
            number: of the batch; one that was written before changes nothing.
            flights: any.
        """
        self.session.progress.update("scoring flights in a batch job", len(flights))
        scored = with_predictions(flights, self.model.predict(flights[list(FEATURES)]))
        rows = scored.drop(columns=LABEL).assign(
            request_id=f"batch-{number}", row_index=range(len(scored)), model_version=self.version
        )
        table = self.session.monitor.inference_table.name
        written = self.session.backend.tables.append(table, to_arrow(rows), batch=("demo batch", number))
        return written.inserted

    def report_arrivals(self, number: int, flights: pd.DataFrame) -> int:
        """Appends labels to the label table; flights that never arrived have none.

        Args:
            number: of the delivery; one that was written before changes nothing.
            flights: whose arrivals are known now.
        """
        arrived = flights.loc[flights[LABEL].notna(), [KEY, TIME, LABEL]]
        rows = arrived.assign(arrived_at=arrived[TIME] + DELAY).drop(columns=TIME)
        written = self.session.backend.tables.append(
            self._labels().table, to_arrow(rows), batch=("demo arrivals", number)
        )
        return written.inserted

    def _logged(self) -> set[str]:
        """Returns the ids of the requests that are in the payload table."""
        table = self.session.monitor.inference_table.payload
        if not self.session.backend.tables.exists(table):
            return set()
        rows = self.session.backend.tables.scan(table, columns=["client_request_id"]).read_all()
        return set(rows["client_request_id"].to_pylist())

    def _serving(self) -> ServingSpec:
        serving = self.session.monitor.serving
        assert serving is not None
        return serving

    def _labels(self) -> LabelSpec:
        labels = self.session.monitor.inference_table.labels
        assert labels is not None
        return labels


def to_arrow(rows: pd.DataFrame) -> pa.Table:
    """Returns rows as Arrow, without pandas' own metadata."""
    import pyarrow as pa

    return pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)


def _requests(name: str, flights: pd.DataFrame) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields id and records of each request; key and time of a flight travel with its features."""
    rows = to_arrow(flights.loc[:, [KEY, TIME, *FEATURES]]).to_pylist()
    records = [row | {TIME: row[TIME].isoformat()} for row in rows]
    for start in range(0, len(records), REQUEST_ROWS):
        yield f"{name}-{start // REQUEST_ROWS:03d}", records[start : start + REQUEST_ROWS]
