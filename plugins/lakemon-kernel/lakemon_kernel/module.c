/* The door to Python: checks what comes in, lets go of the interpreter lock, and calls the loops. */
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "kernel.h"

enum { MOST = 8 };

/* The arrays of one call, which are given back together. */
typedef struct {
    Py_buffer views[MOST];
    int count;
    int failed;
} arrays;

static void give_back(arrays *held)
{
    while (held->count)
        PyBuffer_Release(&held->views[--held->count]);
}

/* Returns an array of one dimension whose items are of one of these formats of struct; NULL for None and others. */
static const Py_buffer *array(arrays *held, PyObject *object, const char *formats, int flags)
{
    if (held->failed || object == Py_None)
        return NULL;
    Py_buffer *view = &held->views[held->count];
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | flags)) {
        held->failed = 1;
        return NULL;
    }
    held->count++;
    if (view->ndim != 1 || !view->format || strlen(view->format) != 1 || !strchr(formats, view->format[0])) {
        PyErr_SetString(PyExc_TypeError, "an array of one dimension, of another type, is wanted");
        held->failed = 1;
        return NULL;
    }
    return view;
}

/* Returns the items of an array, and how many there are; none, and NULL, without one. */
static void *items_of(const Py_buffer *view, Py_ssize_t *length)
{
    *length = view ? view->len / view->itemsize : 0;
    return view ? view->buf : NULL;
}

static double *doubles(arrays *held, PyObject *object, int flags, Py_ssize_t *length)
{
    return items_of(array(held, object, "d", flags), length);
}

static int64_t *longs(arrays *held, PyObject *object, int flags, Py_ssize_t *length)
{
    return items_of(array(held, object, sizeof(long) == 8 ? "lq" : "q", flags), length);
}

/* Gives everything back and says what is wrong with the sizes; always NULL. */
static PyObject *refused(arrays *held, const char *why)
{
    give_back(held);
    if (!held->failed)
        PyErr_SetString(PyExc_ValueError, why);
    return NULL;
}

static PyObject *blocks(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_values, *of_edges, *of_integrals;
    if (!PyArg_ParseTuple(arguments, "OOO", &of_values, &of_edges, &of_integrals))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t n, ends, count;
    const double *values = doubles(&held, of_values, 0, &n);
    double *edges = doubles(&held, of_edges, PyBUF_WRITABLE, &ends);
    double *integrals = doubles(&held, of_integrals, PyBUF_WRITABLE, &count);
    int bits = 0;
    while (((Py_ssize_t)1 << bits) < count)
        bits++;
    if (held.failed || n < 1 || count < 1 || count != (Py_ssize_t)1 << bits || ends != count + 1 || count > n ||
        n > PY_SSIZE_T_MAX / (count + 1))
        return refused(&held, "values, and a power of two of blocks with one edge more, are wanted");
    double found[4];
    Py_BEGIN_ALLOW_THREADS
    lakemon_blocks(values, n, bits, edges, integrals, found);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return Py_BuildValue("(dddd)", found[0], found[1], found[2], found[3]);
}

/* Two samples of distinct values, and ranks or NULL for each. */
typedef struct {
    const double *x, *y;
    const int64_t *x_ranks, *y_ranks;
    Py_ssize_t n, m;
} pair;

/* Returns whether the arguments are a pair of samples, which it takes from them. */
static int is_pair(arrays *held, PyObject *arguments, pair *found)
{
    PyObject *of_x, *of_x_ranks, *of_y, *of_y_ranks;
    held->failed = !PyArg_ParseTuple(arguments, "OOOO", &of_x, &of_x_ranks, &of_y, &of_y_ranks);
    if (held->failed)
        return 0;
    Py_ssize_t x_ends, y_ends;
    found->x = doubles(held, of_x, 0, &found->n);
    found->y = doubles(held, of_y, 0, &found->m);
    found->x_ranks = longs(held, of_x_ranks, 0, &x_ends);
    found->y_ranks = longs(held, of_y_ranks, 0, &y_ends);
    return !held->failed && found->n > 0 && found->m > 0 && (!found->x_ranks || x_ends == found->n + 1) &&
           (!found->y_ranks || y_ends == found->m + 1);
}

static PyObject *ks_statistic(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    arrays held = {.count = 0};
    pair of;
    if (!is_pair(&held, arguments, &of))
        return refused(&held, "two samples with one rank more than distinct values are wanted");
    double found;
    Py_BEGIN_ALLOW_THREADS
    found = lakemon_ks(of.x, of.x_ranks, of.n, of.y, of.y_ranks, of.m);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return PyFloat_FromDouble(found);
}

static PyObject *wasserstein(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_x, *of_x_edges, *of_x_integrals, *of_y, *of_y_edges, *of_y_integrals, *of_sums;
    if (!PyArg_ParseTuple(arguments, "O(OO)O(OO)O", &of_x, &of_x_integrals, &of_x_edges, &of_y, &of_y_integrals,
                          &of_y_edges, &of_sums))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t n, m, count, of_other, x_ends, y_ends, summed;
    const double *x = doubles(&held, of_x, 0, &n), *x_integrals = doubles(&held, of_x_integrals, 0, &count);
    const double *x_edges = doubles(&held, of_x_edges, 0, &x_ends);
    const double *y = doubles(&held, of_y, 0, &m), *y_integrals = doubles(&held, of_y_integrals, 0, &of_other);
    const double *y_edges = doubles(&held, of_y_edges, 0, &y_ends), *sums = doubles(&held, of_sums, 0, &summed);
    if (held.failed || n < 1 || m < 1 || count < 1 || of_other != count || x_ends != count + 1 ||
        y_ends != count + 1 || (sums && summed != m + 1))
        return refused(&held, "two samples in as many blocks, with one edge more and one sum more, are wanted");
    if (n > (INT64_MAX >> 1) / m / count)
        return refused(&held, "the samples are too large for their places to be counted");
    double found;
    Py_BEGIN_ALLOW_THREADS
    found = lakemon_wasserstein(x, n, x_integrals, x_edges, y, m, y_integrals, y_edges, count, sums);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return PyFloat_FromDouble(found);
}

