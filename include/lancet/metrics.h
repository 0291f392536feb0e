/* Metrics: how well maps, scores, points and label maps agree with ground truth. Part of liblancet-eval.
 *
 * All are functions of numbers alone, in double precision, and always add up in the same order, so that the
 * same input gives the same bytes. None of them needs a model.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_METRICS_H
#define LANCET_METRICS_H

#include "lancet/error.h"
#include "lancet/maps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a pixel of a binary ground truth says. */
enum {
    LANCET_TRUTH_OFF = 0,    /**< not the label: background */
    LANCET_TRUTH_ON = 1,     /**< the label: foreground */
    LANCET_TRUTH_UNKNOWN = 2 /**< not to be counted: borders, crowds */
};

/** Thresholds of the grid search: t = k / 100 for k = 0 to 99; a pixel is foreground where M > t. */
#define LANCET_THRESHOLDS 100

/** Pixels that a mask has right and wrong. */
typedef struct lancet_overlap {
    uint64_t on;  /**< in the mask and in the foreground: true positives */
    uint64_t off; /**< in the mask and in the background: false positives */
} lancet_overlap;

/** One map of one label held against its ground truth: a sample, in the paper's words. Plain numbers. */
typedef struct lancet_map_score {
    uint64_t foreground, background;       /**< pixels; unknown ones are in neither */
    double foreground_sum, background_sum; /**< of the map's values */
    lancet_overlap at[LANCET_THRESHOLDS];  /**< of the mask M > k / 100 */
    lancet_overlap at_otsu; /**< of the mask above Otsu's threshold of this map (256 bins over 0..1) */
    lancet_overlap at_mean; /**< of the mask above the map's own mean */
} lancet_map_score;

/** Scores `map` [count], values 0 to 1, against `truth` [count] of the values above. Otsu's threshold and the
 * mean are over all pixels, unknown ones included, since the method that made the map knows nothing of them.
 * Errors: ARGUMENT (a NULL, a value of `truth` that is none, a map value outside 0..1 or NaN). */
LANCET_API lancet_status lancet_map_score_compute(lancet_map_score *score, const float *map,
                                                  const uint8_t *truth, size_t count, lancet_error *error);

/** SC, the paper's Eq. 12 for one sample, -1 to 1: mean of the map over the foreground minus over the
 * background. False if one of the two is empty: then the sample has none. */
LANCET_API bool lancet_map_score_contrast(const lancet_map_score *score, double *contrast);

/** Intersection over union of a mask with the foreground, 0 to 1; 0 if both are empty. */
LANCET_API double lancet_overlap_iou(const lancet_overlap *overlap, uint64_t foreground);

/** How thresholds are chosen (spec: the first version of the paper says "grid-searched"; per what, it does
 * not). */
typedef enum lancet_threshold {
    LANCET_THRESHOLD_BEST = 0,  /**< one for all samples: the best of the grid (default) */
    LANCET_THRESHOLD_PER_CLASS, /**< the best of the grid for each class */
    LANCET_THRESHOLD_PER_IMAGE, /**< the best of the grid for each sample: an upper bound */
    LANCET_THRESHOLD_OTSU,      /**< Otsu's, for each map */
    LANCET_THRESHOLD_MEAN,      /**< each map's mean */
    LANCET_THRESHOLD_FIXED      /**< `fixed` */
} lancet_threshold;

/** Over what the mean is taken. */
typedef enum lancet_average {
    LANCET_AVERAGE_CLASS =
        0, /**< over samples within a class, then over classes with samples (Eq. 12; default) */
    LANCET_AVERAGE_SAMPLE /**< over all samples */
} lancet_average;

/** All zero is the default. */
typedef struct lancet_totals_options {
    lancet_threshold threshold;
    lancet_average average;
    int fixed;     /**< k of the threshold k / 100, 0 to 99; only with FIXED */
    int resamples; /**< of the bootstrap; default (0): 1000; -1: none, and the intervals are all zero */
    uint64_t seed; /**< of the bootstrap; default: 0, which is a seed like any other */
} lancet_totals_options;

/** One sample and whose it is. */
typedef struct lancet_sample {
    size_t
        picture;  /**< any number that is the same for the samples of one picture: what the bootstrap draws */
    size_t label; /**< class, 0 to class_count - 1 */
    const lancet_map_score *score;
} lancet_sample;

