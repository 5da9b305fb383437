from datetime import UTC, datetime, timedelta

import pytest

from lakemon_core.alerting.sending.pace import Pace, settle
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem, TargetResult
from lakemon_core.testing.sinks import FixedClock, sample_notification

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@example.com"
DELIVERED, ACCEPTED, PARTIAL = DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED, DeliveryStatus.PARTIAL
RETRY, REJECTED, UNKNOWN = DeliveryStatus.RETRY, DeliveryStatus.REJECTED, DeliveryStatus.UNKNOWN


def test_a_message_is_delivered_once_and_never_again(world):
    world.put()
    assert [item.status for item in world.drain()] == ["delivered"]
    assert world.drain() == []
    assert world.sinks["one"].got == ["k1"]


def test_a_channel_that_never_says_shown_is_accepted(world):
    world.put()
    world.sinks["one"].script = [ACCEPTED]
    assert [item.status for item in world.drain()] == ["accepted"]
    assert world.drain() == []


@pytest.mark.parametrize("failure", [RETRY, UNKNOWN, PARTIAL])
def test_a_try_that_failed_is_made_again_with_the_same_key(world, failure):
    world.put()
    world.sinks["one"].script = [failure, failure]
    (item,) = world.drain()
    assert (item.status, item.attempts) == ("delivered", 3)
    assert [(attempt.key, attempt.number) for attempt in world.sinks["one"].attempts] == [
        ("k1", 1), ("k1", 2), ("k1", 3),
    ]  # fmt: skip
    assert [row["status"] for row in world.ledger.deliveries()] == ["delivered", failure.value, failure.value]


def test_pauses_double_up_to_the_budget_and_the_rest_waits_for_the_next_run(world):
    world.put()
    world.sinks["one"].script = [RETRY] * 99
    (item,) = world.drain()
    assert world.waits == [1, 2, 4, 8]
    assert (item.status, item.attempts) == ("due", 5)
    assert item.next_at == world.clock.now() + timedelta(seconds=16)


def test_jitter_is_full(world):
    world.put()
    world.luck = 0.25
    world.sinks["one"].script = [RETRY] * 3
    world.drain()
    assert world.waits == [0.25, 0.5, 1.0]


def test_no_pause_is_longer_than_an_hour():
    item = OutboxItem("k", "s", sample_notification(), "t", "due", 40, NOW, NOW)
    after = settle(item, DeliveryResult(RETRY), now=NOW, pace=Pace(), draw=lambda: 1.0)
    assert after.next_at - NOW == timedelta(hours=1)


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        (5.0, 5.0),
        (0.1, 1.0),
        (86400.0, 3600.0),
        (float("inf"), 3600.0),
        (-3.0, 1.0),
        (float("nan"), 1.0),
        (None, 1.0),
    ],
)
def test_what_a_channel_asks_for_is_kept_within_reason(asked, pause):
    item = OutboxItem("k", "s", sample_notification(), "t", "due", 0, NOW, NOW)
    after = settle(item, DeliveryResult(RETRY, retry_after=asked), now=NOW, pace=Pace(), draw=lambda: 1.0)
    assert (after.next_at - NOW).total_seconds() == pause


def test_a_message_that_is_not_due_yet_is_left_alone_unless_asked_at_once(world):
    world.put()
    world.sinks["one"].script = [DeliveryResult(RETRY, retry_after=600)]
    world.drain()
    assert world.drain() == []
    assert [item.status for item in world.drain(at_once=True)] == ["delivered"]


def test_a_message_that_fails_at_once_too_is_tried_again_with_pauses(world):
    world.put()
    world.sinks["one"].script = [RETRY] * 99
    (item,) = world.drain(at_once=True)
    assert item.attempts == 5
    assert world.waits == [1, 2, 4, 8]


class TickingClock(FixedClock):
    """A clock that, like any real one, never says the same twice."""

    def now(self):
        self.moment += timedelta(microseconds=1)
        return self.moment


def test_messages_of_several_channels_are_sent_at_once_while_time_goes_on(world):
    for sink in ("one", "two", "three"):
        world.put(sink, sink, order=sink)
    world.clock = TickingClock(world.clock.moment)
    assert [item.status for item in world.drain(at_once=True)] == ["delivered"] * 3


def test_a_clock_that_was_set_back_delays_nothing(world):
    world.put()
    world.sinks["one"].script = [DeliveryResult(RETRY, retry_after=3600)]
    world.drain()
    world.later(days=-3650)
    assert [item.status for item in world.drain()] == ["delivered"]


def test_a_refused_message_is_dead_and_the_next_one_of_its_thread_goes(world):
    world.put("k1")
    world.put("k2")
    world.sinks["one"].script = [DeliveryResult(REJECTED, "invalid_blocks", "no such block")]
    assert [(item.key, item.status) for item in world.drain()] == [("k1", "dead"), ("k2", "delivered")]
    assert world.state("k1").detail == "invalid_blocks no such block"
    assert world.drain() == []


def test_a_thread_goes_out_in_order_even_when_its_first_message_fails(world):
    for key in ("k1", "k2", "k3"):
        world.put(key)
    world.sinks["one"].script = [RETRY, RETRY]
    world.drain()
    assert world.sinks["one"].got == ["k1", "k2", "k3"]


