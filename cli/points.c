/* `lancet points`: from words to the points that a segmenter like SAM asks for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "files.h"
#include "json.h"
#include "pictures.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_POINTS = 1, WRITE_OVERLAY = 2 };

static const char *const points_kinds[] = {"points", "overlay", NULL};

typedef struct points_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    texts prompts; /* "a + b" */
    const char *templates, *method, *output, *note;
    unsigned write;
    int redundant; /* the method's */
    bool reversed;
    double threshold;
    bool json;
} points_settings;

/* The texts of all prompts, one after the other; prompt i has counts[i] of them. */
typedef struct prompts {
    texts parts;
    size_t *counts;
} prompts;

/* What stays the same from picture to picture. */
typedef struct points_job {
    const points_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels; /* of prompts.parts */
    const prompts *prompts;
    lancet_feature_options features;
} points_job;

static const option points_options[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXTS,
     .offset = offsetof(points_settings, prompts),
     .argument = "TEXT",
     .help = "what to point at; \"a + b\" for both at once; may be given again and again"},
    {.name = "templates",
     .kind = OPTION_TEXT,
     .offset = offsetof(points_settings, templates),
     .argument = "NAME",
     .help = "sentences that each text is put into: 85 (default), none, or a file with one a line, \"{}\" "
             "being the text's place"},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .offset = offsetof(points_settings, threshold),
     .argument = "X",
     .help = "points where the halved map reaches it, 0 to 1; default: 0.8",
     .low = 0,
     .high = 1},
    {.name = "method",
     .kind = OPTION_TEXT,
     .offset = offsetof(points_settings, method),
     .argument = "NAME",
     .help =
         "another method than CLIP Surgery: clip, rclip, maskclip, sclip, ...; 'lancet methods' lists them"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(points_settings, output),
     .argument = "DIR",
     .help = "folder for the results, made if it is not there; default: the current one"},
    {.name = "write",
     .kind = OPTION_SET,
     .offset = offsetof(points_settings, write),
     .argument = "KINDS",
     .help = "what to write, with commas: points, overlay; default: both",
     .choices = points_kinds},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(points_settings, json),
     .help = "all points on stdout, as JSON"},
    {.name = "note",
     .kind = OPTION_TEXT,
     .offset = offsetof(points_settings, note),
     .argument = "TEXT",
     .help = "a last line under the overlays"},
};

/* clang-format off */
static const option_group points_groups[] = {
    {"Options", points_options, sizeof points_options / sizeof *points_options, 0},
    PICTURE_GROUP(points_settings),
    MODEL_GROUP(points_settings),
    MANY_GROUP(points_settings),
    COMMON_GROUP(points_settings),
};
/* clang-format on */

/* ---- Prompts ------------------------------------------------------------------------------------------- */

/* The texts between plus signs, without white space at their ends; empty ones are dropped. */
static int split_prompt(prompts *list, size_t index, const char *prompt)
{
    static const char space[] = " \t\r\n";

    for (const char *at = prompt;;) {
        const char *end = at + strcspn(at, "+"), *last = end;

        while (at < last && strchr(space, *at))
            at++;
        while (last > at && strchr(space, last[-1]))
            last--;
        if (last > at) {
            if (!texts_add_length(&list->parts, at, (size_t)(last - at)))
                return report_memory();
            list->counts[index]++;
        }
        if (!*end)
            break;
        at = end + 1;
    }
    return list->counts[index] ? EXIT_DONE : report_usage("-t: expected a text, found '%s'", prompt);
}

static int split_prompts(prompts *list, const texts *given)
{
    int status = EXIT_DONE;

    list->counts = calloc(given->count, sizeof *list->counts);
    if (!list->counts)
        return report_memory();
    for (size_t i = 0; i < given->count && status == EXIT_DONE; i++)
        status = split_prompt(list, i, given->items[i]);
    return status;
}

