/* `lancet caption`: which words of a caption a picture answers to. SPDX-License-Identifier: Apache-2.0 */
#include "caption.h"

#include "commands.h"
#include "common.h"
#include "files.h"
#include "json.h"
#include "pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_OVERLAY = 1, WRITE_HTML = 2, WRITE_JSON = 4 };

static const char *const caption_kinds[] = {"overlay", "html", "json", NULL};
static const char *const order_names[] = {"code", "paper", NULL};

const uint8_t caption_colours[CAPTION_MARKED][3] = {{220, 40, 40}, {245, 200, 0}, {60, 110, 230}};

typedef struct caption_settings {
    common_settings common;
    model_settings model;
    picture_settings picture;
    many_settings many;
    const char *text, *output, *note;
    unsigned write;
    int order;
    bool skip_start, json;
} caption_settings;

/* What stays the same from picture to picture. */
typedef struct caption_job {
    const caption_settings *settings;
    const lancet_model *model;
    lancet_session *session;
    const lancet_labels *labels; /* the caption's tokens */
    char **shown;                /* [count] */
    bool *ends_word;             /* [count] */
    size_t count;
    lancet_feature_options features;
} caption_job;

static const option caption_options[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXT,
     .offset = offsetof(caption_settings, text),
     .argument = "CAPTION",
     .help = "the caption; it is not put into templates"},
    {.name = "skip-start",
     .kind = OPTION_FLAG,
     .offset = offsetof(caption_settings, skip_start),
     .help = "leave the start token out of the ranks: it is the same in every caption"},
    {.name = "order",
     .kind = OPTION_CHOICE,
     .offset = offsetof(caption_settings, order),
     .argument = "NAME",
     .help = "code (default): scale to 0..1, then enlarge; paper: enlarge, then scale (Eq. 1)",
     .choices = order_names},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_TEXT,
     .offset = offsetof(caption_settings, output),
     .argument = "DIR",
     .help = "folder for the results, made if it is not there; default: the current one"},
    {.name = "write",
     .kind = OPTION_SET,
     .offset = offsetof(caption_settings, write),
     .argument = "KINDS",
     .help = "what to write, with commas: overlay, html, json; default: all three",
     .choices = caption_kinds},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(caption_settings, json),
     .help = "a summary of everything on stdout"},
    {.name = "note",
     .kind = OPTION_TEXT,
     .offset = offsetof(caption_settings, note),
     .argument = "TEXT",
     .help = "a last line under the overlay and in the page"},
};

/* clang-format off */
static const option_group caption_groups[] = {
    {"Options", caption_options, sizeof caption_options / sizeof *caption_options, 0},
    PICTURE_GROUP(caption_settings),
    MODEL_GROUP(caption_settings),
    MANY_GROUP(caption_settings),
    COMMON_GROUP(caption_settings),
};
/* clang-format on */

/* ---- Tokens -------------------------------------------------------------------------------------------- */

/* As a person reads them: without the space that ends a word, and the two ends as in the paper. */
static int show_tokens(caption_job *job)
{
    job->count = lancet_labels_count(job->labels);
    job->shown = calloc(job->count, sizeof *job->shown);
    job->ends_word = calloc(job->count, sizeof *job->ends_word);
    if (!job->shown || !job->ends_word)
        return report_memory();
    for (size_t i = 0; i < job->count; i++) {
        const char *text = lancet_labels_text(job->labels, i);
        const size_t length = strlen(text);
        const bool space = length > 1 && text[length - 1] == ' ';

        if (i == 0 || i + 1 == job->count)
            job->shown[i] = text_print("%s", i ? "[end]" : "[start]");
        else
            job->shown[i] = text_print("%.*s", (int)(length - space), text);
        job->ends_word[i] = space || i == 0;
        if (!job->shown[i])
            return report_memory();
    }
    return EXIT_DONE;
}

static void close_tokens(caption_job *job)
{
    for (size_t i = 0; job->shown && i < job->count; i++)
        free(job->shown[i]);
    free(job->shown);
    free(job->ends_word);
}

/* The start token leaves the ranks, and those behind it move up. */
static void skip_start(lancet_token_rank *ranks, size_t count)
{
    for (size_t i = 1; i < count; i++)
        ranks[i].rank -= ranks[i].rank > ranks[0].rank;
    ranks[0].rank = 0;
}