def test_a_thread_that_waits_holds_up_no_other_thread(world):
    world.put("k1", order="a")
    world.put("k2", order="a")
    world.put("k3", order="b")
    world.sinks["one"].script = [DeliveryResult(RETRY, retry_after=600)]
    world.drain()
    assert world.sinks["one"].got == ["k3"]
    assert [item.key for item in world.ledger.outbox("due")] == ["k1", "k2"]


def test_one_sink_that_is_down_for_a_day_gets_everything_once_on_recovery(world):
    for sink in world.sinks:
        world.put(f"{sink}-opened", sink)
    world.sinks["two"].script = [RETRY] * 100
    for _ in range(24):
        world.drain()
        world.later(hours=1)
    for sink in world.sinks:
        world.put(f"{sink}-resolved", sink)
    world.sinks["two"].script = []
    world.drain(at_once=True)
    for name, sink in world.sinks.items():
        assert sink.got == [f"{name}-opened", f"{name}-resolved"]


def test_a_message_is_given_up_only_when_it_is_old_and_was_tried_often(world):
    world.put()
    world.sinks["one"].script = [RETRY] * 1000
    statuses = []
    for _ in range(80):
        statuses += [item.status for item in world.drain(pace=Pace(budget_seconds=0))]
        world.later(hours=1)
    assert statuses == ["due"] * 72 + ["dead"]


def test_the_pace_is_the_documented_one():
    assert Pace() == Pace(30.0, 60.0, 1.0, 3600.0, 12, timedelta(hours=72), 120.0, 5, 60.0)


@pytest.mark.parametrize(
    ("tries", "age", "status"),
    [(12, 72, "dead"), (11, 72, "due"), (12, 71, "due"), (500, 1, "due"), (2, 5000, "due")],
)
def test_both_age_and_tries_must_be_reached(tries, age, status):
    created = NOW - timedelta(hours=age)
    item = OutboxItem("k", "s", sample_notification(), "t", "due", tries - 1, NOW, created)
    assert settle(item, DeliveryResult(RETRY), now=NOW, pace=Pace(), draw=lambda: 1.0).status == status


@pytest.mark.parametrize(("answer", "tried"), [(DELIVERED, 6), (RETRY, 3)])
def test_slow_failures_use_up_the_budget_and_slow_successes_do_not(world, answer, tried):
    def slowly():
        world.later(seconds=25)
        return DeliveryResult(answer)

    for number in range(6):
        world.put(f"k{number}", order=f"t{number}")
    world.sinks["one"].script = [slowly] * 99
    world.drain()
    assert len(world.sinks["one"].attempts) == tried


def test_a_weekly_job_gives_up_nothing_after_a_few_tries(world):
    world.put()
    world.sinks["one"].script = [RETRY] * 10
    for _ in range(11):
        world.drain(pace=Pace(budget_seconds=0))
        world.later(days=7)
    assert world.sinks["one"].got == ["k1"]


def targets(**statuses):
    names = {"ann": ANN, "bob": BOB, "eve": EVE}
    results = tuple(TargetResult(names[name], status, "550", name) for name, status in statuses.items())
    return DeliveryResult(PARTIAL, targets=results)


def test_only_recipients_who_did_not_get_it_are_tried_again(world):
    world.put(targets=(ANN, BOB, EVE))
    world.sinks["one"].script = [
        targets(ann=DELIVERED, bob=RETRY, eve=UNKNOWN),
        targets(bob=DELIVERED, eve=RETRY),
    ]
    assert [item.status for item in world.drain()] == ["delivered"]
    assert [attempt.targets for attempt in world.sinks["one"].attempts] == [
        (ANN, BOB, EVE),
        (BOB, EVE),
        (EVE,),
    ]


def test_a_recipient_who_is_refused_for_good_is_reported_and_not_tried_again(world):
    world.put(targets=(ANN, BOB))
    world.sinks["one"].script = [targets(ann=RETRY, bob=REJECTED)]
    (item,) = world.drain()
    assert [attempt.targets for attempt in world.sinks["one"].attempts] == [(ANN, BOB), (ANN,)]
    assert (item.status, item.refused, item.pending) == ("dead", (BOB,), ())


def test_the_detail_names_who_did_not_get_it(world):
    world.put(targets=(ANN, BOB, EVE))
    world.sinks["one"].script = [targets(ann=DELIVERED, bob=RETRY, eve=REJECTED)]
    (item,) = world.drain(pace=Pace(budget_seconds=0))
    assert item.detail == "bob@example.com: 550 bob; eve@example.com: 550 eve"


def test_recipients_of_the_sinks_own_default_are_tried_again_by_name(world):
    world.put()
    world.sinks["one"].script = [targets(ann=DELIVERED, bob=RETRY)]
    world.drain()
    assert [attempt.targets for attempt in world.sinks["one"].attempts] == [(), (BOB,)]


def test_a_recipient_of_whom_a_partial_result_says_nothing_is_tried_again(world):
    world.put(targets=(ANN, BOB))
    world.sinks["one"].script = [targets(ann=DELIVERED)]
    world.drain()
    assert world.sinks["one"].attempts[1].targets == (BOB,)
