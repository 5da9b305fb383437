import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from lakemon_core.profiling.distances import (
    expected_tv,
    js_chance_level,
    js_distance,
    l_infinity_distance,
    psi,
    psi_chance_level,
    tv_chance_level,
    tv_distance,
    wasserstein_distance,
)

pytestmark = pytest.mark.usefixtures("loops")


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def test_psi_has_its_golden_values(golden):
    a, b = golden["A_counts"], golden["B_counts"]
    assert psi(a["ref"], a["cur"], "clip") == close(golden["A_psi"])
    assert psi(b["ref"], b["cur"]) == close(golden["B_psi_add_half"])
    assert psi(b["ref"], b["cur"], "clip") == close(golden["B_psi_clip"])


def test_psi_refuses_other_smoothings_and_empty_counts():
    with pytest.raises(ValueError, match="is not a smoothing"):
        psi([1], [1], "none")
    with pytest.raises(ValueError, match="add up to nothing"):
        psi([0, 0], [1, 1], "clip")


@pytest.mark.parametrize("vector", ["A", "B"])
def test_distances_of_counts_have_their_golden_values(golden, vector):
    p, q = golden[f"{vector}_counts"]["ref"], golden[f"{vector}_counts"]["cur"]
    assert js_distance(p, q) == close(golden[f"{vector}_js_dist_base2"])
    assert tv_distance(p, q) == close(golden[f"{vector}_tv"])
    assert l_infinity_distance(p, q) == close(golden[f"{vector}_linf"])


def test_js_distance_agrees_with_scipy():
    random = np.random.default_rng(3)
    for _ in range(50):
        p, q = random.integers(0, 40, (2, 12))
        assert js_distance(p, q) == close(jensenshannon(p, q, base=2))


def test_js_distance_of_equal_shares_is_zero_at_any_row_count():
    assert js_distance([1, 2, 3], [10, 20, 30]) < 1e-15
    assert js_distance([1, 0], [0, 7]) == 1.0


def test_wasserstein_has_its_golden_value(golden, normal_samples):
    reference, current = normal_samples
    assert reference.mean() == pytest.approx(0, abs=0.05)
    distance = wasserstein_distance(current, reference)
    assert distance == close(golden["C_wasserstein"])
    assert distance / reference.std() == close(golden["C_wasserstein_over_refstd_ddof0"])


@pytest.mark.parametrize("scale", ["ties", "normal", "heavy", "far"])
def test_wasserstein_agrees_with_scipy(scale):
    random = np.random.default_rng(5)
    draw = {
        "ties": lambda n: random.integers(0, 5, n).astype(float),
        "normal": lambda n: random.normal(random.normal(), 1, n),
        "heavy": random.standard_cauchy,
        "far": lambda n: 1e9 + random.normal(0, 1e-3, n),
    }[scale]
    for n in (1, 2, 7, 100, 1001):
        for m in (1, 3, 100, 999):
            x, y = np.sort(draw(n)), np.sort(draw(m))
            expected = stats.wasserstein_distance(x - x[0], y - x[0]) if scale == "far" else None
            expected = stats.wasserstein_distance(x, y) if expected is None else expected
            assert wasserstein_distance(x, y) == close(expected)


def test_wasserstein_of_nothing_is_refused():
    with pytest.raises(ValueError, match="without values"):
        wasserstein_distance(np.array([]), np.array([1.0]))


def test_chance_level_of_psi_is_what_simulation_gives():
    assert psi_chance_level(10, 500, 2000) == close(stats.chi2.ppf(0.95, 9) * 0.0025)
    assert psi_chance_level(1, 5, 5) == 0
    assert js_chance_level(10, 500, 2000) == close(
        math.sqrt(psi_chance_level(10, 500, 2000) / 8 / math.log(2))
    )
    assert js_chance_level(1000, 5, 5) == 1


def test_expected_total_variation_has_its_golden_value():
    assert expected_tv([200] * 10, [50] * 10) == pytest.approx(0.0598, abs=1e-4)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.99, 0.01], [0.1] * 10, [0.6, 0.3, 0.05, 0.03, 0.02]])
def test_chance_level_of_total_variation_is_passed_by_one_in_twenty(shares):
    random = np.random.default_rng(11)
    p, q = random.multinomial(2000, shares, 4000), random.multinomial(500, shares, 4000)
    passed = np.mean([tv_distance(a, b) > tv_chance_level(a, b) for a, b in zip(p, q, strict=True)])
    # The normal approximation is coarse where levels are rare: about 7.5 % for the last shares.
    assert passed == pytest.approx(0.05, abs=0.03)


def test_one_level_leaves_nothing_to_chance():
    assert tv_chance_level([5], [7]) == 0