static int encode(lancet_labels **labels, lancet_session *session, const prompts *list,
                  const points_settings *settings)
{
    lancet_label_options options = {.redundant = LANCET_REDUNDANT_EMPTY, .progress = progress_of_work};
    lancet_templates *templates = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    if (lancet_templates_open(&templates, settings->templates, &error) != LANCET_OK)
        return report_error(&error);
    progress_begin(&bar, "sentences", settings->common.quiet);
    options.templates = templates;
    options.progress_context = &bar;
    if (lancet_labels_encode(labels, session, texts_view(&list->parts), list->parts.count, &options,
                             &error) != LANCET_OK)
        status = report_error(&error);
    progress_end(&bar);
    lancet_templates_close(&templates);
    if (status == EXIT_DONE)
        report_lost(*labels);
    return status;
}

/* ---- One picture --------------------------------------------------------------------------------------- */

/* One picture and the points of the prompt at hand. */
typedef struct writer {
    const points_job *job;
    const picture_item *picture;
    lancet_picture pixels;
    json_t *summary;
    size_t prompt;
    lancet_point *points;
    size_t count;
} writer;

static json_t *describe_points(const writer *w, size_t first)
{
    const char *text = w->job->settings->prompts.items[w->prompt];
    json_t *object = json_object(), *parts = json_array(), *places = json_array(), *labels = json_array();
    bool good = object && parts && places && labels;

    for (size_t i = 0; good && i < w->job->prompts->counts[w->prompt]; i++)
        json_add(&good, parts, json_words(w->job->prompts->parts.items[first + i]));
    for (size_t i = 0; good && i < w->count; i++) {
        json_add(&good, places, json_pack("[i, i]", w->points[i].x, w->points[i].y));
        json_add(&good, labels, json_integer(w->points[i].positive));
    }
    if (!good) {
        json_decref(object);
        json_decref(parts);
        json_decref(places);
        json_decref(labels);
        return NULL;
    }
    json_put(&good, object, "text", json_words(text));
    json_put(&good, object, "texts", parts);
    json_put(&good, object, "original_size",
             json_pack("[i, i]", (int)w->pixels.height, (int)w->pixels.width));
    json_put(&good, object, "point_coords", places);
    json_put(&good, object, "point_labels", labels);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int write_points(writer *w, const char *path, const json_t *description)
{
    (void)w;
    return json_write(path, description);
}

static int write_overlay(writer *w, const char *path, const json_t *description)
{
    static const uint8_t on[3] = {30, 180, 60}, off[3] = {220, 40, 40};
    const points_settings *settings = w->job->settings;
    lancet_key_entry entries[] = {{settings->prompts.items[w->prompt], {30, 180, 60}},
                                  {"elsewhere", {220, 40, 40}}};
    const lancet_key key = {.entries = entries, .count = 2, .note = settings->note};
    lancet_mark *marks = calloc(w->count + 1, sizeof *marks);
    lancet_image *marked = NULL, *figure = NULL;
    lancet_picture pixels;
    lancet_error error;
    int status = EXIT_DONE;

    (void)description;
    if (!marks)
        return report_memory();
    for (size_t i = 0; i < w->count; i++) {
        marks[i] = (lancet_mark){.x = w->points[i].x, .y = w->points[i].y};
        memcpy(marks[i].colour, w->points[i].positive ? on : off, 3);
    }
    if (lancet_marks_draw(&marked, &w->pixels, marks, w->count, &error) != LANCET_OK)
        goto fail;
    pixels = lancet_image_picture(marked);
    if (lancet_key_add(&figure, &pixels, &key, &error) != LANCET_OK)
        goto fail;
    if (lancet_image_describe(figure)->font_missing)
        report_note("no font was found: the overlays have no words (LANCET_FONT names a font file)");
    pixels = lancet_image_picture(figure);
    if (lancet_png_write(path,
                         &(lancet_png){.form = LANCET_PNG_RGB,
                                       .samples = pixels.rgb,
                                       .width = pixels.width,
                                       .height = pixels.height,
                                       .stride = pixels.stride},
                         &error) == LANCET_OK)
        goto done;
fail:
    status = report_error(&error);
done:
    free(marks);
    lancet_image_close(&marked);
    lancet_image_close(&figure);
    return status;
}

static const struct file_kind {
    unsigned bit;
    const char *kind, *end;
    int (*write)(writer *w, const char *path, const json_t *description);
} file_kinds[] = {
    {WRITE_POINTS, "points", ".sam.json", write_points},
    {WRITE_OVERLAY, "overlay", ".points.overlay.png", write_overlay},
};

static int write_files(writer *w, const json_t *description)
{
    const points_settings *settings = w->job->settings;
    char *slug = text_slug(settings->prompts.items[w->prompt]);
    int status = slug ? EXIT_DONE : report_memory();

    for (size_t k = 0; status == EXIT_DONE && k < sizeof file_kinds / sizeof *file_kinds; k++)
        if (settings->write & file_kinds[k].bit) {
            char *name = text_print("%s-%zu-%s%s", w->picture->name, w->prompt + 1, slug, file_kinds[k].end);
            char *path = name ? path_join(w->picture->folder, name) : NULL;
            bool good = path != NULL;

            if (good)
                json_file(&good, json_object_get(w->summary, "files"), name, file_kinds[k].kind);
            status = good ? file_kinds[k].write(w, path, description) : report_memory();
            free(name);
            free(path);
        }
    free(slug);
    return status;
}

static int write_prompt(writer *w, const lancet_maps *maps, size_t first)
{
    const size_t parts = w->job->prompts->counts[w->prompt];
    const size_t capacity =
        (parts + 1) * (lancet_maps_grid_height(maps) * lancet_maps_grid_width(maps) / 8 + 1);
    size_t *indices = calloc(parts, sizeof *indices);
    json_t *description = NULL;
    lancet_error error;
    bool good;
    int status;

    w->points = calloc(capacity, sizeof *w->points);
    if (!indices || !w->points) {
        status = report_memory();
        goto done;
    }
    for (size_t i = 0; i < parts; i++)
        indices[i] = first + i;
    if (lancet_maps_points_combined(maps, indices, parts, w->pixels.width, w->pixels.height,
                                    w->job->settings->threshold, w->points, capacity, &w->count,
                                    &error) != LANCET_OK) {
        status = report_error(&error);
        goto done;
    }
    if (!w->count)
        report_note("%s: the map of \"%s\" is constant, it says nothing", w->picture->name,
                    w->job->settings->prompts.items[w->prompt]);
    description = describe_points(w, first);
    good = description != NULL;
    json_add(&good, json_object_get(w->summary, "prompts"), json_incref(description));
    status = good ? write_files(w, description) : report_memory();
done:
    json_decref(description);
    free(indices);
    free(w->points);
    return status;
}

static int write_all(json_t **summary, const points_job *job, const picture_item *picture,
                     const lancet_maps *maps)
{
    writer w = {.job = job,
                .picture = picture,
                .pixels = lancet_image_picture(picture->image),
                .summary = json_object()};
    bool good = w.summary != NULL;
    size_t first = 0;
    int status;

    json_put(&good, w.summary, "picture", json_picture(picture->path, picture->image));
    json_put(&good, w.summary, "model", json_model(job->model));
    json_put(&good, w.summary, "threshold", json_number(job->settings->threshold));
    json_put(&good, w.summary, "prompts", json_array());
    json_put(&good, w.summary, "files", json_array());
    status = good ? EXIT_DONE : report_memory();
    for (; status == EXIT_DONE && w.prompt < job->settings->prompts.count; w.prompt++) {
        status = write_prompt(&w, maps, first);
        first += job->prompts->counts[w.prompt];
    }
    if (status == EXIT_DONE && !json_files_join(w.summary, picture->folder))
        status = report_memory();
    if (status == EXIT_DONE)
        *summary = json_incref(w.summary);
    json_decref(w.summary);
    return status;
}

static int points_one(json_t **summary, void *context, const picture_item *picture)
{
    const points_job *job = context;
    const points_settings *settings = job->settings;
    lancet_map_options map_options = {
        .redundant = LANCET_REDUNDANT_EMPTY, .reversed = settings->reversed, .session = job->session};
    const lancet_features *features;
    lancet_features *own = NULL;
    lancet_maps *maps = NULL;
    lancet_error error;
    int status;

    /* The texts of one prompt are looked for one by one: what is subtracted is never the mean over them. */
    if (settings->redundant == LANCET_REDUNDANT_NONE)
        map_options.redundant = LANCET_REDUNDANT_NONE;
    if (picture_encode(&features, &own, picture, job->session, &job->features, &error) != LANCET_OK ||
        lancet_maps_compute(&maps, features, job->labels, &map_options, &error) != LANCET_OK)
        status = picture_report(picture->path, &error);
    else
        status = write_all(summary, job, picture, maps);
    lancet_maps_close(&maps);
    lancet_features_close(&own);
    return status;
}

/* ---- The command --------------------------------------------------------------------------------------- */

static int check(points_settings *settings)
{
    if (!settings->prompts.count)
        return report_usage("expected what to point at: -t TEXT");
    if (!method_choose(settings->method, &settings->picture.path, &settings->redundant, &settings->reversed))
        return LANCET_ERROR_ARGUMENT;
    return picture_check(&settings->picture);
}

static int run(const command *self, int argc, char **argv)
{
    points_settings settings = {
        .templates = "85", .output = ".", .write = WRITE_POINTS | WRITE_OVERLAY, .threshold = 0.8};
    texts operands = {0};
    many_pictures pictures = {0};
    prompts list = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    int status, list_status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = many_begin(self, &settings.common, &settings.many, operands.count, settings.json);
    if (status == EXIT_DONE)
        status = check(&settings);
    if (status == EXIT_DONE)
        status = split_prompts(&list, &settings.prompts);
    if (status != EXIT_DONE)
        goto done;
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE)
        status = encode(&labels, session, &list, &settings);
    if (status == EXIT_DONE && settings.write)
        status = folder_make(settings.output);
    if (status == EXIT_DONE) {
        points_job job = {&settings, model, session,
                          labels,    &list, feature_options(&settings.picture, model)};

        status = pictures_run(&(picture_work){.run = points_one,
                                              .context = &job,
                                              WORK_OF(self, settings),
                                              .model = model,
                                              .session = session,
                                              .labels = labels,
                                              .features = &job.features,
                                              .output = settings.output},
                              &pictures, list_status);
    }
done:
    status = many_end(status);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    texts_close(&list.parts);
    free(list.counts);
    texts_close(&settings.prompts);
    many_close(&pictures);
    texts_close(&operands);
    return status;
}

