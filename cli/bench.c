/* `lancet bench`: how long a picture takes, against what this machine can do at most.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "commands.h"
#include "common.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    const char *shape, *labels;
    int batch, repeat;
    bool json, rounds;
} bench_settings;

static const option bench_options[] = {
    {.name = "shape",
     .kind = OPTION_TEXT,
     .offset = offsetof(bench_settings, shape),
     .argument = "NAME",
     .help = "seeded weights of this shape, when no model is given: ViT-B/32, ViT-B/16 (default), ViT-L/14, "
             "ViT-L/14@336, RN50, RN101, RN50x4, RN50x16, RN50x64"},
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = offsetof(bench_settings, labels),
     .argument = "LIST",
     .help =
         "time the text tower instead, on a label bank of these texts in the 85 templates: a file with one "
         "a line (- is stdin), or the classes of a data set by its name"},
    {.name = "batch",
     .kind = OPTION_INTEGER,
     .offset = offsetof(bench_settings, batch),
     .argument = "N",
     .help = "pictures at a time (default 1)",
     .low = 1,
     .high = 64},
    {.name = "repeat",
     .kind = OPTION_INTEGER,
     .offset = offsetof(bench_settings, repeat),
     .argument = "N",
     .help = "runs that count, after two that do not (default 15; with --labels 3, after one)",
     .low = 1,
     .high = 10000},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(bench_settings, json),
     .help = "as a JSON object"},
    {.name = "rounds",
     .kind = OPTION_FLAG,
     .offset = offsetof(bench_settings, rounds),
     .help = "for comparing programs in turns: run once for each line \"run\" on stdin, measure the peak for "
             "each line \"peak\", and answer each with a JSON object in one line"},
};

/* clang-format off */
static const option_group bench_groups[] = {
    {"Options", bench_options, sizeof bench_options / sizeof *bench_options, 0},
    PICTURE_GROUP(bench_settings),
    MODEL_GROUP(bench_settings),
    COMMON_GROUP(bench_settings),
};
/* clang-format on */

typedef struct bench_result {
    const char *model, *path, *precision;
    lancet_feature_options options; /* resolved: width and height are the input's */
    int batch;
    double flops; /* of the plain tower for the batch */
    bench_times times;
} bench_result;

static int open_shape(lancet_model **model, void **file, const char *name, const bench_settings *settings)
{
    const lancet_model_options options = {.activation = (lancet_activation)settings->model.activation,
                                          .precision = (lancet_precision)settings->model.precision,
                                          .towers =
                                              settings->labels ? LANCET_TOWERS_TEXT : LANCET_TOWERS_VISION,
                                          .vocabulary = settings->model.vocabulary,
                                          .head_width = settings->model.head_width};
    const bench_shape *shape = bench_shapes;
    lancet_error error;
    char title[64];
    size_t length;

    while (shape->name && strcmp(shape->name, name) != 0)
        shape++;
    if (!shape->name)
        return report_usage(
            "--shape: expected ViT-B/32, ViT-B/16, ViT-L/14, ViT-L/14@336, RN50, RN101, RN50x4, "
            "RN50x16 or RN50x64, found '%s'",
            name);
    *file = bench_model_make(shape, settings->labels != NULL, &length);
    if (!*file)
        return report_memory();
    snprintf(title, sizeof title, "%s with seeded weights", shape->name);
    if (lancet_model_open_memory(model, *file, length, title, &options, &error) != LANCET_OK)
        return report_error(&error);
    return EXIT_DONE;
}

/* Noise: the time does not depend on what is in a picture. */
static uint8_t *make_pictures(lancet_picture *pictures, int batch)
{
    const size_t width = 500, height = 375;
    uint8_t *rgb = malloc((size_t)batch * 3 * width * height);

    for (size_t i = 0; rgb && i < (size_t)batch * 3 * width * height; i++)
        rgb[i] = (uint8_t)(i * 2654435761u >> 13);
    for (int i = 0; rgb && i < batch; i++)
        pictures[i] = (lancet_picture){rgb + (size_t)i * 3 * width * height, width, height, 0};
    return rgb;
}

