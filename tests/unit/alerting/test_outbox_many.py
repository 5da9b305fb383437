"""Ten thousand alerts through sinks that fail at random: none lost, none out of order, repeats told apart."""

import random
from collections import Counter

import pytest

from lakemon_core.alerting.routing import Route
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem
from lakemon_core.testing.sinks import sample_notification

THREADS = 20
FAULTS = [
    DeliveryStatus.DELIVERED,
    DeliveryStatus.ACCEPTED,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.RETRY,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.REJECTED,
    DeliveryResult(DeliveryStatus.RETRY, "429", retry_after=5.0),
    lambda: 1 / 0,
]


def reaches_everybody(world, count):
    chance = random.Random(7)
    now = world.clock.now()
    keys = [f"k{number:05}" for number in range(count)]
    items = [
        OutboxItem(
            key, "one", sample_notification(key=key, evidence=()), f"t{n % THREADS}", "due", 0, now, now
        )
        for n, key in enumerate(keys)
    ]
    world.ledger.commit([], [], items)
    world.sinks["one"].script = [chance.choice(FAULTS) for _ in range(3 * count)]
    for _ in range(200):
        world.luck = chance.random()
        if not world.drain(at_once=True, elsewhere=lambda _: [Route("two")]):
            break
        world.later(minutes=10)
    first, second = world.sinks["one"].got, world.sinks["two"].got
    assert Counter(first + second) == Counter(keys)
    assert world.ledger.outbox("due") == []
    dead = [item.key for item in world.ledger.outbox("dead")]
    assert sorted(second) == sorted(dead)
    for thread in range(THREADS):
        mine = [key for key in first if int(key[1:]) % THREADS == thread]
        assert mine == sorted(mine)


def test_a_hundred_alerts_through_a_sink_that_fails_at_random_all_reach_somebody(world):
    reaches_everybody(world, 100)


@pytest.mark.slow
def test_ten_thousand_alerts_through_a_sink_that_fails_at_random_all_reach_somebody(world):
    reaches_everybody(world, 10_000)
