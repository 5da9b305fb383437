/*
 * The inner loops of lakemon's distances between sorted samples.
 *
 * Every function gets sorted doubles without NaN, allocates nothing and calls nothing back: Python's
 * interpreter lock is not held meanwhile. What each computes is said once, where lakemon computes it with NumPy
 * (lakemon_core/profiling/numeric): blocks.py, kolmogorov.py, wasserstein.py. The checks of sizes and types
 * stand in module.c.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

enum { MARKS = 128, DEEPEST = 128 };

/*
 * Cuts n values into 2^bits blocks of equal mass.
 *
 * Out: the value at the start of each block and, last, the largest; the integral of the quantile function less
 * the median over each block; and median, mean of values less median, mean of the squares of that, and the sum
 * of the absolute integrals.
 */
void lakemon_blocks(const double *values, int64_t n, int bits, double *edges, double *integrals, double *found)
{
    const int64_t count = (int64_t)1 << bits, mask = count - 1;
    const double centre = values[n / 2], width = 1.0 / (double)count;
    double shift = 0, squares = 0, size = 0, counted = 0;
    int64_t at = 0;
    edges[0] = values[0];
    for (int64_t block = 0; block < count; block++) {
        const int64_t end = (block + 1) * n, last = end >> bits;
        /* Sums of neighbours in two: an addition need not wait for the one before. */
        double even = 0, odd = 0, of_even = 0, of_odd = 0;
        for (; at + 1 < last; at += 2) {
            const double one = values[at] - centre, other = values[at + 1] - centre;
            even += one;
            odd += other;
            of_even += one * one;
            of_odd += other * other;
        }
        for (; at < last; at++) {
            const double one = values[at] - centre;
            even += one;
            of_even += one * one;
        }
        const double sum = even + odd;
        shift += sum;
        squares += of_even + of_odd;
        /* The block ends within a value, of which it has this share; the rest is the next one's. */
        const double cut = last < n ? (double)(end & mask) * width * (values[last] - centre) : 0;
        edges[block + 1] = last < n ? values[last] : values[n - 1];
        integrals[block] = (sum - counted + cut) / (double)n;
        size += fabs(integrals[block]);
        counted = cut;
    }
    found[0] = centre;
    found[1] = shift / (double)n;
    found[2] = squares / (double)n;
    found[3] = size;
}

/* Numbers below the distinct value at a place; without ranks there are no ties. */
static inline double below(const int64_t *ranks, int64_t place)
{
    return (double)(ranks ? ranks[place] : place);
}

/* Returns the first place from first to end whose value is not below a limit; end where there is none. */
static inline int64_t place_of(const double *values, int64_t first, int64_t end, double limit)
{
    int64_t length = end - first;
    while (length > 0) {
        const int64_t half = length >> 1;
        const int higher = values[first + half] < limit;
        first += higher ? half + 1 : 0;
        length = higher ? length - half - 1 : half;
    }
    return first;
}

/* Distinct values of x between two that were looked at, and those of y that may lie among them. */
typedef struct {
    int64_t first, end, y_first, y_end;
} stretch;

typedef struct {
    const double *values;
    const int64_t *ranks;
    int64_t distinct;
    double n;
} sample;

/* Looks at one value of a stretch, keeps the largest distance, and returns the stretches on both sides. */
static inline void divide(const sample *x, const sample *y, stretch whole, int64_t at, double *largest,
                          stretch *lower, stretch *upper)
{
    const double value = x->values[at];
    const int64_t before = place_of(y->values, whole.y_first, whole.y_end, value);
    const int64_t after = before + (before < y->distinct && y->values[before] == value);
    const double start = fabs(below(x->ranks, at) / x->n - below(y->ranks, before) / y->n);
    const double end = fabs(below(x->ranks, at + 1) / x->n - below(y->ranks, after) / y->n);
    if (start > *largest)
        *largest = start;
    if (end > *largest)
        *largest = end;
    *lower = (stretch){whole.first, at, whole.y_first, before};
    *upper = (stretch){at + 1, whole.end, after, whole.y_end};
}

/* Whether the distance may exceed the largest one within a stretch: both distributions only grow there. */
static inline int may_exceed(const sample *x, const sample *y, stretch one, double largest)
{
    if (one.end <= one.first)
        return 0;
    const double up = below(x->ranks, one.end) / x->n - below(y->ranks, one.y_first) / y->n;
    const double down = below(y->ranks, one.y_end) / y->n - below(x->ranks, one.first) / x->n;
    return up > largest || down > largest;
}

