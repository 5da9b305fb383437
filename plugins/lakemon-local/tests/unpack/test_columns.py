"""JSON values become typed columns, never with loss."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from lakemon_local.unpack.columns import convert, infer_type, moment, type_of_signature

SHARES = pa.map_(pa.string(), pa.float64())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None, None], None),
        ([True, None], pa.bool_()),
        ([1, None, -(2**63)], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([2**53 + 1, 0.5], pa.string()),
        ([2**63], pa.string()),
        (["a", None], pa.string()),
        (["a", 1], pa.string()),
        ([True, 1], pa.string()),
        ([[1]], pa.string()),
        ([{"a": 0.5, "b": 1}, None], SHARES),
        ([{"a": "x"}], pa.string()),
    ],
)
def test_the_narrowest_type_without_loss_is_taken(values, kind):
    assert infer_type(values) == kind


@pytest.mark.parametrize(
    ("value", "kind", "converted"),
    [
        (None, pa.int64(), None),
        (3, pa.string(), "3"),
        ([1, "ü"], pa.string(), '[1, "\\u00fc"]'),
        (1, pa.bool_(), True),
        (3.0, pa.int64(), 3),
        ("3", pa.int32(), 3),
        (3, pa.float64(), 3.0),
        ("2.5", pa.float64(), 2.5),
        ("aGk=", pa.binary(), b"hi"),
        ("2026-03-02", pa.timestamp("us", "UTC"), datetime(2026, 3, 2, tzinfo=UTC)),
        ({"a": 1.0}, SHARES, [("a", 1.0)]),
        ([1, 2], pa.list_(pa.int64()), [1, 2]),
    ],
)
def test_values_take_the_type_of_their_column(value, kind, converted):
    assert convert(value, kind) == converted


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (3.5, pa.int64()),
        (2**40, pa.int32()),
        (2**63, pa.int64()),
        ("far", pa.float64()),
        (2**53 + 1, pa.float64()),
        (2, pa.bool_()),
        ("yes", pa.bool_()),
        ("\ud800", pa.string()),
        ("not base64!", pa.binary()),
        ("noon", pa.timestamp("us", "UTC")),
        ({"a": 1}, pa.list_(pa.int64())),
    ],
)
def test_what_does_not_fit_is_refused(value, kind):
    with pytest.raises((ValueError, TypeError, OverflowError, pa.ArrowException)):
        convert(value, kind)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00",
        "2026-03-02 13:00:00+01:00",
        1772452800,
        1772452800.0,
        1772452800_000,
        1772452800_000_000,
        1772452800_000_000_000,
    ],
)
def test_times_are_read_in_every_usual_form(value):
    assert moment(value) == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["", "noon", True, [], {}, float("inf"), float("nan"), 10**400, "0001-01-01T00:00+05"]
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ValueError, match="is no time"):
        moment(value)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("long", pa.int64()),
        ("array(array(double))", pa.list_(pa.list_(pa.float64()))),
        ("tensor(float64)", None),
    ],
)
def test_types_of_a_signature(kind, column):
    assert type_of_signature(kind) == column
