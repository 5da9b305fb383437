from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.categorical.summary import (
    merged_categories,
    summarize_categories,
    summarize_codes,
)
from lakemon_core.profiling.categorical.vocabulary import FULL, FULL_BYTES, Vocabularies, Vocabulary
from lakemon_core.profiling.drift import drift_values
from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.profile import profile_values

TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]


def content(summary):
    return summary.rows, summary.nulls, summary.levels.to_pylist(), summary.counts.tolist(), summary.lengths


def drawn(seed, rows=3000, levels=700):
    """Texts of which the first hundreds occur and some are null, different ones for each seed."""
    random = np.random.default_rng(seed)
    codes = (random.gamma(2, levels / 8, rows).astype(int) + seed * 20).tolist()
    return pa.array([f"é{code}" if code % 97 else None for code in codes])


@pytest.mark.parametrize("first", TEXTS)
@pytest.mark.parametrize("second", TEXTS)
def test_codes_of_levels_never_change_however_the_text_comes(first, second):
    vocabulary = Vocabulary(text=True)
    assert vocabulary.encode(pa.array(["b", None, "a", "b"]).cast(first)).tolist() == [0, -1, 1, 0]
    chunks = pa.chunked_array([pa.array(["c", "a"]), pa.array([None, "b"]), pa.array([], pa.string())])
    assert vocabulary.encode(chunks.cast(second)).tolist() == [2, 1, -1, 0]
    assert vocabulary.levels.to_pylist() == ["b", "a", "c"]
    assert vocabulary.lengths.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("column", "codes", "levels"),
    [
        (pa.array([3, None, 3, -1], pa.int8()), [0, -1, 0, 1], ["3", "-1"]),
        (pa.array([True, False, None, True]), [0, 1, -1, 0], ["true", "false"]),
        (pa.array([3.0, float("nan"), 0.5, 3.0]), [0, -1, 1, 0], ["3", "0.5"]),
        (pa.nulls(2), [-1, -1], []),
    ],
)
def test_other_types_are_encoded_by_their_text_form(column, codes, levels):
    vocabulary = Vocabulary(text=False)
    assert vocabulary.encode(column).tolist() == codes
    assert vocabulary.levels.to_pylist() == levels
    assert vocabulary.encode(pa.array(levels, pa.string())).tolist() == list(range(len(levels)))


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.uint16(), pa.uint64()])
def test_dictionaries_of_any_index_are_encoded_though_together_they_outgrow_it(index):
    chunks = [
        pa.DictionaryArray.from_arrays(pa.array([99, None], index), [f"{name}{n}" for n in range(100)])
        for name in "abc"
    ]
    column = pa.chunked_array(chunks)
    texts = ["a99", None, "b99", None, "c99", None]
    vocabulary, encoded = Vocabulary(text=True), encode(column)
    for codes, levels in (
        (vocabulary.encode(column), vocabulary.levels.to_pylist()),
        (encoded.codes, encoded.levels.to_pylist()),
    ):
        assert [None if code < 0 else levels[code] for code in codes] == texts


@pytest.mark.parametrize(
    "kind", [pa.string_view(), pa.string(), pa.bool_(), pa.dictionary(pa.int8(), pa.string())]
)
def test_columns_without_rows_have_no_codes(kind):
    for column in (pa.array([], kind), pa.chunked_array([], kind)):
        assert Vocabulary(text=True).encode(column).tolist() == []


def test_groups_of_a_shared_vocabulary_are_measured_as_if_each_stood_alone():
    vocabulary = Vocabulary(text=True)
    columns = [drawn(seed) for seed in range(4)]
    shared = [summarize_codes(vocabulary.encode(column), vocabulary) for column in columns]
    alone = [summarize_categories(column) for column in columns]
    for one, other in zip(shared, alone, strict=True):
        assert content(one) == content(other)
        assert profile_values(one) == profile_values(other)
    for current in range(4):
        for reference in range(4):
            found = drift_values(shared[current], shared[reference])
            assert numbers(found) == pytest.approx(
                numbers(drift_values(alone[current], alone[reference])), rel=1e-9, abs=1e-12
            )


