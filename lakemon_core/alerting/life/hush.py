"""What keeps an open incident quiet: a silence, or a worse incident that explains it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lakemon_core.alerting.judging.shelf import DRIFT
from lakemon_core.alerting.wording import moment
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.silence import Silence


@dataclass(frozen=True, slots=True)
class Hush:
    """Says of an incident why people need not hear of it now.

    Attributes:
        silences: that were made.
        rules: by name.
        causes: open incidents that may explain others.
        now: the present moment.
    """

    silences: Sequence[Silence]
    rules: Mapping[str, Rule]
    causes: Sequence[Incident]
    now: datetime

    @classmethod
    def of(
        cls,
        silences: Sequence[Silence],
        rules: Mapping[str, Rule],
        standing: Iterable[Incident],
        now: datetime,
    ) -> Hush:
        """Picks the causes among the incidents that are open at the end of the run."""
        inhibiting = {name for name, rule in rules.items() if rule.inhibits}
        causes = [one for one in standing if one.rule in inhibiting or _lacks_data(one)]
        return cls(silences, rules, causes, now)

    def why(self, incident: Incident) -> str:
        """Returns the reason in one sentence; nothing when people shall hear of it."""
        silence = next((one for one in self.silences if one.covers(incident, self.now)), None)
        if silence is not None:
            who, why = plain(silence.author), plain(silence.reason, 200)
            return f"silenced by {who} until {moment(silence.until)}: {why}"
        cause = next((one for one in self.causes if self._explains(one, incident)), None)
        return "" if cause is None else f"explained by {plain(cause.title, 200)}"

    def _explains(self, cause: Incident, incident: Incident) -> bool:
        """Whether a rule says so, or the table as a whole has no data to measure drift on."""
        if (cause.model, cause.environment) != (incident.model, incident.environment):
            return False
        rule, metric = self.rules.get(cause.rule), incident.evidence.get("metric")
        if rule is not None and {incident.rule, metric}.intersection(rule.inhibits):
            return cause.rule != incident.rule
        return _lacks_data(cause) and metric in DRIFT and incident.kind is Kind.BREACH


def _lacks_data(cause: Incident) -> bool:
    return cause.column == ":table" and cause.kind is not Kind.BREACH
