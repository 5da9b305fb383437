"""`lakemon ui`: the live dashboard of a workspace."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from lakemon_core.cli.lazy import COMMANDS
from lakemon_core.cli.options import ConfigOption, Verbose, Workspace, set_logging
from lakemon_core.cli.output import console

app = typer.Typer(add_completion=False)

Configs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="CONFIG", help="Config files; default: monitoring_config.yml, or all that lie here."
    ),
]
Host = Annotated[str, typer.Option("--host", help="Where to listen; other machines need the token.")]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")]


@app.command(help=COMMANDS["ui"][2])
def ui(
    config: Configs = None,
    *,
    host: Host = "127.0.0.1",
    port: Port = None,
    open_: Open = True,
    config_option: ConfigOption = None,
    workspace: Workspace = None,
    verbose: Verbose = 0,
) -> int:
    """Serves the dashboard until Ctrl-C, which is the proper way to end it."""
    from lakemon_core.ui.dashboard import Dashboard
    from lakemon_core.ui.serve import check_installed, listen, serve

    set_logging(verbose, quiet=False)
    check_installed()
    named = [path.absolute() for path in [*(config or []), *([config_option] if config_option else [])]]
    dashboard = Dashboard(Path.cwd(), list(dict.fromkeys(named)), workspace.absolute() if workspace else None)
    listening = listen(host, port)

    def ready() -> None:
        console().print(f"lakemon ui at {listening.url}; Ctrl-C stops", soft_wrap=True)
        if listening.token:
            console(stderr=True).print(
                "Other machines can reach it; the address holds the token.", soft_wrap=True
            )

    with suppress(KeyboardInterrupt):
        serve(dashboard, listening, opens=open_, ready=ready)
    return 0