def numbers(drift):
    test = {f"chi squared {name}": value for name, value in drift["chi_squared_test"].items()}
    return {name: value for name, value in (drift | test).items() if isinstance(value, int | float)}


def test_a_group_of_few_rows_and_a_vocabulary_of_many_levels_fit_together():
    vocabulary = Vocabulary(text=True)
    vocabulary.encode(pa.array([f"level {n}" for n in range(1000)]))
    few = pa.array(["level 998", None, "new", "level 998"])
    assert content(summarize_codes(vocabulary.encode(few), vocabulary)) == content(summarize_categories(few))
    nothing = summarize_codes(vocabulary.encode(few.slice(0, 0)), vocabulary)
    assert (nothing.rows, nothing.distinct, nothing.lengths) == (0, 0, None)


@pytest.mark.parametrize("shared", [True, False])
def test_summaries_of_parts_add_up_to_that_of_the_whole(shared):
    vocabulary = Vocabulary(text=True)
    columns = [drawn(seed) for seed in range(3)]
    parts = [
        summarize_codes(vocabulary.encode(column), vocabulary) if shared else summarize_categories(column)
        for column in columns
    ]
    whole = summarize_categories(pa.chunked_array(columns))
    assert content(merged_categories(parts)) == content(whole)
    assert content(merged_categories(parts[:1])) == content(parts[0])


def test_the_most_frequent_levels_are_those_of_the_whole_order():
    summary = summarize_categories(drawn(1, rows=20_000))
    ranked = list(zip(summary.levels.to_pylist(), summary.counts.tolist(), strict=True))
    assert summary.distinct > 300
    for most in (1, 2, 7, 100, 299, summary.distinct, summary.distinct + 1):
        assert summary.most_frequent(most) == ranked[:most]


def test_of_equal_levels_the_first_by_text_are_named():
    summary = summarize_categories(pa.array([f"{n:04}" for n in range(5000)][::-1]))
    assert summary.most_frequent(2) == [("0000", 1), ("0001", 1)]


def test_a_column_keeps_its_vocabulary_until_it_is_full():
    kept = Vocabularies()
    text = kept.of("id", pa.string())
    assert kept.of("id", pa.string_view()) is kept.of("id", pa.dictionary(pa.int8(), pa.string())) is text
    assert kept.of("id", pa.int64()) is not text
    assert kept.of("other", pa.string()) is not text
    text.encode(pa.array(range(FULL)).cast(pa.string()))
    assert kept.of("id", pa.string()) is not text
    long = kept.of("long", pa.string())
    long.encode(pa.array(["x" * FULL_BYTES]))
    assert kept.of("long", pa.string()) is not long


@pytest.mark.parametrize("kind", [pa.string_view(), pa.string()])
def test_rows_are_encoded_once_and_their_codes_hold_while_the_vocabulary_grows(kind):
    kept = Vocabularies()
    parts = [["b", None, "a"], ["c", "c", "a"]]
    tables = [pa.table({"text": pa.array(part).cast(kind), "number": [1, 2, 3]}) for part in parts]
    encoded = [kept.encoded(table) for table in tables]
    for table, part in zip(encoded, parts, strict=True):
        assert pa.types.is_dictionary(table.schema.field("text").type)
        assert table.to_pydict() == {"text": part, "number": [1, 2, 3]}
    codes = [kept.of("text", kind).encode(table.column("text")).tolist() for table in encoded]
    assert codes == [[0, -1, 1], [2, 2, 1]]


def test_threads_feed_one_vocabulary_and_agree_on_its_codes():
    vocabulary = Vocabulary(text=True)
    columns = [pa.array([f"level {n * step % 5000}" for n in range(5000)]) for step in (1, 3, 7, 9)] * 3
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(vocabulary.encode, columns))
    levels = np.array(vocabulary.levels.to_pylist())
    assert len(levels) == 5000
    for codes, column in zip(found, columns, strict=True):
        assert levels[codes].tolist() == column.to_pylist()
