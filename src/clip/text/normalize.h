/* From a text as somebody wrote it to the text that CLIP's word pattern sees. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_NORMALIZE_H
#define LANCET_CLIP_TEXT_NORMALIZE_H

#include "base/status.h"
#include "clip/text/points.h"

/** Working memory that is kept from one text to the next. Zero-initialised is empty. */
typedef struct lancet_normalizer {
    lancet_points a, b, c, d;
} lancet_normalizer;

/** Writes `text` (any bytes) to `out`, emptied first: repaired, references resolved twice, white space
 * collapsed to single spaces and trimmed, lower case.
 * Errors: ARGUMENT (not UTF-8; see lancet_repair), MEMORY. */
lancet_status lancet_normalize(lancet_buffer *out, lancet_normalizer *normalizer, const char *text,
                               size_t length, lancet_error *error);

void lancet_normalizer_close(lancet_normalizer *normalizer);

#endif
