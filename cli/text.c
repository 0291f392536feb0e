/* `lancet text`: what the text tower makes of words. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "common.h"
#include "files.h"
#include "progress.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct text_settings {
    common_settings common;
    model_settings model;
    const char *labels, *templates, *output;
} text_settings;

static const option text_options[] = {
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = offsetof(text_settings, labels),
     .argument = "LIST",
     .help = "more texts: a file with one a line (- is stdin), or the classes of a data set by its name "
             "('lancet classes' lists them)"},
    {.name = "templates",
     .kind = OPTION_TEXT,
     .offset = offsetof(text_settings, templates),
     .argument = "NAME",
     .help =
         "sentences that each text is put into: 85 (default), none, or a file with one a line, \"{}\" being "
         "the text's place"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(text_settings, output),
     .argument = "FILE",
     .help = "the file to write: an array (.npy) or a label bank (.safetensors)"},
};

/* clang-format off */
static const option_group text_groups[] = {
    {"Options", text_options, sizeof text_options / sizeof *text_options, 0},
    MODEL_GROUP(text_settings),
    COMMON_GROUP(text_settings),
};
/* clang-format on */

/* encode_text itself: the bare texts, not brought to unit length. */
static int write_bare(const text_settings *settings, const lancet_model *model, lancet_session *session,
                      const texts *list)
{
    const size_t shape[] = {list->count, (size_t)lancet_model_describe(model)->embedding_width};
    float *features = calloc(shape[0] * shape[1], sizeof *features);
    lancet_error error;
    int status = EXIT_DONE;

    if (!features)
        return report_memory();
    if (lancet_text_encode(features, session, texts_view(list), list->count, &error) != LANCET_OK ||
        lancet_npy_write(settings->output, LANCET_NPY_FLOAT32, shape, 2, features, &error) != LANCET_OK)
        status = report_error(&error);
    free(features);
    return status;
}

static int write_labels(const text_settings *settings, lancet_session *session, const texts *list,
                        const lancet_templates *templates, bool bank)
{
    lancet_label_options options = {
        .templates = templates,
        /* A bank serves single words too, so it holds the empty string's feature. */
        .redundant = bank ? LANCET_REDUNDANT_EMPTY : LANCET_REDUNDANT_LABELS,
        .progress = progress_of_work};
    lancet_labels *labels = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    progress_begin(&bar, "sentences", settings->common.quiet);
    options.progress_context = &bar;
    if (lancet_labels_encode(&labels, session, texts_view(list), list->count, &options, &error) != LANCET_OK)
        status = report_error(&error);
    progress_end(&bar);
    if (status != EXIT_DONE)
        goto done;
    report_lost(labels);
    const size_t shape[] = {lancet_labels_count(labels), lancet_labels_width(labels)};

    if ((bank ? lancet_labels_save(labels, settings->output, &error)
              : lancet_npy_write(settings->output, LANCET_NPY_FLOAT32, shape, 2,
                                 lancet_labels_features(labels), &error)) != LANCET_OK)
        status = report_error(&error);
done:
    lancet_labels_close(&labels);
    return status;
}

static int check(const text_settings *settings, const texts *list)
{
    if (!list->count && !settings->labels)
        return report_usage("expected a text, or --labels FILE; found none");
    if (!settings->output)
        return report_usage("expected the file to write: -o FILE.npy or -o FILE.safetensors");
    if (!text_ends_with(settings->output, ".npy") && !text_ends_with(settings->output, ".safetensors"))
        return report_usage("--output: expected a name that ends in .npy or .safetensors, found '%s'",
                            settings->output);
    return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
    text_settings settings = {.templates = "85"};
    texts list = {0};
    lancet_templates *templates = NULL;
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_error error;
    bool bank;
    int status;

    if (!options_parse(self, &settings, &list, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = check(&settings, &list);
    if (status == EXIT_DONE && settings.labels)
        status = labels_read(&list, settings.labels);
    if (status == EXIT_DONE && !list.count)
        status = report_problem(LANCET_ERROR_INPUT, "%s: expected a text on each line, found none",
                                settings.labels);
    if (status == EXIT_DONE && lancet_templates_open(&templates, settings.templates, &error) != LANCET_OK)
        status = report_error(&error);
    if (status == EXIT_DONE)
        status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_TEXT);
    if (status != EXIT_DONE)
        goto done;
    bank = text_ends_with(settings.output, ".safetensors");
    status = !bank && strcmp(settings.templates, "none") == 0
                 ? write_bare(&settings, model, session, &list)
                 : write_labels(&settings, session, &list, templates, bank);
    if (status == EXIT_DONE)
        report_note("%s: %zu texts, %d channels", settings.output, list.count,
                    lancet_model_describe(model)->embedding_width);
done:
    lancet_session_close(&session);
    lancet_model_close(&model);
    lancet_templates_close(&templates);
    texts_close(&list);
    return status;
}

const command text_command = {
    .name = "text",
    .summary = "Write the features of texts as a .npy array, or as a label bank for 'lancet explain'.",
    .usage = "lancet text TEXT... -o FILE.npy|FILE.safetensors [options]",
    .about = "Each text is put into every template, the sentences are encoded, each feature is brought to "
             "unit length, and "
             "their mean again: one row of unit length a text.\n"
             "\n"
             "With --templates none an array (.npy) holds the text encoder's own output, not of unit length; "
             "a bank's rows "
             "always have unit length.\n"
             "\n"
             "A label bank is a safetensors file with the texts, the templates and the model's hash inside. "
             "'lancet explain "
             "--labels BANK' uses it without encoding the words again; a bank of another model is refused.",
    .examples = "  lancet text cat dog \"traffic light\" -o words.npy\n"
                "  lancet text \"a photo of a cat.\" --templates none -o sentence.npy\n"
                "  lancet text --labels words.txt -o words.safetensors\n",
    .groups = text_groups,
    .group_count = sizeof text_groups / sizeof *text_groups,
    .run = run,
};