const command points_command = {
    .name = "points",
    .summary = "Turn words into points on pictures, for a segmenter such as SAM.",
    .usage = "lancet points PICTURE|FOLDER... -t TEXT [-t TEXT ...] [options]",
    .about =
        "Points where the text's map is highest, and as many where it is lowest: the grid of scores is "
        "halved, "
        "scaled to 0..1, and taken where it reaches the threshold, at most half the cells. Each text is held "
        "against the empty string, by itself.\n"
        "\n"
        "\"a + b\" points at both: the negative points are those of the mean of their maps, the positive "
        "ones of "
        "each map alone. One sentence that names both would let the stronger of them win.\n"
        "\n"
        "Files for each picture and text:\n"
        "  <picture>-<number>-<text>.sam.json            points   what SAM takes:\n"
        "      point_coords [[x, y], ...] in pixels of the picture, point_labels [1\n"
        "      (on) or 0 (off), ...], original_size [height, width]\n"
        "  <picture>-<number>-<text>.points.overlay.png  overlay  the points on the\n"
        "      picture\n"
        "\n"
        "The paper takes pictures at --side 512 for the best points.",
    .examples = "  lancet points cat.jpg -t cat -o out\n"
                "  lancet points street.jpg -t \"car + bicycle\" --side 512 -o out\n"
                "  lancet points cat.jpg -t cat --json --write points -o out\n",
    .groups = points_groups,
    .group_count = sizeof points_groups / sizeof *points_groups,
    .run = run,
};
