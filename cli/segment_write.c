/* The files that `lancet segment` writes for a picture. SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include "files.h"
#include "json.h"
#include "pictures.h"

#include "lancet/masks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond these the key is longer than the picture; the JSON file has all. */
#define KEY_ENTRIES_MOST 40

const char *const segment_kinds[] = {"segments", "overlay", "json", NULL};

/* What writing one picture's files needs. */
typedef struct writer {
    const segment_job *job;
    const segment_picture *picture;
    lancet_picture pixels;
    size_t count;     /* classes */
    size_t *areas;    /* [count + 1]: pixels of each class, then of none */
    size_t *order;    /* [count]: classes by falling area */
    uint8_t *colours; /* [count, 3] */
    uint8_t palette[768];
    json_t *description;
    char *software, *settings; /* for the PNG files' metadata, the settings in one line */
} writer;

/* ---- What was found ------------------------------------------------------------------------------------ */

static bool measure(writer *w)
{
    const size_t pixels = w->pixels.width * w->pixels.height;

    lancet_label_palette(w->palette);
    w->count = lancet_labels_count(w->job->labels);
    w->areas = calloc(w->count + 1, sizeof *w->areas);
    w->order = calloc(w->count, sizeof *w->order);
    w->colours = calloc(w->count, 3);
    if (!w->areas || !w->order || !w->colours)
        return false;
    for (size_t i = 0; i < pixels; i++) {
        const uint16_t label = w->picture->segments[i];

        w->areas[label < w->count ? label : w->count]++;
    }
    for (size_t t = 0; t < w->count; t++) {
        size_t at = t;

        /* Values 1 to 255 have colours of their own; then they come again. */
        memcpy(w->colours + 3 * t, w->palette + 3 * (1 + t % 255), 3);
        for (; at > 0 && w->areas[w->order[at - 1]] < w->areas[t]; at--)
            w->order[at] = w->order[at - 1];
        w->order[at] = t;
    }
    return true;
}

static double share(const writer *w, size_t area)
{
    return (double)area / ((double)w->pixels.width * (double)w->pixels.height);
}

/* ---- Description --------------------------------------------------------------------------------------- */

/* COCO's {"size", "counts"} of a class; a failure is reported. */
static json_t *describe_mask(const writer *w, size_t t)
{
    const size_t width = w->pixels.width, height = w->pixels.height;
    uint8_t *mask = malloc(width * height);
    char *counts = NULL;
    json_t *object = NULL;
    lancet_error error;

    for (size_t i = 0; mask && i < width * height; i++)
        mask[i] = w->picture->segments[i] == t;
    if (!mask)
        report_memory();
    else if (lancet_rle_encode(&counts, mask, width, height, &error) != LANCET_OK)
        report_error(&error);
    else
        object = json_pack("{s:[i, i], s:o}", "size", (int)height, (int)width, "counts", json_words(counts));
    lancet_rle_close(&counts);
    free(mask);
    return object;
}

