/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures.h"

#include "files.h"
#include "json.h"
#include "lancet/eval.h"
#include "lancet/stream.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Patches of an input up to which several pictures fill a processor better than one. */
#define PATCHES_TOGETHER 1024
#define TOGETHER         8

typedef struct runner {
    const picture_work *work;
    const many_pictures *pictures;
    lancet_stream *stream;
    size_t printed; /* pictures whose part of stdout is out */
    bool gathered;  /* several processes: the first one prints everything at the end */
    int status;     /* the first that is no success */
    progress bar;
} runner;

static void note_status(runner *r, int status)
{
    if (r->status == EXIT_DONE)
        r->status = status;
}

/* ---- Printing ------------------------------------------------------------------------------------------ */

static int print_json(const picture_work *work, const json_t *value)
{
    char *text;

    if (!work->many->jsonl)
        return json_print(value);
    text = json_line(value);
    if (!text)
        return report_memory();
    puts(text);
    free(text);
    return EXIT_DONE;
}

/* What stdout gets of a picture: the summary, or what a person wants to see of it. summary NULL: there is
 * none, and status says why. */
static int print_result(const runner *r, size_t index, const json_t *summary, int status)
{
    const picture_work *work = r->work;
    const json_t *item;
    json_t *broken;
    size_t i;

    if (work->json)
        fputs(index == 0 ? "\n" : ",\n", stdout);
    if (work->json || work->many->jsonl) {
        if (summary)
            return print_json(work, summary);
        broken = json_pack("{s:{s:o}, s:i}", "picture", "path", json_words(r->pictures->paths.items[index]),
                           "status", status);
        status = broken ? print_json(work, broken) : report_memory();
        json_decref(broken);
        return status;
    }
    if (!summary || (work->common->quiet && !work->print))
        return EXIT_DONE;
    if (work->print)
        work->print(work->context, summary);
    else
        json_array_foreach(json_object_get(summary, "files"), i, item)
            printf("%s\n", json_string_value(json_object_get(item, "path")));
    return EXIT_DONE;
}

/* ---- What was kept ------------------------------------------------------------------------------------- */

/* What is kept of a picture: its summary, or its status if there is none. */
static int keep(const runner *r, size_t index, const json_t *summary, int status)
{
    char *text = summary ? json_line(summary) : text_print("%d", status);
    lancet_error error;

    status = EXIT_DONE;
    if (!text)
        return report_memory();
    if (lancet_stream_keep(r->stream, index, text, strlen(text), !summary, &error) != LANCET_OK)
        status = report_error(&error);
    free(text);
    return status;
}

static json_t *read_summary(const lancet_kept *kept)
{
    return json_loadb(kept->bytes, kept->length, 0, NULL);
}

/* Whether a picture's files are still there. A path that JSON could not hold is taken at its word. */
static bool holds(void *context, size_t index, const lancet_kept *kept)
{
    json_t *summary = read_summary(kept);
    const json_t *item;
    bool good = summary != NULL;
    size_t i;

    (void)context;
    (void)index;
    json_array_foreach(json_object_get(summary, "files"), i, item)
    {
        const char *path = json_string_value(json_object_get(item, "path"));

        good = good && path && (strstr(path, "\xEF\xBF\xBD") || file_is_there(path));
    }
    json_decref(summary);
    return good;
}

/* Prints what an earlier run or another process did with a picture. */
static void print_kept(runner *r, size_t index)
{
    lancet_kept kept;
    json_t *summary = NULL;
    int status = EXIT_DONE;

    if (!lancet_stream_kept(&kept, r->stream, index))
        return;
    if (kept.broken)
        status = kept.length == 1 ? *(const char *)kept.bytes - '0' : LANCET_ERROR_INPUT;
    else
        summary = read_summary(&kept);
    note_status(r, status);
    note_status(r, print_result(r, index, summary, status));
    json_decref(summary);
}

static void print_until(runner *r, size_t end)
{
    for (; r->printed < end; r->printed++)
        print_kept(r, r->printed);
}

/* ---- The pictures -------------------------------------------------------------------------------------- */

