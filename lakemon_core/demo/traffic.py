"""What happens to a deployed model: requests, a batch job beside them, and labels that come late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lakemon_core.demo.flights import FEATURES, KEY, LABEL, TIME
from lakemon_core.demo.home import demand
from lakemon_core.demo.train import with_predictions
from lakemon_core.domain.errors import ModelError
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

    def send(self, name: str, flights: pd.DataFrame) -> None:
        """Asks the endpoint about flights, a few a request; what is in the payload table is not sent again.

        Args:
            name: goes into the ids of the requests.
            flights: at most a few thousand.

        Raises:
            ModelError: LM418 when the endpoint refuses a request.
            UsageError: LM173 when the config has no endpoint any more.
        """
        endpoint = demand(self.session.monitor.serving, "serving").endpoint_name
        logged = self._logged()
        missing = [(key, records) for key, records in _requests(name, flights) if key not in logged]
        for number, (key, records) in enumerate(missing, start=1):
            self.session.progress.update(
                f"asking {endpoint} about flights from {_first_day(flights)}", number, len(missing)
            )
            answer = self.session.backend.serving.query(endpoint, records, client_request_id=key)
            if answer.status != 200:
                raise ModelError(
                    "LM418",
                    f"endpoint {endpoint} refused request {key}: {answer.error}",
                    cure="see `lakemon status` for its log.",
                )

    def score(self, number: int, flights: pd.DataFrame) -> None:
        """Does the work of a batch job: scores flights and appends them to the inference table.

        Args:
            number: of the batch; one that was written before changes nothing.
            flights: any.
        """
        self.session.progress.update(
            f"scoring {len(flights):,} flights from {_first_day(flights)} in a batch job"
        )
        scored = with_predictions(flights, self.model.predict(flights[list(FEATURES)]))
        rows = scored.drop(columns=LABEL).assign(
            request_id=f"batch-{number}", row_index=range(len(scored)), model_version=self.version
        )
        table = self.session.monitor.inference_table.name
        self.session.backend.tables.append(table, to_arrow(rows), batch=("demo batch", number))

    def report_arrivals(self, number: int, flights: pd.DataFrame) -> None:
        """Appends labels to the label table; flights that never arrived have none.

        Args:
            number: of the delivery; one that was written before changes nothing.
            flights: whose arrivals are known now.
        """
        labels = demand(self.session.monitor.inference_table.labels, "inference_table.labels")
        arrived = flights.loc[flights[LABEL].notna(), [KEY, TIME, LABEL]]
        rows = arrived.assign(arrived_at=arrived[TIME] + DELAY).drop(columns=TIME)
        self.session.backend.tables.append(labels.table, to_arrow(rows), batch=("demo arrivals", number))

    def _logged(self) -> set[str]:
        """Returns the ids of the requests that are in the payload table."""
        table = self.session.monitor.inference_table.payload
        if not self.session.backend.tables.exists(table):
            return set()
        rows = self.session.backend.tables.scan(table, columns=["client_request_id"]).read_all()
        return set(rows["client_request_id"].to_pylist())


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


def _first_day(flights: pd.DataFrame) -> str:
    return f"{flights[TIME].iloc[0]:%Y-%m-%d}"
