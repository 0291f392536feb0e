/* `lancet explain`: heat maps of words on pictures. SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include "commands.h"
#include "files.h"
#include "json.h"
#include "pictures.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const form_names[] = {"code", "paper", NULL};
static const char *const colour_names[] = {"jet", "turbo", "viridis", "inferno", "grey", NULL};
_Static_assert(LANCET_COLOURS_COUNT == sizeof colour_names / sizeof *colour_names - 1,
               "colour_names lists the library's colours in its order");

static const option explain_options[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXTS,
     .offset = offsetof(explain_settings, texts),
     .argument = "TEXT",
     .help = "what to look for; may be given again and again"},
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = offsetof(explain_settings, labels),
     .argument = "LIST",
     .help = "more texts: the classes of a data set by its name (voc20, cityscapes19, ...; 'lancet classes' "
             "lists them), a text file with one a line, or a bank that 'lancet text' wrote (.safetensors)"},
    {.name = "templates",
     .kind = OPTION_TEXT,
     .offset = offsetof(explain_settings, templates),
     .argument = "NAME",
     .help =
         "sentences that each text is put into: 85 (default), none, or a file with one a line, \"{}\" being "
         "the text's place"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(explain_settings, output),
     .argument = "DIR",
     .help = "folder for the results, made if it is not there; default: the current one"},
    {.name = "write",
     .kind = OPTION_SET,
     .offset = offsetof(explain_settings, write),
     .argument = "KINDS",
     .help = "what to write, with commas: overlay (default), map, map16, npy, json, points",
     .choices = explain_kinds},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(explain_settings, json),
     .help = "a summary of everything on stdout"},
};

static const option method_options[] = {
    {.name = "method",
     .kind = OPTION_TEXT,
     .offset = offsetof(explain_settings, method),
     .argument = "NAME",
     .help =
         "another method than CLIP Surgery: clip, rclip, maskclip, sclip, ...; 'lancet methods' lists them"},
    {.name = "redundant",
     .kind = OPTION_CHOICE,
     .offset = offsetof(explain_settings, redundant),
     .argument = "NAME",
     .help =
         "what is subtracted: labels (the mean over the texts), empty (the empty string in the templates), "
         "empty-bare (the empty string alone), none; default: auto (empty for one text, labels for several)",
     .choices = redundant_names},
    {.name = "form",
     .kind = OPTION_CHOICE,
     .offset = offsetof(explain_settings, form),
     .argument = "NAME",
     .help = "with labels: code (default), as the published code computes; paper, as Eq. 8-11 say",
     .choices = form_names},
    {.name = "order",
     .kind = OPTION_CHOICE,
     .offset = offsetof(explain_settings, order),
     .argument = "NAME",
     .help = "code (default): scale to 0..1, then enlarge; paper: enlarge, then scale (Eq. 1)",
     .choices = form_names},
    {.name = "tau",
     .kind = OPTION_REAL,
     .offset = offsetof(explain_settings, tau),
     .argument = "X",
     .help = "the scale in Eq. 9; default: 2",
     .low = 1e-6,
     .high = 1e6},
    {.name = "threshold",
     .kind = OPTION_REAL,
     .offset = offsetof(explain_settings, threshold),
     .argument = "X",
     .help = "points where the halved map reaches it, 0 to 1; default: 0.8",
     .low = 0,
     .high = 1},
};

static const option window_options[] = {
    {.name = "window",
     .kind = OPTION_INTEGER,
     .offset = offsetof(explain_settings, window),
     .argument = "N",
     .help =
         "look through windows of N x N pixels, whole patches, and average the scores where they overlap; "
         "the "
         "picture keeps its own size, to whole patches, unless --side, --size or --short-side says another",
     .low = 1,
     .high = LANCET_SIDE_MAX},
    {.name = "stride",
     .kind = OPTION_INTEGER,
     .offset = offsetof(explain_settings, stride),
     .argument = "N",
     .help = "pixels from one window to the next; default: half the window, in whole patches",
     .low = 1,
     .high = LANCET_SIDE_MAX},
};

static const option figure_options[] = {
    {.name = "colours",
     .kind = OPTION_CHOICE,
     .offset = offsetof(explain_settings, colours),
     .argument = "NAME",
     .help = "jet (default), turbo, viridis, inferno or grey",
     .choices = colour_names},
    {.name = "note",
     .kind = OPTION_TEXT,
     .offset = offsetof(explain_settings, note),
     .argument = "TEXT",
     .help = "a second line under the overlays"},
};

/* clang-format off */
static const option_group explain_groups[] = {
    {"Options", explain_options, sizeof explain_options / sizeof *explain_options, 0},
    {"Method", method_options, sizeof method_options / sizeof *method_options, 0},
    PICTURE_GROUP(explain_settings),
    {"Windows", window_options, sizeof window_options / sizeof *window_options, 0},
    {"Figures", figure_options, sizeof figure_options / sizeof *figure_options, 0},
    MODEL_GROUP(explain_settings),
    MANY_GROUP(explain_settings),
    COMMON_GROUP(explain_settings),
};
/* clang-format on */

