"""The list of commands: `--help` answers from it, a command's module is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

PIPELINE, START, LOOK, SERVER = "Pipeline", "Start here", "Look and change", "Model server"

COMMANDS: dict[str, tuple[str, str, str]] = {
    "run": (PIPELINE, "stages:run", "Deploy, validate, monitor, analyze and alert."),
    "plan": (PIPELINE, "plan:app", "Show what a run would do, without doing it."),
    "deploy": (PIPELINE, "stages:deploy", "Put the model behind its endpoint, with its inference table on."),
    "validate": (PIPELINE, "stages:validate", "Prove that requests arrive in the inference table."),
    "monitor": (PIPELINE, "stages:monitor", "Measure every window that changed: profile, drift, quality."),
    "analyze": (PIPELINE, "stages:analyze", "Turn metric tables into signals and findings."),
    "alert": (PIPELINE, "alert:app", "Judge the rules and tell the people who should know."),
    "demo": (START, "demo:app", "Play the whole story on real flights data."),
    "init": (START, "init:app", "Write a config to start from."),
    "doctor": (START, "doctor:app", "Check that everything lakemon needs is there."),
    "report": (LOOK, "report:app", "Write one HTML page: how the model stands, what changed, and why."),
    "ui": (LOOK, "ui:app", "Watch all models, runs and incidents live in the browser."),
    "backtest": (LOOK, "backtest:app", "Replay the history: which alerts each rule would have sent."),
    "explain": (LOOK, "explain:app", "Show what an incident or finding rests on: rule, limits, every window"),
    "config": (LOOK, "config:app", "Check, show or describe a config."),
    "table": (LOOK, "table:app", "List, import, show and export tables."),
    "query": (LOOK, "query:app", "Run one read-only SQL statement over all tables."),
    "plugins": (LOOK, "plugins:app", "List, show and check plugins, and start a new one."),
    "status": (SERVER, "server:status", "Show the model server, runs, incidents and messages."),
    "serve": (SERVER, "server:serve", "Run the local model server in the foreground."),
    "stop": (SERVER, "server:stop", "Stop the local model server."),
}
"""Command → panel of the help, where its typer app stands in `lakemon_core.cli.commands`, what it does."""


class LazyGroup(TyperGroup):
    """Shows every command and imports the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (panel, _, help_text) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=help_text, rich_help_panel=panel))

    def list_commands(self, ctx: Any) -> list[str]:
        """Returns the names of all commands, those of other distributions last."""
        del ctx
        self._add_provided()
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Finds the command that is called and imports it."""
        if args[0] not in COMMANDS:
            self._add_provided()
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(str(name)), rest

    def _add_provided(self) -> None:
        for name, origin in provided().items():
            help_text = f"From {origin}."
            self.add_command(TyperCommand(name, help=help_text, rich_help_panel="From plugins"))


def provided() -> dict[str, str]:
    """Returns the commands of other distributions, name → origin; none takes the place of one of ours."""
    from lakemon_core.pipeline.discovery import COMMAND_GROUP, find

    return {
        candidate.name: candidate.origin
        for candidate in find()
        if candidate.group == COMMAND_GROUP and candidate.name not in COMMANDS
    }


def load(name: str) -> Any:
    """Imports a command.

    Raises:
        PluginError: LM202 to LM209 for the command of another distribution that cannot be used.
    """
    if name in COMMANDS:
        module, _, attribute = COMMANDS[name][1].partition(":")
        return get_command(getattr(import_module(f"lakemon_core.cli.commands.{module}"), attribute))
    from lakemon_core.pipeline.plugins import discover

    app: Any = discover().command(name)
    return get_command(app)
