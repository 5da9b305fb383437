"""What a message tells of its incidents: title, evidence, who owns them, how to see them again. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lakemon_core.alerting.life.telling import BY_CONFIG
from lakemon_core.alerting.wording import moment, number
from lakemon_core.domain.incident import Incident, IncidentEvent, IncidentStatus, Kind, Transition
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.names import plain, quote
from lakemon_core.domain.rule import Rule

TOP = 10
"""Incidents that one message lists; of the others it gives the number."""

SHORT_ID = 8
"""Characters of an incident's id that are enough to name it in a command."""

_NOT_STORED = frozenset({"hours_without_data", "freshness", "row_count_ratio", "gaps"})
"""Signals of the present moment: no query shows them again."""


@dataclass(frozen=True, slots=True)
class Story:
    """Puts events of one model into words.

    Attributes:
        events: worst first; all resolved or none.
        rules: by name.
        monitor: names model, environment and config.
    """

    events: tuple[IncidentEvent, ...]
    rules: Mapping[str, Rule]
    monitor: Monitor

    @property
    def title(self) -> str:
        """One sentence that is enough on a phone."""
        worst, count = _headline(self.events[0]), len(self.events)
        if count == 1:
            return f"{_where(self.monitor)}: {worst}"
        word = "incidents resolved" if self.events[0].transition is Transition.RESOLVED else "incidents"
        return f"{_where(self.monitor)}: {count} {word}: {worst} and {count - 1} more"

    @property
    def lines(self) -> tuple[str, ...]:
        """The evidence: of one incident all, of many one line each."""
        if len(self.events) == 1:
            return tuple(_evidence(self.events[0]))
        lines = [self._summary(event) for event in self.events[:TOP]]
        if len(self.events) > TOP:
            lines.append(f"and {len(self.events) - TOP} more; `lakemon alert list` shows all of them.")
        return tuple(lines)

    @property
    def facts(self) -> dict[str, str]:
        """Label → value."""
        first = self.events[0]
        facts = {"Model": self.monitor.model_name, "Environment": self.monitor.environment}
        if len(self.events) == 1:
            facts |= {"Rule": first.incident.rule, "Incident": _id(first.incident)}
        return facts | {"Run": first.run_id}

    @property
    def owner(self) -> str:
        """Owners of the rules, in the order of the incidents."""
        return ", ".join(dict.fromkeys(rule.owner for rule in self._rules() if rule.owner))

    @property
    def runbook(self) -> str:
        """Runbook of the worst incident that has one."""
        return next((rule.runbook for rule in self._rules() if rule.runbook), "")

    @property
    def links(self) -> dict[str, str]:
        """The other runbooks."""
        others = {f"Runbook of {rule.name}": rule.runbook for rule in self._rules() if rule.runbook}
        return {label: url for label, url in others.items() if url != self.runbook}

    @property
    def command(self) -> str:
        """Commands for the worst incident, one a line: what it rests on, who takes it on, its numbers.

        None for a config that is no file.
        """
        if self.monitor.source is None:
            return ""
        incident = self.events[0].incident
        config, environment = shlex.quote(str(self.monitor.source)), shlex.quote(self.monitor.environment)
        where, name = f"-c {config} -e {environment}", incident.fingerprint[:SHORT_ID]
        lines = [f"lakemon explain {name} {where}"]
        if incident.status is IncidentStatus.OPEN:
            lines.append(f"lakemon alert ack {name} {where}")
        query = self._query(incident)
        if query:
            lines.append(f"lakemon query {_shell(query)} {where}")
        return "\n".join(lines)

    def _query(self, incident: Incident) -> str:
        """Returns the SQL of the series, or nothing when a name is not fit to be shown as it is."""
        if incident.evidence.get("metric") in _NOT_STORED:
            return ""
        settings = self.monitor.model.settings if self.monitor.model else {}
        wanted = {
            quote(str(settings.get("model_id_col", "model_id"))): incident.model_id,
            "signal": incident.evidence.get("metric"),
            "statistic": incident.evidence.get("statistic"),
            '"column"': incident.column,
            "granularity": incident.evidence.get("granularity"),
            "compare": incident.evidence.get("compare"),
        }
        if incident.evidence.get("statistic") in {"columns", "share_of_columns"}:  # counted over its columns
            wanted |= {"statistic": None, '"column"': None}
        terms = {column: text for column, text in wanted.items() if isinstance(text, str)}
        if any(plain(text, 200) != text for text in terms.values()) or incident.slice:
            return ""
        quoted = {column: text.replace("'", "''") for column, text in terms.items()}
        where = " AND ".join(f"{column} = '{text}'" for column, text in quoted.items())
        table = self.monitor.metric_table("signals")
        return f'SELECT "window"."start", value, n FROM {table} WHERE {where} ORDER BY 1'  # noqa: S608 - for a person to run, quoted

    def _summary(self, event: IncidentEvent) -> str:
        rule = self.rules.get(event.incident.rule)
        parts = [f"{event.incident.severity.value}: {_headline(event)}", _window(event.incident)]
        parts += [f"owner {rule.owner}"] if rule and rule.owner else []
        parts += [f"id {event.incident.fingerprint[:SHORT_ID]}"] if event.incident.is_open else []
        return "; ".join(part for part in parts if part)

    def _rules(self) -> Iterator[Rule]:
        for event in self.events:
            rule = self.rules.get(event.incident.rule)
            if rule is not None:
                yield rule


