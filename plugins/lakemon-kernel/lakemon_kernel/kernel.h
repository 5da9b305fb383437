/* What module.c shows to Python; kernel.c says what each function does. */
#include <stdint.h>

void lakemon_blocks(const double *values, int64_t n, int bits, double *edges, double *integrals, double *found);
double lakemon_ks(const double *x_values, const int64_t *x_ranks, int64_t x_distinct, const double *y_values,
                  const int64_t *y_ranks, int64_t y_distinct);
double lakemon_wasserstein(const double *x, int64_t n, const double *x_integrals, const double *x_edges,
                           const double *y, int64_t m, const double *y_integrals, const double *y_edges,
                           int64_t count, const double *y_sums);
void lakemon_merge(const double *one, int64_t n, const double *other, int64_t m, double *merged);
void lakemon_quantiles(const double *values, const int64_t *ranks, int64_t n, int64_t steps, double *found);
