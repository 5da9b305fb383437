"""Threads of a command share one arena of glibc."""

import platform
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, threading
if "shared" in sys.argv:
    from lakemon_core.cli.allocator import share_one_arena
    share_one_arena()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(3)

def work():
    together.wait()
    libc.malloc(1000)
    together.wait()

for thread in (threads := [threading.Thread(target=work) for _ in range(3)]):
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
@pytest.mark.parametrize(
    ("words", "environment", "one"),
    [((), {}, False), (("shared",), {}, True), (("shared",), {"MALLOC_ARENA_MAX": "4"}, False)],
)
def test_threads_share_one_arena_unless_somebody_said_otherwise(monkeypatch, words, environment, one):
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = subprocess.run(
        [sys.executable, "-c", ARENAS, *words], check=True, capture_output=True, text=True
    ).stdout
    assert "<malloc" in said
    assert (said.count("<heap nr=") == 1) is one
