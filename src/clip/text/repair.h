/* ftfy's fix_text, without its mojibake repair. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_REPAIR_H
#define LANCET_CLIP_TEXT_REPAIR_H

#include "base/status.h"
#include "clip/text/points.h"

/** Appends `in` to `out` as ftfy 6.3.1's fix_text gives it with its default settings and fix_encoding
 * off. `work` and `spare` are working memory.
 *
 * Errors: MEMORY; ARGUMENT if references are nested so deep that resolving one level a round, as ftfy
 * does, would take more than about 64 passes over a long text. */
lancet_status lancet_repair(lancet_points *out, const lancet_points *in, lancet_points *work,
                            lancet_points *spare, lancet_error *error);

#endif