/* "folder/2020" for the name "2020/cat", made if it is not there; NULL, and reported, if it cannot be. */
static char *make_folder(const runner *r, const char *name)
{
    const char *output = r->work->output ? r->work->output : "";
    char *within = text_print("%.*s", (int)(path_name(name) - name), name);
    char *folder = within ? (*within ? path_join(output, within) : text_print("%s", output)) : NULL;

    free(within);
    if (!folder) {
        report_memory();
        return NULL;
    }
    if (path_name(name) > name && r->work->output && folder_make(folder) != EXIT_DONE) {
        free(folder);
        return NULL;
    }
    return folder;
}

static int run_item(const runner *r, json_t **summary, const lancet_stream_item *item,
                    const lancet_features *features)
{
    const char *path = r->pictures->paths.items[item->index], *name = r->pictures->names.items[item->index];
    char *folder;
    int status;

    if (item->status != LANCET_OK)
        return picture_report(path, &item->error);
    folder = make_folder(r, name);
    if (!folder)
        return LANCET_ERROR_IO;
    status = r->work->run(summary, r->work->context,
                          &(picture_item){path, folder, path_name(name), item->image, features});
    free(folder);
    return status;
}

/* Several are encoded in one go. Where that fails each is tried by itself, and says what is wrong with it. */
static void encode_together(const runner *r, lancet_features **features, const lancet_stream_item *items,
                            size_t count)
{
    lancet_picture pictures[TOGETHER];
    lancet_features *encoded[TOGETHER];
    size_t whole = 0;

    for (size_t i = 0; i < count; i++) {
        features[i] = NULL;
        if (items[i].status == LANCET_OK)
            pictures[whole++] = lancet_image_picture(items[i].image);
    }
    if (!r->work->features || whole < 2 ||
        lancet_features_encode_batch(encoded, r->work->session, pictures, whole, r->work->features, NULL) !=
            LANCET_OK)
        return;
    for (size_t i = 0, next = 0; i < count; i++)
        if (items[i].status == LANCET_OK)
            features[i] = encoded[next++];
}

/* False: the run is to end. */
static bool run_items(runner *r, const lancet_stream_item *items, size_t count, size_t *done)
{
    lancet_features *features[TOGETHER];
    bool go_on = true;

    encode_together(r, features, items, count);
    for (size_t i = 0; i < count && go_on; i++) {
        json_t *summary = NULL;
        int status, result;

        progress_show_left(&r->bar, *done, lancet_stream_resumed(r->stream), lancet_stream_share(r->stream),
                           r->pictures->paths.items[items[i].index]);
        result = run_item(r, &summary, &items[i], features[i]);
        note_status(r, result);
        status = keep(r, items[i].index, summary, result);
        note_status(r, status);
        go_on = status == EXIT_DONE && (result == EXIT_DONE || r->work->many->on_broken == MANY_SKIP);
        progress_clear();
        if (!r->gathered) {
            print_until(r, items[i].index);
            note_status(r, print_result(r, items[i].index, summary, result));
            r->printed++;
        }
        ++*done;
        json_decref(summary);
    }
    for (size_t i = 0; i < count; i++)
        lancet_features_close(&features[i]);
    return go_on;
}

/* How many pictures to encode at a time. */
static size_t choose_together(const picture_work *work)
{
    const int model_side = lancet_model_describe(work->model)->image_side;
    const lancet_picture any = {(const uint8_t *)"", (size_t)model_side, (size_t)model_side, 0};
    lancet_feature_options resolved;

    if (!work->features ||
        lancet_feature_options_resolve(&resolved, work->model, &any, work->features, NULL) != LANCET_OK)
        return 1;
    return lancet_grid_side(work->model, (size_t)resolved.width) *
                       lancet_grid_side(work->model, (size_t)resolved.height) <=
                   PATCHES_TOGETHER
               ? TOGETHER
               : 1;
}

