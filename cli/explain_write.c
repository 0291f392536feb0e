/* The files that `lancet explain` writes for a picture. SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include "files.h"
#include "json.h"
#include "pictures.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const explain_kinds[] = {"overlay", "map", "map16", "npy", "json", "points", NULL};

/* What writing one picture's files needs. */
typedef struct writer {
    const explain_job *job;
    const explain_picture *picture;
    lancet_picture pixels;
    json_t *description;
    char *software, *settings; /* for the PNG files' metadata, the settings in one line */
    float *map;                /* [height, width] of the text at hand; NULL if no file needs it */
    size_t index;
} writer;

/* Notes a written file in the description. */
static int note_file(const writer *w, const char *name, const char *kind, const char *text)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "path", json_words(name));
    json_put(&good, object, "kind", json_words(kind));
    json_put(&good, object, "text", json_words(text));
    json_add(&good, json_object_get(w->description, "files"), object);
    return good ? EXIT_DONE : report_memory();
}

/* "<picture>-<number>-<text><end>" for the text at hand, "<picture><end>" for files about all of them. */
static char *name_file(const writer *w, bool whole, const char *end)
{
    char *slug, *name;

    if (whole)
        return text_print("%s%s", w->picture->picture->name, end);
    slug = text_slug(lancet_maps_text(w->picture->maps, w->index));
    name = slug ? text_print("%s-%zu-%s%s", w->picture->picture->name, w->index + 1, slug, end) : NULL;
    free(slug);
    return name;
}

static int write_png(const writer *w, const char *path, lancet_png_form form, const void *samples,
                     size_t width, size_t height, size_t stride)
{
    const lancet_png_text records[] = {
        {"Software", w->software},
        {"Title", lancet_maps_text(w->picture->maps, w->index)},
        {"lancet:model", lancet_model_describe(w->job->model)->hash},
        {"lancet:settings", w->settings},
    };
    const lancet_png png = {.form = form,
                            .samples = samples,
                            .width = width,
                            .height = height,
                            .stride = stride,
                            .texts = records,
                            .text_count = sizeof records / sizeof *records};
    lancet_error error;

    return lancet_png_write(path, &png, &error) == LANCET_OK ? EXIT_DONE : report_error(&error);
}

static int write_overlay(writer *w, const char *path)
{
    const explain_settings *settings = w->job->settings;
    const lancet_overlay_options overlay_options = {.colours = (lancet_colours)settings->colours};
    lancet_legend legend = {.text = lancet_maps_text(w->picture->maps, w->index),
                            .note = settings->note,
                            .has_scores = true,
                            .colours = (lancet_colours)settings->colours};
    lancet_image *overlay = NULL, *figure = NULL;
    lancet_picture pixels;
    lancet_error error;
    float low = 0, high = 0;
    int status = EXIT_DONE;

    if (!lancet_maps_range(w->picture->maps, w->index, &low, &high) && !legend.note)
        legend.note = "constant map: it says nothing";
    legend.score_low = (double)low;
    legend.score_high = (double)high;
    if (lancet_overlay(&overlay, &w->pixels, w->map, &overlay_options, &error) != LANCET_OK)
        goto fail;
    /* The last file that needs the map: a large picture's is the largest thing in memory. */
    free(w->map);
    w->map = NULL;
    pixels = lancet_image_picture(overlay);
    if (lancet_legend_add(&figure, &pixels, &legend, &error) != LANCET_OK)
        goto fail;
    lancet_image_close(&overlay);
    if (lancet_image_describe(figure)->font_missing)
        report_note("no font was found: the overlays have no words (LANCET_FONT names a font file)");
    pixels = lancet_image_picture(figure);
    status = write_png(w, path, LANCET_PNG_RGB, pixels.rgb, pixels.width, pixels.height, pixels.stride);
    goto done;
fail:
    status = report_error(&error);
done:
    lancet_image_close(&overlay);
    lancet_image_close(&figure);
    return status;
}

static int write_map(writer *w, const char *path)
{
    const size_t count = w->pixels.width * w->pixels.height;
    uint8_t *samples = malloc(count);
    int status;

    if (!samples)
        return report_memory();
    for (size_t i = 0; i < count; i++)
        samples[i] = (uint8_t)(w->map[i] * 255 + 0.5f);
    status = write_png(w, path, LANCET_PNG_GREY, samples, w->pixels.width, w->pixels.height, 0);
    free(samples);
    return status;
}

static int write_map16(writer *w, const char *path)
{
    const size_t count = w->pixels.width * w->pixels.height;
    uint16_t *samples = calloc(count, sizeof *samples);
    int status;

    if (!samples)
        return report_memory();
    for (size_t i = 0; i < count; i++)
        samples[i] = (uint16_t)(w->map[i] * 65535 + 0.5f);
    status = write_png(w, path, LANCET_PNG_GREY16, samples, w->pixels.width, w->pixels.height, 0);
    free(samples);
    return status;
}

static int write_array(const char *path, const size_t *shape, size_t rank, const float *values)
{
    lancet_error error;

    return lancet_npy_write(path, LANCET_NPY_FLOAT32, shape, rank, values, &error) == LANCET_OK
               ? EXIT_DONE
               : report_error(&error);
}

