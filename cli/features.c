/* `lancet features`: what the vision tower makes of a picture. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "files.h"
#include "json.h"
#include "pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BY_PATH = -1, STREAM_ORIGINAL, STREAM_SURGERY, STREAM_BOTH };
enum { ATTENTION_NONE = -1 };

typedef struct features_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    const char *output;
    int block, stream, attention; /* attention: a lancet_attention_kind, or ATTENTION_NONE */
    bool class_row, mean_heads, json;
} features_settings;

static const char *const stream_names[] = {"original", "surgery", "both", NULL};
static const char *const attention_names[] = {"raw", "values", NULL};

static const option features_options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(features_settings, output),
     .argument = "PATH",
     .help = "the .npy file to write; for several pictures, a list or a folder of them, the folder for "
             "<picture>.features.npy, made if it is not there"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(features_settings, json),
     .help = "what was written, with shapes and settings, on stdout"},
    {.name = "block",
     .kind = OPTION_INTEGER,
     .offset = offsetof(features_settings, block),
     .argument = "K",
     .help = "the tokens after block K instead, the first being 1, as they are inside the tower",
     .low = 1,
     .high = 1000},
    {.name = "stream",
     .kind = OPTION_CHOICE,
     .offset = offsetof(features_settings, stream),
     .argument = "NAME",
     .help = "with --block: original (CLIP's own), surgery (the second path's) or both; default: surgery "
             "where it has started, else original",
     .choices = stream_names},
    {.name = "attention",
     .kind = OPTION_CHOICE,
     .offset = offsetof(features_settings, attention),
     .argument = "KIND",
     .help =
         "the attention weights of the last block, or of --block K, instead: raw (softmax of queries with "
         "keys), or values (of values with values, as surgery has it)",
     .choices = attention_names},
    {.name = "class-row",
     .kind = OPTION_FLAG,
     .offset = offsetof(features_settings, class_row),
     .help = "with --attention: the class token's row alone"},
    {.name = "mean-heads",
     .kind = OPTION_FLAG,
     .offset = offsetof(features_settings, mean_heads),
     .help = "with --attention: the mean over heads"},
};

/* clang-format off */
static const option_group features_groups[] = {
    {"Options", features_options, sizeof features_options / sizeof *features_options, 0},
    PICTURE_GROUP(features_settings),
    MODEL_GROUP(features_settings),
    MANY_GROUP(features_settings),
    COMMON_GROUP(features_settings),
};
/* clang-format on */

/* What is being written of one picture. */
typedef struct features_job {
    const features_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    lancet_feature_options wished;
    bool single; /* settings->output is the file itself */
    /* of the picture at hand */
    const picture_item *picture;
    lancet_picture pixels;
    lancet_feature_options options;
    size_t height, width; /* of the grid of patches */
    json_t *summary;
} features_job;

/* Notes the array in the summary. */
static bool describe_array(const features_job *job, const char *path, const size_t shape[3], const char *what)
{
    json_t *files = json_array();
    bool good = files != NULL;

    if (good)
        json_file(&good, files, path, "features");
    json_put(&good, job->summary, "shape",
             json_pack("[I, I, I]", (json_int_t)shape[0], (json_int_t)shape[1], (json_int_t)shape[2]));
    json_put(&good, job->summary, "what", json_words(what));
    json_put(&good, job->summary, "files", files);
    return good;
}

static int write_array(const features_job *job, const size_t shape[3], const float *values, const char *what)
{
    char *name = job->single ? NULL : text_print("%s.features.npy", job->picture->name);
    char *path = name          ? path_join(job->picture->folder, name)
                 : job->single ? text_print("%s", job->settings->output)
                               : NULL;
    lancet_error error;
    int status = EXIT_DONE;

    if (!path)
        status = report_memory();
    else if (lancet_npy_write(path, LANCET_NPY_FLOAT32, shape, 3, values, &error) != LANCET_OK)
        status = report_error(&error);
    else if (!describe_array(job, path, shape, what))
        status = report_memory();
    free(name);
    free(path);
    return status;
}

static int write_features(features_job *job)
{
    const lancet_features *features;
    lancet_features *own = NULL;
    lancet_error error;
    char what[100];
    int status;

    if (picture_encode(&features, &own, job->picture, job->session, &job->options, &error) != LANCET_OK)
        return picture_report(job->picture->path, &error);
    snprintf(what, sizeof what, "the class token and %zu x %zu patches", job->height, job->width);
    status =
        write_array(job, (const size_t[]){1, 1 + job->height * job->width, lancet_features_width(features)},
                    lancet_features_tokens(features), what);
    lancet_features_close(&own);
    return status;
}

/* ---- Tokens after a block ------------------------------------------------------------------------------ */

typedef struct block_visit {
    int block, stream;
    float *values; /* [streams, tokens, width] */
    size_t streams, tokens, width;
    int status;
} block_visit;