/* ---- Files --------------------------------------------------------------------------------------------- */

/* One picture and what was found for it. */
typedef struct writer {
    const caption_job *job;
    const picture_item *picture;
    caption_tokens tokens;
    lancet_picture pixels;
    const lancet_maps *maps;
    lancet_image *overlay;
    json_t *summary;
} writer;

static int make_overlay(writer *w)
{
    float *map = calloc(w->pixels.width * w->pixels.height, sizeof *map);
    lancet_error error;
    int status = EXIT_DONE;

    if (!map)
        return report_memory();
    if (lancet_maps_write(w->maps, w->tokens.best, w->pixels.width, w->pixels.height, map, &error) !=
            LANCET_OK ||
        lancet_overlay(&w->overlay, &w->pixels, map, NULL, &error) != LANCET_OK)
        status = report_error(&error);
    free(map);
    return status;
}

/* The three best tokens with their cosines. */
static bool make_entries(const writer *w, lancet_key_entry *entries, char **shown, size_t *count)
{
    const caption_tokens *tokens = &w->tokens;

    for (*count = 0; *count < CAPTION_MARKED && *count + (tokens->ranks[0].rank == 0) < tokens->count;
         (*count)++) {
        size_t i = 0;

        while (tokens->ranks[i].rank != *count + 1)
            i++;
        shown[*count] =
            text_print("%zu  %s  %.4f", *count + 1, tokens->shown[i], (double)tokens->ranks[i].score);
        if (!shown[*count])
            return false;
        entries[*count].text = shown[*count];
        memcpy(entries[*count].colour, caption_colours[*count], 3);
    }
    return true;
}

/* Heat, caption and scale, then the best tokens. */
static int write_overlay(writer *w, const char *path)
{
    lancet_key_entry entries[CAPTION_MARKED];
    char *shown[CAPTION_MARKED];
    lancet_legend legend = {.text = w->tokens.text, .has_scores = true};
    lancet_key key = {.entries = entries, .note = w->job->settings->note};
    lancet_image *figure = NULL, *whole = NULL;
    lancet_picture pixels = lancet_image_picture(w->overlay);
    lancet_error error;
    float low = 0, high = 0;
    int status;

    lancet_maps_range(w->maps, w->tokens.best, &low, &high);
    legend.score_low = (double)low;
    legend.score_high = (double)high;
    if (!make_entries(w, entries, shown, &key.count)) {
        status = report_memory();
        goto done;
    }
    if (lancet_legend_add(&figure, &pixels, &legend, &error) != LANCET_OK)
        goto fail;
    pixels = lancet_image_picture(figure);
    if (lancet_key_add(&whole, &pixels, &key, &error) != LANCET_OK)
        goto fail;
    if (lancet_image_describe(whole)->font_missing)
        report_note("no font was found: the overlays have no words (LANCET_FONT names a font file)");
    pixels = lancet_image_picture(whole);
    if (lancet_png_write(path,
                         &(lancet_png){.form = LANCET_PNG_RGB,
                                       .samples = pixels.rgb,
                                       .width = pixels.width,
                                       .height = pixels.height,
                                       .stride = pixels.stride},
                         &error) != LANCET_OK)
        goto fail;
    status = EXIT_DONE;
    goto done;
fail:
    status = report_error(&error);
done:
    for (size_t i = 0; i < key.count; i++)
        free(shown[i]);
    lancet_image_close(&figure);
    lancet_image_close(&whole);
    return status;
}

static int write_html(writer *w, const char *path)
{
    const lancet_picture pixels = lancet_image_picture(w->overlay);

    return caption_write_html(path, &w->tokens, &pixels, path_name(w->picture->path), w->job->settings->note);
}

/* The JSON file names itself among the files, so it is noted before it is written. */
static int write_summary(writer *w, const char *path)
{
    return json_write(path, w->summary);
}

static const struct file_kind {
    unsigned bit;
    const char *kind, *end;
    int (*write)(writer *w, const char *path);
} file_kinds[] = {
    {WRITE_OVERLAY, "overlay", ".caption.overlay.png", write_overlay},
    {WRITE_HTML, "html", ".caption.html", write_html},
    {WRITE_JSON, "json", ".caption.json", write_summary},
};

