/* What `lancet explain` says about a picture in JSON. SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

/* Every setting as it was in effect: defaults filled in, "auto" replaced by what it came to. */
static json_t *describe_settings(const explain_job *job, const explain_picture *picture)
{
    const explain_settings *settings = job->settings;
    const lancet_model_description *about = lancet_model_describe(job->model);
    const lancet_feature_options *features = picture->features;
    const lancet_window_options *windows = picture->windows;
    const lancet_redundant redundant = lancet_maps_redundant(picture->maps);
    const bool over_labels = redundant == LANCET_REDUNDANT_LABELS;
    const int start = features->surgery_start;
    const bool pool = strcmp(about->family, "ModifiedResNet") == 0 && features->path == LANCET_PATH_SURGERY;
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "path", json_words(way_name(features->path)));
    json_put(&good, object, "method", json_words(settings->method));
    json_put(&good, object, "side",
             features->width == features->height ? json_integer(features->width) : json_null());
    json_put(&good, object, "input_width", json_integer(features->width));
    json_put(&good, object, "input_height", json_integer(features->height));
    json_put(&good, object, "window", windows ? json_integer(windows->side) : json_null());
    json_put(&good, object, "stride", windows ? json_integer(windows->stride) : json_null());
    json_put(&good, object, "surgery_start", start ? json_integer(start) : json_null());
    json_put(&good, object, "surgery_last",
             start ? json_integer(about->vision_blocks - start + 1) : json_null());
    json_put(&good, object, "rn_attn",
             pool ? json_words(pool_attention_names[features->pool_attention]) : json_null());
    json_put(&good, object, "rn_cls",
             pool ? json_words(pool_class_names[features->pool_class]) : json_null());
    json_put(&good, object, "redundant", json_words(redundant_names[redundant]));
    json_put(&good, object, "form",
             over_labels ? json_words(settings->form ? "paper" : "code") : json_null());
    json_put(&good, object, "tau", over_labels ? json_number(settings->tau) : json_null());
    json_put(&good, object, "order", json_words(settings->order ? "paper" : "code"));
    json_put(&good, object, "labels", json_words(settings->labels));
    json_put(&good, object, "templates", job->bank ? json_null() : json_words(settings->templates));
    json_put(&good, object, "template_count", job->bank ? json_null() : json_count(job->template_count));
    json_put(&good, object, "mean", json_numbers(features->mean, 3));
    json_put(&good, object, "std", json_numbers(features->deviation, 3));
    json_put(&good, object, "ignore_orientation", json_boolean(settings->picture.ignore_orientation));
    json_put(&good, object, "threshold", json_number(settings->threshold));
    json_put(&good, object, "colours", json_words(lancet_colours_name((lancet_colours)settings->colours)));
    json_put(&good, object, "note", json_words(settings->note));
    json_put(&good, object, "vocabulary", job->bank ? json_null() : json_words(about->vocabulary));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

/* The raw scores of one text, row after row. */
static json_t *describe_scores(const lancet_maps *maps, size_t index)
{
    const size_t height = lancet_maps_grid_height(maps), width = lancet_maps_grid_width(maps);
    const float *scores = lancet_maps_scores(maps) + index * height * width;
    json_t *rows = json_array();
    bool good = rows != NULL;

    for (size_t y = 0; good && y < height; y++)
        json_add(&good, rows, json_numbers(scores + y * width, width));
    if (good)
        return rows;
    json_decref(rows);
    return NULL;
}

/* Puts "points" [[x, y], ...] and "point_labels" [1 or 0, ...] into the text's object. */
static void describe_points(bool *good, json_t *object, const explain_job *job,
                            const explain_picture *picture, size_t index)
{
    const lancet_picture pixels = lancet_image_picture(picture->picture->image);
    const size_t capacity =
        lancet_maps_grid_height(picture->maps) * lancet_maps_grid_width(picture->maps) / 4 + 1;
    lancet_point *points = calloc(capacity, sizeof *points);
    json_t *places = json_array(), *labels = json_array();
    size_t count = 0;

    if (!points || lancet_maps_points(picture->maps, index, pixels.width, pixels.height,
                                      job->settings->threshold, points, capacity, &count, NULL) != LANCET_OK)
        *good = false;
    for (size_t i = 0; *good && i < count; i++) {
        json_add(good, places, json_pack("[i, i]", points[i].x, points[i].y));
        json_add(good, labels, json_integer(points[i].positive));
    }
    json_put(good, object, "points", places);
    json_put(good, object, "point_labels", labels);
    free(points);
}

static json_t *describe_text(const explain_job *job, const explain_picture *picture, size_t index)
{
    float low = 0, high = 0;
    const bool varies = lancet_maps_range(picture->maps, index, &low, &high);
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "text", json_words(lancet_maps_text(picture->maps, index)));
    json_put(&good, object, "class_score",
             json_number((double)lancet_maps_class_scores(picture->maps)[index]));
    json_put(&good, object, "score_low", json_number((double)low));
    json_put(&good, object, "score_high", json_number((double)high));
    json_put(&good, object, "constant", json_boolean(!varies));
    if (good)
        describe_points(&good, object, job, picture, index);
    if (job->settings->write & EXPLAIN_JSON)
        json_put(&good, object, "scores", describe_scores(picture->maps, index));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *describe_warnings(const explain_job *job, const explain_picture *picture)
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < lancet_maps_count(picture->maps); i++) {
        const char *lost = lancet_labels_lost(job->labels, i);
        float low, high;

        if (lost)
            json_add(&good, array,
                     json_sprintf("text %zu is longer than the model reads; lost: \"%s\"", i + 1, lost));
        if (!lancet_maps_range(picture->maps, i, &low, &high))
            json_add(&good, array, json_sprintf("text %zu: the map is constant, it says nothing", i + 1));
    }
    if (good)
        return array;
    json_decref(array);
    return NULL;
}

json_t *explain_describe(const explain_job *job, const explain_picture *picture)
{
    json_t *object = json_object(), *grid = json_object(), *list = json_array();
    bool good = object && grid && list;

    if (good) {
        json_put(&good, grid, "height", json_count(lancet_maps_grid_height(picture->maps)));
        json_put(&good, grid, "width", json_count(lancet_maps_grid_width(picture->maps)));
    }
    for (size_t i = 0; good && i < lancet_maps_count(picture->maps); i++)
        json_add(&good, list, describe_text(job, picture, i));
    if (!good) {
        json_decref(object);
        json_decref(grid);
        json_decref(list);
        return NULL;
    }
    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "picture", json_picture(picture->picture->path, picture->picture->image));
    json_put(&good, object, "model", json_model(job->model));
    json_put(&good, object, "settings", describe_settings(job, picture));
    json_put(&good, object, "grid", grid);
    json_put(&good, object, "texts", list);
    json_put(&good, object, "files", json_array());
    json_put(&good, object, "warnings", describe_warnings(job, picture));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}
