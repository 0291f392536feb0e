/* `lancet compare`: one sheet of several methods' maps. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "files.h"

#include "lancet/image.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 200

typedef struct compare_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    texts texts;
    const char *methods, *labels, *templates, *output;
    int cell, colours;
} compare_settings;

static const char *const colour_names[] = {"jet", "turbo", "viridis", "inferno", "grey", NULL};

static const option compare_options[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXTS,
     .offset = offsetof(compare_settings, texts),
     .argument = "TEXT",
     .help = "what to look for; may be given again and again"},
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = offsetof(compare_settings, labels),
     .argument = "LIST",
     .help =
         "more texts: the classes of a data set by its name ('lancet classes' lists them), or a file with "
         "one a line"},
    {.name = "methods",
     .kind = OPTION_TEXT,
     .offset = offsetof(compare_settings, methods),
     .argument = "NAMES",
     .help =
         "with commas, from left to right; default: all but Table 4's rows, as far as the model takes them"},
    {.name = "templates",
     .kind = OPTION_TEXT,
     .offset = offsetof(compare_settings, templates),
     .argument = "NAME",
     .help = "sentences that each text is put into: 85 (default), none, or a file"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(compare_settings, output),
     .argument = "FILE",
     .help = "the sheet; default: compare.png"},
    {.name = "cell",
     .kind = OPTION_INTEGER,
     .offset = offsetof(compare_settings, cell),
     .argument = "N",
     .help = "width of a map on the sheet in pixels; default: 240",
     .low = 16,
     .high = 4096},
    {.name = "colours",
     .kind = OPTION_CHOICE,
     .offset = offsetof(compare_settings, colours),
     .argument = "NAME",
     .help = "jet (default), turbo, viridis, inferno or grey; the same from 0 to 1 for every map",
     .choices = colour_names},
};

/* clang-format off */
static const option_group compare_groups[] = {
    {"Options", compare_options, sizeof compare_options / sizeof *compare_options, 0},
    PICTURE_GROUP(compare_settings),
    MODEL_GROUP(compare_settings),
    COMMON_GROUP(compare_settings),
};
/* clang-format on */

/* Everything the sheet is made of: for each picture and text a row, in it the picture and each method's
 * overlay. */
typedef struct sheet {
    const compare_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    lancet_labels *labels;
    const lancet_method *methods[64];
    size_t method_count, rows;
    lancet_image **images; /* [rows, 1 + method_count] */
    texts captions;        /* [rows] */
} sheet;

static int add_method(sheet *s, const char *name)
{
    const bool resnet = strcmp(lancet_model_describe(s->model)->family, "ModifiedResNet") == 0;
    int path = LANCET_PATH_SURGERY, redundant = LANCET_REDUNDANT_AUTO;
    bool reversed;

    if (!method_choose(name, &path, &redundant, &reversed))
        return LANCET_ERROR_ARGUMENT;
    if (resnet && !lancet_method_find(name)->resnet)
        return report_usage("--methods: %s changes a vision transformer's blocks, and this model has none",
                            name);
    if (s->method_count == sizeof s->methods / sizeof *s->methods)
        return report_usage("--methods: expected at most %zu", s->method_count);
    s->methods[s->method_count++] = lancet_method_find(name);
    return EXIT_DONE;
}

static int choose_methods(sheet *s)
{
    const bool resnet = strcmp(lancet_model_describe(s->model)->family, "ModifiedResNet") == 0;
    char *list, *rest = NULL;
    int status = EXIT_DONE;

    if (!s->settings->methods) {
        const size_t count = lancet_method_count();

        /* The list begins with the paper's own, which is what the others lead up to. */
        for (size_t i = 0; i < count; i++) {
            const lancet_method *method = lancet_method_at(i + 2 < count ? i + 2 : count - 1 - i);
            const bool ablation =
                method->path >= LANCET_PATH_LAST && method->path <= LANCET_PATH_MULTI_DUAL_FEED_OWN;

            if (!ablation && (method->resnet || !resnet))
                s->methods[s->method_count++] = method;
        }
        return EXIT_DONE;
    }
    list = text_print("%s", s->settings->methods);
    if (!list)
        return report_memory();
    for (char *name = strtok_r(list, ",", &rest); name && status == EXIT_DONE;
         name = strtok_r(NULL, ",", &rest)) {
        name += strspn(name, " ");
        name[strcspn(name, " ")] = '\0';
        status = add_method(s, name);
    }
    free(list);
    return status == EXIT_DONE && !s->method_count ? report_usage("--methods: expected names, found none")
                                                   : status;
}

