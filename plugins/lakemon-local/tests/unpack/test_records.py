"""Requests and responses become rows: all four formats, and nothing that is not understood."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lakemon_local.unpack import Unreadable, predictions_of, records_of

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
NAMES = ("a", "b")


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": ROWS},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}},
        {"dataframe_split": {"columns": ["a", "b"], "index": [7, 9], "data": [[1, "x"], [2, None]]}},
        {"dataframe_split": {"data": [[1, "x"], [2, None]]}},
        {"instances": ROWS},
        {"instances": [[1, "x"], [2, None]]},
        {"instances": {"a": [1, 2], "b": ["x", None]}},
        {"inputs": {"a": [1, 2], "b": ["x", None]}},
        {"inputs": ROWS},
        {"inputs": [[1, "x"], [2, None]]},
        {"inputs": ROWS, "params": {"t": 1}, "client_request_id": "c"},
    ],
    ids=str,
)
def test_every_format_gives_the_same_rows(body):
    assert records_of(json.dumps(body), NAMES) == ROWS


def test_rows_without_names_are_numbered():
    assert records_of('{"inputs": [[1, 2], [3, 4]]}') == [{"0": 1, "1": 2}, {"0": 3, "1": 4}]
    assert records_of('{"instances": [5, 6]}', ("x",)) == [{"x": 5}, {"x": 6}]
    assert records_of('{"inputs": 5}') == [{"0": 5}]


def test_a_dict_of_single_values_is_one_row():
    assert records_of('{"inputs": {"a": 1, "b": "x"}}') == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[1]",
        "{}",
        "[" * 100_000,
        '{"inputs": [1], "instances": [1]}',
        '{"dataframe_records": {"a": 1}}',
        '{"dataframe_split": {"columns": ["a"]}}',
        '{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}',
        '{"dataframe_split": {"columns": ["a", "b"], "data": [[1]]}}',
        '{"dataframe_split": {"columns": ["a"], "data": [1]}}',
        '{"instances": [{"a": 1}, 2]}',
        '{"instances": [[1, 2, 3]]}',
        '{"inputs": {"a": [1, 2], "b": [1]}}',
    ],
)
def test_what_is_no_request_is_unreadable(body):
    with pytest.raises(Unreadable):
        records_of(body, NAMES)


@pytest.mark.parametrize(
    ("response", "rows"),
    [
        ({"predictions": [1, 2]}, [1, 2]),
        ({"predictions": [{"0": 1}, {"0": 2}]}, [{"0": 1}, {"0": 2}]),
        ({"predictions": {"p": [1, 2], "q": [3, 4]}}, [{"p": 1, "q": 3}, {"p": 2, "q": 4}]),
        ({"predictions": 7}, [7]),
        ({"predictions": []}, []),
    ],
)
def test_predictions_are_one_a_row(response, rows):
    assert predictions_of(json.dumps(response)) == rows


@pytest.mark.parametrize(
    "response", ["", "[]", '{"outputs": [1]}', '{"predictions": {"p": [1], "q": [1, 2]}}']
)
def test_what_is_no_response_is_unreadable(response):
    with pytest.raises(Unreadable):
        predictions_of(response)


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TABLES = st.lists(st.text(), min_size=1, max_size=5, unique=True).flatmap(
    lambda names: st.lists(st.fixed_dictionaries(dict.fromkeys(names, VALUES)), min_size=1, max_size=5)
)


@settings(max_examples=40)
@given(TABLES)
def test_any_rows_come_back_from_every_format(rows):
    names = list(rows[0])
    bodies = [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": names, "data": [[row[name] for name in names] for row in rows]}},
        {"instances": rows},
        {"inputs": {name: [row[name] for row in rows] for name in names}},
    ]
    for body in bodies:
        assert records_of(json.dumps(body)) == rows


@settings(max_examples=60)
@given(st.text() | st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_anything_else_is_unreadable_or_rows_and_never_another_error(value):
    for body in (value, {"inputs": value}, {"instances": value}, {"dataframe_split": value}):
        try:
            rows = records_of(json.dumps(body), NAMES)
        except Unreadable:
            continue
        assert all(isinstance(row, dict) for row in rows)
