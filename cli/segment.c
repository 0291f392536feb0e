/* `lancet segment`: which of some classes each pixel is of. SPDX-License-Identifier: Apache-2.0 */
#include "segment.h"

#include "commands.h"
#include "files.h"
#include "json.h"
#include "pictures.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CROP_SIDE 512 /* the paper's */

const char *const background_names[] = {"probability", "score", NULL};

static const option segment_options[] = {
    {.name = "method",
     .kind = OPTION_TEXT,
     .offset = offsetof(segment_settings, method),
     .argument = "NAME",
     .help =
         "another method than architecture surgery: clip, maskclip, sclip, clearclip, naclip, ...; 'lancet "
         "methods' lists them"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(segment_settings, output),
     .argument = "DIR",
     .help = "folder for the results, made if it is not there; default: the current one"},
    {.name = "write",
     .kind = OPTION_SET,
     .offset = offsetof(segment_settings, write),
     .argument = "KINDS",
     .help = "what to write, with commas: segments, overlay, json; default: all three",
     .choices = segment_kinds},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(segment_settings, json),
     .help = "a summary of everything on stdout"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .offset = offsetof(segment_settings, csv),
     .help = "or: a line for each picture and class on stdout, with commas: picture, class, value, pixels, "
             "share"},
    {.name = "rle",
     .kind = OPTION_FLAG,
     .offset = offsetof(segment_settings, rle),
     .help = "with each class in the JSON, its mask in COCO's compressed run lengths"},
    {.name = "note",
     .kind = OPTION_TEXT,
     .offset = offsetof(segment_settings, note),
     .argument = "TEXT",
     .help = "a last line under the overlay"},
};

static const option background_options[] = {
    {.name = "background",
     .kind = OPTION_REAL,
     .offset = offsetof(segment_settings, background),
     .argument = "X",
     .help = "pixels whose best class has less than X are of no class; default: every pixel is of some class",
     .low = -1e6,
     .high = 1e6},
    {.name = "background-by",
     .kind = OPTION_CHOICE,
     .offset = offsetof(segment_settings, background_by),
     .argument = "NAME",
     .help =
         "what X is of: probability (default), the softmax over the classes of the model's scale (100) times "
         "the cosine; score, the cosine itself",
     .choices = background_names},
};

static const option window_options[] = {
    {.name = "crops",
     .kind = OPTION_SIZE,
     .offset = offsetof(segment_settings, crops),
     .argument = "CxR",
     .help =
         "cut the picture into C columns and R rows, each a picture of its own of 512 x 512 pixels, or as "
         "--side or --size say; 4x2 for Cityscapes",
     .low = 1,
     .high = LANCET_CROPS_MAX},
    {.name = "window",
     .kind = OPTION_INTEGER,
     .offset = offsetof(segment_settings, window),
     .argument = "N",
     .help = "or: look through windows of N x N pixels, whole patches, and average the scores where they "
             "overlap; the picture keeps its own size unless --side, --size or --short-side says another",
     .low = 1,
     .high = LANCET_SIDE_MAX},
    {.name = "stride",
     .kind = OPTION_INTEGER,
     .offset = offsetof(segment_settings, stride),
     .argument = "N",
     .help = "pixels from one window to the next; default: half the window, in whole patches",
     .low = 1,
     .high = LANCET_SIDE_MAX},
};

/* clang-format off */
static const option_group segment_groups[] = {
    WORD_GROUP(segment_settings),
    {"Options", segment_options, sizeof segment_options / sizeof *segment_options, 0},
    {"Background", background_options, sizeof background_options / sizeof *background_options, 0},
    PICTURE_GROUP(segment_settings),
    {"Pieces", window_options, sizeof window_options / sizeof *window_options, 0},
    MODEL_GROUP(segment_settings),
    MANY_GROUP(segment_settings),
    COMMON_GROUP(segment_settings),
};
/* clang-format on */

