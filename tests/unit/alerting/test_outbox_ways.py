"""Claims, rates, a breaker, other ways for dead messages, and messages that are needless by now."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lakemon_core.alerting.routing import Route
from lakemon_core.alerting.sending.aftermath import revived
from lakemon_core.alerting.sending.pace import Pace
from lakemon_core.domain.incident import (
    ADDRESS_IS_DEAD,
    DeliveryResult,
    DeliveryStatus,
    TargetResult,
    Transition,
)
from lakemon_core.domain.run import RunRecord
from lakemon_core.testing.sinks import sample_evidence

DELIVERED, RETRY, REJECTED = DeliveryStatus.DELIVERED, DeliveryStatus.RETRY, DeliveryStatus.REJECTED
OPENED, RESOLVED, UNKNOWN = Transition.OPENED, Transition.RESOLVED, DeliveryStatus.UNKNOWN
ANN, BOB = "ann@example.com", "bob@example.com"


class TestClaims:
    def claimed(self, world, owner="other", seconds=40):
        item = world.put()
        until = world.clock.now() + timedelta(seconds=seconds)
        assert world.ledger.revise(item, replace(item, held_by=owner, held_until=until))

    def test_a_message_that_another_run_is_sending_waits_until_its_claim_ends(self, world):
        self.claimed(world)
        assert [item.status for item in world.drain(owner="me")] == ["delivered"]
        assert world.waits == [40]

    def test_a_claim_beyond_the_budget_is_left_to_the_next_run(self, world):
        self.claimed(world, seconds=61)
        assert world.drain(owner="me") == []
        assert world.drain(owner="me", at_once=True) == []

    def test_a_claim_of_a_run_that_was_killed_holds_nothing(self, world):
        self.claimed(world, owner="dead run")
        now = world.clock.now()
        world.ledger.start_run(RunRecord("dead run", "dev", "c", now))
        world.ledger.start_run(RunRecord("me", "dev", "c", now + timedelta(seconds=1)))
        assert [item.status for item in world.drain(owner="me")] == ["delivered"]
        assert world.waits == []

    def test_what_another_run_sent_meanwhile_is_not_sent_again(self, world):
        first = world.put("k1", order="a")
        second = world.put("k2", order="b")

        def somebody_sends_the_second():
            world.ledger.record(
                replace(second, status="delivered"), DeliveryResult(DELIVERED), second.next_at
            )
            return DeliveryResult(DELIVERED)

        world.sinks["one"].script = [somebody_sends_the_second]
        assert [item.key for item in world.drain()] == [first.key]
        assert len(world.sinks["one"].attempts) == 1

    def test_a_message_that_is_done_is_claimed_by_nobody(self, world):
        world.put()
        (item,) = world.drain(owner="me")
        assert (item.held_by, item.held_until) == ("", None)


class TestRates:
    @pytest.fixture
    def limited(self, world):
        type(world.sinks["one"]).rate = (2, 1.0)
        yield world
        type(world.sinks["one"]).rate = None

    def test_no_target_gets_more_in_a_while_than_its_channel_takes(self, limited):
        for number in range(6):
            limited.put(f"k{number}", order=f"t{number}")
        assert len(limited.drain()) == 6
        assert limited.waits == [1, 1]

    def test_targets_are_counted_apart(self, limited):
        for number in range(4):
            limited.put(f"k{number}", order=f"t{number}", targets=(ANN if number % 2 else BOB,))
        assert len(limited.drain()) == 4
        assert limited.waits == []

    def test_waiting_for_a_rate_has_a_purse_of_its_own_and_the_rest_waits(self, limited):
        for number in range(12):
            limited.put(f"k{number}", order=f"t{number}")
        assert len(limited.drain(pace=Pace(rate_seconds=3, budget_seconds=0))) == 8
        assert len(limited.ledger.outbox("due")) == 4


class TestABreaker:
    def failing(self, world, count, answer=RETRY):
        for number in range(count):
            world.put(f"k{number:02}", order=f"t{number}")
        world.sinks["one"].script = [answer] * 99

    @pytest.mark.parametrize("answer", [RETRY, UNKNOWN])
    def test_leaves_a_sink_alone_that_failed_five_times_in_a_row(self, world, answer):
        self.failing(world, 20, answer)
        world.drain(pace=Pace(budget_seconds=30))
        assert len(world.sinks["one"].attempts) == 5

    def test_lets_one_message_try_after_a_while_and_outlives_the_process(self, world):
        self.failing(world, 20)
        world.drain(pace=Pace(budget_seconds=30))
        world.later(seconds=61)
        world.drain(pace=Pace(budget_seconds=30))
        assert len(world.sinks["one"].attempts) == 6

    def test_opens_for_all_once_one_got_through(self, world):
        self.failing(world, 20)
        world.drain(pace=Pace(budget_seconds=30))
        world.later(hours=2)
        world.sinks["one"].script = []
        assert {item.status for item in world.drain()} == {"delivered"}
        assert len(world.sinks["one"].got) == 20

    def test_takes_a_wish_to_wait_for_no_failure(self, world):
        self.failing(world, 20, DeliveryResult(RETRY, "429", retry_after=600))
        world.drain()
        assert len(world.sinks["one"].attempts) == 20

    def test_holds_up_no_other_sink(self, world):
        self.failing(world, 9)
        world.put("other", "two")
        world.drain(pace=Pace(budget_seconds=30))
        assert world.sinks["two"].got == ["other"]

    def test_does_not_hold_up_a_person_who_asks_at_once(self, world):
        self.failing(world, 9)
        world.drain(pace=Pace(budget_seconds=30))
        world.sinks["one"].script = []
        assert {item.status for item in world.drain(at_once=True)} == {"delivered"}


class TestAnotherWay:
    def elsewhere(self, item):
        return [Route("two")]

    def test_a_dead_message_goes_another_way_and_says_why(self, world):
        world.put(targets=("#ml",))
        world.sinks["one"].script = [DeliveryResult(REJECTED, "channel_not_found", "no such channel")]
        dead, item = world.drain(elsewhere=self.elsewhere)
        assert (dead.sink, dead.status) == ("one", "dead")
        assert (item.sink, item.status) == ("two", "delivered")
        assert item.notification.targets == ()
        assert item.notification.lines[-1] == ("one could not tell #ml: channel_not_found no such channel")

    def test_so_does_one_that_only_some_got(self, world):
        world.put(targets=(ANN, BOB))
        results = (TargetResult(ANN, DELIVERED), TargetResult(BOB, REJECTED, "550"))
        world.sinks["one"].script = [DeliveryResult(DeliveryStatus.PARTIAL, targets=results)]
        _, item = world.drain(elsewhere=self.elsewhere)
        assert item.notification.lines[-1].startswith(f"one could not tell {BOB}: ")

    def test_an_address_that_is_dead_is_asked_once_and_all_goes_another_way(self, world):
        for number in range(3):
            world.put(f"k{number}", order=f"t{number}")
        world.sinks["one"].script = [DeliveryResult(REJECTED, ADDRESS_IS_DEAD, "answered 410")]
        sent = world.drain(elsewhere=self.elsewhere)
        assert sorted((item.sink, item.status) for item in sent) == [
            *[("one", "dead")] * 3,
            *[("two", "delivered")] * 3,
        ]
        assert len(world.sinks["one"].attempts) == 1

    def test_a_message_that_came_another_way_has_no_further_one(self, world):
        world.put()
        world.sinks["one"].script = [REJECTED]
        world.sinks["two"].script = [REJECTED]
        for _ in range(5):
            world.drain(elsewhere=self.elsewhere)
        assert [item.status for item in world.ledger.outbox()] == ["dead", "dead"]

    def test_it_is_there_before_the_dead_one_is_noted(self, world):
        world.put()
        world.sinks["one"].script = [REJECTED] * 2
        record, world.ledger.record = world.ledger.record, None
        with pytest.raises(TypeError):
            world.drain(elsewhere=self.elsewhere)
        world.ledger.record = record
        world.drain(elsewhere=self.elsewhere)
        assert [item.sink for item in world.ledger.outbox()] == ["one", "two"]

    def test_a_person_may_have_it_tried_again_for_those_who_did_not_get_it(self, world):
        world.put(targets=(ANN, BOB))
        results = (TargetResult(ANN, DELIVERED), TargetResult(BOB, REJECTED, "550"))
        world.sinks["one"].script = [DeliveryResult(DeliveryStatus.PARTIAL, targets=results)]
        (dead,) = world.drain()
        assert world.ledger.revise(dead, revived(dead, world.clock.now()))
        assert [item.status for item in world.drain()] == ["delivered"]
        assert [attempt.targets for attempt in world.sinks["one"].attempts] == [(ANN, BOB), (BOB,)]


class TestWhatIsOver:
    def pair(self, world, *, episode=1):
        evidence = (sample_evidence(incident=f"f.{episode}"),)
        world.put("opened", evidence=evidence)
        world.put("resolved", evidence=evidence, transition=RESOLVED)

    def statuses(self, world):
        return {item.key: item.status for item in world.ledger.outbox()}

    def test_an_opening_that_nobody_got_is_not_sent_when_its_end_waits_too(self, world):
        self.pair(world)
        world.drain()
        assert world.sinks["one"].got == ["resolved"]
        assert self.statuses(world) == {"opened": "superseded", "resolved": "delivered"}

    @pytest.mark.parametrize("answer", [UNKNOWN, DeliveryStatus.PARTIAL])
    def test_an_opening_that_may_have_arrived_is_sent_before_its_end(self, world, answer):
        world.put("opened", evidence=(sample_evidence(incident="f.1"),))
        world.sinks["one"].script = [answer]
        world.drain(pace=Pace(budget_seconds=0))
        world.later(hours=1)
        self.pair(world)
        world.drain()
        assert world.sinks["one"].got == ["opened", "resolved"]

    def test_an_opening_of_more_than_what_ended_is_sent(self, world):
        both = (sample_evidence(incident="f.1"), sample_evidence(incident="g.1"))
        world.put("opened", evidence=both)
        world.put("resolved", evidence=both[:1], transition=RESOLVED)
        world.drain()
        assert world.sinks["one"].got == ["opened", "resolved"]

    def test_the_next_episode_is_sent(self, world):
        self.pair(world)
        world.put("reopened", evidence=(sample_evidence(incident="f.2"),), transition=Transition.REOPENED)
        world.drain()
        assert world.sinks["one"].got == ["resolved", "reopened"]


class TestReceipts:
    def test_what_follows_gets_the_receipt_of_the_message_before_it(self, world):
        world.put("opened", evidence=(sample_evidence(incident="f.1"), sample_evidence(incident="g.1")))
        world.sinks["one"].script = [DeliveryResult(DELIVERED, receipt={"ts": "1.2"})]
        world.drain()
        world.put("resolved", evidence=(sample_evidence(incident="g.1"),), transition=RESOLVED)
        world.put("other", evidence=(sample_evidence(incident="h.1"),), transition=RESOLVED)
        world.put("elsewhere", "two", evidence=(sample_evidence(incident="g.1"),), transition=RESOLVED)
        world.drain()
        assert {attempt.key: attempt.receipt for attempt in world.sinks["one"].attempts} == {
            "opened": {},
            "resolved": {"ts": "1.2"},
            "other": {},
        }
        assert world.sinks["two"].attempts[0].receipt == {}

    def test_of_several_messages_the_newest_counts_even_in_one_run(self, world):
        story = ((OPENED, "1"), (Transition.ESCALATED, "2"), (RESOLVED, "3"))
        for transition, number in story:
            world.put(number, transition=transition, evidence=(sample_evidence(incident=f"f.{number}"),))
        world.sinks["one"].script = [DeliveryResult(DELIVERED, receipt={"ts": number}) for _, number in story]
        world.drain()
        world.put("last", transition=RESOLVED, evidence=(sample_evidence(incident="f.2"),))
        world.drain()
        assert world.sinks["one"].attempts[-1].receipt == {"ts": "2"}