static int encode_labels(sheet *s)
{
    /* With the empty string's feature one text alone has the surgery that it has in `explain`. */
    lancet_label_options options = {.redundant = LANCET_REDUNDANT_AUTO};
    lancet_templates *templates = NULL;
    const texts *words = &s->settings->texts;
    lancet_error error;
    int status = EXIT_DONE;

    if (lancet_templates_open(&templates, s->settings->templates ? s->settings->templates : "85", &error) !=
        LANCET_OK)
        return report_error(&error);
    options.templates = templates;
    if (lancet_labels_encode(&s->labels, s->session, texts_view(words), words->count, &options, &error) !=
        LANCET_OK)
        status = report_error(&error);
    lancet_templates_close(&templates);
    if (status == EXIT_DONE)
        report_lost(s->labels);
    return status;
}

static lancet_image **cell_at(sheet *s, size_t row, size_t column)
{
    return &s->images[row * (1 + s->method_count) + column];
}

/* The overlays of one picture by one method, a text a row. Pictures are scaled down first: a sheet shows no
 * more. */
static lancet_status fill_column(sheet *s, const lancet_picture *whole, const lancet_picture *small,
                                 size_t row, size_t column, lancet_error *error)
{
    const lancet_overlay_options colours = {.colours = (lancet_colours)s->settings->colours};
    lancet_feature_options options = feature_options(&s->settings->picture, s->model);
    lancet_map_options map_options = {.session = s->session};
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;
    float *map = calloc(small->width * small->height, sizeof *map);
    lancet_status status = map ? LANCET_OK : LANCET_ERROR_MEMORY;

    lancet_method_apply(s->methods[column - 1], &options, &map_options);
    if (options.path == LANCET_PATH_PLAIN)
        options.surgery_last = options.surgery_start = 0;
    if (status == LANCET_OK)
        status = lancet_features_encode(&features, s->session, whole, &options, error);
    if (status == LANCET_OK)
        status = lancet_maps_compute(&maps, features, s->labels, &map_options, error);
    for (size_t t = 0; t < s->settings->texts.count && status == LANCET_OK; t++) {
        status = lancet_maps_write(maps, t, small->width, small->height, map, error);
        if (status == LANCET_OK)
            status = lancet_overlay(cell_at(s, row + t, column), small, map, &colours, error);
    }
    lancet_maps_close(&maps);
    lancet_features_close(&features);
    free(map);
    return status;
}

static int fill_picture(sheet *s, const char *path, size_t row)
{
    const lancet_image_options options = {.ignore_orientation = s->settings->picture.ignore_orientation};
    const size_t width = (size_t)s->settings->cell;
    lancet_image *image = NULL;
    lancet_picture whole, small;
    lancet_error error = {.status = LANCET_ERROR_MEMORY, .message = "out of memory"};
    lancet_status status = lancet_image_open(&image, path, &options, &error);

    if (status == LANCET_OK) {
        whole = lancet_image_picture(image);
        const size_t height = whole.height * width / whole.width;

        for (size_t t = 0; t < s->settings->texts.count && status == LANCET_OK; t++)
            status = lancet_image_resize(cell_at(s, row + t, 0), &whole, width, height ? height : 1, &error);
    }
    for (size_t column = 1; column <= s->method_count && status == LANCET_OK; column++) {
        small = lancet_image_picture(*cell_at(s, row, 0));
        status = fill_column(s, &whole, &small, row, column, &error);
    }
    lancet_image_close(&image);
    return status == LANCET_OK ? EXIT_DONE : report_error(&error);
}

