"""The shell around the commands: help, errors, exit codes, signals, commands of plugins."""

import os
import signal
import subprocess
import sys

import pytest

from lakemon_core.cli.lazy import COMMANDS, load
from lakemon_core.cli.output import asked_for, plain_json
from lakemon_core.cli.scripts import SCRIPTS

WAITING = """
    import time
    import typer

    app = typer.Typer()

    @app.command()
    def wait():
        try:
            print("waiting", flush=True)
            time.sleep(60)
        finally:
            print("closed", flush=True)
"""


def test_help_lists_every_command_with_what_it_does(lakemon):
    told = lakemon("--help")
    assert told.code == 0
    for name, (_, _, help_text) in COMMANDS.items():
        assert any(name in line and help_text in line for line in told.stdout.splitlines()), name


def test_no_command_at_all_shows_the_help(lakemon):
    assert lakemon().stdout == lakemon("--help").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_static_help_is_that_of_the_command(name):
    assert str(load(name).help).startswith(COMMANDS[name][2])


def test_the_version_is_printed(lakemon):
    assert lakemon("--version").stdout.startswith("lakemon 0.")


USAGE = {
    "an unknown command": (["rnu"], "Did you mean 'run'?"),
    "an unknown option": (["run", "--stage", "x"], "No such option: --stage"),
    "a wrong value": (["run", "--fail-on", "info"], "'info' is not one of 'warning', 'critical'"),
    "a missing argument": (["query"], "Missing argument 'SQL'"),
    "a wrong stage": (["run", "--stages", "monitor,analyse"], 'Did you mean "analyze"?'),
    "two configs": (["run", "a.yml", "-c", "b.yml"], "two configs are named"),
    "a config that is not there": (["run", "nowhere.yml"], "nowhere.yml"),
    "an unknown plugin": (["plugins", "check", "emial"], 'Did you mean "email"?'),
    "an unknown template": (["init", "--template", "monitoring_confg"], 'Did you mean "monitoring_config"?'),
}


@pytest.mark.parametrize("kind", USAGE)
def test_a_wrong_call_is_one_line_on_stderr_and_exit_code_2(lakemon, kind):
    arguments, said = USAGE[kind]
    told = lakemon(*arguments)
    assert told.code == 2
    assert told.stdout == ""
    assert told.stderr.startswith("LM1") or kind == "an unknown plugin"
    assert said in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("kind", USAGE)
def test_with_json_a_wrong_call_is_one_document_on_stdout(lakemon, kind):
    arguments, said = USAGE[kind]
    told = lakemon(*arguments, "--output", "json")
    assert told.code == told.document["exit_code"] == 2
    assert set(told.error) == {"code", "what", "where", "cure", "problems"}
    assert said in " ".join((told.error["what"], told.error["where"], told.error["cure"]))


def test_a_traceback_is_shown_with_vv_only(lakemon):
    assert "Traceback" not in lakemon("run", "nowhere.yml").stderr
    assert "Traceback" not in lakemon("run", "nowhere.yml", "-v").stderr
    assert "Traceback" in lakemon("run", "nowhere.yml", "-vv").stderr


def test_plugins_list_names_what_is_installed(lakemon):
    plugins = lakemon("plugins", "list", "--output", "json").document["plugins"]
    active = {(plugin["kind"], plugin["name"]) for plugin in plugins if plugin["status"] == "active"}
    ours = {("backend", "local"), ("model type", "classification"), ("alert sink", "email"),
            ("alert sink", "console"), ("alert sink", "file")}  # fmt: skip
    assert ours <= active
    assert set(plugins[0]) == {
        "name", "kind", "distribution", "version", "api", "status", "hooks", "load_ms", "error"
    }  # fmt: skip


def test_plugins_list_shows_a_broken_plugin_and_stays_well(lakemon, install):
    install(
        "broken-one", {"lakemon.plugins": {"bad": "broken_one:Plugin"}}, broken_one="import nowhere_at_all"
    )
    told = lakemon("plugins", "list")
    assert told.code == 0
    assert "bad: LM203 it needs 'nowhere_at_all', which is not installed" in told.stdout
    (bad,) = lakemon("plugins", "show", "bad", "--output", "json").document["plugins"]
    assert (bad["status"], bad["distribution"], bad["version"]) == ("failed", "broken-one", "1.0")


def test_plugins_check_ends_with_2_for_a_plugin_that_does_not_work(lakemon, install):
    install("broken-one", {"lakemon.plugins": {"bad": "broken_one:Plugin"}}, broken_one="1 / 0")
    assert lakemon("plugins", "check", "broken-one").code == 2
    assert lakemon("plugins", "check", "email").code == 0
    assert "ZeroDivisionError" in lakemon("plugins", "check", "bad", "-vv").stderr


