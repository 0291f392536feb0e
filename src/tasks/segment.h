/* Segments into a part of a larger label map. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TASKS_SEGMENT_H
#define LANCET_TASKS_SEGMENT_H

#include "lancet/tasks.h"

/** Where in a label map segments go: `stride` labels from one row to the next. */
typedef struct lancet_segment_place {
    uint16_t *labels;
    size_t width, height, stride;
} lancet_segment_place;

/** Errors: as lancet_maps_segment. */
lancet_status lancet_segment_check(const lancet_segment_options *options, size_t label_count,
                                   lancet_error *error);

/** lancet_maps_segment for options and sizes that have been checked. Errors: MEMORY. */
lancet_status lancet_segment_into(const lancet_segment_place *place, const lancet_maps *maps,
                                  const lancet_segment_options *options, lancet_error *error);

#endif
