"""`lakemon init` on a terminal: it asks what no option said."""

import os
import pty
import subprocess

import pytest

END = "\x04"
"""What Ctrl-D types."""


@pytest.fixture
def on_a_terminal(command, folder):
    """Runs a command line on a terminal and types lines; returns its exit code and what was shown."""

    def run(*arguments, typed):
        line, settings = command(*arguments, TERM="dumb")
        controller, terminal = pty.openpty()
        settings = {name: value for name, value in settings.items() if name != "text"}
        process = subprocess.Popen(line, stdin=terminal, stdout=terminal, stderr=terminal, **settings)
        os.close(terminal)
        os.write(controller, "".join(one if one == END else f"{one}\n" for one in typed).encode())
        shown = b""
        while process.poll() is None or not shown.endswith(b"\n"):
            try:
                shown += os.read(controller, 4096)
            except OSError:  # Linux says so when the other side has closed
                break
        os.close(controller)
        return process.wait(60), shown.decode()

    return run


def test_it_asks_and_enter_takes_the_default(folder, on_a_terminal):
    answers = ["churn", "regression", "n", "shop", "", "databricks", "lake", "github"]
    code, shown = on_a_terminal("init", typed=answers)
    assert code == 0, shown
    assert "Name of the model (your_model)" in shown
    config = (folder / "monitoring_config.yml").read_text()
    for part in ("name: churn", "type: regression", "timestamp_col:", "schema: shop", "catalog: lake_prod",
                 "team: your-team@example.com"):  # fmt: skip
        assert part in config
    assert (folder / ".github/workflows/monitoring.yml").exists()
    assert not (folder / "azure-pipelines.yml").exists()


def test_a_wrong_choice_is_asked_again(folder, on_a_terminal):
    code, shown = on_a_terminal("init", typed=["churn", "regresion", "regression", "", "", "", ""])
    assert code == 0, shown
    assert "Please select one of the available options" in shown
    assert "type: regression" in (folder / "monitoring_config.yml").read_text()


def test_what_an_option_says_is_not_asked(on_a_terminal):
    code, shown = on_a_terminal(
        "init", "--model", "churn", "--serving", "--backend", "local", typed=["", "", ""]
    )
    assert code == 0, shown
    assert "Name of the model" not in shown
    assert "Where does it run" not in shown


def test_yes_asks_nothing(on_a_terminal):
    code, shown = on_a_terminal("init", "--yes", typed=[])
    assert code == 0, shown
    assert "Name of the model" not in shown


def test_who_stops_answering_gets_nothing_written(folder, on_a_terminal):
    code, shown = on_a_terminal("init", typed=["churn", END])
    assert code == 130, shown
    assert "LM190 interrupted" in shown
    assert list(folder.iterdir()) == []
