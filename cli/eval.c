/* `lancet eval`: the paper's protocols on data sets. SPDX-License-Identifier: Apache-2.0 */
#include "eval.h"

#include "commands.h"
#include "files.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const threshold_names[] = {"best", "per-class", "per-image", "otsu", "mean"};
#define THRESHOLD_NAMES (sizeof threshold_names / sizeof *threshold_names)

static int check(lancet_protocol *protocol, const eval_settings *settings, const texts *operands)
{
    lancet_error error;

    if (operands->count != 1)
        return report_usage("expected one protocol (explainability, segmentation, ...), found %zu operands",
                            operands->count);
    if (lancet_protocol_find(protocol, operands->items[0], &error) != LANCET_OK)
        return report_usage("%s", error.message);
    if (!settings->data)
        return report_usage("expected the data set's folder: --data DIR");
    if (settings->no_journal && settings->journal)
        return report_usage("--journal and --no-journal contradict each other");
    if (settings->no_bootstrap && settings->resamples)
        return report_usage("--resamples and --no-bootstrap contradict each other");
    if (settings->no_journal && lancet_parallel_size() > 1)
        return report_usage("--no-journal: several processes share their work through it");
    if (settings->picture.path != LANCET_PATH_SURGERY)
        return report_usage("--path: the methods decide it; --methods clip is CLIP as trained");
    if (settings->picture.ignore_orientation)
        return report_usage(
            "--ignore-orientation: masks are of the pixels as stored, so it is always obeyed");
    return picture_check(&settings->picture);
}

static int read_totals(lancet_totals_options *totals, const eval_settings *settings)
{
    const char *threshold = settings->threshold;
    char *end;
    double value;

    *totals = (lancet_totals_options){.average = (lancet_average)settings->average,
                                      .resamples = settings->no_bootstrap ? -1 : settings->resamples,
                                      .seed = (uint64_t)settings->seed};
    if (!threshold)
        return EXIT_DONE;
    for (size_t i = 0; i < THRESHOLD_NAMES; i++)
        if (strcmp(threshold_names[i], threshold) == 0) {
            totals->threshold = (lancet_threshold)i;
            return EXIT_DONE;
        }
    value = strtod(threshold, &end) * LANCET_THRESHOLDS;
    totals->threshold = LANCET_THRESHOLD_FIXED;
    totals->fixed = value >= 0 && value < LANCET_THRESHOLDS ? (int)(value + 0.5) : -1;
    if (end == threshold || *end || totals->fixed < 0 || totals->fixed >= LANCET_THRESHOLDS ||
        value - totals->fixed > 1e-6 || value - totals->fixed < -1e-6)
        return report_usage(
            "--threshold: expected best, per-class, per-image, otsu, mean or a number from 0 to "
            "0.99 in hundredths, found '%s'",
            threshold);
    return EXIT_DONE;
}

/* ---- Progress ------------------------------------------------------------------------------------------ */

static bool show_progress(void *context, size_t done, size_t resumed, size_t total)
{
    progress_show_left(context, done, resumed, total, NULL);
    return true;
}

/* ---- The run ------------------------------------------------------------------------------------------- */

static int open_dataset(lancet_dataset **dataset, const eval_settings *settings)
{
    const lancet_dataset_options options = {
        .layout = (lancet_layout)settings->layout,
        .split = settings->split,
        .classes = settings->classes,
        .pictures = settings->pictures,
        .masks = settings->masks,
        .annotations = settings->annotations,
        .on_broken = settings->skip_broken ? LANCET_BROKEN_SKIP : LANCET_BROKEN_REFUSE,
    };
    const lancet_dataset_about *about;
    lancet_error error;

    if (lancet_dataset_open(dataset, settings->data, &options, &error) != LANCET_OK)
        return report_error(&error);
    about = lancet_dataset_describe(*dataset);
    report_note("%s: layout %s%s%s%s, %zu pictures, %zu classes (%s)", settings->data,
                lancet_layout_name(about->layout), *about->evidence ? " (" : "", about->evidence,
                *about->evidence ? ")" : "", lancet_dataset_count(*dataset),
                lancet_dataset_class_count(*dataset), about->classes);
    return EXIT_DONE;
}

static int print_report(const lancet_report *report, const eval_settings *settings, const char *output)
{
    char *text = NULL;
    lancet_error error;
    int status = folder_make(output);

    if (status != EXIT_DONE)
        return status;
    if (lancet_report_write(report, output, &error) != LANCET_OK ||
        lancet_report_text(&text, report, settings->json ? LANCET_REPORT_JSON : LANCET_REPORT_MARKDOWN,
                           &error) != LANCET_OK)
        return report_error(&error);
    if (settings->json || !settings->common.quiet)
        fputs(text, stdout);
    lancet_report_text_close(&text);
    return EXIT_DONE;
}

static int evaluate(const eval_settings *settings, lancet_evaluation *evaluation, lancet_session *session,
                    const lancet_labels *labels, lancet_dataset *dataset, const char *output)
{
    lancet_report *report = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    progress_begin(&bar, "pictures", settings->common.quiet);
    evaluation->progress = show_progress;
    evaluation->progress_context = &bar;
    if (lancet_evaluate(&report, session, labels, dataset, evaluation, &error) != LANCET_OK) {
        progress_end(&bar);
        return report_error(&error);
    }
    progress_end(&bar);
    if (report)
        status = print_report(report, settings, output);
    lancet_report_close(&report);
    return status;
}

