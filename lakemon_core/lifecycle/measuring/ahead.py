"""Rows are read and summarized while what was summarized before is compared and written down."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Loaded = TypeVar("Loaded")


def ahead(tasks: Iterable[Task], load: Callable[[Task], Loaded]) -> Iterator[Loaded]:
    """Yields what each task loads, in order; the next one loads meanwhile, in a thread of its own.

    What was yielded is not kept: at most two results are in memory once the caller has let go of the one
    before. What `load` raises is raised when its task is due.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="lakemon-reads") as pool:
        waiting: deque[Future[Loaded]] = deque()
        for task in tasks:
            waiting.append(pool.submit(load, task))
            if len(waiting) > 1:
                yield _loaded(waiting)
        while waiting:
            yield _loaded(waiting)


def _loaded(waiting: deque[Future[Loaded]]) -> Loaded:
    return waiting.popleft().result()
