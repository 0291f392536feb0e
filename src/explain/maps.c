/* Similarity maps. SPDX-License-Identifier: Apache-2.0 */
#include "explain/maps.h"

#include "base/memory.h"
#include "base/status.h"
#include "clip/session.h"
#include "explain/feature_surgery.h"
#include "tensor/interpolate.h"

#include <math.h>
#include <string.h>

static lancet_status check_options(const lancet_map_options *options, lancet_error *error)
{
    if (options->redundant < LANCET_REDUNDANT_AUTO || options->redundant > LANCET_REDUNDANT_NONE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "redundant: expected a lancet_redundant, found %d",
                           (int)options->redundant);
    if (options->form != LANCET_FORM_CODE && options->form != LANCET_FORM_PAPER)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "form: expected a lancet_surgery_form, found %d",
                           (int)options->form);
    if (options->order != LANCET_ORDER_CODE && options->order != LANCET_ORDER_PAPER)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "order: expected a lancet_map_order, found %d",
                           (int)options->order);
    if (!(options->tau >= 0) || !isfinite(options->tau))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "tau: expected a number above 0, found %g",
                           (double)options->tau);
    return LANCET_OK;
}

lancet_status lancet_maps_check_pair(const lancet_features *features, const lancet_labels *labels,
                                     lancet_error *error)
{
    const char *picture = lancet_features_model_hash(features), *words = lancet_labels_model_hash(labels);

    if (lancet_features_width(features) != lancet_labels_width(labels))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "labels: expected %zu channels as the features have, found %zu: another model's",
                           lancet_features_width(features), lancet_labels_width(labels));
    if (strcmp(picture, words) != 0)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "labels: expected those of model %s, found those of model %s", picture, words);
    return LANCET_OK;
}

/* Decides AUTO and finds the empty string's feature. */
static lancet_status choose_redundant(lancet_redundant *redundant, const float **empty,
                                      const lancet_labels *labels, lancet_error *error)
{
    if (*redundant == LANCET_REDUNDANT_AUTO)
        *redundant = lancet_labels_count(labels) == 1 ? LANCET_REDUNDANT_EMPTY : LANCET_REDUNDANT_LABELS;
    if (*redundant != LANCET_REDUNDANT_EMPTY && *redundant != LANCET_REDUNDANT_EMPTY_BARE)
        return LANCET_OK;
    *empty = lancet_labels_empty(labels, *redundant == LANCET_REDUNDANT_EMPTY_BARE);
    if (!*empty)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "redundant: the labels hold no feature of the empty string%s: encode them with it",
                           *redundant == LANCET_REDUNDANT_EMPTY ? " through their templates" : "");
    return LANCET_OK;
}

static lancet_status allocate_maps(lancet_maps *maps, const lancet_labels *labels, size_t height,
                                   size_t width, lancet_error *error)
{
    const size_t count = lancet_labels_count(labels);

    maps->height = height;
    maps->width = width;
    maps->scores = lancet_allocate(count * maps->height * maps->width, sizeof *maps->scores);
    maps->class_scores = lancet_allocate(count, sizeof *maps->class_scores);
    maps->texts = lancet_allocate_zero(count, sizeof *maps->texts);
    if (!maps->scores || !maps->class_scores || !maps->texts)
        return lancet_fail_memory(error, "maps");
    maps->count = count;
    for (size_t t = 0; t < count; t++) {
        const char *text = lancet_labels_text(labels, t);

        maps->texts[t] = lancet_copy_text(text, strlen(text));
        if (!maps->texts[t])
            return lancet_fail_memory(error, "maps");
    }
    return LANCET_OK;
}

lancet_status lancet_maps_make(lancet_maps **result, const lancet_labels *labels, size_t height, size_t width,
                               lancet_error *error)
{
    lancet_maps *maps = lancet_allocate_zero(1, sizeof *maps);
    const lancet_status status =
        maps ? allocate_maps(maps, labels, height, width, error) : lancet_fail_memory(error, "maps");

    if (status != LANCET_OK)
        lancet_maps_close(&maps);
    *result = maps;
    return status;
}

lancet_status lancet_maps_compute(lancet_maps **result, const lancet_features *features,
                                  const lancet_labels *labels, const lancet_map_options *given,
                                  lancet_error *error)
{
    const lancet_map_options options = given ? *given : (lancet_map_options){0};
    lancet_feature_surgery surgery = {.form = options.form, .tau = options.tau > 0 ? options.tau : 2};
    lancet_redundant redundant = options.redundant;
    lancet_maps *maps = NULL;
    lancet_status status;

    if (!result || !features || !labels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_compute: %s is NULL",
                           !result     ? "maps"
                           : !features ? "features"
                                       : "labels");
    *result = NULL;
    status = check_options(&options, error);
    if (status == LANCET_OK)
        status = lancet_maps_check_pair(features, labels, error);
    if (status == LANCET_OK)
        status = choose_redundant(&redundant, &surgery.empty, labels, error);
    if (status != LANCET_OK)
        return status;
    status = lancet_maps_make(&maps, labels, lancet_features_grid_height(features),
                              lancet_features_grid_width(features), error);
    if (status != LANCET_OK)
        goto done;
    maps->redundant = redundant;
    maps->order = options.order;
    surgery.tokens = lancet_features_tokens(features);
    surgery.cells = maps->height * maps->width;
    surgery.width = lancet_features_width(features);
    surgery.labels = lancet_labels_features(labels);
    surgery.count = maps->count;
    surgery.over_labels = redundant == LANCET_REDUNDANT_LABELS;
    surgery.reversed = options.reversed;
    if (surgery.over_labels)
        maps->weights = lancet_allocate(maps->count, sizeof *maps->weights);
    if (surgery.over_labels && !maps->weights) {
        status = lancet_fail_memory(error, "maps");
        goto done;
    }
    lancet_feature_surgery_run(&(lancet_surgery_scores){maps->scores, maps->class_scores, maps->weights},
                               &surgery, options.session ? options.session->pool : NULL);
    *result = maps;
    maps = NULL;
done:
    lancet_maps_close(&maps);
    return status;
}

