/* Windows: maps of pictures that are larger than what one pass through the model takes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_WINDOWS_H
#define LANCET_WINDOWS_H

#include "lancet/error.h"
#include "lancet/features.h"
#include "lancet/labels.h"
#include "lancet/maps.h"
#include "lancet/picture.h"
#include "lancet/session.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** All zero is the default. */
typedef struct lancet_window_options {
    int side; /**< a window is side x side pixels, a whole number of patches, at most LANCET_SIDE_MAX; default
                 (0): the model's own input side */
    int stride; /**< pixels from one window to the next, across and down, 1 to side; default (0): half of
                   side, in whole patches */
    bool (*progress)(void *context, size_t done, size_t total); /**< called now and then with the number of
          windows done; false stops the work with ARGUMENT "stopped". NULL: not called. */
    void *progress_context;
} lancet_window_options;

/** The most windows of one picture, and the most cells of its maps. */
#define LANCET_WINDOWS_MAX      65536
#define LANCET_WINDOW_CELLS_MAX 16777216

/** What the options (NULL: all zero) come to for one picture: features->width and height are the size that
 * the whole picture is resized to, windows->side and stride are set, and so is everything else that
 * lancet_feature_options_resolve sets. Errors: as lancet_maps_slide. */
LANCET_API lancet_status lancet_window_options_resolve(
    lancet_feature_options *resolved_features, lancet_window_options *resolved_windows,
    const lancet_model *model, const lancet_picture *picture, const lancet_feature_options *features,
    const lancet_window_options *windows, lancet_error *error);

/** Pixels of a cell's side (g below), for options that lancet_window_options_resolve has given. */
LANCET_API size_t lancet_window_cell(const lancet_model *model, const lancet_feature_options *features,
                                     const lancet_window_options *windows);

/** Scores of a picture that the model looks at through windows.
 *
 * The picture is resized to h x w pixels: by `features`, where its sides may be up to
 * LANCET_PICTURE_SIDE_MAX; where these say no size, to its own, each side rounded to the nearest whole number
 * of patches and the picture enlarged, its shape kept, if its shorter side is less than a window's. Windows
 * of n = side pixels begin at
 *
 *      y_k = min(k stride, h - n), k = 0, 1, ... up to h - n, and x_k likewise
 *
 * so that the last ones are flush with the border. Each is encoded by itself, as a picture of its own with a
 * class token of its own, and gets the scores S_k that lancet_maps_compute gives for it. Where windows
 * overlap their scores are averaged: with g the greatest common divisor of the patch p and of all y_k and
 * x_k, the result has H = h / g rows of W = w / g cells, and
 *
 *      S[t, a, b] = mean over the windows (y_k, x_k) that cover cell (a, b) of
 *                   S_k[t, floor((g a - y_k) / p), floor((g b - x_k) / p)]
 *
 * With stride and size in whole patches (as the size is by default) g is the patch, and H x W is the grid
 * that one pass over the whole picture would have. Class scores are the mean over all windows. A single
 * window gives the bytes of lancet_maps_compute.
 *
 * Windows run in batches: memory holds the resized picture, some windows' tokens and the scores, whatever the
 * number of windows. On success *maps is the caller's (lancet_maps_close), made like any other. On failure
 * *maps is NULL. Errors: as lancet_features_encode and lancet_maps_compute; ARGUMENT also for a window larger
 * than the resized picture or not of whole patches, and for more windows or cells than the limits above. */
LANCET_API lancet_status lancet_maps_slide(lancet_maps **maps, lancet_session *session,
                                           const lancet_picture *picture, const lancet_labels *labels,
                                           const lancet_feature_options *features,
                                           const lancet_window_options *windows,
                                           const lancet_map_options *options, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
