/* SPDX-License-Identifier: Apache-2.0 */
#include "lancet/stream.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/dataset.h"
#include "eval/journal.h"
#include "eval/loader.h"
#include "eval/parallel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <xxhash.h>

#define DECODERS_DEFAULT 2
#define DECODERS_MAX     64
#define TOGETHER_MAX     256

/* Of records about broken pictures: a picture that was mended has both, and this one no longer counts. */
#define KEY_BROKEN UINT64_C(0x8000000000000000)

struct lancet_stream {
    const char *const *paths, *const *names;
    size_t count;
    lancet_stream_options options;
    uint64_t *keys;   /* [count], without KEY_BROKEN */
    bool *done;       /* [count]: of an earlier run */
    size_t *pictures; /* [share]: first those to do */
    size_t share, to_do;
    lancet_journal *journal;
    lancet_records records;
    lancet_loader *loader;
    lancet_loaded *loaded; /* [together], of which item_count are in use */
    lancet_stream_item *items;
    size_t item_count;
    bool finished;
};

static void load(void *context, lancet_loaded *loaded)
{
    const lancet_stream *stream = context;
    const lancet_image_options options = {.ignore_orientation = stream->options.ignore_orientation};

    loaded->status =
        lancet_image_open(&loaded->image, stream->paths[loaded->picture], &options, &loaded->error);
}

/* ---- Which pictures are done --------------------------------------------------------------------------- */

static uint64_t hash_picture(const char *path, const char *name, uint64_t seed)
{
    struct stat about;
    uint64_t numbers[3] = {0}, hash = XXH3_64bits_withSeed(path, strlen(path) + 1, seed);

    if (stat(path, &about) == 0) {
        numbers[0] = (uint64_t)about.st_size;
        numbers[1] = (uint64_t)about.st_mtim.tv_sec;
        numbers[2] = (uint64_t)about.st_mtim.tv_nsec;
    }
    if (name)
        hash = XXH3_64bits_withSeed(name, strlen(name) + 1, hash);
    return XXH3_64bits_withSeed(numbers, sizeof numbers, hash) & ~KEY_BROKEN;
}

