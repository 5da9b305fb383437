from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.alerting.wording import number, subject_of
from lakemon_core.domain.rule import Compare


@pytest.mark.parametrize(
    ("value", "unlike", "text"),
    [
        (3.2444, None, "3.24"),
        (0.653, None, "0.653"),
        (5812, None, "5,812"),
        (1234.5678, None, "1,235"),
        (123456.7, None, "123,457"),
        (1234567.0, None, "1,234,567"),
        (0.0000123456, None, "1.23e-05"),
        (0.2004, 0.2, "0.2004"),
        (0.2, 0.2004, "0.2"),
        (100.4, 100, "100.4"),
        (1234.4, 1234, "1,234.4"),
        (1.0000001, 1, "1.0000001"),
        (0.5, 0.5, "0.5"),
        (-3.14159, None, "-3.14"),
        (0.0, None, "0"),
        (1e300, None, "1e+300"),
        (inf, None, "inf"),
        (nan, 0.2, "nan"),
    ],
)
def test_numbers_read_as_people_write_them(value, unlike, text):
    assert number(value, unlike=unlike) == text


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_value_and_its_limit_never_read_the_same_when_they_differ(value, limit):
    same = number(value, unlike=limit) == number(limit, unlike=value)
    assert same == (value == limit)


@pytest.mark.parametrize(
    ("name", "more", "text"),
    [
        ("feature_drift:psi", {"column": "temp"}, "PSI of temp"),
        (
            "feature_drift:js_distance",
            {"column": "carrier", "compare": Compare.PREVIOUS},
            "JS distance of carrier against the window before",
        ),
        ("roc_auc", {}, "ROC AUC"),
        ("log_loss", {"model_id": "3"}, "log loss of version 3"),
        (
            "null_rate",
            {"column": "gust", "slice_key": "origin", "slice_value": "JFK"},
            "null rate of gust where origin=JFK",
        ),
        ("acme.latency", {}, "acme.latency"),
        ("null_rate", {"column": "a\r\nb\u202e"}, "null rate of a  b"),
    ],
)
def test_a_signal_is_named_in_words(make_signal, name, more, text):
    assert subject_of(make_signal(name, 1.0, **more)) == text
