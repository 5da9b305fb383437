"""The first Wasserstein distance of pairs of samples, exact; of large ones at the cost of a summary.

W is the integral over u from 0 to 1 of |Qx(u) - Qy(u)|, Q the quantile functions. Large samples come in
blocks of equal mass. Where the edges of a block show that one Q lies above the other throughout, it adds the
difference of two numbers. Only the few blocks in which the functions may cross are looked into, value by
value of the longer sample. Where that is much longer, the steps of the shorter one come first, with sums of
the longer one, then, where a step may still be crossed, its values. Pairs are looked at together: each step
is a few operations on what all of them have open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.blocks import MOST, Blocks
from lakemon_core.profiling.numeric.kernel import Kernel, compiled
from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Pair = tuple[Blocks, Blocks]

COUNTABLE = (1 << 62) // MOST
"""Places between two samples are counted in 64 bits: the product of their sizes stays below this."""
_COARSEST = 1 << 10
"""Blocks that are looked at first."""
_PARTS = 8
"""Into so many each of those is divided in which two samples may cross."""
_TOGETHER = 512
"""Blocks that are looked into together: what is found of them stays in the cache of a core."""
_LONGER = 4
"""So many times longer a sample must be for its sums to be worth their cost."""
_CANCELLED = 1e-6
"""Below this share of the size of the numbers, sums of blocks may have lost more than nine digits."""


def wasserstein_of_steps(x: Sample, y: Sample) -> float:
    """Returns the distance of two samples of few distinct finite numbers: the integral of |F - G|."""
    if (kernel := compiled()) is not None:
        return kernel.wasserstein_of_steps(*x.distinct, *y.distinct)
    edges = np.concatenate([x.values, y.values])
    edges.sort()
    heights = np.abs(x.up_to(edges[:-1]) * y.n - y.up_to(edges[:-1]) * x.n)
    return float(np.einsum("i,i->", heights.astype(np.float64), np.diff(edges))) / (x.n * y.n)


def wasserstein_of_blocks(pairs: Sequence[Pair]) -> list[float | None]:
    """Returns the distance of each pair of samples; None where rounding could touch the ninth digit."""
    found: list[float | None] = [None] * len(pairs)
    by_finest: dict[int, list[int]] = {}
    for number, (x, y) in enumerate(pairs):
        if len(x.values) * len(y.values) <= COUNTABLE:
            by_finest.setdefault(min(len(x.integrals), len(y.integrals)), []).append(number)
    for finest, numbers in by_finest.items():
        some = [pairs[number] for number in numbers]
        for number, pair, distance in zip(numbers, some, _distances(some, finest).tolist(), strict=True):
            if distance > _CANCELLED * max(pair[0].size, pair[1].size):
                found[number] = distance
    return found


def _distances(pairs: Sequence[Pair], finest: int) -> Floats:
    """Looks at large blocks first, and divides only those in which the functions may cross."""
    if (kernel := compiled()) is not None:
        return np.array([_by_kernel(kernel, *pair, finest) for pair in pairs])
    count = min(_COARSEST, finest)
    moved = np.array([x.centre - y.centre for x, y in pairs])
    of_x, x = (np.array(arrays) for arrays in zip(*(pair[0].level(count) for pair in pairs), strict=True))
    of_y, y = (np.array(arrays) for arrays in zip(*(pair[1].level(count) for pair in pairs), strict=True))
    crossed = (x[:, :-1] < y[:, 1:]) & (y[:, :-1] < x[:, 1:])
    of_x -= of_y
    of_x += (moved / count)[:, np.newaxis]
    of_x[crossed] = 0.0
    distances = np.abs(of_x, out=of_x).sum(axis=1)
    pair, block = np.nonzero(crossed)
    while count < finest and len(block):
        parts = min(_PARTS, finest // count)
        count *= parts
        pair = np.repeat(pair, parts)
        block = (block[:, np.newaxis] * parts + np.arange(parts)).ravel()
        open_ = _Open.of(pairs, pair, block, count)
        gaps = np.abs(open_.of_x - open_.of_y + moved.take(pair) / count)
        crossed = (open_.x_first < open_.y_last) & (open_.y_first < open_.x_last)
        gaps[crossed] = 0.0
        distances += np.bincount(pair, weights=gaps, minlength=len(pairs))
        pair, block = pair[crossed], block[crossed]
    for own, some in _few_at_once(pair, len(pairs)):
        distances[own] += _inside(pairs[own], pair[some] - own.start, block[some], count)
    return distances


def _by_kernel(kernel: Kernel, x: Blocks, y: Blocks, count: int) -> float:
    """Looks at all blocks, which takes compiled loops less time than to choose some."""
    x, y = sorted((x, y), key=lambda one: len(one.values))
    sums = y.sums if len(y.values) >= _LONGER * len(x.values) else None
    return kernel.wasserstein(x.values, x.level(count), y.values, y.level(count), sums)


class _Open(NamedTuple):
    """Blocks of several pairs: integrals and the values at both ends, of x and of y."""

    of_x: Floats
    x_first: Floats
    x_last: Floats
    of_y: Floats
    y_first: Floats
    y_last: Floats

    @classmethod
    def of(cls, pairs: Sequence[Pair], pair: Positions, block: Positions, count: int) -> _Open:
        found = np.empty((6, len(block)))
        after = block + 1
        for own, span in _each(pair, len(pairs)):
            for side, sample in enumerate(pairs[own]):
                integrals, edges = sample.level(count)
                _take(integrals, block[span], found[3 * side, span])
                _take(edges, block[span], found[3 * side + 1, span])
                _take(edges, after[span], found[3 * side + 2, span])
        return cls(*found)


def _each(pair: Positions, count: int) -> list[tuple[int, slice]]:
    """Returns where the entries of each pair stand in an ascending list of their numbers."""
    bounds = np.searchsorted(pair, np.arange(count + 1)).tolist()
    return [(own, slice(start, end)) for own, (start, end) in enumerate(pairwise(bounds)) if start < end]


def _few_at_once(pair: Positions, count: int) -> Iterator[tuple[slice, slice]]:
    """Yields one pair or several, of as many entries as are best looked at together, and these entries."""
    first = start = 0
    for own, span in _each(pair, count):
        if span.stop - start >= _TOGETHER or span.stop == len(pair):
            yield slice(first, own + 1), slice(start, span.stop)
            first, start = own + 1, span.stop


def _take(values: Floats, places: Positions, found: Floats) -> None:
    values.take(places, out=found, mode="clip")  # without the check of each place, for which it would copy


class _Steps(NamedTuple):
    """Steps of the shorter sample of pairs.

    Attributes:
        pair: number of the pair.
        values: what the shorter sample is there.
        starts: where each starts, and ends, in units of 1 / (n m count), n and m the sizes of the samples.
        width: how many units a value of the longer sample is wide; one number for a single pair.
    """

    pair: Positions
    values: Floats
    starts: Positions
    ends: Positions
    width: Positions | int

    def some(self, kept: npt.NDArray[np.bool_]) -> _Steps:
        width = self.width if isinstance(self.width, int) else self.width[kept]
        return _Steps(self.pair[kept], self.values[kept], self.starts[kept], self.ends[kept], width)


def _of_each(numbers: Positions, pair: Positions) -> Positions | int:
    """Returns the number of the pair of each entry; dividing by one number is many times cheaper."""
    return int(numbers[0]) if len(numbers) == 1 else numbers.take(pair)


class _Sides(NamedTuple):
    """The shorter and the longer sample of each pair, and their sizes n and m."""

    shorts: Sequence[Blocks]
    longs: Sequence[Blocks]
    n: Positions
    m: Positions

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> _Sides:
        ordered = [(x, y) if len(x.values) <= len(y.values) else (y, x) for x, y in pairs]
        shorts, longs = ([one[side] for one in ordered] for side in (0, 1))
        n, m = (np.array([len(one.values) for one in side]) for side in (shorts, longs))
        return cls(shorts, longs, n, m)


def _inside(pairs: Sequence[Pair], pair: Positions, block: Positions, count: int) -> Floats:
    """Integrates |Qx - Qy| over some of `count` blocks."""
    sides = _Sides.of(pairs)
    longer = (sides.m >= _LONGER * sides.n).take(pair)
    distances = np.zeros(len(pairs))
    if longer.any():
        distances += _by_steps(sides, pair[longer], block[longer], count)
        pair, block = pair[~longer], block[~longer]
    return distances + _along(sides, pair, block, count) if len(block) else distances


def _along(sides: _Sides, pair: Positions, block: Positions, count: int) -> Floats:
    """Integrates along the values of the longer samples, in units of 1 / (n m count).

    A value of the longer sample meets one of the shorter, or two where a step of that falls within. The sum
    over the first is taken whole, then corrected at the steps, and at both ends of each block.
    """
    n, m, block_after = _of_each(sides.n, pair), _of_each(sides.m, pair), block + 1
    low, high = block * m // count, -(-block_after * m // count)
    step, end = block * n // count, -(-block_after * n // count)
    place, first, last = _pieces(low, high)
    owner = np.repeat(pair, high - low)
    met = place * _of_each(sides.n, owner) // _of_each(sides.m, owner)
    met[first] = step
    y, x = _values(sides.longs, owner, place), _values(sides.shorts, owner, met)
    last_gap = np.abs(y.take(last) - _values(sides.shorts, pair, end - 1))
    gaps = np.abs(np.subtract(y, x, out=x), out=x)
    ends = gaps.take(first) * (block * (n * m) - low * (n * count))
    ends += last_gap * (high * (n * count) - block_after * (n * m))
    sums = -np.bincount(pair, weights=ends, minlength=len(sides.n))
    for number, span in _each(owner, len(sides.n)):
        sums[number] += float(gaps[span].sum()) * int(sides.n[number] * count)
    sums += _at_steps(sides, np.repeat(pair, end - step - 1), _pieces(step + 1, end)[0]) * count
    return sums / (sides.n * sides.m * count).astype(np.float64)


def _at_steps(sides: _Sides, pair: Positions, place: Positions) -> Floats:
    """Returns by how much the gaps change at some values of the shorter samples, in units of 1 / (n m)."""
    n, m = _of_each(sides.n, pair), _of_each(sides.m, pair)
    start = place * m
    within = start // n
    rest = (within + 1) * n - start
    rest[rest == n] = 0  # the step falls between two values of the longer sample
    y = _values(sides.longs, pair, within)
    change = np.abs(y - _values(sides.shorts, pair, place)) - np.abs(
        y - _values(sides.shorts, pair, place - 1)
    )
    change *= rest
    sums: Floats = np.zeros(len(sides.n))
    sums += np.bincount(pair, weights=change, minlength=len(sums))
    return sums


def _values(samples: Sequence[Blocks], pair: Positions, place: Positions) -> Floats:
    """Returns the values of the sample of each pair at some places."""
    found = np.empty(len(place))
    for number, span in _each(pair, len(samples)):
        _take(samples[number].values, place[span], found[span])
    return found


def _by_steps(sides: _Sides, pair: Positions, block: Positions, count: int) -> Floats:
    """Integrates by the steps of the shorter samples."""
    n, m = sides.n, sides.m
    own_n, area = _of_each(n, pair), _of_each(n * m, pair)
    place, first, last = _pieces(block * own_n // count, -(-(block + 1) * own_n // count))
    owner = np.repeat(pair, last - first + 1)
    step = _of_each(m * count, owner)
    starts = place * step
    ends = starts + step
    starts[first], ends[last] = block * area, (block + 1) * area
    values = _values(sides.shorts, owner, place)
    steps = _Steps(owner, values, starts, ends, _of_each(n * count, owner))
    distances, crossed = _by_sums(steps, sides.longs)
    units = (n * m * count).astype(np.float64)
    return distances + _by_values(steps.some(crossed), sides.longs) / units


def _by_sums(steps: _Steps, longs: Sequence[Blocks]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Integrates over steps that no value of the longer sample crosses; returns which may be crossed."""
    m = np.array([len(one.values) for one in longs])
    lower, upper = steps.starts // steps.width, steps.ends // steps.width
    last = np.minimum(upper, m.take(steps.pair) - 1)
    floor, ceiling, before, to = np.empty((4, len(lower)))
    for number, span in _each(steps.pair, len(longs)):
        long = longs[number]
        _take(long.values, lower[span], floor[span])
        _take(long.values, last[span], ceiling[span])
        _take(long.sums, lower[span], before[span])
        _take(long.sums, upper[span], to[span])
    centre = np.array([one.centre for one in longs]).take(steps.pair)
    sums = to - before
    sums += (ceiling - centre) * ((steps.ends - upper * steps.width) / steps.width)
    sums -= (floor - centre) * ((steps.starts - lower * steps.width) / steps.width)
    gaps = np.abs(sums - (steps.values - centre) * ((steps.ends - steps.starts) / steps.width))
    crossed = (floor < steps.values) & (steps.values < ceiling)
    gaps[crossed] = 0.0
    return np.bincount(steps.pair, weights=gaps, minlength=len(longs)) / m, crossed