def test_a_plugin_that_prints_does_not_spoil_the_document(lakemon, install):
    install("loud-one", {"lakemon.plugins": {"loud": "loud_one"}}, loud_one="print('hello from the plugin')")
    told = lakemon("plugins", "list", "--output", "json")
    assert "loud" in {plugin["name"] for plugin in told.document["plugins"]}
    assert "hello from the plugin" in told.stderr


def test_a_plugin_that_exits_does_not_end_the_tool(lakemon, install):
    install("gone-one", {"lakemon.plugins": {"gone": "gone_one:Plugin"}}, gone_one="import sys; sys.exit(0)")
    (gone,) = lakemon("plugins", "show", "gone", "--output", "json").document["plugins"]
    assert "SystemExit" in gone["error"]


def test_a_command_of_a_plugin_is_shown_by_its_origin_and_loaded_when_called(lakemon, install):
    source = """
        import typer
        app = typer.Typer()
        @app.command()
        def greet(name: str):
            print(f"hello {name}")
        print("loaded")
    """
    install("acme-lakemon", {"lakemon.commands": {"greet": "acme_greet:app"}}, acme_greet=source)
    shown = lakemon("--help").stdout
    assert "From acme-lakemon 1.0." in shown
    assert "loaded" not in shown
    assert lakemon("greet", "you").stdout == "loaded\nhello you\n"


def test_a_command_of_a_plugin_never_takes_the_place_of_one_of_ours(lakemon, install):
    install("sly-one", {"lakemon.commands": {"plugins": "sly:app"}}, sly="raise RuntimeError('stolen')")
    assert lakemon("plugins", "check", "email").code == 0


def test_a_broken_command_of_a_plugin_is_named(lakemon, install):
    install("broken-one", {"lakemon.commands": {"bad": "broken_one:app"}}, broken_one="1 / 0")
    told = lakemon("bad")
    assert told.code == 2
    assert told.stderr.startswith(
        "LM202 broken-one 1.0 command 'bad': its import failed with ZeroDivisionError"
    )
    assert lakemon("--help").code == 0


def test_an_error_that_nobody_expected_is_one_line_and_exit_code_3(lakemon, install):
    source = (
        "import typer\napp = typer.Typer()\n@app.command()\ndef fail(): raise RuntimeError('unforeseen')\n"
    )
    install("acme-lakemon", {"lakemon.commands": {"fail": "acme_fail:app"}}, acme_fail=source)
    told = lakemon("fail")
    assert told.code == 3
    assert told.stderr.startswith("LM699 unexpected RuntimeError: unforeseen; please report it")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_closes_everything_and_says_so(command, install, number, code):
    install("acme-lakemon", {"lakemon.commands": {"wait": "acme_wait:app"}}, acme_wait=WAITING)
    line, settings = command("wait")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == code
    assert stdout == "closed\n"
    assert stderr.strip() == "LM190 interrupted; the next run finishes the work."


def test_a_reader_that_leaves_ends_the_command_without_noise(command):
    line, settings = command("--help")
    reading, writing = os.pipe()
    process = subprocess.Popen(line, stdout=writing, stderr=subprocess.PIPE, **settings)
    os.close(reading)
    os.close(writing)
    _, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_console_scripts_know_the_options_of_old_jobs(lakemon, script):
    told = lakemon("--help", program=script)
    assert told.code == 0
    for option in (
        "--catalog",
        "--schema",
        "--environment",
        "--git-sha",
        "--days",
        "--config",
        "--workspace",
    ):
        assert option in told.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_console_scripts_report_errors_as_lakemon_does(lakemon, script):
    told = lakemon(
        "--config", "nowhere.yml", "--catalog", "c", "--days", "7", "--output", "json", program=script
    )
    assert told.code == 2
    assert "nowhere.yml" in str(told.error)


def test_the_format_is_known_before_the_command_line_is_parsed():
    assert asked_for(["run", "--output", "json"]) == asked_for(["--output=json"]) == "json"
    assert asked_for(["run", "--output", "text", "json"]) == asked_for([]) == "text"


def test_results_become_plain_json():
    import math
    from datetime import UTC, datetime
    from decimal import Decimal
    from pathlib import Path

    from lakemon_core.domain.run import Severity

    moment = datetime(2026, 1, 2, tzinfo=UTC)
    given = {1: (math.nan, -math.inf, 1.5), "b": {Severity.INFO}, "c": moment, "d": b"\x01", "e": Path("x"),
             "f": Decimal("1.1"), "g": None, "h": True}  # fmt: skip
    assert plain_json(given) == {
        "1": [None, None, 1.5], "b": ["info"], "c": "2026-01-02T00:00:00+00:00", "d": "01", "e": "x",
        "f": "1.1", "g": None, "h": True,
    }  # fmt: skip


def test_python_m_lakemon_core_is_lakemon():
    done = subprocess.run(
        [sys.executable, "-m", "lakemon_core", "--version"], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"lakemon ")
