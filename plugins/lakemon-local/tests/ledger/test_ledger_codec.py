"""Everything of the domain that the ledger keeps goes through JSON and comes back the same."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.incident import DeliveryResult, Incident, IncidentEvent, OutboxItem
from lakemon_core.domain.run import RunRecord, StageOutcome
from lakemon_core.testing.ledger import NOON, a_run, an_incident

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
moments = st.integers(-2_000_000_000_000_000, 7_000_000_000_000_000).map(
    lambda microseconds: NOON + timedelta(microseconds=microseconds)
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5))])
for kind, strategy in (
    (str, texts),
    (float, st.floats(allow_nan=False)),
    (datetime, st.builds(datetime.astimezone, moments, zones)),
    (object, plain),
):
    st.register_type_strategy(kind, strategy)

stages = st.builds(StageOutcome, detail=st.dictionaries(texts, plain, max_size=2))
runs = st.builds(RunRecord, stages=st.lists(stages, max_size=2).map(tuple))
kept = st.one_of(
    runs, *(st.from_type(kind) for kind in (Incident, IncidentEvent, OutboxItem, DeliveryResult))
)


@given(kept)
def test_what_was_encoded_is_decoded_as_it_was(thing):
    assert decode(type(thing), encode(thing)) == thing


@given(kept)
def test_the_same_thing_always_gives_the_same_text(thing):
    assert encode(thing) == encode(decode(type(thing), encode(thing)))


def test_the_text_names_no_class_and_holds_plain_json():
    fields = json.loads(encode(an_incident()))
    assert fields["status"] == "open"
    assert fields["opened_at"] == "2026-03-02T12:00:00+00:00"
    assert "Incident" not in encode(an_incident())


def test_moments_are_written_in_utc():
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    assert encode(an_incident(head=local)) == encode(an_incident(head=NOON))


def test_fields_of_a_newer_neighbour_are_ignored_and_missing_ones_take_their_default():
    fields = json.loads(encode(a_run("r1")))
    fields["invented_later"] = 1
    del fields["stages"]
    assert decode(RunRecord, json.dumps(fields)) == a_run("r1")


@pytest.mark.parametrize("value", [datetime(2026, 1, 1), {1, 2}, object(), {1: "x"}, 1 + 2j])  # noqa: DTZ001 - the point
def test_what_could_not_be_read_back_is_refused(value):
    with pytest.raises(TypeError):
        encode(an_incident(evidence={"x": value}))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"run_id": "r"}', "null"])
def test_what_is_not_the_thing_is_refused(text):
    with pytest.raises(ValueError, match=r"not a RunRecord|Expecting"):
        decode(RunRecord, text)
