/* Data sets whose masks are label maps: which pictures and masks there are. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LANCET_EVAL_LABEL_MAPS_H
#define LANCET_EVAL_LABEL_MAPS_H

#include "eval/dataset.h"

/** One way in which a layout's folders may lie. "%s" in a name stands for the part (split). */
typedef struct lancet_label_place {
    const char *pictures, *masks; /* folders */
    const char *list;             /* file with the pictures' ids; NULL: whole folders */
    const char *picture_ending;   /* "_leftImg8bit.png"; NULL: any picture's */
    const char *mask_ending;      /* NULL: ".png" */
    const char *classes;          /* list that its masks go by; NULL: the reader's */
    bool common; /* many layouts may look like that: not recognised by it, only opened when asked for */
    bool look;   /* it is there only if it has masks of that ending */
} lancet_label_place;

typedef struct lancet_label_maps {
    const lancet_label_place *places; /* [place_count] in the order of trying */
    size_t place_count;
    const char *const *parts; /* NULL-terminated: splits to try unless the options name one */
} lancet_label_maps;

/** A reader's recognise. */
lancet_status lancet_label_maps_recognise(const lancet_label_maps *maps, const lancet_dataset_source *source,
                                          lancet_buffer *evidence, lancet_error *error);

/** Makes the entries, with those that are broken in trouble. *place (may be NULL) = the one that fitted. A
 * split that the options name is never passed over: places without parts are then left out. Errors: ARGUMENT
 * (nothing is where it should be), IO, INPUT, MEMORY. */
lancet_status lancet_label_maps_open(const lancet_label_maps *maps, lancet_dataset *dataset,
                                     const lancet_dataset_source *source, const lancet_label_place **place,
                                     lancet_error *error);

#endif