static int open_stream(runner *r, const char *journal)
{
    const picture_work *work = r->work;
    char *settings = journal ? many_describe(work->self, work->settings, work->model, work->labels) : NULL;
    const lancet_stream_options options = {.ignore_orientation = work->picture->ignore_orientation,
                                           .decoders = work->many->decoders,
                                           .together = choose_together(work),
                                           .journal = journal,
                                           .settings = settings,
                                           .names = texts_view(&r->pictures->names),
                                           .resume = work->many->resume,
                                           .holds = holds};
    lancet_error error;
    int status = EXIT_DONE;

    if (journal && !settings)
        status = report_memory();
    else if (lancet_stream_open(&r->stream, texts_view(&r->pictures->paths), r->pictures->paths.count,
                                &options, &error) != LANCET_OK)
        status = report_error(&error);
    free(settings);
    return status;
}

static void run_all(runner *r)
{
    const lancet_stream_item *items;
    size_t count, done = lancet_stream_resumed(r->stream);
    bool go_on = true;
    lancet_error error;

    while (go_on && lancet_stream_next(&items, &count, r->stream))
        go_on = run_items(r, items, count, &done);
    if (!go_on)
        return;
    if (lancet_stream_finish(r->stream, &error) != LANCET_OK) {
        note_status(r, report_error(&error));
        return;
    }
    many_finish();
    if (lancet_parallel_rank() == 0)
        print_until(r, r->pictures->paths.count);
}

int pictures_run(const picture_work *work, const many_pictures *pictures, int status)
{
    runner r = {.work = work, .pictures = pictures, .gathered = lancet_parallel_size() > 1, .status = status};
    const bool speaks = lancet_parallel_rank() == 0;
    char *journal = NULL;
    int this = many_journal(&journal, work->many, work->self->name, work->output, pictures->paths.count);

    if (this == EXIT_DONE && journal)
        this = folder_make(journal);
    if (this == EXIT_DONE)
        this = open_stream(&r, journal);
    free(journal);
    if (this != EXIT_DONE)
        return this;
    progress_begin(&r.bar, "pictures", work->common->quiet || !speaks);
    if (speaks && work->header && !work->json && !work->many->jsonl)
        puts(work->header);
    if (speaks && work->json)
        printf("{\"lancet\": \"%s\", \"pictures\": [", lancet_version());
    run_all(&r);
    if (speaks && work->json)
        printf("], \"status\": %d}\n", r.status);
    progress_end(&r.bar);
    lancet_stream_close(&r.stream);
    return r.status;
}

lancet_status picture_encode(const lancet_features **features, lancet_features **own,
                             const picture_item *picture, lancet_session *session,
                             const lancet_feature_options *options, lancet_error *error)
{
    const lancet_picture pixels = lancet_image_picture(picture->image);
    lancet_status status = LANCET_OK;

    *own = NULL;
    if (!picture->features)
        status = lancet_features_encode(own, session, &pixels, options, error);
    *features = picture->features ? picture->features : *own;
    return status;
}

int picture_report(const char *path, const lancet_error *error)
{
    return strncmp(error->message, path, strlen(path)) == 0
               ? report_error(error)
               : report_problem(error->status, "%s: %s", path, error->message);
}

int picture_open(lancet_image **image, const char *path, bool ignore_orientation)
{
    const lancet_image_options options = {.ignore_orientation = ignore_orientation};
    lancet_error error;

    return lancet_image_open(image, path, &options, &error) == LANCET_OK ? EXIT_DONE
                                                                         : picture_report(path, &error);
}

void json_file(bool *good, json_t *files, const char *path, const char *kind)
{
    json_t *object = json_object();
    bool made = object != NULL;

    json_put(&made, object, "path", json_words(path));
    json_put(&made, object, "kind", json_words(kind));
    if (!made) {
        json_decref(object);
        *good = false;
        return;
    }
    json_add(good, files, object);
}

bool json_files_join(json_t *summary, const char *folder)
{
    json_t *item;
    bool good = true;
    size_t i;

    json_array_foreach(json_object_get(summary, "files"), i, item)
    {
        char *path = path_join(folder, json_string_value(json_object_get(item, "path")));

        json_put(&good, item, "path", json_words(path));
        good = good && path;
        free(path);
    }
    return good;
}