static int compare_keys(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

/* The same path under the same name twice has a key of its own too: the result is there twice. */
static bool are_different(const uint64_t *keys, size_t count, uint64_t *sorted)
{
    memcpy(sorted, keys, count * sizeof *keys);
    qsort(sorted, count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < count; i++)
        if (sorted[i] == sorted[i - 1])
            return false;
    return true;
}

/* Sixty-three bits tell a million pictures apart but for a chance of one in ten million, and then the next
 * seed does. */
static lancet_status make_keys(lancet_stream *s, lancet_error *error)
{
    uint64_t *sorted = lancet_allocate(s->count, sizeof *sorted);
    lancet_status status = LANCET_OK;
    uint64_t seed = 0;

    s->keys = lancet_allocate(s->count, sizeof *s->keys);
    if (!s->keys || !sorted)
        status = lancet_fail_memory(error, "the list of pictures");
    else
        do
            for (size_t i = 0; i < s->count; i++)
                s->keys[i] = hash_picture(s->paths[i], s->names ? s->names[i] : NULL, seed);
        while (!are_different(s->keys, s->count, sorted) && ++seed < 4);
    if (status == LANCET_OK && seed == 4)
        status = lancet_fail(error, LANCET_ERROR_ARGUMENT,
                             "expected pictures that differ in path or name, found one twice");
    lancet_free(sorted);
    return status;
}

static int compare_record(const void *key, const void *record)
{
    const uint64_t a = *(const uint64_t *)key, b = ((const lancet_record *)record)->picture;

    return a < b ? -1 : a > b;
}

static bool find(lancet_kept *kept, const lancet_stream *s, uint64_t key)
{
    const lancet_record *record = s->records.count ? bsearch(&key, s->records.items, s->records.count,
                                                             sizeof *s->records.items, compare_record)
                                                   : NULL;

    *kept = record ? (lancet_kept){record->bytes, record->length, key & KEY_BROKEN} : (lancet_kept){0};
    return record;
}

bool lancet_stream_kept(lancet_kept *kept, const lancet_stream *s, size_t index)
{
    *kept = (lancet_kept){0};
    if (!s->keys || index >= s->count || !(s->finished || s->done[index]))
        return false;
    return find(kept, s, s->keys[index]) || find(kept, s, s->keys[index] | KEY_BROKEN);
}

/* This process's share, those to do first, both parts in the order of the list. */
static lancet_status choose(lancet_stream *s, lancet_error *error)
{
    const size_t rank = lancet_parallel_rank(), size = lancet_parallel_size();

    s->share = s->count > rank ? (s->count - rank + size - 1) / size : 0;
    s->pictures = lancet_allocate(s->share, sizeof *s->pictures);
    s->done = lancet_allocate_zero(s->count, sizeof *s->done);
    if (!s->pictures || !s->done)
        return lancet_fail_memory(error, "the list of pictures");
    for (size_t i = 0; i < s->count && s->keys; i++) {
        lancet_kept kept;

        s->done[i] = find(&kept, s, s->keys[i]) &&
                     (!s->options.holds || s->options.holds(s->options.holds_context, i, &kept));
    }
    for (size_t i = rank; i < s->count; i += size)
        if (!s->done[i])
            s->pictures[s->to_do++] = i;
    return LANCET_OK;
}

/* All processes empty, open and read it in step, so that none sees what another is about to change. */
static lancet_status open_journal(lancet_stream *s, lancet_error *error)
{
    const char *folder = s->options.journal, *settings = s->options.settings ? s->options.settings : "";
    lancet_status status = make_keys(s, error);

    if (status == LANCET_OK && !s->options.resume && lancet_parallel_rank() == 0)
        status = lancet_journal_remove(folder, error);
    if (status == LANCET_OK) {
        lancet_parallel_wait();
        status = lancet_journal_open(&s->journal, folder, settings, lancet_parallel_rank(), error);
    }
    if (status == LANCET_OK)
        status = lancet_journal_read(&s->records, s->journal, error);
    if (status == LANCET_OK)
        lancet_parallel_wait();
    return status;
}

/* ---- The stream ---------------------------------------------------------------------------------------- */

static lancet_status check(const char *const *paths, size_t count, const lancet_stream_options *options,
                           lancet_error *error)
{
    if (!paths && count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_stream_open: paths is NULL");
    if (count > LANCET_PICTURES_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "expected at most %zu pictures, found %zu",
                           LANCET_PICTURES_MAX, count);
    if (options->decoders < 0 || options->decoders > DECODERS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "decoders: expected 1 to %d, found %d", DECODERS_MAX,
                           options->decoders);
    if (options->together > TOGETHER_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "together: expected at most %d, found %zu",
                           TOGETHER_MAX, options->together);
    if (lancet_parallel_size() > 1 && !options->journal)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "several processes need a journal's folder to share");
    return LANCET_OK;
}

static lancet_status start(lancet_stream *s, lancet_error *error)
{
    const int decoders = s->options.decoders ? s->options.decoders : DECODERS_DEFAULT;
    const size_t together = s->options.together ? s->options.together : 1;
    lancet_status status = s->options.journal ? open_journal(s, error) : LANCET_OK;

    s->options.together = together;
    s->loaded = lancet_allocate_zero(together, sizeof *s->loaded);
    s->items = lancet_allocate_zero(together, sizeof *s->items);
    if (status == LANCET_OK && (!s->loaded || !s->items))
        status = lancet_fail_memory(error, "reading ahead");
    if (status == LANCET_OK)
        status = choose(s, error);
    if (status == LANCET_OK)
        status = lancet_loader_open(&s->loader, load, s, s->pictures, s->to_do, decoders, together, error);
    return status;
}

lancet_status lancet_stream_open(lancet_stream **stream, const char *const *paths, size_t count,
                                 const lancet_stream_options *given, lancet_error *error)
{
    const lancet_stream_options options = given ? *given : (lancet_stream_options){0};
    lancet_stream *made;
    lancet_status status;

    if (!stream)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_stream_open: stream is NULL");
    *stream = NULL;
    status = check(paths, count, &options, error);
    if (status != LANCET_OK)
        return status;
    made = lancet_allocate_zero(1, sizeof *made);
    if (!made)
        return lancet_fail_memory(error, "a stream of pictures");
    made->paths = paths;
    made->names = options.names;
    made->count = count;
    made->options = options;
    status = start(made, error);
    if (status == LANCET_OK)
        *stream = made;
    else
        lancet_stream_close(&made);
    return status;
}

static void forget(lancet_stream *s)
{
    for (size_t i = 0; i < s->item_count; i++)
        lancet_loaded_close(&s->loaded[i]);
    s->item_count = 0;
}

bool lancet_stream_next(const lancet_stream_item **items, size_t *count, lancet_stream *s)
{
    forget(s);
    while (s->loader && s->item_count < s->options.together &&
           (!s->item_count || lancet_loader_ready(s->loader)) &&
           lancet_loader_next(&s->loaded[s->item_count], s->loader)) {
        const lancet_loaded *loaded = &s->loaded[s->item_count];

        s->items[s->item_count++] =
            (lancet_stream_item){loaded->picture, loaded->image, loaded->status, loaded->error};
    }
    *items = s->items;
    *count = s->item_count;
    return s->item_count;
}

size_t lancet_stream_share(const lancet_stream *s)
{
    return s->share;
}

size_t lancet_stream_resumed(const lancet_stream *s)
{
    return s->share - s->to_do;
}

lancet_status lancet_stream_keep(lancet_stream *s, size_t index, const void *bytes, size_t length,
                                 bool broken, lancet_error *error)
{
    if (index >= s->count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "index: expected less than %zu, found %zu", s->count,
                           index);
    if (!s->journal)
        return LANCET_OK;
    return lancet_journal_append(s->journal, s->keys[index] | (broken ? KEY_BROKEN : 0), bytes, length,
                                 error);
}

lancet_status lancet_stream_finish(lancet_stream *s, lancet_error *error)
{
    lancet_status status;

    forget(s);
    lancet_loader_close(&s->loader);
    if (!s->journal)
        return LANCET_OK;
    status = lancet_journal_sync(s->journal, error);
    if (status != LANCET_OK)
        return status;
    lancet_parallel_wait();
    lancet_records_close(&s->records);
    s->finished = true;
    return lancet_journal_read(&s->records, s->journal, error);
}

void lancet_stream_close(lancet_stream **stream)
{
    lancet_stream *s = stream ? *stream : NULL;

    if (!s)
        return;
    forget(s);
    lancet_loader_close(&s->loader);
    lancet_journal_close(&s->journal);
    lancet_records_close(&s->records);
    lancet_free(s->keys);
    lancet_free(s->done);
    lancet_free(s->pictures);
    lancet_free(s->loaded);
    lancet_free(s->items);
    lancet_free(s);
    *stream = NULL;
}
