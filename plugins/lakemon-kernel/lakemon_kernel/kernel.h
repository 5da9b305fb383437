/* What module.c shows to Python; distances.c and samples.c say what each function does. */
#include <stdint.h>

void lakemon_blocks(const double *values, int64_t n, int bits, double *edges, double *integrals, double *found);
double lakemon_ks(const double *x_values, const int64_t *x_ranks, int64_t x_distinct, const double *y_values,
                  const int64_t *y_ranks, int64_t y_distinct);
double lakemon_wasserstein(const double *x, int64_t n, const double *x_integrals, const double *x_edges,
                           const double *y, int64_t m, const double *y_integrals, const double *y_edges,
                           int64_t count, const double *y_sums);
double lakemon_wasserstein_of_steps(const double *x, const int64_t *x_ranks, int64_t x_distinct, const double *y,
                                    const int64_t *y_ranks, int64_t y_distinct);

int64_t lakemon_tally(const void *numbers, int wide, int64_t n, int64_t least, int64_t *counts, int64_t width);
void lakemon_spread(const double *values, const int64_t *ranks, int64_t distinct, double centre, double *found);
void lakemon_merge(const double *one, int64_t n, const double *other, int64_t m, double *merged);
void lakemon_quantiles(const double *values, const int64_t *ranks, int64_t n, int64_t steps, double *found);