static int check(const segment_settings *settings)
{
    int status = words_check(&settings->words);
    if (status != EXIT_DONE)
        return status;
    if (settings->crops.width && settings->window)
        return report_usage("--crops and --window both say how to cut; give one");
    if (settings->crops.width && settings->picture.short_side)
        return report_usage("--crops goes with --side or --size, which are a crop's");
    if (settings->stride && !settings->window)
        return report_usage("--stride goes with --window");
    if (settings->stride > settings->window)
        return report_usage("--stride: expected at most the window's %d pixels, found %d", settings->window,
                            settings->stride);
    if (settings->background_by && isnan(settings->background))
        return report_usage("--background-by goes with --background");
    return picture_check(&settings->picture);
}

static lancet_segment_task task_of(const segment_settings *settings, const lancet_model *model,
                                   lancet_window_options *windows)
{
    lancet_segment_task task = {.features = feature_options(&settings->picture, model),
                                .maps = {.reversed = settings->reversed},
                                .crop_columns = settings->crops.width,
                                .crop_rows = settings->crops.height,
                                .segments = {.scale = lancet_model_describe(model)->logit_scale}};

    if (settings->crops.width && !task.features.side && !task.features.width)
        task.features.side = CROP_SIDE;
    if (settings->window) {
        *windows = (lancet_window_options){.side = settings->window, .stride = settings->stride};
        task.windows = windows;
    }
    if (!isnan(settings->background)) {
        task.segments.background =
            settings->background_by ? LANCET_BACKGROUND_SCORE : LANCET_BACKGROUND_PROBABILITY;
        task.segments.threshold = (float)settings->background;
    }
    return task;
}

/* A batch helps where the picture is one input; crops and windows are batches of their own. */
static bool is_whole(const segment_settings *settings)
{
    return !settings->crops.width && !settings->window;
}

static lancet_status segment_picture_of(uint16_t *segments, const segment_job *job,
                                        const picture_item *picture, lancet_error *error)
{
    const lancet_picture pixels = lancet_image_picture(picture->image);
    lancet_map_options options = job->task.maps;
    lancet_maps *maps = NULL;
    lancet_status status;

    if (!picture->features)
        return lancet_segment(segments, job->session, &pixels, job->labels, &job->task, error);
    options.redundant = LANCET_REDUNDANT_NONE;
    options.session = job->session;
    status = lancet_maps_compute(&maps, picture->features, job->labels, &options, error);
    if (status == LANCET_OK)
        status = lancet_maps_segment(segments, maps, pixels.width, pixels.height, &job->task.segments, error);
    lancet_maps_close(&maps);
    return status;
}

static int segment_one(json_t **summary, void *context, const picture_item *picture)
{
    const segment_job *job = context;
    const lancet_picture pixels = lancet_image_picture(picture->image);
    uint16_t *segments = calloc(pixels.width * pixels.height, sizeof *segments);
    lancet_error error;
    int status;

    if (!segments)
        status = report_memory();
    else if (segment_picture_of(segments, job, picture, &error) != LANCET_OK)
        status = picture_report(picture->path, &error);
    else
        status = segment_write(summary, job, &(segment_picture){picture, segments});
    free(segments);
    return status;
}

static void print_lines(void *context, const json_t *summary)
{
    const char *path = json_string_value(json_object_get(json_object_get(summary, "picture"), "path"));
    const json_t *item;
    size_t i;

    (void)context;
    json_array_foreach(json_object_get(summary, "classes"), i, item)
    {
        csv_text(path);
        putchar(',');
        csv_text(json_string_value(json_object_get(item, "class")));
        printf(",%" JSON_INTEGER_FORMAT ",%" JSON_INTEGER_FORMAT ",%.9g\n",
               json_integer_value(json_object_get(item, "value")),
               json_integer_value(json_object_get(item, "pixels")),
               json_number_value(json_object_get(item, "share")));
    }
    item = json_object_get(summary, "background");
    csv_text(path);
    printf(",(background),0,%" JSON_INTEGER_FORMAT ",%.9g\n",
           json_integer_value(json_object_get(item, "pixels")),
           json_number_value(json_object_get(item, "share")));
}

