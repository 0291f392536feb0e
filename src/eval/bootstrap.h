/* How sure a mean over pictures is: the bootstrap. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_BOOTSTRAP_H
#define LANCET_EVAL_BOOTSTRAP_H

#include "lancet/metrics.h"

/** How many resamples the options ask for; 0: none. */
size_t lancet_bootstrap_resamples(const lancet_totals_options *options);

/** weights [count] = how often each picture is drawn when `count` are, with replacement. `state` begins as
 * the seed. */
void lancet_bootstrap_draw(uint32_t *weights, size_t count, uint64_t *state);

/** low and high of the figure = the middle 95 % of `values` [count], which are sorted on the way; nothing if
 * there are none. */
void lancet_bootstrap_interval(lancet_figure *figure, double *values, size_t count);

#endif
