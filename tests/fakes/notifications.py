"""What validators are shown: every example, every hostile name, and anything that Hypothesis thinks of."""

from dataclasses import replace

from hypothesis import strategies as st

from lakemon_core.domain.incident import Transition
from lakemon_core.testing.sinks import HOSTILE, hostile_evidence, hostile_notification, sample_notification


def examples():
    """Every transition, every hostile name, and floods."""
    yield from (sample_notification(transition=one) for one in Transition)
    yield from (hostile_notification(name) for name in HOSTILE)
    for name in HOSTILE:
        note = hostile_notification(name)
        links = {f"{name}{number}": f"https://example.com/{number}" for number in range(20)}
        yield replace(note, lines=(name,) * 500, facts={f"{n}{name}": name for n in range(99)}, links=links)


@st.composite
def notifications(draw):
    """A notification whose texts may be anything."""
    text = st.one_of(st.text(max_size=200), st.sampled_from(HOSTILE))
    name, times = draw(text), draw(st.integers(0, 30))
    return sample_notification(
        title=draw(text),
        transition=draw(st.sampled_from(list(Transition))),
        lines=(draw(text),) * times,
        facts={f"{draw(text)}{number}": name for number in range(times)},
        model=name,
        owner=draw(text),
        runbook=draw(text),
        links={name: draw(text)},
        command=draw(text),
        evidence=(hostile_evidence(name),) * times,
    )
