"""Reading goes on while what was read is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")
Loaded = TypeVar("Loaded")


def ahead(tasks: Iterable[Task], load: Callable[[Task], Loaded]) -> Iterator[tuple[Task, Loaded]]:
    """Yields each task with what it loads, in order; the next one loads meanwhile, in a thread of its own.

    At most two results are in memory. What `load` raises is raised when its task is due.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="lakemon-reads") as pool:
        waiting: tuple[Task, Future[Loaded]] | None = None
        for task in tasks:
            following = (task, pool.submit(load, task))
            if waiting is not None:
                yield waiting[0], waiting[1].result()
            waiting = following
        if waiting is not None:
            yield waiting[0], waiting[1].result()
