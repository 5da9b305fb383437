"""Which compiled loops measure, and what is said where none do."""

from importlib.metadata import EntryPoint

import pytest

from lakemon_core.profiling.numeric import kernel

GOOD = EntryPoint("compiled", "choice_good", kernel.KERNELS)
BROKEN = EntryPoint("broken", "choice_broken", kernel.KERNELS)
OLD = EntryPoint("older", "choice_old", kernel.KERNELS)
ABSENT = EntryPoint("absent", "choice_absent", kernel.KERNELS)
FUNCTIONS = (
    *("blocks", "ks_statistic", "wasserstein", "wasserstein_of_steps"),
    *("spread", "tally", "merge", "quantiles"),
)


@pytest.fixture
def choose(tmp_path, monkeypatch):
    """Chooses among entry points of three modules."""
    (tmp_path / "choice_good.py").write_text("\n".join(f"def {name}(*a): ..." for name in FUNCTIONS))
    (tmp_path / "choice_old.py").write_text("\n".join(f"def {name}(*a): ..." for name in FUNCTIONS[1:]))
    (tmp_path / "choice_broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)

    def chosen(*entries):
        monkeypatch.setattr(kernel, "entry_points", lambda group: entries)
        kernel._chosen.cache_clear()
        return kernel.compiled(), kernel.loops()

    yield chosen
    monkeypatch.undo()
    kernel._chosen.cache_clear()


def test_the_first_by_name_that_works_measures(choose):
    found, said = choose(OLD, GOOD, BROKEN)
    assert found.__name__ == "choice_good"
    assert said == "compiled loops measure: compiled, choice_good"


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([], "lakemon-kernel is not installed"),
        ([BROKEN], "division by zero"),
        ([ABSENT], "No module named 'choice_absent'"),
        ([OLD], "choice_old is no kernel for this version of lakemon"),
    ],
)
def test_where_none_works_numpy_measures_and_the_reason_is_told(choose, entries, why):
    assert choose(*entries) == (None, f"NumPy measures, in more time: {why}")