def _where(monitor: Monitor) -> str:
    """Returns `flight_delays dev`."""
    return f"{plain(monitor.model_name.rpartition('.')[2])} {plain(monitor.environment)}"


def _headline(event: IncidentEvent) -> str:
    incident = event.incident
    since = f" since {moment(incident.opened_at)}" if incident.opened_at else ""
    if event.transition is Transition.ACKNOWLEDGED:
        return f"{incident.title}{since}, acknowledged {plain(event.reason)}"
    if event.transition is Transition.REMINDED:
        return f"still {incident.title}{since}"
    if event.transition is not Transition.RESOLVED:
        return f"{incident.title}{since}"
    if event.reason in BY_CONFIG:
        return f"{_what(incident)} is not looked at as before: {plain(event.reason.replace('_', ' '))}{since}"
    if incident.kind is not Kind.BREACH:
        return f"{_what(incident)} can be judged again, after {_windows(incident)}{since}"
    value, limit = _figures(incident)
    return f"{_what(incident)} is back to {value}, limit {limit}, after {_windows(incident)}{since}"


def _evidence(event: IncidentEvent) -> Iterator[str]:
    """Yields the facts of one incident, one sentence each."""
    incident = event.incident
    baseline = _figure(incident, "baseline")
    if incident.evidence.get("reason") and incident.kind is not Kind.BREACH:
        yield f"{incident.title}."
    else:
        yield f"{_now(incident)}{f'; on the baseline it was {baseline}' if baseline else ''}."
    window = _window(incident)
    if window:
        yield f"{window[0].upper()}{window[1:]}."
    yield from _course(event)
    chance = _figure(incident, "chance_level")
    if chance:
        yield f"Chance alone gives up to {chance} at these row counts."
    lower, upper = _figure(incident, "lower"), _figure(incident, "upper")
    if lower and upper:
        yield f"The 95 % interval is {lower} to {upper}."
    contributors = ", ".join(_contributors(incident))
    if contributors:
        yield f"Features that drifted most: {contributors}."


def _course(event: IncidentEvent) -> Iterator[str]:
    """Yields how the incident came here."""
    incident = event.incident
    if incident.opened_at:
        verb = "was" if event.transition is Transition.RESOLVED else "is"
        yield f"It {verb} beyond its limit since {moment(incident.opened_at)}, in {_windows(incident)}."
    if event.transition is Transition.REOPENED:
        yield f"It was open before; this is episode {incident.episode}."
    if event.transition is Transition.ESCALATED:
        yield f"It was open already; now it is {incident.severity.value}."
    if event.transition is Transition.REMINDED:
        yield "It was told before, and nobody acknowledged it."
    if event.reason:
        yield f"Reason: {plain(event.reason.replace('_', ' '), 300)}."


def _now(incident: Incident) -> str:
    """Returns `PSI of temp is 0.05, the limit is 0.2`."""
    value, limit = _figures(incident)
    return f"{_what(incident)} is {value}, the limit is {limit}"


def _what(incident: Incident) -> str:
    return str(incident.evidence.get("what", incident.rule))


def _figures(incident: Incident) -> tuple[str, str]:
    """Returns value and limit, so written that they do not read the same when they differ."""
    value, limit = incident.value, incident.limit
    if value is None:
        return "unknown", number(limit or 0.0)
    return number(value, unlike=limit), number(limit or 0.0, unlike=value)


def _windows(incident: Incident) -> str:
    count = incident.evidence.get("breaches", 0)
    return f"{count} window" if count == 1 else f"{count} windows"


def _window(incident: Incident) -> str:
    """Returns `window 2013-04-22 to 2013-04-29 UTC, 5,812 rows`."""
    start, end, n = (incident.evidence.get(name) for name in ("window_start", "window_end", "n"))
    if not isinstance(start, str) or not isinstance(end, str):
        return ""
    span = f"window {moment(datetime.fromisoformat(start))} to {moment(datetime.fromisoformat(end))} UTC"
    return f"{span}, {n:,} rows" if isinstance(n, int) else span


def _figure(incident: Incident, name: str) -> str:
    value = incident.evidence.get(name)
    return number(value) if isinstance(value, (int, float)) else ""


def _contributors(incident: Incident) -> Iterator[str]:
    contributors = incident.evidence.get("contributors")
    for one in contributors if isinstance(contributors, (list, tuple)) else ():
        value = one["value"]
        yield f"{plain(str(one['column']))} ({str(one['statistic']).upper()} {number(value)})"


def _id(incident: Incident) -> str:
    return f"{incident.fingerprint}.{incident.episode}"


def _shell(text: str) -> str:
    """Quotes for a shell; in double quotes, which are easier to read, where nothing in them is special."""
    if any(mark in text for mark in "$`\\!"):
        return shlex.quote(text)
    return '"' + text.replace('"', '\\"') + '"'
