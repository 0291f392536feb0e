/* `lancet recognise`: which of some classes a picture shows. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "files.h"
#include "json.h"
#include "pictures.h"
#include "words.h"

#include "lancet/tasks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the verdict is by, in the order of verdict_names. */
enum { BY_SURGERY, BY_EMPTY, BY_SOFTMAX, BY_COSINE };

static const char *const verdict_names[] = {"surgery", "empty", "softmax", "cosine", NULL};

typedef struct recognise_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    word_settings words;
    double present; /* NAN: the default of `by`, if it has one */
    int by;
    double tau;
    int top; /* 0: all */
    bool json, csv;
} recognise_settings;

/* What stays the same from picture to picture. */
typedef struct recognise_job {
    const recognise_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels;
    const classes *classes;
    double threshold;
    lancet_feature_options preparation;
} recognise_job;

static const option recognise_options[] = {
    {.name = "present",
     .kind = OPTION_REAL,
     .offset = offsetof(recognise_settings, present),
     .argument = "X",
     .help =
         "a class is there if it has at least X; default: 1 / the model's scale (0.01) by surgery, 0.5 by "
         "empty",
     .low = -1e6,
     .high = 1e6},
    {.name = "present-by",
     .kind = OPTION_CHOICE,
     .offset = offsetof(recognise_settings, by),
     .argument = "NAME",
     .help = "what X is of: surgery (default), where the class must also fit better than the empty string; "
             "empty; softmax; cosine",
     .choices = verdict_names},
    {.name = "tau",
     .kind = OPTION_REAL,
     .offset = offsetof(recognise_settings, tau),
     .argument = "X",
     .help = "feature surgery's scale in Eq. 9; default: 2",
     .low = 1e-6,
     .high = 1e6},
    {.name = "top",
     .kind = OPTION_INTEGER,
     .offset = offsetof(recognise_settings, top),
     .argument = "N",
     .help = "show the N best classes alone; default: all",
     .low = 1,
     .high = 1000000},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(recognise_settings, json),
     .help = "everything as JSON on stdout"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .offset = offsetof(recognise_settings, csv),
     .help = "or: a line for each picture and class, with commas"},
};

/* clang-format off */
static const option_group recognise_groups[] = {
    WORD_GROUP(recognise_settings),
    {"Options", recognise_options, sizeof recognise_options / sizeof *recognise_options, 0},
    PREPARATION_GROUP(recognise_settings),
    MODEL_GROUP(recognise_settings),
    MANY_GROUP(recognise_settings),
    COMMON_GROUP(recognise_settings),
};
/* clang-format on */

/* ---- One picture --------------------------------------------------------------------------------------- */

/* By surgery a class stands out among those that were named; all of them may be absent, which the empty
 * string tells. */
static bool is_present(const recognise_job *job, const lancet_recognition *score)
{
    switch (job->settings->by) {
    case BY_SURGERY:
        return (double)score->surgery_code >= job->threshold && !(score->presence < 0.5f);
    case BY_EMPTY:
        return (double)score->presence >= job->threshold;
    case BY_SOFTMAX:
        return (double)score->probability >= job->threshold;
    default:
        return (double)score->cosine >= job->threshold;
    }
}

static json_t *describe_class(const recognise_job *job, const lancet_recognition *score, size_t t)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "class", json_words(lancet_labels_text(job->labels, t)));
    json_put(&good, object, "words", json_class_words(job->classes, t));
    json_put(&good, object, "cosine", json_number((double)score->cosine));
    json_put(&good, object, "softmax", json_number((double)score->probability));
    json_put(&good, object, "surgery", json_number((double)score->surgery_code));
    json_put(&good, object, "surgery_paper", json_number((double)score->surgery_paper));
    json_put(&good, object, "empty", json_number((double)score->presence));
    json_put(&good, object, "present", json_boolean(is_present(job, score)));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *describe_settings(const recognise_job *job)
{
    const recognise_settings *settings = job->settings;
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "present", json_number(job->threshold));
    json_put(&good, object, "present_by", json_words(verdict_names[settings->by]));
    json_put(&good, object, "scale", json_number((double)lancet_model_describe(job->model)->logit_scale));
    json_put(&good, object, "tau", json_number(settings->tau));
    json_put(&good, object, "labels", json_words(settings->words.labels));
    json_put(&good, object, "templates",
             words_are_encoded(&settings->words)
                 ? json_null()
                 : json_words(settings->words.templates ? settings->words.templates : "85"));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

