"""Reading ahead."""

import threading

import pytest

from lakemon_core.lifecycle.measuring.ahead import ahead


def test_everything_comes_once_and_in_order():
    assert list(ahead(range(5), str)) == [str(number) for number in range(5)]
    assert list(ahead([], str)) == []


def test_the_next_task_loads_while_the_last_one_is_worked_on():
    began = {1: threading.Event(), 2: threading.Event()}
    results = ahead([1, 2], lambda task: began[task].set())
    next(results)
    assert began[2].wait(60)


def test_an_error_comes_when_its_task_is_due():
    def load(task):
        if task == 2:
            raise OSError("no disk")
        return task

    results = ahead([1, 2], load)
    assert next(results) == 1
    with pytest.raises(OSError, match="no disk"):
        next(results)
