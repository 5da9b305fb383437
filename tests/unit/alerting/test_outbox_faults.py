"""What a sink does wrong stays its own trouble, and nothing is lost."""

import threading
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakemon_core.alerting.sending.pace import Pace
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem, TargetResult
from lakemon_core.testing.sinks import sample_notification

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
DELIVERED, ACCEPTED, PARTIAL = DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED, DeliveryStatus.PARTIAL
RETRY, REJECTED, UNKNOWN = DeliveryStatus.RETRY, DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (lambda: 1 / 0, "unknown", "delivering failed: ZeroDivisionError: division by zero"),
        (lambda: exec("raise SystemExit(3)"), "unknown", "delivering failed: SystemExit: 3"),
        (lambda: exec("raise KeyboardInterrupt"), "unknown", "delivering failed: KeyboardInterrupt"),
        (
            lambda: None,
            "unknown",
            "delivering failed: TypeError: the sink returned NoneType, not a DeliveryResult",
        ),
        (
            lambda: DeliveryResult("lovely"),
            "unknown",
            "delivering failed: ValueError: 'lovely' is not a valid DeliveryStatus",
        ),
        (
            lambda: DeliveryResult(RETRY, retry_after="soon"),
            "unknown",
            "delivering failed: ValueError: could not convert string to float: 'soon'",
        ),
    ],
)
def test_what_a_sink_does_wrong_stays_due_and_hurts_nobody_else(world, answer, status, detail):
    world.put("k1", "one")
    world.put("k2", "two")
    world.sinks["one"].script = [answer] * 99
    items = {item.key: item for item in world.drain(pace=Pace(budget_seconds=0))}
    assert (items["k1"].status, items["k1"].detail) == ("due", detail)
    assert items["k2"].status == "delivered"
    assert {row["status"] for row in world.ledger.deliveries() if row["key"] == "k1"} == {status}


def test_a_message_that_cannot_be_rendered_stays_due(world):
    world.put(title="unspeakable")
    (item,) = world.drain(pace=Pace(budget_seconds=0))
    assert (item.status, item.detail) == ("due", "rendering failed: ValueError: cannot be rendered")
    assert [row["status"] for row in world.ledger.deliveries()] == ["retry"]


def test_a_sink_that_hangs_is_left_behind_and_not_asked_again_in_this_run(world, monkeypatch):
    monkeypatch.setattr("lakemon_core.alerting.sending.once.GRACE_SECONDS", 0.05)
    release = threading.Event()
    world.put("k1", "one", order="a")
    world.put("k2", "one", order="b")
    world.put("k3", "two")
    world.sinks["one"].script = [lambda: release.wait(30)] * 2
    items = {item.key: item for item in world.drain(pace=Pace(attempt_seconds=1.0))}
    release.set()
    assert {key: item.status for key, item in items.items()} == {"k1": "due", "k3": "delivered"}
    assert items["k1"].detail == "did not come back within 1 s"
    assert len(world.sinks["one"].attempts) == 1


def test_a_sink_that_left_the_config_is_said_and_its_messages_wait(world):
    world.put(sink="gone")
    (item,) = world.drain(pace=Pace(budget_seconds=0))
    assert (item.status, item.detail) == ("due", "the config has no sink 'gone' any more")


def test_details_are_short_plain_and_without_secrets(world):
    world.put(targets=(ANN,))
    world.secret = "s3cret"
    leak = "no\x1b[31m login with s3cret\n" + "x" * 5000
    world.sinks["one"].script = [
        DeliveryResult(RETRY, "535", leak, targets=(TargetResult(ANN, RETRY, "535", leak),)),
        lambda: exec("raise ValueError('url https://hooks.example.com/s3cret')"),
    ]
    world.drain()
    kept = [str(row["detail"]) for row in world.ledger.deliveries()]
    assert "delivering failed: ValueError: url https://hooks.example.com/***" in kept
    assert not any("s3cret" in detail for detail in [*kept, world.state().detail])
    assert all(len(detail) <= 500 and detail.isprintable() for detail in kept)
    file = world.ledger._path
    assert not any(b"s3cret" in path.read_bytes() for path in file.parent.glob(f"{file.name}*"))


def test_a_receipt_is_kept_for_what_follows(world):
    world.put()
    world.sinks["one"].script = [DeliveryResult(RETRY, receipt={"ts": "1.2"}), DELIVERED]
    (item,) = world.drain()
    assert item.receipt == {"ts": "1.2"}
    assert world.sinks["one"].attempts[1].receipt == {"ts": "1.2"}


def test_every_try_is_noted_before_the_next_is_made(world):
    world.put("k1")
    world.put("k2")
    noted = []
    world.sinks["one"].script = [
        lambda: noted.append(len(world.ledger.deliveries())) or DeliveryResult(DELIVERED)
    ] * 2
    world.drain()
    assert noted == [0, 1]


failures = st.sampled_from([RETRY, UNKNOWN, DELIVERED, ACCEPTED, PARTIAL])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(failures, max_size=8), min_size=1, max_size=12), st.integers(1, 3))
def test_whatever_a_channel_answers_nothing_is_lost_and_order_holds(
    tmp_path_factory, make_world, scripts, threads
):
    world = make_world(tmp_path_factory.mktemp("outbox"), "one")
    sink = world.sinks["one"]
    sink.script = [answer for script in scripts for answer in script]
    keys = [f"k{number:02}" for number in range(len(scripts))]
    for number, key in enumerate(keys):
        world.put(key, order=f"thread-{number % threads}")
    for _ in range(20):
        world.drain(at_once=True)
    world.ledger.close()
    assert Counter(sink.got) == Counter(keys)
    for thread in range(threads):
        mine = [key for key in sink.got if int(key[1:]) % threads == thread]
        assert mine == sorted(mine)


def test_a_hundred_messages_over_a_bad_channel_all_arrive_once(world):
    keys = [f"k{number}" for number in range(100)]
    items = [OutboxItem(key, "one", sample_notification(key=key), key, "due", 0, NOW, NOW) for key in keys]
    world.ledger.commit([], [], items)
    world.sinks["one"].script = [RETRY, DELIVERED, UNKNOWN] * 50
    for _ in range(20):
        world.drain(at_once=True)
    assert Counter(world.sinks["one"].got) == Counter(keys)
    assert world.ledger.outbox("due") == []
