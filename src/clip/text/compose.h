/* Unicode's composed form. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_COMPOSE_H
#define LANCET_CLIP_TEXT_COMPOSE_H

#include "clip/text/points.h"

/** Brings `text` into normalisation form C. `spare` is working memory.
 * False if memory is out.
 *
 * Any input takes linear time: utf8proc's own ordering of combining marks is quadratic in the length
 * of a run, which a text of nothing but marks would make into hours. */
bool lancet_compose(lancet_points *text, lancet_points *spare);

#endif
