/*
 * The inner loops that count the values of a column, and merge and summarize sorted samples.
 *
 * As in distances.c nothing is allocated and nothing called back. What each computes is said once, where
 * lakemon computes it with NumPy (lakemon_core/profiling): counting.py, numeric/sample.py, numeric/quantiles.py.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

enum { LANES = 4, FEW = 512, CHUNK = 256 };

/* Counts integers of 64 bits, or of 32: with `wide` known where it is called there is no choice left in the loops. */
static inline int64_t tally(const void *numbers, int wide, int64_t n, int64_t least, int64_t *counts, int64_t width)
{
    const int64_t *longs = numbers;
    const int32_t *shorts = numbers;
    int64_t few[LANES][FEW], outside = 0, row = 0;
    if (width <= FEW) {
        for (int lane = 0; lane < LANES; lane++)
            for (int64_t at = 0; at < width; at++)
                few[lane][at] = 0;
        for (; row + LANES <= n; row += LANES)
            for (int lane = 0; lane < LANES; lane++) {
                const int64_t number = wide ? longs[row + lane] : shorts[row + lane];
                const uint64_t at = (uint64_t)number - (uint64_t)least;
                if (at < (uint64_t)width)
                    few[lane][at]++;
                else
                    outside++;
            }
        for (int64_t at = 0; at < width; at++)
            counts[at] += few[0][at] + few[1][at] + few[2][at] + few[3][at];
    }
    for (; row < n; row++) {
        const uint64_t at = (uint64_t)(wide ? longs[row] : shorts[row]) - (uint64_t)least;
        if (at < (uint64_t)width)
            counts[at]++;
        else
            outside++;
    }
    return outside;
}

/*
 * Adds how often each integer from `least` on occurs to its count; returns how many are outside.
 *
 * A count that is read again right after it was written costs several steps: of few integers there are lanes.
 */
int64_t lakemon_tally(const void *numbers, int wide, int64_t n, int64_t least, int64_t *counts, int64_t width)
{
    return wide ? tally(numbers, 1, n, least, counts, width) : tally(numbers, 0, n, least, counts, width);
}

/*
 * Sums of the distances of all numbers from a centre, and of their squares; of distinct values with ranks, or NULL.
 *
 * In chunks, so that few numbers are added to a large sum.
 */
void lakemon_spread(const double *values, const int64_t *ranks, int64_t distinct, double centre, double *found)
{
    found[0] = found[1] = 0;
    for (int64_t first = 0; first < distinct; first += CHUNK) {
        const int64_t end = first + CHUNK < distinct ? first + CHUNK : distinct;
        double sum = 0, squares = 0;
        for (int64_t at = first; at < end; at++) {
            const double around = values[at] - centre;
            const double counted = ranks ? around * (double)(ranks[at + 1] - ranks[at]) : around;
            sum += counted;
            squares += around * counted;
        }
        found[0] += sum;
        found[1] += squares;
    }
}

/* What one lane of a merge has left of both samples, and where it writes. */
typedef struct {
    const double *one, *one_end, *other, *other_end;
    double *merged;
} lane;

/* Writes the lesser of the two next values; without a branch, which would be foreseen half the time. */
static inline void step(lane *at)
{
    const double a = *at->one, b = *at->other;
    const int first = a <= b;
    *at->merged++ = first ? a : b;
    at->one += first;
    at->other += !first;
}

static inline int64_t left(const lane *at)
{
    const int64_t one = at->one_end - at->one, other = at->other_end - at->other;
    return one < other ? one : other;
}

/* Returns how many of the least `count` values of both samples come from the first one. */
static int64_t share_of(const double *one, int64_t n, const double *other, int64_t m, int64_t count)
{
    int64_t low = count > m ? count - m : 0, high = count < n ? count : n;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (one[middle] <= other[count - 1 - middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Merges two samples.
 *
 * Each step of a merge waits for the one before. So several lanes go on at once, each with values of its own.
 */
void lakemon_merge(const double *one, int64_t n, const double *other, int64_t m, double *merged)
{
    lane lanes[LANES];
    int64_t start = 0, of_one = 0;
    for (int number = 0; number < LANES; number++) {
        const int64_t end = (n + m) * (number + 1) / LANES, most = of_one + end - start;
        int64_t share = share_of(one, n, other, m, end);
        /* Of samples that are not in order, no lane may begin after its end. */
        share = share < of_one ? of_one : share > most ? most : share;
        lanes[number] = (lane){one + of_one, one + share, other + (start - of_one), other + (end - share),
                               merged + start};
        start = end;
        of_one = share;
    }
    for (;;) {
        int64_t steps = INT64_MAX;
        for (int number = 0; number < LANES; number++)
            steps = left(&lanes[number]) < steps ? left(&lanes[number]) : steps;
        if (!steps)
            break;
        for (; steps; steps--)
            for (int number = 0; number < LANES; number++)
                step(&lanes[number]);
    }
    for (int number = 0; number < LANES; number++) {
        lane *at = &lanes[number];
        while (left(at))
            step(at);
        while (at->one < at->one_end)
            *at->merged++ = *at->one++;
        while (at->other < at->other_end)
            *at->merged++ = *at->other++;
    }
}

/* Steps a place on to the distinct value that stands at a position among all numbers. */
static inline int64_t onward(const int64_t *ranks, int64_t place, int64_t position)
{
    if (!ranks)
        return position;
    while (ranks[place + 1] <= position)
        place++;
    return place;
}

/* Finds the quantiles k / steps of distinct values, linear between two; NaN where their difference is not finite. */
void lakemon_quantiles(const double *values, const int64_t *ranks, int64_t n, int64_t steps, double *found)
{
    int64_t lower = 0, upper = 0;
    for (int64_t k = 0; k <= steps; k++) {
        const int64_t position = k * (n - 1) / steps, part = k * (n - 1) % steps;
        lower = onward(ranks, lower, position);
        upper = onward(ranks, upper, position + 1 < n ? position + 1 : n - 1);
        const double low = values[lower], high = values[upper];
        if (!part || low == high) {
            found[k] = low;
            continue;
        }
        const double step = high - low, share = (double)part / (double)steps;
        const double between = share < 0.5 ? low + step * share : high - step * (1 - share);
        found[k] = isfinite(between) ? between : NAN;
    }
}