static int write_map_array(writer *w, const char *path)
{
    return write_array(path, (const size_t[]){w->pixels.height, w->pixels.width}, 2, w->map);
}

static int write_scores_array(writer *w, const char *path)
{
    const lancet_maps *maps = w->picture->maps;

    return write_array(path,
                       (const size_t[]){lancet_maps_count(maps), lancet_maps_grid_height(maps),
                                        lancet_maps_grid_width(maps)},
                       3, lancet_maps_scores(maps));
}

/* The points as SAM's tools take them: coordinates, and 1 or 0 for each. */
static int write_points(writer *w, const char *path)
{
    const json_t *text = json_array_get(json_object_get(w->description, "texts"), w->index);
    json_t *object = json_object();
    bool good = object != NULL;
    int status;

    json_put(&good, object, "text", json_incref(json_object_get(text, "text")));
    json_put(&good, object, "width", json_count(w->pixels.width));
    json_put(&good, object, "height", json_count(w->pixels.height));
    json_put(&good, object, "points", json_incref(json_object_get(text, "points")));
    json_put(&good, object, "labels", json_incref(json_object_get(text, "point_labels")));
    status = good ? json_write(path, object) : report_memory();
    json_decref(object);
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
    bool whole; /* one file for the picture, else one for each text */
    int (*write)(writer *w, const char *path);
} file_kinds[] = {
    {EXPLAIN_MAP, "map", ".map.png", false, write_map},
    {EXPLAIN_MAP16, "map16", ".map16.png", false, write_map16},
    {EXPLAIN_NPY, "npy", ".map.npy", false, write_map_array},
    {EXPLAIN_POINTS, "points", ".points.json", false, write_points},
    {EXPLAIN_OVERLAY, "overlay", ".overlay.png", false, write_overlay},
    {EXPLAIN_NPY, "npy", ".scores.npy", true, write_scores_array},
    {EXPLAIN_JSON, "json", ".json", true, write_description},
};

static int write_file(writer *w, const struct file_kind *kind)
{
    char *name = name_file(w, kind->whole, kind->end);
    char *path = name ? path_join(w->picture->picture->folder, name) : NULL;
    int status;

    if (!path) {
        status = report_memory();
    } else {
        status =
            note_file(w, name, kind->kind, kind->whole ? NULL : lancet_maps_text(w->picture->maps, w->index));
        if (status == EXIT_DONE)
            status = kind->write(w, path);
    }
    free(name);
    free(path);
    return status;
}

/* The map of the text at hand, if one of the files needs it. */
static int make_map(writer *w)
{
    lancet_error error;

    if (!(w->job->settings->write & (EXPLAIN_OVERLAY | EXPLAIN_MAP | EXPLAIN_MAP16 | EXPLAIN_NPY)))
        return EXIT_DONE;
    w->map = calloc(w->pixels.width * w->pixels.height, sizeof *w->map);
    if (!w->map)
        return report_memory();
    return lancet_maps_write(w->picture->maps, w->index, w->pixels.width, w->pixels.height, w->map, &error) ==
                   LANCET_OK
               ? EXIT_DONE
               : report_error(&error);
}

static int write_text(writer *w)
{
    float low, high;
    int status;

    if (!lancet_maps_range(w->picture->maps, w->index, &low, &high))
        report_note("%s: the map of \"%s\" is constant, it says nothing", w->picture->picture->path,
                    lancet_maps_text(w->picture->maps, w->index));
    status = make_map(w);
    for (size_t k = 0; status == EXIT_DONE && k < sizeof file_kinds / sizeof *file_kinds; k++)
        if (!file_kinds[k].whole && w->job->settings->write & file_kinds[k].bit)
            status = write_file(w, &file_kinds[k]);
    free(w->map);
    w->map = NULL;
    return status;
}

/* Turns the description into the summary: paths that can be opened from here, no grids of scores. */
static int summarise(const writer *w)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(w->description, "texts"), i, item) json_object_del(item, "scores");
    return json_files_join(w->description, w->picture->picture->folder) ? EXIT_DONE : report_memory();
}

int explain_write(json_t **summary, const explain_job *job, const explain_picture *picture)
{
    writer w = {.job = job, .picture = picture, .pixels = lancet_image_picture(picture->picture->image)};
    int status = EXIT_DONE;

    w.description = explain_describe(job, picture);
    w.settings = w.description ? json_dumps(json_object_get(w.description, "settings"),
                                            JSON_COMPACT | JSON_REAL_PRECISION(9))
                               : NULL;
    w.software = text_print("lancet %s", lancet_version());
    if (!w.description || !w.settings || !w.software)
        status = report_memory();
    for (w.index = 0; status == EXIT_DONE && w.index < lancet_maps_count(picture->maps); w.index++)
        status = write_text(&w);
    w.index = 0;
    for (size_t k = 0; status == EXIT_DONE && k < sizeof file_kinds / sizeof *file_kinds; k++)
        if (file_kinds[k].whole && job->settings->write & file_kinds[k].bit)
            status = write_file(&w, &file_kinds[k]);
    if (status == EXIT_DONE)
        status = summarise(&w);
    *summary = status == EXIT_DONE ? json_incref(w.description) : NULL;
    json_decref(w.description);
    free(w.software);
    free(w.settings);
    return status;
}