/* What the command line cannot say together, before anything is opened. */
static int check(const explain_settings *settings)
{
    const bool bank = settings->labels && text_ends_with(settings->labels, ".safetensors");

    if (!settings->texts.count && !settings->labels)
        return report_usage("expected what to look for: -t TEXT or --labels FILE");
    if (bank && settings->texts.count)
        return report_usage("--labels: a bank (%s) cannot be joined with -t", settings->labels);
    if (bank && settings->templates)
        return report_usage("--templates: the bank %s has its own", settings->labels);
    if (settings->stride && !settings->window)
        return report_usage("--stride goes with --window");
    if (settings->stride > settings->window)
        return report_usage("--stride: expected at most the window's %d pixels, found %d", settings->window,
                            settings->stride);
    return picture_check(&settings->picture);
}

static int encode_labels(lancet_labels **labels, lancet_session *session, explain_settings *settings,
                         size_t *template_count)
{
    lancet_label_options options = {.redundant = (lancet_redundant)settings->redundant,
                                    .progress = progress_of_work};
    lancet_templates *templates = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    if (lancet_templates_open(&templates, settings->templates, &error) != LANCET_OK)
        return report_error(&error);
    *template_count = lancet_templates_count(templates);
    progress_begin(&bar, "sentences", settings->common.quiet);
    options.templates = templates;
    options.progress_context = &bar;
    if (lancet_labels_encode(labels, session, texts_view(&settings->texts), settings->texts.count, &options,
                             &error) != LANCET_OK)
        status = report_error(&error);
    progress_end(&bar);
    lancet_templates_close(&templates);
    return status;
}

/* The words, encoded once for all pictures. */
static int get_labels(lancet_labels **labels, lancet_session *session, explain_settings *settings, bool bank,
                      size_t *template_count)
{
    lancet_error error;
    int status;

    if (bank)
        return lancet_labels_open(labels, settings->labels, &error) == LANCET_OK ? EXIT_DONE
                                                                                 : report_error(&error);
    if (!settings->templates)
        settings->templates = "85";
    if (settings->labels) {
        const size_t before = settings->texts.count;

        status = labels_read(&settings->texts, settings->labels);
        if (status == EXIT_DONE && settings->texts.count == before)
            status = report_problem(LANCET_ERROR_INPUT, "%s: expected a text on each line, found none",
                                    settings->labels);
        if (status != EXIT_DONE)
            return status;
    }
    status = encode_labels(labels, session, settings, template_count);
    if (status == EXIT_DONE)
        report_lost(*labels);
    return status;
}

/* The maps of one picture, as a whole or through windows, and what the options came to for it. */
static lancet_status compute_maps(lancet_maps **maps, lancet_feature_options *features,
                                  lancet_window_options *windows, const explain_job *job,
                                  const picture_item *picture, lancet_error *error)
{
    const explain_settings *settings = job->settings;
    const lancet_picture pixels = lancet_image_picture(picture->image);
    const lancet_map_options map_options = {.redundant = (lancet_redundant)settings->redundant,
                                            .form = (lancet_surgery_form)settings->form,
                                            .order = (lancet_map_order)settings->order,
                                            .tau = (float)settings->tau,
                                            .reversed = settings->reversed,
                                            .session = job->session};
    progress bar;
    const lancet_window_options wished = {.side = settings->window,
                                          .stride = settings->stride,
                                          .progress = progress_of_work,
                                          .progress_context = &bar};
    const lancet_features *encoded;
    lancet_features *own = NULL;
    lancet_status status;

    if (settings->window) {
        status = lancet_window_options_resolve(features, windows, job->model, &pixels, &job->features,
                                               &wished, error);
        progress_begin(&bar, "windows", settings->common.quiet);
        if (status == LANCET_OK)
            status = lancet_maps_slide(maps, job->session, &pixels, job->labels, features, windows,
                                       &map_options, error);
        progress_end(&bar);
        return status;
    }
    status = lancet_feature_options_resolve(features, job->model, &pixels, &job->features, error);
    if (status == LANCET_OK)
        status = picture_encode(&encoded, &own, picture, job->session, features, error);
    if (status == LANCET_OK)
        status = lancet_maps_compute(maps, encoded, job->labels, &map_options, error);
    lancet_features_close(&own);
    return status;
}