/* Where the report and the journal go; free() both. */
static int choose_folders(char **output, char **journal, const eval_settings *settings,
                          lancet_protocol protocol)
{
    *output = settings->output ? text_print("%s", settings->output)
                               : text_print("eval-%s", lancet_protocol_name(protocol));
    if (!*output)
        return report_memory();
    if (settings->no_journal)
        return EXIT_DONE;
    *journal = settings->journal ? text_print("%s", settings->journal) : path_join(*output, "journal");
    return *journal ? folder_make(*journal) : report_memory();
}

static int run_protocol(const eval_settings *settings, lancet_protocol protocol)
{
    eval_variants variants = {0};
    lancet_evaluation evaluation = {.protocol = protocol,
                                    .limit = (size_t)settings->limit,
                                    .on_broken =
                                        settings->skip_broken ? LANCET_BROKEN_SKIP : LANCET_BROKEN_REFUSE,
                                    .no_sheet = settings->no_sheet,
                                    .decoders = settings->decoders};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    lancet_dataset *dataset = NULL;
    char *output = NULL, *journal = NULL;
    int status = read_totals(&evaluation.totals, settings);

    if (status == EXIT_DONE)
        status = open_dataset(&dataset, settings);
    if (status == EXIT_DONE)
        status = model_begin(&model, &session, &settings->model, &settings->common,
                             settings->labels ? LANCET_TOWERS_VISION : LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE)
        status = eval_choose_variants(&variants, settings, protocol, model, dataset);
    if (status == EXIT_DONE)
        status = choose_folders(&output, &journal, settings, protocol);
    if (status == EXIT_DONE)
        status = eval_get_labels(&labels, session, settings, protocol, dataset);
    if (status == EXIT_DONE) {
        evaluation.variants = variants.items;
        evaluation.variant_count = variants.count;
        evaluation.journal = journal;
        status = evaluate(settings, &evaluation, session, labels, dataset, output);
    }
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    lancet_dataset_close(&dataset);
    texts_close(&variants.names);
    free(output);
    free(journal);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    eval_settings settings = {.tau = 2};
    texts operands = {0};
    lancet_protocol protocol;
    lancet_error error;
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    if (lancet_parallel_begin(&error) != LANCET_OK) {
        status = report_error(&error);
        goto done;
    }
    /* One of the processes speaks for all. */
    if (lancet_parallel_rank() > 0) {
        settings.common.quiet = true;
        report_as(self->name, true);
    }
    status = check(&protocol, &settings, &operands);
    if (status == EXIT_DONE)
        status = run_protocol(&settings, protocol);
    lancet_parallel_end(status != EXIT_DONE);
done:
    texts_close(&operands);
    return status;
}

const command eval_command = {
    .name = "eval",
    .summary = "Measure methods on a data set by the paper's protocols.",
    .usage = "lancet eval PROTOCOL --data DIR [options]",
    .about =
        "Runs over every picture of the data set and writes a report: totals with 95 % intervals, the "
        "paper's "
        "figures beside ours where it has one for the data set and the model, a table of the classes, "
        "curves, and "
        "every setting that the figures depend on. docs/evaluation.md defines the protocols:\n"
        "\n"
        "explainability: mIoU and mSC of the map of each label that is in a picture.\n"
        "\n"
        "segmentation: mIoU of label maps, from the confusion matrix; at 512 x 512 pixels unless told "
        "otherwise.\n"
        "\n"
        "multi-label: mAP of the labels of whole pictures, by cosine, softmax and feature surgery.\n"
        "\n"
        "points: how many of the points of each map lie right.\n"
        "\n"
        "fsr: mFSR, how much of a token's attention lies on its thing (Eq. 4), and its curve (Fig. 4).\n"
        "\n"
        "affinity: cosine of each block's branches with the labels (Eq. 5, Fig. 5).\n"
        "\n"
        "label-l1: distance of present labels' maps to the empty string's (Fig. 6).\n"
        "\n"
        "What was measured is kept in a journal. A run that was interrupted, however, goes on from there "
        "when it "
        "is started again with the same settings, and its report has the same bytes as that of a run without "
        "interruption. Other totals (--threshold, --average, --seed) are computed from the journal without "
        "running the model again.\n"
        "\n"
        "Under MPI (mpirun -n N lancet eval ...) each process takes its share of the pictures; the folder of "
        "the "
        "journal has to be one that all of them see. The report has the same bytes whatever N.",
    .examples = "  lancet eval explainability --data VOC2012\n"
                "  lancet eval explainability --data VOC2012 --table 4 -o table-4\n"
                "  lancet eval explainability --data coco --sweep depth=1..10 -o depth\n"
                "  lancet eval segmentation --data cityscapes\n"
                "  mpirun -n 8 lancet eval explainability --data coco --methods clip,surgery -o coco\n",
    .groups = eval_groups,
    .group_count = EVAL_GROUPS,
    .run = run,
};