/* Returns the Kolmogorov-Smirnov statistic; of distinct values with ranks, or NULL where all differ. */
double lakemon_ks(const double *x_values, const int64_t *x_ranks, int64_t x_distinct, const double *y_values,
                  const int64_t *y_ranks, int64_t y_distinct)
{
    const sample x = {x_values, x_ranks, x_distinct, below(x_ranks, x_distinct)};
    const sample y = {y_values, y_ranks, y_distinct, below(y_ranks, y_distinct)};
    stretch coarse[MARKS + 1], open[DEEPEST];
    stretch rest = {0, x.distinct, 0, y.distinct};
    double largest = 0;
    int marked = 0;
    for (int64_t mark = 0; mark < MARKS; mark++) {
        const int64_t at = (2 * mark + 1) * x.distinct / (2 * MARKS);
        if (at >= rest.first)
            divide(&x, &y, rest, at, &largest, &coarse[marked++], &rest);
    }
    coarse[marked++] = rest;
    for (int number = 0; number < marked; number++) {
        int depth = 0;
        open[depth++] = coarse[number];
        while (depth) {
            const stretch one = open[--depth];
            if (may_exceed(&x, &y, one, largest)) {
                divide(&x, &y, one, one.first + (one.end - one.first) / 2, &largest, &open[depth],
                       &open[depth + 1]);
                depth += 2;
            }
        }
    }
    return largest;
}

/* Integrates |Qx - Qy| from one place to another, value by value; places in units of 1 / (n m count). */
static double along(const double *x, int64_t x_width, const double *y, int64_t y_width, int64_t from, int64_t to)
{
    int64_t i = from / x_width, j = from / y_width;
    int64_t x_end = (i + 1) * x_width, y_end = (j + 1) * y_width;
    double sum = 0;
    while (from < to) {
        int64_t next = x_end < y_end ? x_end : y_end;
        next = next < to ? next : to;
        sum += fabs(x[i] - y[j]) * (double)(next - from);
        if (next == x_end) {
            i++;
            x_end += x_width;
        }
        if (next == y_end) {
            j++;
            y_end += y_width;
        }
        from = next;
    }
    return sum;
}

/*
 * The same where y is many times longer: a value of x that no value of y crosses adds a difference of sums.
 *
 * sums: of the values of y less its centre, up to each place, from the median.
 */
static double by_steps(const double *x, int64_t x_width, const double *y, int64_t m, int64_t y_width,
                       const double *sums, double centre, int64_t from, int64_t to)
{
    const double width = (double)y_width;
    double sum = 0;
    for (int64_t i = from / x_width; from < to; i++) {
        const int64_t end = (i + 1) * x_width < to ? (i + 1) * x_width : to;
        const int64_t low = from / y_width, high = end / y_width;
        const double least = y[low], most = y[high < m ? high : m - 1];
        if (least < x[i] && x[i] < most)
            sum += along(x, x_width, y, y_width, from, end);
        else
            sum += fabs((sums[high] - sums[low]) * width + (most - centre) * (double)(end - high * y_width) -
                        (least - centre) * (double)(from - low * y_width) -
                        (x[i] - centre) * (double)(end - from));
        from = end;
    }
    return sum;
}

/*
 * Returns the first Wasserstein distance of samples of n and m values in as many blocks of equal mass.
 *
 * n m count is less than 2^62. y_sums: see by_steps; NULL to go value by value.
 */
double lakemon_wasserstein(const double *x, int64_t n, const double *x_integrals, const double *x_edges,
                           const double *y, int64_t m, const double *y_integrals, const double *y_edges,
                           int64_t count, const double *y_sums)
{
    const int64_t x_width = m * count, y_width = n * count, area = n * m;
    const double centre = y[m / 2], shift = (x[n / 2] - centre) / (double)count;
    double apart = 0, crossed = 0;
    for (int64_t block = 0; block < count; block++) {
        if (x_edges[block] < y_edges[block + 1] && y_edges[block] < x_edges[block + 1]) {
            const int64_t from = block * area, to = from + area;
            crossed += y_sums ? by_steps(x, x_width, y, m, y_width, y_sums, centre, from, to)
                              : along(x, x_width, y, y_width, from, to);
        } else {
            apart += fabs(x_integrals[block] - y_integrals[block] + shift);
        }
    }
    return apart + crossed / ((double)n * (double)m * (double)count);
}

/*
 * Returns the integral of |F - G| over the distinct values of both samples.
 *
 * The product of both counts is less than 2^62.
 */
double lakemon_wasserstein_of_steps(const double *x, const int64_t *x_ranks, int64_t x_distinct, const double *y,
                                    const int64_t *y_ranks, int64_t y_distinct)
{
    const int64_t n = x_ranks ? x_ranks[x_distinct] : x_distinct, m = y_ranks ? y_ranks[y_distinct] : y_distinct;
    int64_t i = 0, j = 0, up_to_x = 0, up_to_y = 0;
    double sum = 0, before = x[0] < y[0] ? x[0] : y[0];
    while (i < x_distinct || j < y_distinct) {
        const int of_x = j == y_distinct || (i < x_distinct && x[i] <= y[j]);
        const int of_y = i == x_distinct || (j < y_distinct && y[j] <= x[i]);
        const double value = of_x ? x[i] : y[j];
        const int64_t height = up_to_x * m - up_to_y * n;
        sum += (double)(height < 0 ? -height : height) * (value - before);
        i += of_x;
        j += of_y;
        up_to_x = x_ranks ? x_ranks[i] : i;
        up_to_y = y_ranks ? y_ranks[j] : j;
        before = value;
    }
    return sum / ((double)n * (double)m);
}
