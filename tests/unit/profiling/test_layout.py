import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.layout import Labels, Place, in_order, lay_out, split_models
from lakemon_core.profiling.parts import Parts, some_rows

ROWS = pa.table({
    "day": [1, 0, -1, 0, 2, 1, 0],
    "model": pa.array([10, 9, 9, 10, 9, None, 9]),
    "color": pa.array(["red", "red", "red", "blue", None, "blue", "red"]),
    "size": pa.array([1, 2, 1, 1, 1, 2, 1]),
    "text": ["a", "b", "c", "d", "e", "f", "g"],
})  # fmt: skip


def groups(rows=ROWS, *, slices=(), model=True):
    models = Labels.of(rows.column("model")) if model else Labels.none(len(rows))
    labels = {name: Labels.of(rows.column(name)) for name in slices}
    found = {}
    for section in lay_out(rows.column("day").to_numpy(), 3, models, labels):
        for place, members in section.groups.items():
            part = some_rows(rows, section.parts.rows(members))
            found[place] = sorted(part.column("text").to_pylist())
    return {place: found[place] for place in in_order(list(found), list(slices))}


def wholes(found):
    return {(place.window, place.model_id): rows for place, rows in found.items() if place.slice_key is None}


def test_each_window_has_all_models_first_and_rows_without_a_model_belong_to_all_only():
    assert list(wholes(groups()).items()) == [
        ((0, "*"), ["b", "d", "g"]),
        ((0, "10"), ["d"]),
        ((0, "9"), ["b", "g"]),
        ((1, "*"), ["a", "f"]),
        ((1, "10"), ["a"]),
        ((2, "*"), ["e"]),
        ((2, "9"), ["e"]),
    ]


def test_without_models_there_is_one_group_a_window():
    assert wholes(groups(model=False)) == {(0, "*"): ["b", "d", "g"], (1, "*"): ["a", "f"], (2, "*"): ["e"]}


def test_slices_come_for_all_models_and_each_and_change_no_whole():
    found = groups(slices=("color", "size"))
    assert wholes(found) == wholes(groups())
    assert found[Place(0, "*", "color", "red")] == ["b", "g"]
    assert found[Place(0, "9", "color", "red")] == ["b", "g"]
    assert found[Place(0, "*", "size", "1")] == ["d", "g"]
    assert found[Place(1, "*", "color", "blue")] == ["f"]
    assert Place(0, "10", "color", "red") not in found
    assert not [place for place in found if place.window == 2 and place.slice_key == "color"]


def test_groups_stand_in_the_order_of_windows_models_and_slices_as_configured():
    places = [place for place in groups(slices=("size", "color")) if place.window == 0]
    assert [(place.model_id, place.slice_key, place.slice_value) for place in places] == [
        ("*", None, None), ("*", "size", "1"), ("*", "size", "2"),
        ("*", "color", "blue"), ("*", "color", "red"),
        ("10", None, None), ("10", "size", "1"), ("10", "color", "blue"),
        ("9", None, None), ("9", "size", "1"), ("9", "size", "2"), ("9", "color", "red"),
    ]  # fmt: skip


def test_only_wanted_values_are_labels():
    labels = Labels.of(ROWS.column("color"), frozenset({"blue"}))
    assert (labels.names, labels.codes.tolist()) == (("blue",), [-1, -1, -1, 0, -1, 0, -1])


def test_rows_that_lie_in_order_are_not_moved():
    parts = Parts.of(np.array([-1, 0, 0, 1, 3]), 4)
    assert parts.order is None
    assert [part if isinstance(part, slice) else None for part in parts] == [
        slice(1, 3), slice(3, 4), slice(4, 4), slice(4, 5)
    ]  # fmt: skip
    assert len(parts.filled()) == 3


def test_more_parts_than_sixteen_bits_count_are_kept_apart():
    codes = np.array([70_000, 3, 70_000, 65_536, 0])
    parts = Parts.of(codes, 70_001).filled()
    assert [np.asarray(part).tolist() for part in parts] == [[4], [1], [3], [0, 2]]


def test_a_table_is_split_by_model():
    found = [(model, sorted(part.column("text").to_pylist())) for model, part in split_models(ROWS, "model")]
    assert found == [("*", list("abcdefg")), ("10", ["a", "d"]), ("9", ["b", "c", "e", "g"])]
    assert [model for model, _ in split_models(ROWS)] == ["*"]


@pytest.mark.parametrize("count", [1, 41, 42, 43, 62, 63, 64, 126, 127, 128, 10_922, 32_766, 32_768])
@pytest.mark.parametrize("models", [0, 2])
def test_codes_hold_as_many_parts_as_there_are(count, models):
    windows = np.tile(np.append(np.arange(count)[::-1], -1), 3)
    column = pa.chunked_array(
        [pa.array([str(row % models) if models else None for row in range(len(windows))])]
    )
    (section,) = lay_out(windows, count, Labels.of(column))
    rows = np.arange(len(windows))
    for place, members in list(section.groups.items())[:: max(1, count // 50)]:
        own = windows == place.window
        if place.model_id != "*":
            own &= rows % models == int(place.model_id)
        assert sorted(rows[section.parts.rows(members)].tolist()) == np.flatnonzero(own).tolist()
    assert len({place.window for place in section.groups}) == count


@pytest.mark.parametrize("count", [1, 126, 127, 128, 200])
def test_as_many_models_as_there_are_have_rows_of_their_own(count):
    column = pa.chunked_array([pa.array([f"{number:03}" for number in range(count)] * 2)])
    labels = Labels.of(column)
    assert labels.codes.tolist() == [*range(count)] * 2
    assert [len(part) for _, part in split_models(pa.table({"m": column}), "m")] == [2 * count, *[2] * count]