static int keep_block(void *context, int block, size_t tokens, size_t width, const float *original,
                      const float *surgery)
{
    block_visit *visit = context;
    const size_t count = tokens * width;
    const int stream = visit->stream != STREAM_BY_PATH ? visit->stream
                       : surgery                       ? STREAM_SURGERY
                                                       : STREAM_ORIGINAL;

    if (block != visit->block)
        return 0;
    if (stream != STREAM_ORIGINAL && !surgery) {
        visit->status = report_usage("--stream %s: surgery has not started at block %d", stream_names[stream],
                                     visit->block);
        return 1;
    }
    visit->streams = stream == STREAM_BOTH ? 2 : 1;
    visit->tokens = tokens;
    visit->width = width;
    visit->values = calloc(visit->streams * count, sizeof *visit->values);
    if (!visit->values) {
        visit->status = report_memory();
        return 1;
    }
    memcpy(visit->values, stream == STREAM_SURGERY ? surgery : original, count * sizeof *visit->values);
    if (stream == STREAM_BOTH)
        memcpy(visit->values + count, surgery, count * sizeof *visit->values);
    return 1;
}

static int check_block(const features_job *job)
{
    const int blocks = lancet_model_describe(job->model)->vision_blocks;

    if (job->settings->block > blocks)
        return report_usage("--block: expected 1 to %d (the model's blocks), found %d", blocks,
                            job->settings->block);
    return EXIT_DONE;
}

static int write_block(features_job *job)
{
    block_visit visit = {.block = job->settings->block, .stream = job->settings->stream};
    lancet_error error;
    int status = check_block(job);

    if (status != EXIT_DONE)
        return status;
    if (lancet_tokens_walk(job->session, &job->pixels, &job->options, keep_block, &visit, NULL, &error) !=
        LANCET_OK)
        status = report_error(&error);
    else if (visit.status != EXIT_DONE)
        status = visit.status;
    else
        status = write_array(job, (const size_t[]){visit.streams, visit.tokens, visit.width}, visit.values,
                             visit.streams == 2 ? "tokens of the original path, tokens of the second"
                                                : "tokens after the block");
    free(visit.values);
    return status;
}

/* ---- Attention ----------------------------------------------------------------------------------------- */

/* The mean over heads comes to lie in the first one's place. */
static void average_heads(float *rows, size_t heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;

        for (size_t h = 0; h < heads; h++)
            sum += (double)rows[h * count + i];
        rows[i] = (float)(sum / (double)heads);
    }
}

static int write_attention(features_job *job)
{
    const features_settings *settings = job->settings;
    const lancet_attention_options options = {.kind = (lancet_attention_kind)settings->attention,
                                              .block = settings->block,
                                              .class_only = settings->class_row};
    const size_t heads = (size_t)lancet_model_describe(job->model)->vision_heads,
                 tokens = 1 + job->height * job->width, count = settings->class_row ? 1 : tokens;
    float *rows;
    lancet_error error;
    int status = check_block(job);

    if (status != EXIT_DONE)
        return status;
    rows = calloc(heads * count, tokens * sizeof *rows);
    if (!rows)
        return report_memory();
    if (lancet_attention_rows(rows, job->session, &job->pixels, &job->options, &options, &error) ==
        LANCET_OK) {
        if (settings->mean_heads)
            average_heads(rows, heads, count * tokens);
        status = write_array(job, (const size_t[]){settings->mean_heads ? 1 : heads, count, tokens}, rows,
                             settings->mean_heads ? "the mean over heads" : "a matrix for each head");
    } else {
        status = report_error(&error);
    }
    free(rows);
    return status;
}

/* ---- The command --------------------------------------------------------------------------------------- */

static json_t *describe(const features_job *job)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "picture", json_picture(job->picture->path, job->picture->image));
    json_put(&good, object, "model", json_model(job->model));
    json_put(&good, object, "path", json_words(way_name(job->options.path)));
    json_put(&good, object, "input_width", json_integer(job->options.width));
    json_put(&good, object, "input_height", json_integer(job->options.height));
    json_put(&good, object, "surgery_start",
             job->options.surgery_start ? json_integer(job->options.surgery_start) : json_null());
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int features_one(json_t **summary, void *context, const picture_item *picture)
{
    features_job *job = context;
    const features_settings *settings = job->settings;
    lancet_error error;
    int status;

    job->picture = picture;
    job->pixels = lancet_image_picture(picture->image);
    if (lancet_feature_options_resolve(&job->options, job->model, &job->pixels, &job->wished, &error) !=
        LANCET_OK)
        return picture_report(picture->path, &error);
    job->height = lancet_grid_side(job->model, (size_t)job->options.height);
    job->width = lancet_grid_side(job->model, (size_t)job->options.width);
    job->summary = describe(job);
    if (!job->summary)
        status = report_memory();
    else if (settings->attention != ATTENTION_NONE)
        status = write_attention(job);
    else if (settings->block)
        status = write_block(job);
    else
        status = write_features(job);
    if (status == EXIT_DONE)
        *summary = json_incref(job->summary);
    json_decref(job->summary);
    return status;
}