static int write_sheet(sheet *s)
{
    const size_t columns = 1 + s->method_count, count = s->rows * columns;
    const char *titles[65] = {"picture"};
    const lancet_sheet_options options = {.column_captions = titles,
                                          .row_captions = texts_view(&s->captions),
                                          .cell_width = (size_t)s->settings->cell};
    lancet_picture *cells = calloc(count, sizeof *cells), drawn;
    lancet_image *image = NULL;
    lancet_png png = {.form = LANCET_PNG_RGB};
    lancet_error error;
    int status = EXIT_DONE;

    if (!cells)
        return report_memory();
    for (size_t m = 0; m < s->method_count; m++)
        titles[1 + m] = s->methods[m]->title;
    for (size_t i = 0; i < count; i++)
        cells[i] = lancet_image_picture(s->images[i]);
    if (lancet_contact_sheet(&image, cells, s->rows, columns, &options, &error) == LANCET_OK) {
        drawn = lancet_image_picture(image);
        png.samples = drawn.rgb;
        png.width = drawn.width;
        png.height = drawn.height;
        png.stride = drawn.stride;
    }
    if (!image || lancet_png_write(s->settings->output, &png, &error) != LANCET_OK)
        status = report_error(&error);
    lancet_image_close(&image);
    free(cells);
    return status;
}

static int compare(sheet *s, const texts *pictures)
{
    int status = choose_methods(s);

    if (status == EXIT_DONE)
        status = encode_labels(s);
    if (status != EXIT_DONE)
        return status;
    s->rows = pictures->count * s->settings->texts.count;
    s->images = calloc(s->rows * (1 + s->method_count), sizeof(lancet_image *));
    if (!s->images)
        return report_memory();
    for (size_t i = 0; i < pictures->count && status == EXIT_DONE; i++) {
        for (size_t t = 0; t < s->settings->texts.count && status == EXIT_DONE; t++)
            if (!texts_add(&s->captions, s->settings->texts.items[t]))
                status = report_memory();
        if (status == EXIT_DONE)
            status = fill_picture(s, pictures->items[i], i * s->settings->texts.count);
    }
    return status == EXIT_DONE ? write_sheet(s) : status;
}

static int run(const command *self, int argc, char **argv)
{
    compare_settings settings = {.output = "compare.png", .cell = 240};
    sheet s = {.settings = &settings};
    lancet_model *model = NULL;
    texts operands = {0};
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = picture_check(&settings.picture);
    if (status != EXIT_DONE)
        goto done;
    if (settings.labels)
        status = labels_read(&settings.texts, settings.labels);
    if (status != EXIT_DONE)
        goto done;
    if (!operands.count)
        status = report_usage("expected a picture, found none");
    else if (!settings.texts.count)
        status = report_usage("expected what to look for: -t TEXT or --labels LIST");
    else if (settings.picture.path != LANCET_PATH_SURGERY)
        status = report_usage("--path: the methods decide it");
    else if (operands.count * settings.texts.count > ROWS_MAX)
        status = report_usage("expected at most %d rows (pictures times texts), found %zu", ROWS_MAX,
                              operands.count * settings.texts.count);
    else
        status = model_begin(&model, &s.session, &settings.model, &settings.common, LANCET_TOWERS_BOTH);
    s.model = model;
    if (status == EXIT_DONE)
        status = compare(&s, &operands);
done:
    for (size_t i = 0; s.images && i < s.rows * (1 + s.method_count); i++)
        lancet_image_close(&s.images[i]);
    free(s.images);
    lancet_labels_close(&s.labels);
    lancet_session_close(&s.session);
    lancet_model_close(&model);
    texts_close(&s.captions);
    texts_close(&settings.texts);
    texts_close(&operands);
    return status;
}

const command compare_command = {
    .name = "compare",
    .summary = "Draw several methods' maps side by side.",
    .usage = "lancet compare PICTURE... -t TEXT [-t TEXT...] [--methods NAMES] [-o FILE]",
    .about =
        "One sheet: a row for each picture and text, a column for each method. All maps go from 0 to 1 over "
        "their "
        "own picture and have the same colours, so that they can be compared. 'lancet methods' says what the "
        "methods do.",
    .examples = "  lancet compare park.jpg -t dog -t bench\n"
                "  lancet compare park.jpg -t dog --methods clip,surgery -o dog.png\n",
    .groups = compare_groups,
    .group_count = sizeof compare_groups / sizeof *compare_groups,
    .run = run,
};
