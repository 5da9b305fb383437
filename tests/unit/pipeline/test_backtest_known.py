"""The file of known incidents that a backtest is held against."""

from datetime import UTC, datetime

import pytest

from lakemon_core.alerting.backtest import KnownIncident
from lakemon_core.domain.errors import UsageError
from lakemon_core.pipeline.backtest import read_known


@pytest.fixture
def read(tmp_path):
    def of(text):
        file = tmp_path / "known.csv"
        file.write_text(text)
        return read_known(file)

    return of


def test_times_are_utc_unless_they_say_otherwise_and_an_end_is_a_day_later(read):
    assert read(
        "start,end,rule,column,note\n2026-01-06,,nulls,,\n2026-01-06T02:00+02:00,2026-01-07,,temp,x\n"
    ) == [
        KnownIncident(datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC), "nulls"),
        KnownIncident(datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC), "", "temp", "x"),
    ]


def test_only_the_start_is_needed(read):
    assert len(read("start\n2026-01-06\n2026-01-09\n")) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("start,end\n2026-01-06,yesterday\n", "line 2: Invalid isoformat string: 'yesterday'"),
        ("start,end\n2026-01-06,2026-01-06\n", "line 2: its end is not after its start"),
        ("begin\n2026-01-06\n", "its columns are not start, end, rule, column, note"),
        ("start,typo\n2026-01-06,x\n", "its columns are not start, end, rule, column, note"),
        ("", "its columns are not start, end, rule, column, note"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(read, text, sentence):
    with pytest.raises(UsageError, match="LM128") as caught:
        read(text)
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"LM128 .*FileNotFoundError"):
        read_known(tmp_path / "missing.csv")