typedef struct ranked {
    double score;
    size_t index;
} ranked;

/* Falling; equal ones in the order given. */
static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The classes by falling cosine, which is the order of the softmax too, and of the verdict by it. */
static json_t *describe_classes(const recognise_job *job, const lancet_recognition *scores, size_t count)
{
    const size_t top = job->settings->top ? (size_t)job->settings->top : count;
    ranked *order = calloc(count, sizeof *order);
    json_t *list = json_array();
    bool good = order && list;

    for (size_t t = 0; good && t < count; t++)
        order[t] = (ranked){(double)scores[t].cosine, t};
    if (good)
        qsort(order, count, sizeof *order, compare_ranked);
    for (size_t i = 0; good && i < count && i < top; i++)
        json_add(&good, list, describe_class(job, &scores[order[i].index], order[i].index));
    free(order);
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *describe(const recognise_job *job, const char *path, const lancet_image *image,
                        const lancet_recognition *scores, size_t count)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "picture", json_picture(path, image));
    json_put(&good, object, "model", json_model(job->model));
    json_put(&good, object, "settings", describe_settings(job));
    json_put(&good, object, "classes", describe_classes(job, scores, count));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int recognise_one(json_t **summary, void *context, const picture_item *picture)
{
    const recognise_job *job = context;
    const lancet_recognise_options options = {.scale = lancet_model_describe(job->model)->logit_scale,
                                              .tau = (float)job->settings->tau};
    const size_t count = lancet_labels_count(job->labels);
    lancet_recognition *scores = calloc(count, sizeof *scores);
    const lancet_features *features;
    lancet_features *own = NULL;
    lancet_error error;
    int status = EXIT_DONE;

    if (!scores)
        return report_memory();
    if (picture_encode(&features, &own, picture, job->session, &job->preparation, &error) != LANCET_OK ||
        lancet_recognise(scores, features, job->labels, &options, &error) != LANCET_OK) {
        status = picture_report(picture->path, &error);
    } else {
        *summary = describe(job, picture->path, picture->image, scores, count);
        status = *summary ? EXIT_DONE : report_memory();
    }
    lancet_features_close(&own);
    free(scores);
    return status;
}

/* ---- Printing ------------------------------------------------------------------------------------------ */