static json_t *describe_class(const writer *w, size_t t)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "class", json_words(lancet_labels_text(w->job->labels, t)));
    json_put(&good, object, "words", json_class_words(w->job->classes, t));
    json_put(&good, object, "value", json_count(t + 1));
    json_put(&good, object, "colour",
             json_pack("[i, i, i]", w->colours[3 * t], w->colours[3 * t + 1], w->colours[3 * t + 2]));
    json_put(&good, object, "pixels", json_count(w->areas[t]));
    json_put(&good, object, "share", json_number(share(w, w->areas[t])));
    if (w->job->settings->rle)
        json_put(&good, object, "segmentation", describe_mask(w, t));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *describe_settings(const writer *w)
{
    const segment_settings *settings = w->job->settings;
    const lancet_segment_task *task = &w->job->task;
    const bool background = !isnan(settings->background);
    lancet_feature_options features = task->features;
    lancet_window_options windows = {0};
    json_t *object = json_object();
    bool good = object != NULL;

    /* What the options came to for this picture; with crops, for one of them. */
    if (task->windows)
        lancet_window_options_resolve(&features, &windows, w->job->model, &w->pixels, &task->features,
                                      task->windows, NULL);
    else
        lancet_feature_options_resolve(&features, w->job->model, &w->pixels, &task->features, NULL);
    json_put(&good, object, "path", json_words(way_name(features.path)));
    json_put(&good, object, "input_width", json_integer(features.width));
    json_put(&good, object, "input_height", json_integer(features.height));
    json_put(&good, object, "crops",
             settings->crops.width ? json_pack("[i, i]", settings->crops.width, settings->crops.height)
                                   : json_null());
    json_put(&good, object, "window", task->windows ? json_integer(windows.side) : json_null());
    json_put(&good, object, "stride", task->windows ? json_integer(windows.stride) : json_null());
    json_put(&good, object, "surgery_start",
             features.surgery_start ? json_integer(features.surgery_start) : json_null());
    json_put(&good, object, "background", background ? json_number(settings->background) : json_null());
    json_put(&good, object, "background_by",
             background ? json_words(background_names[settings->background_by]) : json_null());
    json_put(&good, object, "scale",
             background && !settings->background_by ? json_number((double)task->segments.scale)
                                                    : json_null());
    json_put(&good, object, "labels", json_words(settings->words.labels));
    json_put(&good, object, "templates",
             words_are_encoded(&settings->words)
                 ? json_null()
                 : json_words(settings->words.templates ? settings->words.templates : "85"));
    json_put(&good, object, "ignore_orientation", json_boolean(settings->picture.ignore_orientation));
    json_put(&good, object, "note", json_words(settings->note));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static bool describe(writer *w)
{
    json_t *list = json_array(), *none = json_object();
    bool good = list && none;

    json_put(&good, none, "value", json_integer(0));
    json_put(&good, none, "pixels", json_count(w->areas[w->count]));
    json_put(&good, none, "share", json_number(share(w, w->areas[w->count])));
    for (size_t t = 0; good && t < w->count; t++)
        json_add(&good, list, describe_class(w, t));
    w->description = json_object();
    if (!good || !w->description) {
        json_decref(list);
        json_decref(none);
        return false;
    }
    json_put(&good, w->description, "lancet", json_words(lancet_version()));
    json_put(&good, w->description, "picture",
             json_picture(w->picture->picture->path, w->picture->picture->image));
    json_put(&good, w->description, "model", json_model(w->job->model));
    json_put(&good, w->description, "settings", describe_settings(w));
    json_put(&good, w->description, "classes", list);
    json_put(&good, w->description, "background", none);
    json_put(&good, w->description, "files", json_array());
    return good;
}

/* ---- Files --------------------------------------------------------------------------------------------- */

static int write_png(const writer *w, const char *path, lancet_png png)
{
    const lancet_png_text records[] = {
        {"Software", w->software},
        {"lancet:model", lancet_model_describe(w->job->model)->hash},
        {"lancet:settings", w->settings},
    };
    lancet_error error;

    png.texts = records;
    png.text_count = sizeof records / sizeof *records;
    return lancet_png_write(path, &png, &error) == LANCET_OK ? EXIT_DONE : report_error(&error);
}

/* Value 0 for none, 1 for the first class, ... */
static int write_segments(writer *w, const char *path)
{
    const size_t width = w->pixels.width, height = w->pixels.height, pixels = width * height;
    const bool wide = w->count > 255;
    uint8_t *values = malloc(pixels * (wide ? 2 : 1));
    lancet_png png = {.form = wide ? LANCET_PNG_GREY16 : LANCET_PNG_PALETTE,
                      .samples = values,
                      .width = width,
                      .height = height,
                      .palette = wide ? NULL : w->palette,
                      .palette_count = wide ? 0 : 256};
    int status;

    if (!values)
        return report_memory();
    for (size_t i = 0; i < pixels; i++) {
        const uint16_t label = w->picture->segments[i], value = label < w->count ? (uint16_t)(label + 1) : 0;

        if (wide)
            memcpy(values + 2 * i, &value, 2);
        else
            values[i] = (uint8_t)value;
    }
    status = write_png(w, path, png);
    free(values);
    return status;
}

/* Entries for the classes that occur, the largest first, with their share of the picture. */
static bool make_entries(const writer *w, lancet_key_entry *entries, char **shown, size_t *count)
{
    for (*count = 0; *count < KEY_ENTRIES_MOST && *count < w->count; (*count)++) {
        const size_t t = w->order[*count];
        const double percent = 100 * share(w, w->areas[t]);

        if (!w->areas[t])
            break;
        shown[*count] = text_print(percent < 0.05 ? "%s  <0.1 %%" : "%s  %.1f %%",
                                   lancet_labels_text(w->job->labels, t), percent);
        if (!shown[*count])
            return false;
        entries[*count].text = shown[*count];
        memcpy(entries[*count].colour, w->colours + 3 * t, 3);
    }
    return true;
}

static int write_overlay(writer *w, const char *path)
{
    lancet_key_entry entries[KEY_ENTRIES_MOST];
    char *shown[KEY_ENTRIES_MOST];
    lancet_key key = {.entries = entries, .note = w->job->settings->note};
    const lancet_overlay_options half = {.heat_share = 0.5}; /* the darkest of the colours hide a picture */
    lancet_image *overlay = NULL, *figure = NULL;
    lancet_picture pixels;
    lancet_error error;
    int status;

    if (!make_entries(w, entries, shown, &key.count)) {
        status = report_memory();
        goto done;
    }
    if (lancet_overlay_segments(&overlay, &w->pixels, w->picture->segments, w->colours, w->count, &half,
                                &error) != LANCET_OK)
        goto fail;
    pixels = lancet_image_picture(overlay);
    if (lancet_key_add(&figure, &pixels, &key, &error) != LANCET_OK)
        goto fail;
    if (lancet_image_describe(figure)->font_missing)
        report_note("no font was found: the overlays have no words (LANCET_FONT names a font file)");
    pixels = lancet_image_picture(figure);
    status = write_png(w, path,
                       (lancet_png){.form = LANCET_PNG_RGB,
                                    .samples = pixels.rgb,
                                    .width = pixels.width,
                                    .height = pixels.height,
                                    .stride = pixels.stride});
    goto done;
fail:
    status = report_error(&error);
done:
    for (size_t i = 0; i < key.count; i++)
        free(shown[i]);
    lancet_image_close(&overlay);
    lancet_image_close(&figure);
    return status;
}

/* The JSON file names itself among the files, so it is noted before it is written. */
static int write_description(writer *w, const char *path)
{
    return json_write(path, w->description);
}

static const struct file_kind {
    unsigned bit;
    const char *kind, *end;
    int (*write)(writer *w, const char *path);
} file_kinds[] = {
    {SEGMENT_SEGMENTS, "segments", ".segments.png", write_segments},
    {SEGMENT_OVERLAY, "overlay", ".segments.overlay.png", write_overlay},
    {SEGMENT_JSON, "json", ".segments.json", write_description},
};

static int write_file(writer *w, const struct file_kind *kind)
{
    char *name = text_print("%s%s", w->picture->picture->name, kind->end);
    char *path = name ? path_join(w->picture->picture->folder, name) : NULL;
    bool good = path != NULL;
    int status;

    if (good)
        json_file(&good, json_object_get(w->description, "files"), name, kind->kind);
    status = good ? kind->write(w, path) : report_memory();
    free(name);
    free(path);
    return status;
}

int segment_write(json_t **summary, const segment_job *job, const segment_picture *picture)
{
    writer w = {.job = job, .picture = picture, .pixels = lancet_image_picture(picture->picture->image)};
    int status = EXIT_DONE;

    if (measure(&w) && describe(&w))
        w.settings =
            json_dumps(json_object_get(w.description, "settings"), JSON_COMPACT | JSON_REAL_PRECISION(9));
    w.software = text_print("lancet %s", lancet_version());
    if (!w.settings || !w.software)
        status = report_memory();
    for (size_t k = 0; status == EXIT_DONE && k < sizeof file_kinds / sizeof *file_kinds; k++)
        if (job->settings->write & file_kinds[k].bit)
            status = write_file(&w, &file_kinds[k]);
    if (status == EXIT_DONE && !json_files_join(w.description, picture->picture->folder))
        status = report_memory();
    *summary = status == EXIT_DONE ? json_incref(w.description) : NULL;
    json_decref(w.description);
    free(w.areas);
    free(w.order);
    free(w.colours);
    free(w.software);
    free(w.settings);
    return status;
}