static PyObject *merge(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_one, *of_other, *of_merged;
    if (!PyArg_ParseTuple(arguments, "OOO", &of_one, &of_other, &of_merged))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t n, m, both;
    const double *one = doubles(&held, of_one, 0, &n), *other = doubles(&held, of_other, 0, &m);
    double *merged = doubles(&held, of_merged, PyBUF_WRITABLE, &both);
    if (held.failed || !one || !other || both != n + m)
        return refused(&held, "room for both samples is wanted");
    Py_BEGIN_ALLOW_THREADS
    lakemon_merge(one, n, other, m, merged);
    Py_END_ALLOW_THREADS
    give_back(&held);
    Py_RETURN_NONE;
}

static PyObject *quantiles(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_values, *of_ranks, *of_found;
    if (!PyArg_ParseTuple(arguments, "OOO", &of_values, &of_ranks, &of_found))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t distinct, ends, points;
    const double *values = doubles(&held, of_values, 0, &distinct);
    const int64_t *ranks = longs(&held, of_ranks, 0, &ends);
    double *found = doubles(&held, of_found, PyBUF_WRITABLE, &points);
    if (held.failed || distinct < 1 || points < 2 || (ranks && ends != distinct + 1))
        return refused(&held, "values with one rank more, and room for two quantiles or more, are wanted");
    const int64_t n = ranks ? ranks[distinct] : distinct;
    if (n < distinct || n > INT64_MAX / points)
        return refused(&held, "ranks that end with the count of all numbers are wanted");
    Py_BEGIN_ALLOW_THREADS
    lakemon_quantiles(values, ranks, n, points - 1, found);
    Py_END_ALLOW_THREADS
    give_back(&held);
    Py_RETURN_NONE;
}

static PyObject *wasserstein_of_steps(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    arrays held = {.count = 0};
    pair of;
    if (!is_pair(&held, arguments, &of))
        return refused(&held, "two samples with one rank more than distinct values are wanted");
    const int64_t x_size = of.x_ranks ? of.x_ranks[of.n] : of.n, y_size = of.y_ranks ? of.y_ranks[of.m] : of.m;
    if (x_size < of.n || y_size < of.m || x_size > (INT64_MAX >> 1) / y_size)
        return refused(&held, "the samples are too large for their places to be counted");
    double found;
    Py_BEGIN_ALLOW_THREADS
    found = lakemon_wasserstein_of_steps(of.x, of.x_ranks, of.n, of.y, of.y_ranks, of.m);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return PyFloat_FromDouble(found);
}

static PyObject *tally(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_numbers, *of_counts;
    long long least;
    if (!PyArg_ParseTuple(arguments, "OLO", &of_numbers, &least, &of_counts))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t n, width;
    const Py_buffer *view = array(&held, of_numbers, "ilq", 0);
    const void *numbers = items_of(view, &n);
    int64_t *counts = longs(&held, of_counts, PyBUF_WRITABLE, &width);
    if (held.failed || !numbers || !counts)
        return refused(&held, "integers and their counts are wanted");
    int64_t outside;
    Py_BEGIN_ALLOW_THREADS
    outside = lakemon_tally(numbers, view->itemsize == 8, n, least, counts, width);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return PyLong_FromLongLong(outside);
}

static PyObject *spread(PyObject *Py_UNUSED(self), PyObject *arguments)
{
    PyObject *of_values, *of_ranks;
    double centre;
    if (!PyArg_ParseTuple(arguments, "OOd", &of_values, &of_ranks, &centre))
        return NULL;
    arrays held = {.count = 0};
    Py_ssize_t n, ends;
    const double *values = doubles(&held, of_values, 0, &n);
    const int64_t *ranks = longs(&held, of_ranks, 0, &ends);
    if (held.failed || !values || (ranks && ends != n + 1))
        return refused(&held, "values with one rank more are wanted");
    double found[2];
    Py_BEGIN_ALLOW_THREADS
    lakemon_spread(values, ranks, n, centre, found);
    Py_END_ALLOW_THREADS
    give_back(&held);
    return Py_BuildValue("(dd)", found[0], found[1]);
}

static PyMethodDef methods[] = {
    {"blocks", blocks, METH_VARARGS, NULL},
    {"ks_statistic", ks_statistic, METH_VARARGS, NULL},
    {"wasserstein", wasserstein, METH_VARARGS, NULL},
    {"wasserstein_of_steps", wasserstein_of_steps, METH_VARARGS, NULL},
    {"tally", tally, METH_VARARGS, NULL},
    {"spread", spread, METH_VARARGS, NULL},
    {"merge", merge, METH_VARARGS, NULL},
    {"quantiles", quantiles, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "lakemon_kernel._kernel", NULL, 0, methods,
                                        NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModule_Create(&definition);
}
