import numpy as np
import pytest
from scipy import stats

from lakemon_core.profiling.numeric.ks_pvalue import kolmogorov_pvalues
from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.significance import chi_squared_test, ks_test

pytestmark = pytest.mark.usefixtures("loops")


def ks(current, reference):
    return ks_test(Sample.of(np.asarray(current)), Sample.of(np.asarray(reference)))


def test_ks_has_its_golden_statistic_and_the_p_value_of_databricks(golden, normal_samples):
    reference, current = normal_samples
    test = ks(current, reference)
    assert test.statistic == pytest.approx(golden["C_ks"][0], rel=1e-9)
    assert test.pvalue == pytest.approx(stats.kstwo.sf(test.statistic, round(2000 * 5000 / 7000)), rel=1e-9)


def test_ks_statistic_agrees_with_scipy_with_and_without_ties():
    random = np.random.default_rng(2)
    for n, m in [(1, 1), (2, 1), (3, 50), (200, 150), (999, 1000)]:
        for draw in (random.normal, lambda size: random.integers(0, 6, size).astype(float)):
            x, y = np.sort(draw(size=n)), np.sort(draw(size=m))
            assert ks(x, y).statistic == pytest.approx(stats.ks_2samp(x, y).statistic, rel=1e-9)


def test_ks_takes_infinities_for_the_ends():
    x, y = np.array([-np.inf, 0.0, np.inf]), np.array([0.0, 0.0, np.inf])
    assert ks(x, y).statistic == pytest.approx(1 / 3)


def test_ks_of_disjoint_samples_is_one_and_of_equal_samples_zero():
    x = np.arange(20.0)
    assert ks(x, x + 100) == (1.0, stats.kstwo.sf(1.0, 10))
    assert ks(x, x) == (0.0, 1.0)


def test_ks_of_nothing_is_refused():
    with pytest.raises(ValueError, match="without values"):
        ks(np.array([]), np.array([1.0]))


SIZES = (1, 2, 5, 17, 80, 140, 141, 150, 369, 1428, 16_000)
LARGE = (pytest.param(n, marks=pytest.mark.slow) for n in (300_000, 900_000))


@pytest.mark.parametrize("n", [*SIZES, *LARGE])
def test_the_p_values_agree_with_scipy_over_their_whole_range(n):
    statistics = np.sqrt(np.array([0.01, 0.1, 0.3, 0.7, 1, 2.19, 2.2, 2.3, 3.9, 5, 20, 100, 300]) / n)
    statistics = statistics[statistics <= 1]
    found = kolmogorov_pvalues(statistics, np.full(len(statistics), float(n)))
    assert found == pytest.approx(stats.kstwo.sf(statistics, n), rel=1e-9, abs=0)
    (most,) = kolmogorov_pvalues(np.ones(1), np.array([float(n)]))
    assert most == pytest.approx(stats.kstwo.sf(1.0, n), abs=1e-100)


def test_no_digit_of_a_p_value_depends_on_the_tests_beside_it():
    random = np.random.default_rng(6)
    sizes = random.choice([1.0, 17.0, 140.0, 369.0, 16_000.0, 900_000.0], 300)
    statistics = np.minimum(1.0, random.exponential(1.5, 300) / np.sqrt(sizes))
    alone = [kolmogorov_pvalues(statistics[[k]], sizes[[k]])[0] for k in range(300)]
    assert kolmogorov_pvalues(statistics, sizes).tolist() == alone


@pytest.mark.parametrize("vector", ["A", "B"])
def test_chi_squared_has_its_golden_values(golden, vector):
    counts, (statistic, pvalue, dof) = golden[f"{vector}_counts"], golden[f"{vector}_chi2_contingency"]
    test = chi_squared_test(counts["ref"], counts["cur"])
    assert test[:3] == (pytest.approx(statistic, rel=1e-9), pytest.approx(pvalue, rel=1e-9), dof)


def test_chi_squared_agrees_with_scipy_and_so_does_cramers_v():
    random = np.random.default_rng(4)
    for k in (2, 3, 9):
        table = random.integers(10, 90, (2, k))
        test, expected = chi_squared_test(*table), stats.chi2_contingency(table)
        assert test.statistic == pytest.approx(expected.statistic, rel=1e-9)
        assert test.pvalue == pytest.approx(expected.pvalue, rel=1e-9)
        assert test.cramers_v == pytest.approx(
            stats.contingency.association(table, method="cramer"), rel=1e-9
        )


def test_rare_levels_are_tested_as_one():
    rare = chi_squared_test([100, 100, 3, 2, 1, 0], [90, 110, 0, 1, 4, 2])
    assert rare == chi_squared_test([100, 100, 6], [90, 110, 7])
    assert rare.dof == 2


def test_levels_in_neither_sample_play_no_part():
    assert chi_squared_test([50, 0, 50], [40, 0, 60]) == chi_squared_test([50, 50], [40, 60])


def test_one_level_gives_no_evidence():
    assert chi_squared_test([10], [99]) == (0.0, 1.0, 0, 0.0)
    assert chi_squared_test([1, 1], [1, 0]).pvalue == 1.0


def test_chi_squared_of_nothing_is_refused():
    with pytest.raises(ValueError, match="without values"):
        chi_squared_test([0, 0], [1, 1])
