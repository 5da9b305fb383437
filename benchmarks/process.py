"""Runs one command as a process of its own and says what it cost, imports included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KIB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock, seconds of CPU, and peak memory in GB."""

    wall: float
    cpu: float
    memory: float


def run(command: Sequence[str], log: Path) -> Cost:
    """Runs a command to its end; what it prints goes to `log`.

    Raises:
        RuntimeError: when it fails; names the log.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with {process.returncode}; see {log}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KIB / 1e9)
