/* Tasks: what the paper does with a model besides explaining it (its section 4.4).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_TASKS_H
#define LANCET_TASKS_H

#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/labels.h"
#include "lancet/maps.h"
#include "lancet/picture.h"
#include "lancet/session.h"
#include "lancet/windows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Classes of several words ---------------------------------------------------------------- */

/** One label for each class out of the labels of its words: the mean of their features, divided by its
 * length, as templates are averaged. `words` holds the words of class 0, then those of class 1, ...; counts
 * [class_count], each at least 1, sums to their number. A class goes by its first word's text; the empty
 * string's features are kept.
 *
 * On success *classes is the caller's (lancet_labels_close). On failure it is NULL. Errors: ARGUMENT (a NULL,
 * a count of 0, counts that do not add up), MEMORY. */
LANCET_API lancet_status lancet_labels_group(lancet_labels **classes, const lancet_labels *words,
                                             const size_t *counts, size_t class_count, lancet_error *error);

/* ---- Open-vocabulary semantic segmentation --------------------------------------------------- */

/** The class of a pixel that is of none. */
#define LANCET_SEGMENT_NONE 0xFFFE

/** The most classes of a segmentation. */
#define LANCET_SEGMENT_CLASSES_MAX 65000

/** Which pixels are of no class. */
typedef enum lancet_background {
    LANCET_BACKGROUND_NEVER = 0,   /**< every pixel is of the class that fits it best */
    LANCET_BACKGROUND_PROBABILITY, /**< where max over t of softmax_t(scale S) is below the threshold */
    LANCET_BACKGROUND_SCORE        /**< where the best score is below the threshold */
} lancet_background;

/** All zero is the default: every pixel is of some class, as the paper evaluates it. */
typedef struct lancet_segment_options {
    lancet_background background;
    float threshold; /**< for `background` */
    float scale;     /**< of the softmax, above 0; default (0): 100, which is CLIP's own to within rounding */
} lancet_segment_options;

/** segments [height, width] = for each pixel the label whose scores, interpolated bilinearly from the grid
 * (half-pixel centres, as lancet_maps_write does), are the highest there; of equal ones the first;
 * LANCET_SEGMENT_NONE for background. Nothing is scaled to 0..1 on the way, which would change the winner.
 * The maps are plain cosines (LANCET_REDUNDANT_NONE) in the paper, but any will do. Errors: ARGUMENT (a NULL,
 * an option or size out of range, more than LANCET_SEGMENT_CLASSES_MAX labels), MEMORY. */
LANCET_API lancet_status lancet_maps_segment(uint16_t *segments, const lancet_maps *maps, size_t width,
                                             size_t height, const lancet_segment_options *options,
                                             lancet_error *error);

/** The most crops along a side. */
#define LANCET_CROPS_MAX 64

/** From picture to segments. All zero is the default: the picture as a whole, architecture surgery, plain
 * cosines. */
typedef struct lancet_segment_task {
    lancet_feature_options features; /**< the paper: side 512 */
    lancet_map_options maps;         /**< `redundant` AUTO (0) means NONE here */
    /** NULL, or: look through windows and average where they overlap (lancet/windows.h) */
    const lancet_window_options *windows;
    /** Both or neither: the picture is resized to that many crops of the size that `features` say (without
     * short_side), each is a picture of its own, and their segments are laid side by side: the paper's way
     * with Cityscapes, 4 x 2 of 512 x 512. At most LANCET_CROPS_MAX each; not with windows. */
    int crop_columns, crop_rows;
    lancet_segment_options segments;
} lancet_segment_task;

/** segments [picture->height, picture->width], as lancet_maps_segment makes them, of a whole picture, through
 * windows or crop by crop. A crop in column i of n is of the pixels from round(i width / n) on.
 * Errors: as lancet_features_encode, lancet_maps_slide, lancet_maps_compute and lancet_maps_segment. */
LANCET_API lancet_status lancet_segment(uint16_t *segments, lancet_session *session,
                                        const lancet_picture *picture, const lancet_labels *labels,
                                        const lancet_segment_task *task, lancet_error *error);

/* ---- Multi-label recognition ----------------------------------------------------------------- */

/** How well one label fits a picture as a whole: F_c is the class token and F_t the label, both of unit
 * length. */
typedef struct lancet_recognition {
    /** <F_c, F_t> */
    float cosine;
    /** softmax over the labels of scale <F_c, F_t>: CLIP's own */
    float probability;
    /** feature surgery over the labels, <F_c, w_t F_t - r> (lancet_surgery_form); of one label alone <F_c,
     * F_t - F_empty>, or 0 if the labels hold no empty string */
    float surgery_code;
    /** <F_c, F_t - r>; of one label alone the same as surgery_code */
    float surgery_paper;
    /** 1 / (1 + exp(-scale <F_c, F_t - F_empty>)): the label's share of a softmax over itself and the empty
     * string through the same templates, whatever the other labels; 1/2 where both fit alike. NaN if the
     * labels hold no such feature (encode them with LANCET_REDUNDANT_EMPTY). */
    float presence;
} lancet_recognition;

/** All zero is the default. */
typedef struct lancet_recognise_options {
    float scale; /**< above 0; default (0): 100. A model's own is lancet_model_description.logit_scale. */
    float tau;   /**< of feature surgery's weights, above 0; default (0): 2 */
} lancet_recognise_options;

/** scores [T] of the labels. The class token is the original path's on whichever path the patches are, so any
 * features will do but those with LANCET_POOL_CLASS_VV. For multi-label recognition the paper takes the
 * surgery's scores (its section 4.4) and compares pictures by them; the published numbers of CLIP are of the
 * softmax. Errors: ARGUMENT (a NULL, an option out of range, labels and features of different models or
 * widths), MEMORY.
 */
LANCET_API lancet_status lancet_recognise(lancet_recognition *scores, const lancet_features *features,
                                          const lancet_labels *labels,
                                          const lancet_recognise_options *options, lancet_error *error);

/* ---- Multimodal view ------------------------------------------------------------------------- */

/** One token of a caption, against a picture. */
typedef struct lancet_token_rank {
    float score; /**< <F_c, T_k>, both of unit length */
    size_t rank; /**< 1 for the highest score; of equal ones the first in the text */
} lancet_token_rank;

/** ranks [T] of a caption's tokens, which lancet_labels_encode_tokens gives, by plain cosine with the
 * picture's class token. The map of token k is lancet_maps_compute with LANCET_REDUNDANT_EMPTY_BARE: S[i,k] =
 * <F_i, T_k - F_empty>. Errors: ARGUMENT (a NULL, tokens and features of different models or widths), MEMORY.
 */
LANCET_API lancet_status lancet_caption_rank(lancet_token_rank *ranks, const lancet_features *features,
                                             const lancet_labels *tokens, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