/* What is encoded again and again. */
typedef struct bench_pictures {
    lancet_session *session;
    lancet_feature_options options;
    lancet_picture *pictures;
    lancet_features **features;
    size_t count;
} bench_pictures;

static int encode(void *context)
{
    bench_pictures *work = context;
    lancet_error error;
    int status = EXIT_DONE;

    if (lancet_features_encode_batch(work->features, work->session, work->pictures, work->count,
                                     &work->options, &error) != LANCET_OK)
        status = report_error(&error);
    for (size_t i = 0; i < work->count; i++)
        lancet_features_close(&work->features[i]);
    return status;
}

/* What both JSON reports begin with. */
static json_t *describe(const bench_result *r)
{
    json_t *object = json_object();
    bool good = object;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "model", json_words(r->model));
    json_put(&good, object, "path", json_words(r->path));
    json_put(&good, object, "precision", json_words(r->precision));
    json_put(&good, object, "side",
             r->options.width == r->options.height ? json_integer(r->options.width) : json_null());
    json_put(&good, object, "input_width", json_integer(r->options.width));
    json_put(&good, object, "input_height", json_integer(r->options.height));
    json_put(&good, object, "batch", json_integer(r->batch));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int measure(bench_result *result, bench_pictures *work, const bench_settings *settings)
{
    const lancet_model *model = lancet_session_model(work->session);
    uint8_t *rgb = NULL;
    int status = EXIT_DONE;
    lancet_error error;

    work->pictures = calloc(work->count, sizeof *work->pictures);
    work->features = calloc(work->count, sizeof(lancet_features *));
    rgb = work->pictures ? make_pictures(work->pictures, (int)work->count) : NULL;
    if (!rgb || !work->features)
        status = report_memory();
    else if (lancet_feature_options_resolve(&result->options, model, work->pictures, &work->options,
                                            &error) != LANCET_OK)
        status = report_error(&error);
    if (status == EXIT_DONE) {
        result->flops = result->batch * bench_flops(lancet_model_describe(model), result->options.height,
                                                    result->options.width);
        status = settings->rounds
                     ? bench_rounds(describe(result), result->times.threads, result->flops, encode, work)
                     : bench_time(&result->times, 2, settings->repeat ? settings->repeat : 15, encode, work);
    }
    free(work->pictures);
    free(work->features);
    free(rgb);
    return status;
}

static void print_table(const bench_result *r)
{
    printf("model        %s\n", r->model);
    printf("work         %s path, %d x %d pixels, batch %d, %s, %d thread%s, %s kernels\n", r->path,
           r->options.width, r->options.height, r->batch, r->precision, r->times.threads,
           r->times.threads == 1 ? "" : "s", lancet_instruction_set());
    bench_print(&r->times, r->flops, "the plain tower's products");
}

static int print_json(const bench_result *r)
{
    json_t *object = describe(r);
    bool good = object;
    int status;

    bench_json(&good, object, &r->times, r->flops);
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    return status;
}

static int bench_vision(lancet_session *session, const bench_settings *settings)
{
    const lancet_model *model = lancet_session_model(session);
    const lancet_model_description *about = lancet_model_describe(model);
    bench_pictures work = {.session = session,
                           .options = feature_options(&settings->picture, model),
                           .count = (size_t)settings->batch};
    bench_result result = {.model = about->path,
                           .precision = precision_names[about->precision],
                           .path = path_names[work.options.path],
                           .batch = settings->batch,
                           .times = {.threads = lancet_session_threads(session)}};
    const int status = measure(&result, &work, settings);

    if (status != EXIT_DONE || settings->rounds)
        return status;
    if (settings->json)
        return print_json(&result);
    print_table(&result);
    return EXIT_DONE;
}