/** A figure and its bootstrap interval of 95 %, in per cent. */
typedef struct lancet_figure {
    double value, low, high;
} lancet_figure;

/** What a class came to, in per cent; NaN where it has no sample. */
typedef struct lancet_class_total {
    size_t samples;          /**< that count for `iou` */
    size_t contrast_samples; /**< that have a foreground and a background */
    double iou, contrast;    /**< means over them: mIoU and mSC of the class */
    double foreground_share; /**< mean share of foreground pixels: the IoU of the mask that is everything */
    int threshold;           /**< k of the threshold that was used; -1 where each map has its own */
} lancet_class_total;

typedef struct lancet_totals {
    lancet_figure miou, msc;
    double everything; /**< mIoU of the mask that is everything, averaged alike: a check of the data set */
    int threshold;     /**< k of the one threshold; -1 where there is not one for all */
    size_t samples, pictures, classes; /**< what was averaged; classes: those with samples */
    double curve[LANCET_THRESHOLDS];   /**< mIoU in per cent at every threshold of the grid */
} lancet_totals;

/** mIoU and mSC (Eq. 12) of all samples, in per cent. A sample without foreground counts for neither; one
 * without background for mIoU alone. Of thresholds that are equally good the lowest is taken. The bootstrap
 * draws pictures with replacement and keeps BEST's and PER_CLASS's thresholds as they were chosen on all.
 *
 * classes: [class_count], the caller's, filled; may be NULL.
 * Errors: ARGUMENT (a NULL, a label or option out of range, no sample that counts), MEMORY. */
LANCET_API lancet_status lancet_totals_compute(lancet_totals *totals, lancet_class_total *classes,
                                               const lancet_sample *samples, size_t count, size_t class_count,
                                               const lancet_totals_options *options, lancet_error *error);

/** Average precision of one class over pictures, 0 to 1: sorted by falling score, the mean of precision@k
 * over the ranks k of the positives. Equal scores stay in the order given. NaN if nothing is positive.
 * positive: 1 yes, 0 no, 2 not to be counted. Errors: ARGUMENT (a NULL, a score that is NaN), MEMORY. */
LANCET_API lancet_status lancet_average_precision(double *precision, const float *scores,
                                                  const uint8_t *positive, size_t count, lancet_error *error);

/** Adds a picture's label map to a confusion matrix [class_count, class_count] (row: truth, column:
 * prediction). Pixels whose truth is class_count or more are not counted; a prediction of class_count or more
 * (background) is counted in `missed` [class_count] (may be NULL if there are none). Errors: ARGUMENT (a
 * NULL, a prediction out of range without `missed`). */
LANCET_API lancet_status lancet_confusion_add(uint64_t *confusion, uint64_t *missed, size_t class_count,
                                              const uint16_t *truth, const uint16_t *prediction, size_t count,
                                              lancet_error *error);

/** IoU of each class in per cent, TP / (TP + FP + FN) over the whole data set, into `iou` [class_count]: NaN
 * for a class that is in neither truth nor prediction; their mean over the others, and the share of right
 * pixels. `missed`, `mean`, `accuracy` may be NULL. */
LANCET_API void lancet_confusion_iou(double *iou, double *mean, double *accuracy, const uint64_t *confusion,
                                     const uint64_t *missed, size_t class_count);

/** FSR (Eq. 4), 0 to 1: the share of a non-negative map's sum that lies on the foreground; unknown pixels are
 * left out of both sums. False if there is no sum to share. */
LANCET_API bool lancet_foreground_share(double *share, const float *map, const uint8_t *truth, size_t count);

/** How many points of each kind there are, and how many lie right. */
typedef struct lancet_points_score {
    uint64_t positive, positive_right; /**< right: on the foreground */
    uint64_t negative, negative_right; /**< right: on the background */
} lancet_points_score;

/** Holds points against `truth` [height, width]; points on unknown pixels are not counted. Points outside of
 * the picture are wrong. */
LANCET_API void lancet_points_score_add(lancet_points_score *score, const lancet_point *points, size_t count,
                                        const uint8_t *truth, size_t width, size_t height);

/** Mean absolute difference of two maps [count]; `other` NULL stands for zeros (Fig. 6). */
LANCET_API double lancet_map_distance(const float *map, const float *other, size_t count);

#ifdef __cplusplus
}
#endif
#endif