def _by_values(steps: _Steps, longs: Sequence[Blocks]) -> Floats:
    """Integrates over steps, in units, by the values of the longer sample that each of them meets.

    Each value counts whole, and what the first and the last one of a step do not share with it is taken back.
    """
    lower, upper = steps.starts // steps.width, -(-steps.ends // steps.width)
    place, first, last = _pieces(lower, upper)
    gaps, sums = np.empty(len(place)), np.zeros(len(longs))
    values = np.repeat(steps.values, upper - lower)
    starts = np.append(first, len(place))
    for number, span in _each(steps.pair, len(longs)):
        inside = slice(starts[span.start], starts[span.stop])
        _take(longs[number].values, place[inside], gaps[inside])
        gaps[inside] -= values[inside]
        width = steps.width if isinstance(steps.width, int) else int(steps.width[span.start])
        sums[number] = float(np.abs(gaps[inside], out=gaps[inside]).sum()) * width
    beyond = gaps.take(first) * (steps.starts - lower * steps.width)
    beyond += gaps.take(last) * (upper * steps.width - steps.ends)
    return sums - np.bincount(steps.pair, weights=beyond, minlength=len(longs))


def _pieces(lower: Positions, upper: Positions) -> tuple[Positions, Positions, Positions]:
    """Returns the whole numbers of ranges, one after the other, and where each starts and ends."""
    lengths = upper - lower
    ends = np.cumsum(lengths)
    first = ends - lengths
    return np.arange(int(lengths.sum())) + np.repeat(lower - first, lengths), first, ends - 1