/* What was written, as a note: stdout stays free of it. */
static void print_note(void *context, const json_t *summary)
{
    const json_t *shape = json_object_get(summary, "shape"),
                 *file = json_array_get(json_object_get(summary, "files"), 0);

    (void)context;
    report_note("%s: float32 [%d, %d, %d]: %s", json_string_value(json_object_get(file, "path")),
                (int)json_integer_value(json_array_get(shape, 0)),
                (int)json_integer_value(json_array_get(shape, 1)),
                (int)json_integer_value(json_array_get(shape, 2)),
                json_string_value(json_object_get(summary, "what")));
}

static int check(const features_settings *settings)
{
    if (!settings->output)
        return report_usage("expected the file to write: -o FILE.npy");
    if (settings->stream != STREAM_BY_PATH && (!settings->block || settings->attention != ATTENTION_NONE))
        return report_usage("--stream goes with the tokens of --block K");
    if (settings->stream > STREAM_ORIGINAL && settings->picture.path == LANCET_PATH_PLAIN)
        return report_usage("--stream %s: the plain path has no surgery", stream_names[settings->stream]);
    if ((settings->class_row || settings->mean_heads) && settings->attention == ATTENTION_NONE)
        return report_usage("%s goes with --attention", settings->class_row ? "--class-row" : "--mean-heads");
    return picture_check(&settings->picture);
}

/* One picture that is named goes into the file that is named, unless that is a folder. */
static bool is_single(const features_settings *settings, const texts *operands)
{
    return operands->count == 1 && !settings->many.list && !folder_exists(operands->items[0]) &&
           !folder_exists(settings->output) && !text_ends_with(settings->output, "/");
}

static int check_output(const features_settings *settings, bool single)
{
    if (single && (settings->many.resume || settings->many.journal))
        return report_usage("--resume and --journal go with several pictures");
    if (!single && text_ends_with(settings->output, ".npy"))
        return report_usage("-o: expected a folder for several pictures, found '%s'", settings->output);
    return single ? EXIT_DONE : folder_make(settings->output);
}

static int run(const command *self, int argc, char **argv)
{
    features_settings settings = {.stream = STREAM_BY_PATH, .attention = ATTENTION_NONE};
    features_job job = {.settings = &settings};
    texts operands = {0};
    many_pictures pictures = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    int status, list_status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = many_begin(self, &settings.common, &settings.many, operands.count, settings.json);
    if (status == EXIT_DONE)
        status = check(&settings);
    if (status != EXIT_DONE)
        goto done;
    job.single = is_single(&settings, &operands);
    status = check_output(&settings, job.single);
    if (status != EXIT_DONE)
        goto done;
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_VISION);
    if (status != EXIT_DONE)
        goto done;
    job.model = model;
    job.session = session;
    job.wished = feature_options(&settings.picture, model);
    status = pictures_run(&(picture_work){.run = features_one,
                                          .print = print_note,
                                          .context = &job,
                                          WORK_OF(self, settings),
                                          .model = model,
                                          .session = session,
                                          .features = settings.block || settings.attention != ATTENTION_NONE
                                                          ? NULL
                                                          : &job.wished,
                                          .output = job.single ? NULL : settings.output},
                          &pictures, list_status);
done:
    status = many_end(status);
    lancet_session_close(&session);
    lancet_model_close(&model);
    many_close(&pictures);
    texts_close(&operands);
    return status;
}

const command features_command = {
    .name = "features",
    .summary = "Write pictures' token features, tokens or attention as .npy arrays.",
    .usage = "lancet features PICTURE -o FILE.npy [options]\n"
             "lancet features PICTURE|FOLDER... -o DIR [options]",
    .about =
        "The array is float32 [1, tokens, channels] as the model gives it, not of unit length: the class "
        "token "
        "first, then the patches row after row. The class token is CLIP's own picture embedding (a ResNet's "
        "may be "
        "the published code's, with --rn-cls vv); with "
        "--path surgery the patches are those of CLIP Surgery's second path, with --path plain CLIP's own, "
        "through its final projection.\n"
        "\n"
        "With --block K it is [1, tokens, width], the residual stream after block K before any norm or "
        "projection; with --stream both [2, tokens, width], the original path's first. The class token's row "
        "of the second path is the sum that the published code makes and then replaces. A ResNet's blocks "
        "are its "
        "bottlenecks: the array holds the pixels of what block K hands on, row after row, without a class "
        "token, and "
        "there is no second path.\n"
        "\n"
        "With --attention it is [heads, tokens, tokens]: in each head, how much each token (a row) attends "
        "to "
        "each. That grows with the square of the tokens (12 heads at 512 x 512 pixels, patches of 16: 50 "
        "MB); "
        "--class-row gives [heads, 1, tokens], --mean-heads [1, tokens, tokens].",
    .examples = "  lancet features cat.jpg -m ViT-B-16.safetensors -o cat.npy\n"
                "  lancet features cat.jpg --path plain --size 448x336 -o cat-plain.npy\n"
                "  lancet features cat.jpg --block 9 --stream both -o cat-9.npy\n"
                "  lancet features photos/ --recursive -o features --resume\n"
                "  lancet features cat.jpg --attention raw --class-row -o cat-attention.npy\n",
    .groups = features_groups,
    .group_count = sizeof features_groups / sizeof *features_groups,
    .run = run,
};
