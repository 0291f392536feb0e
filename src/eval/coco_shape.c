/* The shapes of COCO's instances. SPDX-License-Identifier: Apache-2.0 */
#include "eval/coco_file.h"

#include "checkpoint/json.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE 16

/* A shape while it is read. A problem of the JSON is in `json`, others are in `status` and `error`. */
typedef struct reading {
    lancet_json json;
    size_t width, height;
    lancet_runs *runs;
    uint64_t *steps;
    lancet_status status;
    lancet_error *error;
} reading;

static bool going(const reading *r)
{
    return r->status == LANCET_OK && !r->json.problem;
}

/* [x, y, x, y, ...] */
static void read_polygon(reading *r, lancet_polygon *polygon)
{
    size_t count = 0;
    double number, x = 0;

    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (bool first = true; going(r) && lancet_json_item(&r->json, &first); count++) {
        if (!lancet_json_number(&r->json, &number))
            return;
        if (count % 2)
            r->status = lancet_polygon_corner(polygon, x, number, r->error);
        else
            x = number;
    }
    if (!going(r))
        return;
    if (count % 2)
        r->status =
            lancet_fail(r->error, LANCET_ERROR_INPUT, "polygon: expected pairs of numbers, found %zu", count);
    else
        r->status = lancet_polygon_end(polygon, r->runs, r->error);
}

static void read_polygons(reading *r)
{
    lancet_polygon polygon = {.width = r->width, .height = r->height, .steps = *r->steps};
    size_t count = 0;

    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (bool first = true; going(r) && lancet_json_item(&r->json, &first); count++)
        read_polygon(r, &polygon);
    if (going(r) && !count)
        r->status = lancet_fail(r->error, LANCET_ERROR_INPUT, "expected polygons, found none");
    *r->steps = polygon.steps;
    lancet_polygon_close(&polygon);
}

static void read_lengths(reading *r)
{
    lancet_run_lengths lengths = {.pixels = r->width * r->height};
    size_t length;

    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (bool first = true; going(r) && lancet_json_item(&r->json, &first);)
        if (lancet_json_size(&r->json, &length))
            r->status = lancet_run_lengths_next(&lengths, r->runs, length, r->error);
    if (going(r))
        r->status = lancet_run_lengths_end(&lengths, r->error);
}

/* The string stands in the file; only where it has escapes (a backslash is one of its characters) does it
 * need memory of its own. */
static void read_string(reading *r)
{
    const size_t start = r->json.at;
    size_t length;
    char *text;

    if (!lancet_json_string(&r->json, NULL, 0, &length))
        return;
    text = lancet_allocate(length + 1, 1);
    if (!text) {
        r->status = lancet_fail_memory(r->error, "run lengths");
        return;
    }
    r->json.at = start;
    if (lancet_json_string(&r->json, text, length + 1, &length))
        r->status = lancet_runs_decode(r->runs, text, length, r->width, r->height, r->error);
    lancet_free(text);
}

/* [height, width] */
static void read_size(reading *r)
{
    size_t sides[2] = {0, 0}, count = 0;

    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (bool first = true; going(r) && lancet_json_item(&r->json, &first); count++)
        lancet_json_size(&r->json, count < 2 ? &sides[count] : &(size_t){0});
    if (going(r) && (count != 2 || sides[0] != r->height || sides[1] != r->width))
        r->status = lancet_fail(r->error, LANCET_ERROR_INPUT,
                                "run lengths: expected the size [%zu, %zu] of the picture, found [%zu, %zu]",
                                r->height, r->width, sides[0], sides[1]);
}

/* {"size": [height, width], "counts": [...] or "..."} */
static void read_run_lengths(reading *r)
{
    bool counts = false, size = false;
    char key[KEY_SIZE];

    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    for (bool first = true; going(r) && lancet_json_key(&r->json, &first, key, sizeof key, NULL);) {
        if (strcmp(key, "counts") == 0 && !counts) {
            counts = true;
            if (lancet_json_peek(&r->json) == LANCET_JSON_STRING)
                read_string(r);
            else
                read_lengths(r);
        } else if (strcmp(key, "size") == 0 && !size) {
            size = true;
            read_size(r);
        } else {
            r->status = lancet_fail(r->error, LANCET_ERROR_INPUT,
                                    "run lengths: expected counts and size once each, found \"%s\"", key);
        }
    }
    if (going(r) && (!counts || !size))
        r->status =
            lancet_fail(r->error, LANCET_ERROR_INPUT, "run lengths: expected counts and size, found no %s",
                        counts ? "size" : "counts");
}

lancet_status lancet_coco_shape(const lancet_coco *coco, const lancet_coco_annotation *annotation,
                                size_t width, size_t height, lancet_runs *runs, uint64_t *steps,
                                lancet_error *error)
{
    reading r = {.json = {.bytes = annotation->shape, .length = annotation->shape_length},
                 .width = width,
                 .height = height,
                 .runs = runs,
                 .steps = steps,
                 .error = error};
    char prefix[LANCET_ERROR_MESSAGE_SIZE];

    if (lancet_json_peek(&r.json) == LANCET_JSON_OBJECT)
        read_run_lengths(&r);
    else
        read_polygons(&r);
    if (r.status == LANCET_OK && r.json.problem)
        r.status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s at byte %zu of its shape", r.json.problem, r.json.at);
    if (r.status == LANCET_OK || r.status == LANCET_ERROR_MEMORY)
        return r.status;
    snprintf(prefix, sizeof prefix, "%s: annotation %zu", coco->files[annotation->file].path, annotation->id);
    return lancet_fail_within(error, r.status, prefix);
}
