/* `lancet bench`: how long a picture takes, against what this machine can do at most.
 * SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "commands.h"
#include "common.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct bench_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    const char *shape;
    int batch, repeat;
    bool json;
} bench_settings;

static const option bench_options[] = {
    {.name = "shape",
     .kind = OPTION_TEXT,
     .offset = offsetof(bench_settings, shape),
     .argument = "NAME",
     .help = "seeded weights of this shape, when no model is given: ViT-B/32, ViT-B/16 (default), ViT-L/14, "
             "ViT-L/14@336, RN50, RN101, RN50x4, RN50x16, RN50x64"},
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
     .help = "runs that count, after two that do not (default 15)",
     .low = 1,
     .high = 10000},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(bench_settings, json),
     .help = "as a JSON object"},
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
    const char *model, *path;
    lancet_feature_options options; /* resolved: width and height are the input's */
    int batch, threads, repeat;
    double median, least, most; /* seconds for the batch */
    double flops;               /* of the plain tower for the batch */
    double peak;                /* FLOP/s */
    double resident;            /* bytes */
} bench_result;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static int open_shape(lancet_model **model, void **file, const char *name, const bench_settings *settings)
{
    const lancet_model_options options = {.activation = (lancet_activation)settings->model.activation,
                                          .towers = LANCET_TOWERS_VISION,
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
    *file = bench_model_make(shape, &length);
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

static int measure(bench_result *result, lancet_session *session, const bench_settings *settings,
                   const lancet_feature_options *options)
{
    const int runs = settings->repeat + 2, batch = settings->batch;
    lancet_picture *pictures = calloc((size_t)batch, sizeof(lancet_picture));
    lancet_features **features = calloc((size_t)batch, sizeof(lancet_features *));
    double *times = calloc((size_t)runs, sizeof *times), peaks[6];
    uint8_t *rgb = pictures ? make_pictures(pictures, batch) : NULL;
    int status = rgb && features && times ? EXIT_DONE : report_memory();
    struct rusage usage;
    lancet_error error;

    if (status == EXIT_DONE && lancet_feature_options_resolve(&result->options, lancet_session_model(session),
                                                              pictures, options, &error) != LANCET_OK)
        status = report_error(&error);
    /* The limit is measured before and after, so that a machine that changes its mind is noticed. */
    for (int i = 0; i < 3; i++)
        peaks[i] = peak_measure(result->threads, 0.1);
    for (int run = 0; run < runs && status == EXIT_DONE; run++) {
        const double start = now();

        if (lancet_features_encode_batch(features, session, pictures, (size_t)batch, options, &error) !=
            LANCET_OK)
            status = report_error(&error);
        times[run] = now() - start;
        for (int i = 0; i < batch; i++)
            lancet_features_close(&features[i]);
    }
    for (int i = 3; i < 6; i++)
        peaks[i] = peak_measure(result->threads, 0.1);
    if (status == EXIT_DONE) {
        qsort(times + 2, (size_t)settings->repeat, sizeof *times, compare);
        qsort(peaks, 6, sizeof *peaks, compare);
        result->median = times[2 + settings->repeat / 2];
        result->least = times[2];
        result->most = times[runs - 1];
        result->peak = peaks[4] * 1e9;
        getrusage(RUSAGE_SELF, &usage);
        result->resident = 1024.0 * (double)usage.ru_maxrss;
    }
    free(pictures);
    free(features);
    free(times);
    free(rgb);
    return status;
}

static void print_table(const bench_result *r)
{
    const double floor = r->flops / r->peak;

    printf("model        %s\n", r->model);
    printf("work         %s path, %d x %d pixels, batch %d, %d thread%s, %s kernels\n", r->path,
           r->options.width, r->options.height, r->batch, r->threads, r->threads == 1 ? "" : "s",
           lancet_instruction_set());
    printf("time         %.2f ms (median of %d; %.2f to %.2f)\n", 1e3 * r->median, r->repeat, 1e3 * r->least,
           1e3 * r->most);
    printf("speed        %.1f GFLOP/s (%.2f GFLOP: the plain tower's products)\n", r->flops / r->median / 1e9,
           r->flops / 1e9);
    printf("peak         %.1f GFLOP/s of fused multiply-adds, measured in this run\n", r->peak / 1e9);
    printf("share        %.1f %% of the peak: %.3f times the floor of %.2f ms\n", 100 * floor / r->median,
           r->median / floor, 1e3 * floor);
    printf("memory       %.0f MB resident at most\n", r->resident / 1e6);
}

static int print_json(const bench_result *r)
{
    json_t *object = json_object();
    bool good = object;
    int status;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "model", json_words(r->model));
    json_put(&good, object, "path", json_words(r->path));
    json_put(&good, object, "side",
             r->options.width == r->options.height ? json_integer(r->options.width) : json_null());
    json_put(&good, object, "input_width", json_integer(r->options.width));
    json_put(&good, object, "input_height", json_integer(r->options.height));
    json_put(&good, object, "batch", json_integer(r->batch));
    json_put(&good, object, "threads", json_integer(r->threads));
    json_put(&good, object, "kernels", json_words(lancet_instruction_set()));
    json_put(&good, object, "repeat", json_integer(r->repeat));
    json_put(&good, object, "milliseconds", json_number(1e3 * r->median));
    json_put(&good, object, "milliseconds_least", json_number(1e3 * r->least));
    json_put(&good, object, "milliseconds_most", json_number(1e3 * r->most));
    json_put(&good, object, "gflop", json_number(r->flops / 1e9));
    json_put(&good, object, "gflops", json_number(r->flops / r->median / 1e9));
    json_put(&good, object, "peak_gflops", json_number(r->peak / 1e9));
    json_put(&good, object, "share_of_peak", json_number(r->flops / r->median / r->peak));
    json_put(&good, object, "times_floor", json_number(r->median * r->peak / r->flops));
    json_put(&good, object, "resident_bytes", json_integer((json_int_t)r->resident));
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    bench_settings settings = {.batch = 1, .repeat = 15};
    texts operands = {0};
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
    } else if (settings.model.path) {
        status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_VISION);
    } else {
        const lancet_session_options options = {.threads = settings.common.threads};

        status = open_shape(&model, &file, settings.shape ? settings.shape : "ViT-B/16", &settings);
        if (status == EXIT_DONE && lancet_session_open(&session, model, &options, &error) != LANCET_OK)
            status = report_error(&error);
    }
    if (status == EXIT_DONE) {
        const lancet_model_description *about = lancet_model_describe(model);
        const lancet_feature_options options = feature_options(&settings.picture, model);
        bench_result result = {.model = about->path,
                               .path = path_names[options.path],
                               .batch = settings.batch,
                               .threads = lancet_session_threads(session),
                               .repeat = settings.repeat};

        status = measure(&result, session, &settings, &options);
        result.flops = settings.batch * bench_flops(about, result.options.height, result.options.width);
        if (status == EXIT_DONE && settings.json)
            status = print_json(&result);
        else if (status == EXIT_DONE)
            print_table(&result);
    }
    lancet_session_close(&session);
    lancet_model_close(&model);
    free(file);
    texts_close(&operands);
    return status;
}

const command bench_command = {
    .name = "bench",
    .summary = "Time a model against this machine's own limit.",
    .usage = "lancet bench [--shape NAME | -m MODEL] [OPTIONS]",
    .about = "Encodes pictures again and again and prints the median time, the speed, and the share of the "
             "peak: the fused "
             "multiply-adds that the same number of threads reach when nothing holds them up, measured in "
             "the same "
             "run.\n\nThe floor counts the products of the plain vision tower, whichever path is timed, so "
             "that paths can "
             "be compared; a ResNet's convolutions count as sums written out, of which Winograd's algorithm "
             "saves a "
             "part. Without a model it makes one of the asked shape with seeded weights; its maps "
             "mean nothing, "
             "its speed is real.",
    .examples = "  lancet bench\n"
                "  lancet bench --shape ViT-B/32 --threads 1\n"
                "  lancet bench -m ViT-B-16.safetensors --side 512 --json\n",
    .groups = bench_groups,
    .group_count = sizeof bench_groups / sizeof *bench_groups,
    .run = run,
};