void lancet_maps_close(lancet_maps **result)
{
    lancet_maps *maps = result ? *result : NULL;

    if (!maps)
        return;
    for (size_t t = 0; t < maps->count; t++)
        lancet_free(maps->texts[t]);
    lancet_free(maps->texts);
    lancet_free(maps->scores);
    lancet_free(maps->class_scores);
    lancet_free(maps->weights);
    lancet_free(maps);
    *result = NULL;
}

/* Values that are looked at side by side: one after the other each would wait for the one before. */
#define LANES 64

/* Numbers that are none are passed over, unless the first is. */
static bool find_range(const float *values, size_t count, float *low, float *high)
{
    const size_t whole = count - count % LANES;
    float lows[LANES], highs[LANES];

    for (size_t k = 0; k < LANES; k++)
        lows[k] = highs[k] = values[0];
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            lows[k] = values[i + k] < lows[k] ? values[i + k] : lows[k];
            highs[k] = values[i + k] > highs[k] ? values[i + k] : highs[k];
        }
    for (size_t i = whole; i < count; i++) {
        lows[0] = values[i] < lows[0] ? values[i] : lows[0];
        highs[0] = values[i] > highs[0] ? values[i] : highs[0];
    }
    *low = lows[0];
    *high = highs[0];
    for (size_t k = 1; k < LANES; k++) {
        *low = lows[k] < *low ? lows[k] : *low;
        *high = highs[k] > *high ? highs[k] : *high;
    }
    return *high > *low;
}

void lancet_map_normalise(float *values, size_t count)
{
    float low, high;

    if (!find_range(values, count, &low, &high)) {
        memset(values, 0, count * sizeof *values);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = (values[i] - low) / (high - low);
}

bool lancet_maps_range(const lancet_maps *maps, size_t index, float *low, float *high)
{
    float lowest, highest;

    if (!maps || index >= maps->count)
        return false;
    const size_t cells = maps->height * maps->width;
    const bool differ = find_range(maps->scores + index * cells, cells, &lowest, &highest);

    if (low)
        *low = lowest;
    if (high)
        *high = highest;
    return differ;
}

lancet_status lancet_maps_write(const lancet_maps *maps, size_t index, size_t width, size_t height,
                                float *map, lancet_error *error)
{
    if (!maps || !map)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_write: %s is NULL",
                           maps ? "map" : "maps");
    if (index >= maps->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "index: expected 0 to %zu, found %zu",
                           maps->count - 1, index);
    if (width < 1 || height < 1 || width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "map size: expected sides of 1 to %d, found %zux%zu",
                           LANCET_PICTURE_SIDE_MAX, width, height);
    const size_t cells = maps->height * maps->width;
    float *grid = lancet_allocate(cells, sizeof *grid);
    bool fits = grid != NULL;

    if (fits) {
        memcpy(grid, maps->scores + index * cells, cells * sizeof *grid);
        if (maps->order == LANCET_ORDER_CODE)
            lancet_map_normalise(grid, cells);
        fits = lancet_interpolate_bilinear(map, height, width, grid, maps->height, maps->width, 1);
        if (fits && maps->order == LANCET_ORDER_PAPER)
            lancet_map_normalise(map, width * height);
    }
    lancet_free(grid);
    return fits ? LANCET_OK : lancet_fail_memory(error, "a map");
}

size_t lancet_maps_count(const lancet_maps *maps)
{
    return maps ? maps->count : 0;
}

size_t lancet_maps_grid_height(const lancet_maps *maps)
{
    return maps ? maps->height : 0;
}

size_t lancet_maps_grid_width(const lancet_maps *maps)
{
    return maps ? maps->width : 0;
}

const float *lancet_maps_scores(const lancet_maps *maps)
{
    return maps ? maps->scores : NULL;
}

const float *lancet_maps_class_scores(const lancet_maps *maps)
{
    return maps ? maps->class_scores : NULL;
}

const char *lancet_maps_text(const lancet_maps *maps, size_t index)
{
    return maps && index < maps->count ? maps->texts[index] : NULL;
}

lancet_redundant lancet_maps_redundant(const lancet_maps *maps)
{
    return maps ? maps->redundant : LANCET_REDUNDANT_NONE;
}