static int read_labels(texts *labels, const char *path)
{
    const int status = labels_read(labels, path);

    if (status == EXIT_DONE && !labels->count)
        return report_problem(LANCET_ERROR_INPUT, "%s: expected a text on each line, found none", path);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    bench_settings settings = {.batch = 1};
    texts operands = {0}, labels = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    void *file = NULL;
    lancet_error error;
    int status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        return status;
    report_as("bench", settings.common.quiet);
    if (operands.count) {
        status = report_usage("expected options only, found '%s'", operands.items[0]);
    } else if (picture_check(&settings.picture) != EXIT_DONE) {
        status = LANCET_ERROR_ARGUMENT;
    } else if (settings.model.path && settings.shape) {
        status = report_usage("--model and --shape: give one of them");
    } else if (settings.rounds && (settings.json || settings.repeat)) {
        status = report_usage("--rounds: how often and in which form is said line by line; leave out --json "
                              "and --repeat");
    } else if (settings.rounds && settings.labels && strcmp(settings.labels, "-") == 0) {
        status = report_usage("--rounds and --labels -: stdin can be one of them");
    } else if (settings.labels && (status = read_labels(&labels, settings.labels)) != EXIT_DONE) {
        ; /* reported */
    } else if (settings.model.path) {
        status = model_begin(&model, &session, &settings.model, &settings.common,
                             settings.labels ? LANCET_TOWERS_TEXT : LANCET_TOWERS_VISION);
    } else {
        const lancet_session_options options = {.threads = settings.common.threads};

        status = open_shape(&model, &file, settings.shape ? settings.shape : "ViT-B/16", &settings);
        if (status == EXIT_DONE && lancet_session_open(&session, model, &options, &error) != LANCET_OK)
            status = report_error(&error);
    }
    if (status == EXIT_DONE)
        status = settings.labels ? bench_labels(session, &labels, settings.repeat ? settings.repeat : 3,
                                                settings.rounds ? BENCH_ROUNDS
                                                : settings.json ? BENCH_JSON
                                                                : BENCH_TABLE)
                                 : bench_vision(session, &settings);
    lancet_session_close(&session);
    lancet_model_close(&model);
    free(file);
    texts_close(&operands);
    texts_close(&labels);
    return status;
}

const command bench_command = {
    .name = "bench",
    .summary = "Time a model against this machine's own limit.",
    .usage = "lancet bench [--shape NAME | -m MODEL] [OPTIONS]",
    .about = "Encodes pictures again and again and prints the median time, the speed, and the share of the "
             "peak: the "
             "fused multiply-adds that the same number of threads reach when nothing holds them up, measured "
             "in the "
             "same run. With --labels it makes label banks instead. Processor time and a thread's own peak "
             "say the "
             "same for a machine that is busy with something else, but for what that does to the caches.\n\n"
             "The floor of pictures counts the products of the plain vision tower, whichever path is timed, "
             "so that "
             "paths can be compared; a ResNet's convolutions count as sums written out, of which Winograd's "
             "algorithm "
             "saves a part. That of a bank counts what the rows need that have to be computed: prompts share "
             "what they "
             "begin with, and nothing after their end tokens is read. The bank's time is also told as a "
             "share of the "
             "time that all positions would take at the peak, the padding included.\n\n"
             "Without a model it makes one of the asked shape with seeded weights; its maps mean nothing, "
             "its speed is "
             "real. A bank needs CLIP's vocabulary.",
    .examples = "  lancet bench\n"
                "  lancet bench --shape ViT-B/32 --threads 1\n"
                "  lancet bench -m ViT-B-16.safetensors --side 512 --json\n"
                "  lancet bench --labels words.txt\n"
                "  printf 'run\\npeak\\nrun\\n' | lancet bench --rounds\n",
    .groups = bench_groups,
    .group_count = sizeof bench_groups / sizeof *bench_groups,
    .run = run,
};
