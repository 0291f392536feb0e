/* Maps: where in the picture each label is, and the points that follow from it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_MAPS_H
#define LANCET_MAPS_H

#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/labels.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Scores [T, H, W] of T labels over a grid of patches, and on demand the maps at any size. Immutable; stands
 * on its own. */
typedef struct lancet_maps lancet_maps;

/** Where the paper and its published code part (both subtract the redundant feature F_r over a label set):
 * with F_i a token and F_t a label of unit length, s = softmax over labels of tau <F_c, F_t> (Eq. 9),
 * w_t = T s_t, r = 1/T sum over t of w_t F_t, */
typedef enum lancet_surgery_form {
    LANCET_FORM_CODE = 0, /**< S[i,t] = <F_i, w_t F_t - r>: the code weighs the first term as well */
    LANCET_FORM_PAPER     /**< S[i,t] = <F_i, F_t - r>: Eq. 8-11 */
} lancet_surgery_form;

/** Order of min-max normalisation and interpolation (Eq. 1). */
typedef enum lancet_map_order {
    LANCET_ORDER_CODE =
        0, /**< min-max over the grid, then bilinear: the published code; need not reach 0 and 1 */
    LANCET_ORDER_PAPER /**< bilinear, then min-max at the final size: Eq. 1; reaches 0 and 1 */
} lancet_map_order;

/** All zero is the default. */
typedef struct lancet_map_options {
    lancet_redundant redundant; /**< default: AUTO */
    lancet_surgery_form form;   /**< default: CODE; only over a label set */
    lancet_map_order order;     /**< default: CODE */
    float tau;                  /**< Eq. 9's scale, above 0; default (0): 2 */
    bool reversed; /**< every score of a patch negated, so that a map M becomes 1 - M: RCLIP (section
                        4.2); the class token's scores stay */
    lancet_session *session; /**< whose threads share the work, in lancet_maps_compute; default (NULL): the
                                  calling thread does it alone. The scores are the same. */
} lancet_map_options;

/** Feature surgery and similarity (Eq. 8-11): scores of every label at every token.
 *
 * With the empty string: S[i,t] = <F_i, F_t - F_empty>. Tokens are divided by their length first.
 * On success *maps is the caller's, to be closed by lancet_maps_close. On failure *maps is NULL.
 * Errors: ARGUMENT (a NULL, an option out of range, labels and features of different models or widths, an
 * empty string's feature that the bank does not hold), MEMORY. */
LANCET_API lancet_status lancet_maps_compute(lancet_maps **maps, const lancet_features *features,
                                             const lancet_labels *labels, const lancet_map_options *options,
                                             lancet_error *error);

/** Closes, sets *maps to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_maps_close(lancet_maps **maps);

LANCET_API size_t lancet_maps_count(const lancet_maps *maps);       /**< T */
LANCET_API size_t lancet_maps_grid_height(const lancet_maps *maps); /**< H */
LANCET_API size_t lancet_maps_grid_width(const lancet_maps *maps);  /**< W */

/** Raw scores [T, H, W], as computed. Live as long as the maps. */
LANCET_API const float *lancet_maps_scores(const lancet_maps *maps);

/** The class token's scores [T]: the same equation with F_c in F_i's place (the multi-label form). */
LANCET_API const float *lancet_maps_class_scores(const lancet_maps *maps);

/** Text of label `index`; NULL if out of range. Lives as long as the maps. */
LANCET_API const char *lancet_maps_text(const lancet_maps *maps, size_t index);

/** What was subtracted: never AUTO. */
LANCET_API lancet_redundant lancet_maps_redundant(const lancet_maps *maps);

/** Lowest and highest raw score of label `index` over the grid. False if they are equal (or the index is out
 * of range): a constant map says nothing, and lancet_maps_write gives zeros for it. */
LANCET_API bool lancet_maps_range(const lancet_maps *maps, size_t index, float *low, float *high);

/** Writes label `index`'s map [height, width], 0 to 1, into the caller's `map`: min-max and bilinear
 * interpolation (half-pixel centres, no antialias) in the order that was chosen. A constant map gives zeros.
 * Errors: ARGUMENT (a NULL, an index or size out of range), MEMORY. */
LANCET_API lancet_status lancet_maps_write(const lancet_maps *maps, size_t index, size_t width, size_t height,
                                           float *map, lancet_error *error);

/** A place that is on the thing (positive) or off it. */
typedef struct lancet_point {
    int x, y; /**< pixels of a picture of the size asked for */
    bool positive;
} lancet_point;

/** Points for a prompt-driven segmenter such as SAM (section 4.4 of the paper): the scores halved in size
 * (bilinear), min-max, positive where >= threshold (best last), as many negatives from the lowest; at most
 * half the cells each.
 *
 * Writes up to `capacity` points into the caller's `points` (positives first), and their number into *count.
 * Enough is always grid_height * grid_width / 4 + 1. A constant map gives none. threshold: 0 to 1; negative:
 * the default, 0.8. Errors: ARGUMENT (a NULL, an index out of range, too small a capacity). MEMORY. */
LANCET_API lancet_status lancet_maps_points(const lancet_maps *maps, size_t index, size_t width,
                                            size_t height, double threshold, lancet_point *points,
                                            size_t capacity, size_t *count, lancet_error *error);

/** Points for several things at once, "a + b": one sentence that names both lets the stronger of them win.
 * Each of `indices` [index_count] is a text of its own (the maps then want LANCET_REDUNDANT_EMPTY, so that
 * the texts do not compete). Its map is scaled to 0..1 over the grid, and the maps are averaged; negative
 * points are the mean map's, positive ones each map's own, all found as above.
 *
 * Writes the negative points first, then the positive ones of each text in turn, best last. Enough is always
 * (index_count + 1) * (grid_height * grid_width / 8 + 1). A constant map gives none. Errors: as
 * lancet_maps_points; ARGUMENT also for no index at all. */
LANCET_API lancet_status lancet_maps_points_combined(const lancet_maps *maps, const size_t *indices,
                                                     size_t index_count, size_t width, size_t height,
                                                     double threshold, lancet_point *points, size_t capacity,
                                                     size_t *count, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