static int explain_one(json_t **summary, void *context, const picture_item *picture)
{
    const explain_job *job = context;
    lancet_feature_options features;
    lancet_window_options windows = {0};
    lancet_maps *maps = NULL;
    lancet_error error;
    int status;

    status = compute_maps(&maps, &features, &windows, job, picture, &error) == LANCET_OK
                 ? explain_write(
                       summary, job,
                       &(explain_picture){picture, &features, job->settings->window ? &windows : NULL, maps})
                 : picture_report(picture->path, &error);
    lancet_maps_close(&maps);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    explain_settings settings = {.output = ".", .write = EXPLAIN_OVERLAY, .tau = 2, .threshold = 0.8};
    texts operands = {0};
    many_pictures pictures = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    explain_job job = {.settings = &settings};
    bool bank;
    int status, list_status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = many_begin(self, &settings.common, &settings.many, operands.count, settings.json);
    if (status == EXIT_DONE)
        status = check(&settings);
    if (status == EXIT_DONE &&
        !method_choose(settings.method, &settings.picture.path, &settings.redundant, &settings.reversed))
        status = LANCET_ERROR_ARGUMENT;
    if (status != EXIT_DONE)
        goto done;
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    bank = settings.labels && text_ends_with(settings.labels, ".safetensors");
    status = model_begin(&model, &session, &settings.model, &settings.common,
                         bank ? LANCET_TOWERS_VISION : LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE)
        status = get_labels(&labels, session, &settings, bank, &job.template_count);
    if (status == EXIT_DONE)
        status = folder_make(settings.output);
    if (status != EXIT_DONE)
        goto done;
    job.model = model;
    job.labels = labels;
    job.bank = bank ? settings.labels : NULL;
    job.session = session;
    job.features = feature_options(&settings.picture, model);
    status = pictures_run(&(picture_work){.run = explain_one,
                                          .context = &job,
                                          WORK_OF(self, settings),
                                          .model = model,
                                          .session = session,
                                          .labels = labels,
                                          .features = settings.window ? NULL : &job.features,
                                          .output = settings.output},
                          &pictures, list_status);
done:
    status = many_end(status);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    texts_close(&settings.texts);
    many_close(&pictures);
    texts_close(&operands);
    return status;
}

const command explain_command = {
    .name = "explain",
    .summary = "Show where in pictures the things are that words name.",
    .usage = "lancet explain PICTURE|FOLDER... -t TEXT [-t TEXT ...] [options]",
    .about =
        "For every picture and text it writes a heat map, by CLIP Surgery: an overlay as PNG, with the "
        "text, the "
        "range of raw scores and the scale of colours below the picture.\n"
        "\n"
        "A map is scaled to 0..1 by itself, so it always shows something hot. How much the text is "
        "there at all is "
        "seen from the raw scores, which are comparable within one model and one set of texts.\n"
        "\n"
        "A folder stands for the pictures directly in it (.jpg, .jpeg, .png, .webp), sorted by name, with "
        "--recursive also for those in its folders; "
        "the overlays and "
        "maps that lancet wrote are left out. A picture that cannot be read is named on stderr, the "
        "others are done, "
        "and the exit status says what was wrong.\n"
        "\n"
        "Files are called <picture>-<number>-<text>, with the text's number on the command line:\n"
        "  .overlay.png   overlay  the heat over the picture\n"
        "  .map.png       map      the map alone, 8-bit grey, at the picture's size\n"
        "  .map16.png     map16    the same, 16-bit\n"
        "  .map.npy       npy      the same, float32 [height, width]\n"
        "  .points.json   points   points on (1) and off (0) the thing, as for SAM\n"
        "and for all texts of a picture, <picture>:\n"
        "  .scores.npy    npy      raw scores, float32 [texts, grid rows, grid columns]\n"
        "  .json          json     scores, points, sizes, files, every setting in effect\n"
        "\n"
        "Each file is written as a whole or not at all. The same input gives the same bytes. Without "
        "--quiet and "
        "--json the files' names are printed, one a line.\n"
        "\n"
        "With one text the empty string's feature is subtracted as redundant, with several the mean "
        "over the texts: "
        "then the texts compete, and a list of what else is in the picture makes the maps sharper.",
    .examples = "  lancet explain cat.jpg -t cat -t sofa -t window -o maps\n"
                "  lancet explain holiday/ --labels words.txt --write overlay,json -o maps\n"
                "  lancet explain cat.jpg -t \"a black cat\" --side 512 --json\n"
                "  find photos -name '*.jpg' | lancet explain --list - -t cat -o maps --resume\n",
    .groups = explain_groups,
    .group_count = sizeof explain_groups / sizeof *explain_groups,
    .run = run,
};
