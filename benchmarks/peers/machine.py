"""Where the figures come from: the machine, its load, and the versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent


def machine() -> str:
    """Returns processor, cores, memory and system in one line."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}"
    )


def our_version() -> str:
    """Returns the version of lakemon and the commit it was measured at; "dirty" means with changes.

    The results that a comparison writes are no change: its next part measures the same version.
    """
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/benchmarks/RESULTS.md")
    commit = _git("describe", "--always") + ("-dirty" if changed else "")
    return f"{version('lakemon')} at {commit}, Python {platform.python_version()}"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()


def pinned(tool: str, package: str) -> str:
    """Returns the version of a package that the environment of a tool holds."""
    pins = (HERE / f"{tool}.txt").read_text()
    return re.findall(rf"^{package}==(\S+)", pins, re.MULTILINE)[0]