/* How many columns of a terminal UTF-8 takes, but for wide characters. */
static int columns_of(const char *text)
{
    int columns = 0;

    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void print_table(void *context, const json_t *summary)
{
    const recognise_job *job = context;
    const json_t *list = json_object_get(summary, "classes"), *item;
    int widest = 5;
    size_t i;

    json_array_foreach(list, i, item)
    {
        const int columns = columns_of(json_string_value(json_object_get(item, "class")));

        widest = columns > widest ? columns : widest;
    }
    printf("%s\n", json_string_value(json_object_get(json_object_get(summary, "picture"), "path")));
    printf("  %-*s  %8s  %8s  %8s  %8s\n", widest, "class", "cosine", "softmax", "surgery", "empty");
    json_array_foreach(list, i, item)
    {
        const char *class = json_string_value(json_object_get(item, "class"));

        printf("  %s%*s  %8.4f  %8.4f  %8.4f  %8.4f  %s\n", class, widest - columns_of(class), "",
               number_of(item, "cosine"), number_of(item, "softmax"), number_of(item, "surgery"),
               number_of(item, "empty"), json_is_true(json_object_get(item, "present")) ? "present" : "-");
    }
    printf("  (present: %s at least %.4g%s)\n", verdict_names[job->settings->by], job->threshold,
           job->settings->by == BY_SURGERY && lancet_labels_empty(job->labels, false) ? ", empty at least 0.5"
                                                                                      : "");
}

static void print_lines(void *context, const json_t *summary)
{
    static const char *const keys[] = {"cosine", "softmax", "surgery", "surgery_paper", "empty"};
    const json_t *item;
    size_t i;

    (void)context;
    json_array_foreach(json_object_get(summary, "classes"), i, item)
    {
        csv_text(json_string_value(json_object_get(json_object_get(summary, "picture"), "path")));
        putchar(',');
        csv_text(json_string_value(json_object_get(item, "class")));
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (json_is_number(json_object_get(item, keys[k])))
                printf(",%.9g", number_of(item, keys[k]));
            else
                putchar(',');
        printf(",%d\n", json_is_true(json_object_get(item, "present")));
    }
}

/* ---- The command --------------------------------------------------------------------------------------- */

static int check(const recognise_settings *settings)
{
    int status = words_check(&settings->words);
    if (status != EXIT_DONE)
        return status;
    if (settings->by > BY_EMPTY && isnan(settings->present))
        return report_usage("--present-by %s: expected a threshold, --present X",
                            verdict_names[settings->by]);
    if (settings->json && settings->csv)
        return report_usage("--json and --csv: give one");
    return picture_check(&settings->picture);
}

/* What the verdict needs. */
static int check_labels(const recognise_settings *settings, const lancet_labels *labels)
{
    if (settings->by == BY_EMPTY && !lancet_labels_empty(labels, false))
        return report_problem(LANCET_ERROR_ARGUMENT,
                              "%s: expected a feature of the empty string for --present-by empty, found none",
                              settings->words.labels);
    if (settings->by == BY_SOFTMAX && lancet_labels_count(labels) == 1)
        return report_usage(
            "--present-by softmax: of one class alone it is always 1; name what else there may "
            "be, or use --present-by empty");
    return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
    recognise_settings settings = {.present = NAN, .tau = 2};
    texts operands = {0};
    many_pictures pictures = {0};
    classes list = {0};
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
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    status = model_begin(&model, &session, &settings.model, &settings.common,
                         words_are_encoded(&settings.words) ? LANCET_TOWERS_VISION : LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE)
        status =
            words_encode(&labels, &list, session, &settings.words, LANCET_REDUNDANT_EMPTY, &settings.common);
    if (status == EXIT_DONE)
        status = check_labels(&settings, labels);
    if (status == EXIT_DONE) {
        recognise_job job = {&settings,
                             model,
                             session,
                             labels,
                             &list,
                             settings.present,
                             feature_options(&settings.picture, model)};

        job.preparation.path = LANCET_PATH_PLAIN; /* the class token is the same on every path */

        if (isnan(job.threshold))
            job.threshold =
                settings.by == BY_EMPTY ? 0.5 : 1 / (double)lancet_model_describe(model)->logit_scale;
        status = pictures_run(
            &(picture_work){.run = recognise_one,
                            .print = settings.csv ? print_lines : print_table,
                            .context = &job,
                            WORK_OF(self, settings),
                            .model = model,
                            .session = session,
                            .labels = labels,
                            .features = &job.preparation,
                            .header = settings.csv
                                          ? "picture,class,cosine,softmax,surgery,surgery_paper,empty,present"
                                          : NULL},
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

const command recognise_command = {
    .name = "recognise",
    .summary = "Say which of the classes that you name pictures show.",
    .usage = "lancet recognise PICTURE|FOLDER... -t WORDS [-t WORDS ...] [options]",
    .about =
        "Multi-label recognition by the picture's class token, which is CLIP's own. For each class, best "
        "first:\n"
        "  cosine   with the class's words\n"
        "  softmax  over the classes, of the model's scale (100) times the cosine:\n"
        "           CLIP's own; the classes share 1 among them\n"
        "  surgery  feature surgery: what is common to all classes is taken away;\n"
        "           comparable between pictures, and the paper's choice\n"
        "  empty    the class's share of a softmax over itself and the empty string:\n"
        "           1/2 where both fit alike, whatever else is named\n"
        "\n"
        "A class is present if its surgery score is at least 1 / scale, which makes it e times as likely as "
        "the "
        "average of the classes, and if it fits no worse than the empty string: what is asked for and not "
        "there "
        "is so reported as not there. One class alone is held against the empty string. Which threshold is "
        "right depends on the model and the words; the numbers are there to choose it on pictures of your "
        "own.",
    .examples = "  lancet recognise cat.jpg -t \"cat, kitten; dog; sofa; car\"\n"
                "  lancet recognise photos/ --labels classes.txt --csv > photos.csv\n"
                "  lancet recognise cat.jpg -t elephant\n",
    .groups = recognise_groups,
    .group_count = sizeof recognise_groups / sizeof *recognise_groups,
    .run = run,
};
