"""Recipients of rules to sinks: everybody who is named is reached, and nothing is ever routed nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lakemon_core.domain.errors import ConfigErrors, Problem, did_you_mean
from lakemon_core.domain.mail import is_address
from lakemon_core.domain.monitor import SinkSpec
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Rule
from lakemon_core.ports import AlertSink

BUILT_IN = ("console", "file")
"""Sinks that need no entry in the config and no server."""


def builtin_sinks() -> dict[str, SinkSpec]:
    """Returns the sinks that every workspace has."""
    return {name: SinkSpec(name, name) for name in BUILT_IN}


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """One sink and whom it shall tell; no targets means the sink's own default."""

    sink: str
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Router:
    """Finds the routes of recipients.

    Attributes:
        sinks: all that are open, by name.
        configured: names of those that the config names; the others are built in.
    """

    sinks: Mapping[str, AlertSink]
    configured: Collection[str]

    def routes(self, recipients: Sequence[str]) -> tuple[Route, ...]:
        """Returns the routes of one rule, sorted; there is always at least one.

        A recipient that nobody can reach (`check` refuses it) goes the way of all: to the catch-all route.
        """
        targets: dict[str, set[str]] = {}
        defaults: set[str] = set()
        for recipient in recipients:
            for route in self._of(recipient):
                if route.targets:
                    targets.setdefault(route.sink, set()).update(route.targets)
                else:
                    defaults.add(route.sink)
        found = [Route(sink, tuple(sorted(names))) for sink, names in targets.items()]
        found += [Route(sink) for sink in defaults]
        return tuple(sorted(found or self._everybody()))

    def keeping_state(self, routes: Iterable[Route]) -> tuple[Route, ...]:
        """Returns those routes whose channel keeps something open until it is told of the end."""
        return tuple(
            sorted(one for one in routes if one.sink in self.sinks and self.sinks[one.sink].keeps_state)
        )

    def elsewhere(self, sink: str) -> tuple[Route, ...]:
        """Returns where a message goes that a sink refused: another sink of the config, else the built-in."""
        others = [name for name in self.configured if name != sink and name in self.sinks]
        first = next((name for name in others if self.sinks[name].has_default), None)
        names = [first] if first else [name for name in BUILT_IN if name != sink and name in self.sinks]
        return tuple(Route(name) for name in names)

    def check(self, rules: Iterable[Rule]) -> tuple[str, ...]:
        """Looks whether the alerts of every rule reach somebody.

        Returns:
            what a person should know, one sentence each, e.g. that mails are only written to files.

        Raises:
            ConfigErrors: LM501 for recipients that no sink reaches, LM502 for rules without recipients when
                no sink has a default; all of them at once.
        """
        rules = tuple(rules)
        problems = [problem for rule in rules for problem in self._problems(rule)]
        if problems:
            raise ConfigErrors(problems)
        return tuple(self._notes(rules))

    def _of(self, recipient: str) -> tuple[Route, ...]:
        """Returns the routes of one recipient: a sink's name, `sink:target`, or an address."""
        if recipient in self.sinks:
            return (Route(recipient),)
        prefix, colon, target = recipient.partition(":")
        if colon and target:
            named = [prefix] if prefix in self.sinks else self._typed(prefix)
            return tuple(Route(sink, (target,)) for sink in named)
        owner = next((name for name, sink in self.sinks.items() if sink.owns(recipient)), None)
        if owner is not None:
            return (Route(owner, (recipient,)),)
        return self._stand_ins(recipient) if is_address(recipient) else ()

    def _typed(self, kind: str) -> list[str]:
        return [name for name in self.configured if name in self.sinks and self.sinks[name].type == kind]

    def _stand_ins(self, address: str) -> tuple[Route, ...]:
        """Returns who takes mail while no e-mail sink is configured: `file` writes it, `console` shows it."""
        names = self.configured or BUILT_IN
        routes = {"file": (address,), "console": ()}
        return tuple(
            Route(name, routes[self.sinks[name].type])
            for name in names
            if name in self.sinks and self.sinks[name].type in routes
        )

    def _everybody(self) -> list[Route]:
        """The catch-all route: every sink of the config that has a default, else the built-in ones."""
        names = [name for name in self.configured if name in self.sinks and self.sinks[name].has_default]
        return [Route(name) for name in names or BUILT_IN if name in self.sinks]

    def _problems(self, rule: Rule) -> Iterator[Problem]:
        for recipient in rule.recipients:
            if not self._of(recipient):
                yield Problem("LM501", _place(rule), f"no sink reaches {recipient!r};", self._cure(recipient))
        without_default = self.configured and not any(
            self.sinks[name].has_default for name in self.configured
        )
        if not rule.recipients and without_default:
            yield Problem(
                "LM502",
                _place(rule),
                f"names no recipients, and no sink of the config has its own ({', '.join(self.configured)});",
                "add `recipients: [...]` to the rule, or `to: [...]` to the sink.",
            )

    def _cure(self, recipient: str) -> str:
        if is_address(recipient):
            return (
                "add `email: {type: email, host: smtp.example.com, from: lakemon@example.com}` to `sinks:`."
            )
        prefix, colon, _ = recipient.partition(":")
        if colon:
            return f"add a sink of this name or type to `sinks:`, e.g. `{plain(prefix)}: {{type: ...}}`."
        return f"write a@b.c, sink:target or the name of a sink. {did_you_mean(recipient, list(self.sinks))}"

    def _notes(self, rules: Sequence[Rule]) -> Iterator[str]:
        named = sorted({recipient for rule in rules for recipient in rule.recipients})
        stranded = [name for name in named if self._is_stranded(name)]
        if stranded:
            listed = ", ".join(plain(name) for name in stranded)
            yield (
                f"No sink of the config sends e-mail: messages to {listed} are written as .eml files by the"
                " sink `file`. To send them, add `sinks: {email: {type: email, host: ..., from: ...}}`."
            )

    def _is_stranded(self, recipient: str) -> bool:
        routes = self._of(recipient)
        return is_address(recipient) and bool(routes) and routes == self._stand_ins(recipient)


def _place(rule: Rule) -> str:
    return f"alerts: {plain(rule.name)}:"