static int run(const command *self, int argc, char **argv)
{
    segment_settings settings = {
        .output = ".", .write = SEGMENT_SEGMENTS | SEGMENT_OVERLAY | SEGMENT_JSON, .background = NAN};
    texts operands = {0};
    many_pictures pictures = {0};
    classes list = {0};
    lancet_window_options windows;
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    int status, list_status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status =
        many_begin(self, &settings.common, &settings.many, operands.count, settings.json || settings.csv);
    if (status == EXIT_DONE)
        status = check(&settings);
    if (status != EXIT_DONE)
        goto done;
    if (!method_choose(settings.method, &settings.picture.path, &settings.redundant, &settings.reversed)) {
        status = LANCET_ERROR_ARGUMENT;
        goto done;
    }
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    status = model_begin(&model, &session, &settings.model, &settings.common,
                         words_are_encoded(&settings.words) ? LANCET_TOWERS_VISION : LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE)
        status =
            words_encode(&labels, &list, session, &settings.words, LANCET_REDUNDANT_NONE, &settings.common);
    if (status == EXIT_DONE && lancet_labels_count(labels) == 1 && !isnan(settings.background) &&
        !settings.background_by)
        status = report_usage("--background: of one class alone the probability is always 1; name what else "
                              "there may be, or use --background-by score");
    if (status == EXIT_DONE)
        status = folder_make(settings.output);
    if (status == EXIT_DONE) {
        segment_job job = {&settings, model, session, labels, &list, task_of(&settings, model, &windows)};

        status =
            pictures_run(&(picture_work){.run = segment_one,
                                         .print = settings.csv ? print_lines : NULL,
                                         .context = &job,
                                         WORK_OF(self, settings),
                                         .model = model,
                                         .session = session,
                                         .labels = labels,
                                         .features = is_whole(&settings) ? &job.task.features : NULL,
                                         .output = settings.output,
                                         .header = settings.csv ? "picture,class,value,pixels,share" : NULL},
                         &pictures, list_status);
    }
done:
    status = many_end(status);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    classes_close(&list);
    texts_close(&settings.words.texts);
    many_close(&pictures);
    texts_close(&operands);
    return status;
}

const command segment_command = {
    .name = "segment",
    .summary = "Give every pixel of pictures one of the classes that you name.",
    .usage = "lancet segment PICTURE|FOLDER... -t WORDS [-t WORDS ...] [options]",
    .about =
        "Open-vocabulary semantic segmentation, as the paper does it: architecture surgery gives the "
        "patches, "
        "their cosines with each class are enlarged to the picture (bilinear), and each pixel is of the "
        "class "
        "whose cosine is the highest there. No feature surgery, no post-processing.\n"
        "\n"
        "A pixel that shows none of the classes gets the one that fits least badly, so name what the picture "
        "may hold, \"sky; road; building\" included, or set a threshold with --background. A class may have "
        "several words, of which the features are averaged.\n"
        "\n"
        "Files for each picture:\n"
        "  <picture>.segments.png          segments  a palette PNG in PASCAL VOC's\n"
        "                                            colours: 0 is background, 1 the\n"
        "                                            first class, ...; 16-bit grey for\n"
        "                                            more than 255 classes\n"
        "  <picture>.segments.overlay.png  overlay   the colours over the picture, and\n"
        "                                            what they stand for\n"
        "  <picture>.segments.json         json      areas, settings, files\n"
        "\n"
        "Without --quiet and --json the files' names are printed, one a line. The paper takes pictures at "
        "--side 512, and Cityscapes with --crops 4x2.",
    .examples = "  lancet segment street.jpg -t \"car, van; road; tree; sky\" --side 512 -o out\n"
                "  lancet segment photos/ --labels classes.txt --background 0.4 -o out\n"
                "  lancet segment aachen.png --labels cityscapes19 --crops 4x2 -o out\n",
    .groups = segment_groups,
    .group_count = sizeof segment_groups / sizeof *segment_groups,
    .run = run,
};
