"""One run at a time holds a workspace; the lock goes with its process."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from lakemon_local.lock import hold, holder

from lakemon_core.domain.errors import WorkspaceBusy, WorkspaceError

HOLDER = """
import sys, time
from pathlib import Path
from lakemon_local.lock import hold
with hold(Path(sys.argv[1]), "run-of-another"):
    print("held", flush=True)
    time.sleep(600)
"""
CONTENDER = """
import sys, time
from pathlib import Path
from lakemon_core.domain.errors import WorkspaceBusy
from lakemon_local.lock import hold
while time.time() < float(sys.argv[2]):
    pass
try:
    with hold(Path(sys.argv[1]), f"run-{sys.argv[3]}"):
        print("won", flush=True)
        sys.stdin.read()
except WorkspaceBusy as busy:
    print("busy", busy)
    sys.exit(busy.exit_code)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "workspace" / "lock"


@pytest.fixture
def other(path):
    """A process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_holder_is_told_pid_run_and_start(path, other):
    with pytest.raises(WorkspaceBusy, match="LM601") as caught, hold(path, "mine"):
        pass
    assert f"pid {other.pid}" in caught.value.what
    assert "run-of-another" in caught.value.what
    assert f"{datetime.now(UTC):%Y-%m-%d}" in caught.value.what
    assert caught.value.exit_code == 75


def test_kill_9_frees_the_lock(path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    with hold(path, "mine"):
        assert holder(path).run_id == "mine"


def test_the_holder_is_known_while_it_holds_and_not_after(path):
    assert holder(path) is None
    with hold(path, "mine"):
        found = holder(path)
        assert (found.pid, found.run_id) == (os.getpid(), "mine")
        assert datetime.now(UTC) - found.start < timedelta(minutes=1)
    assert holder(path) is None
    with hold(path, "again"):
        pass


def test_the_same_process_cannot_hold_it_twice(path):
    with hold(path, "one"), pytest.raises(WorkspaceBusy, match="one"), hold(path, "two"):
        pass


def test_an_error_inside_frees_the_lock(path):
    with pytest.raises(KeyboardInterrupt), hold(path, "one"):
        raise KeyboardInterrupt
    with hold(path, "two"):
        pass


def test_a_child_process_does_not_keep_the_lock(path):
    """The model server that a run starts outlives it."""
    with hold(path, "one"):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    with hold(path, "two"):
        pass
    child.communicate(b"\n")


def test_of_many_that_start_at_once_exactly_one_wins(path):
    start = str(time.time() + 1.0)
    commands = [[sys.executable, "-c", CONTENDER, str(path), start, str(number)] for number in range(8)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    contenders = [subprocess.Popen(command, **pipes) for command in commands]
    first = [contender.stdout.readline() for contender in contenders]
    winners = [contender for contender, line in zip(contenders, first, strict=True) if line == "won\n"]
    assert len(winners) == 1
    losers = [line for line in first if line != "won\n"]
    assert all("LM601" in line and f"pid {winners[0].pid}" in line for line in losers)
    for contender in contenders:
        contender.communicate()
    assert sorted(contender.returncode for contender in contenders) == [0] + [75] * 7


def test_a_lock_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="LM605"), hold(tmp_path / "file" / "lock", "mine"):
        pass
