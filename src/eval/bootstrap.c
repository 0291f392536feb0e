/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#define RESAMPLES_DEFAULT 1000

size_t lancet_bootstrap_resamples(const lancet_totals_options *options)
{
    return options->resamples < 0 ? 0 : options->resamples ? (size_t)options->resamples : RESAMPLES_DEFAULT;
}

/* SplitMix64: a small generator whose stream is fixed by its seed, here and everywhere. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void lancet_bootstrap_draw(uint32_t *weights, size_t count, uint64_t *state)
{
    memset(weights, 0, count * sizeof *weights);
    for (size_t i = 0; i < count; i++)
        /* the high bits of a 32-bit draw times the number: the bias is below one in a million */
        weights[(draw(state) >> 32) * count >> 32]++;
}

static int compare_values(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

/* The share `at` of sorted values, linearly between neighbours. */
static double quantile(const double *values, size_t count, double at)
{
    const double place = at * (double)(count - 1);
    const size_t below = (size_t)place;
    const double rest = place - (double)below;

    return below + 1 < count ? values[below] + rest * (values[below + 1] - values[below]) : values[below];
}

void lancet_bootstrap_interval(lancet_figure *figure, double *values, size_t count)
{
    if (!count)
        return;
    qsort(values, count, sizeof *values, compare_values);
    figure->low = quantile(values, count, 0.025);
    figure->high = quantile(values, count, 0.975);
}