static int write_files(writer *w)
{
    const caption_settings *settings = w->job->settings;
    int status = EXIT_DONE;

    if (settings->write & (WRITE_OVERLAY | WRITE_HTML))
        status = make_overlay(w);
    for (size_t k = 0; status == EXIT_DONE && k < sizeof file_kinds / sizeof *file_kinds; k++)
        if (settings->write & file_kinds[k].bit) {
            char *name = text_print("%s%s", w->picture->name, file_kinds[k].end);
            char *path = name ? path_join(w->picture->folder, name) : NULL;
            bool good = path != NULL;

            if (good)
                json_file(&good, json_object_get(w->summary, "files"), name, file_kinds[k].kind);
            status = good ? file_kinds[k].write(w, path) : report_memory();
            free(name);
            free(path);
        }
    return status;
}

/* ---- One picture --------------------------------------------------------------------------------------- */

static json_t *describe_tokens(const caption_tokens *tokens)
{
    json_t *list = json_array();
    bool good = list != NULL;

    for (size_t i = 0; good && i < tokens->count; i++)
        json_add(&good, list,
                 json_pack("{s:o, s:o, s:o}", "token", json_words(tokens->shown[i]), "cosine",
                           json_number((double)tokens->ranks[i].score), "rank",
                           tokens->ranks[i].rank ? json_count(tokens->ranks[i].rank) : json_null()));
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *describe(const writer *w, const lancet_features *features)
{
    const int start = lancet_features_surgery_start(features);
    json_t *object = json_object();
    bool good = object != NULL;
    float low = 0, high = 0;

    lancet_maps_range(w->maps, w->tokens.best, &low, &high);
    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "picture", json_picture(w->picture->path, w->picture->image));
    json_put(&good, object, "model", json_model(w->job->model));
    json_put(&good, object, "path", json_words(way_name(lancet_features_path(features))));
    json_put(&good, object, "input_width", json_count(lancet_features_input_width(features)));
    json_put(&good, object, "input_height", json_count(lancet_features_input_height(features)));
    json_put(&good, object, "surgery_start", start ? json_integer(start) : json_null());
    json_put(&good, object, "caption", json_words(w->tokens.text));
    json_put(&good, object, "lost", json_words(lancet_labels_lost(w->job->labels, 0)));
    json_put(&good, object, "tokens", describe_tokens(&w->tokens));
    json_put(&good, object, "best", json_count(w->tokens.best));
    json_put(&good, object, "score_low", json_number((double)low));
    json_put(&good, object, "score_high", json_number((double)high));
    json_put(&good, object, "files", json_array());
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static int caption_one(json_t **summary, void *context, const picture_item *picture)
{
    const caption_job *job = context;
    const caption_settings *settings = job->settings;
    const lancet_map_options map_options = {.redundant = LANCET_REDUNDANT_EMPTY_BARE,
                                            .order = (lancet_map_order)settings->order,
                                            .session = job->session};
    lancet_token_rank *ranks = calloc(job->count, sizeof *ranks);
    writer w = {.job = job, .picture = picture, .pixels = lancet_image_picture(picture->image)};
    const lancet_features *features;
    lancet_features *own = NULL;
    lancet_maps *maps = NULL;
    lancet_error error;
    int status;

    if (!ranks)
        return report_memory();
    if (picture_encode(&features, &own, picture, job->session, &job->features, &error) != LANCET_OK ||
        lancet_caption_rank(ranks, features, job->labels, &error) != LANCET_OK ||
        lancet_maps_compute(&maps, features, job->labels, &map_options, &error) != LANCET_OK) {
        status = picture_report(picture->path, &error);
        goto done;
    }
    if (settings->skip_start)
        skip_start(ranks, job->count);
    w.maps = maps;
    w.tokens = (caption_tokens){settings->text, job->count, job->shown, job->ends_word, ranks, 0};
    while (ranks[w.tokens.best].rank != 1)
        w.tokens.best++;
    w.summary = describe(&w, features);
    status = w.summary ? write_files(&w) : report_memory();
    if (status == EXIT_DONE && !json_files_join(w.summary, picture->folder))
        status = report_memory();
    if (status == EXIT_DONE)
        *summary = json_incref(w.summary);
done:
    json_decref(w.summary);
    lancet_image_close(&w.overlay);
    lancet_maps_close(&maps);
    lancet_features_close(&own);
    free(ranks);
    return status;
}

/* The tokens in the caption's order, then the files. */
static void print_table(void *context, const json_t *summary)
{
    const caption_job *job = context;
    const json_t *item;
    size_t i;

    if (job->settings->common.quiet)
        return;
    printf("%s\n  %8s  %4s  token\n",
           json_string_value(json_object_get(json_object_get(summary, "picture"), "path")), "cosine", "rank");
    json_array_foreach(json_object_get(summary, "tokens"), i, item)
    {
        const json_int_t rank = json_integer_value(json_object_get(item, "rank"));

        printf("  %8.4f  ", json_number_value(json_object_get(item, "cosine")));
        if (rank)
            printf("%4d", (int)rank);
        else
            printf("   -");
        printf("%s %s\n", rank && rank <= CAPTION_MARKED ? " *" : "  ",
               json_string_value(json_object_get(item, "token")));
    }
    json_array_foreach(json_object_get(summary, "files"), i, item)
        printf("%s\n", json_string_value(json_object_get(item, "path")));
}

/* ---- The command --------------------------------------------------------------------------------------- */

static int check(const caption_settings *settings)
{
    if (!settings->text)
        return report_usage("expected a caption: -t CAPTION");
    return picture_check(&settings->picture);
}

static int run(const command *self, int argc, char **argv)
{
    caption_settings settings = {.output = ".", .write = WRITE_OVERLAY | WRITE_HTML | WRITE_JSON};
    caption_job job = {.settings = &settings};
    texts operands = {0};
    many_pictures pictures = {0};
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_labels *labels = NULL;
    lancet_error error;
    int status, list_status;

    if (!options_parse(self, &settings, &operands, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = many_begin(self, &settings.common, &settings.many, operands.count, settings.json);
    if (status == EXIT_DONE)
        status = check(&settings);
    if (status != EXIT_DONE)
        goto done;
    list_status = many_find(&pictures, &operands, &settings.many);
    if (!pictures.paths.count) {
        status = list_status;
        goto done;
    }
    status = model_begin(&model, &session, &settings.model, &settings.common, LANCET_TOWERS_BOTH);
    if (status == EXIT_DONE &&
        lancet_labels_encode_tokens(&labels, session, settings.text, &error) != LANCET_OK)
        status = report_error(&error);
    if (status != EXIT_DONE)
        goto done;
    report_lost(labels);
    job.model = model;
    job.session = session;
    job.labels = labels;
    job.features = feature_options(&settings.picture, model);
    status = show_tokens(&job);
    if (status == EXIT_DONE)
        status = folder_make(settings.output);
    if (status == EXIT_DONE)
        status = pictures_run(&(picture_work){.run = caption_one,
                                              .print = print_table,
                                              .context = &job,
                                              WORK_OF(self, settings),
                                              .model = model,
                                              .session = session,
                                              .labels = labels,
                                              .features = &job.features,
                                              .output = settings.output},
                              &pictures, list_status);
done:
    status = many_end(status);
    close_tokens(&job);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    many_close(&pictures);
    texts_close(&operands);
    return status;
}

const command caption_command = {
    .name = "caption",
    .summary = "Show which words of a caption a picture answers to, and where.",
    .usage = "lancet caption PICTURE|FOLDER... -t CAPTION [options]",
    .about =
        "The paper's multimodal view. Every token of the caption, from [start] to [end], is projected as "
        "CLIP "
        "projects its end token, and ranked by its cosine with the picture's class token. The three best are "
        "marked; the best one's map, against the bare empty string, is the heat.\n"
        "\n"
        "A token knows only the words before it, and [end] all of them: with trained models it is often the "
        "best. [start] is the same in every caption; --skip-start leaves it out.\n"
        "\n"
        "Files for each picture:\n"
        "  <picture>.caption.overlay.png  overlay  the heat, the caption, the three best\n"
        "  <picture>.caption.html         html     the same as a page by itself, and\n"
        "                                          all tokens\n"
        "  <picture>.caption.json         json     tokens, cosines, ranks, files",
    .examples = "  lancet caption dogs.jpg -t \"two dogs run across the grass\" -o out\n"
                "  lancet caption dogs.jpg -t \"two dogs run across the grass\" --side 512 \\\n"
                "      --skip-start --write html -o out\n",
    .groups = caption_groups,
    .group_count = sizeof caption_groups / sizeof *caption_groups,
    .run = run,
};
