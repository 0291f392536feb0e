/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/runner.h"

#include "base/status.h"
#include "eval/loader.h"
#include "eval/parallel.h"

#include <string.h>

#define DECODERS_DEFAULT 2
#define PICTURES_AHEAD   2

/* ---- Features that variants share ---------------------------------------------------------------------- */

static bool same_options(const lancet_feature_options *a, const lancet_feature_options *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

lancet_status lancet_run_features(const lancet_features **features, lancet_run *run, size_t index,
                                  const lancet_picture *picture, lancet_error *error)
{
    const lancet_variant *variants = run->evaluation->variants;
    size_t first = 0;
    lancet_status status = LANCET_OK;

    while (first < index && !same_options(&variants[first].features, &variants[index].features))
        first++;
    if (!run->features[first])
        status = lancet_features_encode(&run->features[first], run->session, picture,
                                        &variants[first].features, error);
    *features = run->features[first];
    return status;
}

lancet_status lancet_run_maps(lancet_maps **maps, lancet_run *run, size_t index,
                              const lancet_picture *picture, lancet_error *error)
{
    const lancet_features *features;
    lancet_status status = lancet_run_features(&features, run, index, picture, error);

    *maps = NULL;
    if (status == LANCET_OK)
        status =
            lancet_maps_compute(maps, features, run->labels, &run->evaluation->variants[index].maps, error);
    return status;
}

void lancet_run_forget(lancet_run *run)
{
    for (size_t v = 0; v < LANCET_VARIANTS_MAX; v++)
        lancet_features_close(&run->features[v]);
}

const char *lancet_run_class(const lancet_run *run, size_t class_index)
{
    const lancet_class *class = lancet_dataset_class(run->dataset, class_index);

    return class ? class->name : "";
}

/* ---- Pictures ------------------------------------------------------------------------------------------ */

/* Whether what went wrong is this one picture's. */
static bool is_broken(lancet_status status)
{
    return status == LANCET_ERROR_INPUT || status == LANCET_ERROR_IO || status == LANCET_ERROR_UNSUPPORTED;
}

static lancet_status measure(lancet_buffer *record, lancet_run *run, const lancet_protocol_steps *steps,
                             const lancet_loaded *loaded, lancet_error *error)
{
    const uint64_t kind = LANCET_RECORD_MEASURED;
    const lancet_picture picture = lancet_image_picture(loaded->image);
    lancet_status status;

    lancet_buffer_append(record, &kind, sizeof kind);
    status = steps->measure(record, run, &picture, loaded->truth, error);
    if (status == LANCET_OK && record->failed)
        status = lancet_fail_memory(error, "a record");
    if (status != LANCET_OK)
        lancet_fail_within(error, status, lancet_dataset_picture_id(run->dataset, loaded->picture));
    return status;
}

static lancet_status handle(lancet_run *run, const lancet_protocol_steps *steps, lancet_journal *journal,
                            lancet_buffer *record, const lancet_loaded *loaded, lancet_error *error)
{
    const uint64_t kind = LANCET_RECORD_SKIPPED;
    lancet_status status = loaded->status;

    lancet_buffer_clear(record);
    if (status == LANCET_OK) {
        status = measure(record, run, steps, loaded, error);
    } else if (run->evaluation->on_broken == LANCET_BROKEN_SKIP && is_broken(status)) {
        lancet_buffer_append(record, &kind, sizeof kind);
        lancet_buffer_append(record, loaded->error.message, strlen(loaded->error.message));
        status = record->failed ? lancet_fail_memory(error, "a record") : LANCET_OK;
    } else if (error) {
        *error = loaded->error;
    }
    if (status == LANCET_OK)
        status = lancet_journal_append(journal, loaded->picture, record->bytes, record->length, error);
    lancet_run_forget(run);
    return status;
}

/* This process's pictures that are still to be measured, rising; their number. */
static size_t choose(size_t *pictures, const lancet_journal *journal, size_t total)
{
    const size_t rank = lancet_parallel_rank(), size = lancet_parallel_size();
    size_t count = 0;

    for (size_t i = rank; i < total; i += size)
        if (!lancet_journal_has(journal, i))
            pictures[count++] = i;
    return count;
}

static lancet_status show(const lancet_evaluation *e, size_t done, size_t resumed, size_t total,
                          lancet_error *error)
{
    if (!e->progress || e->progress(e->progress_context, done, resumed, total))
        return LANCET_OK;
    return lancet_fail(error, LANCET_ERROR_ARGUMENT, "stopped");
}

lancet_status lancet_run_pictures(lancet_run *run, const lancet_protocol_steps *steps,
                                  lancet_journal *journal, size_t total, lancet_error *error)
{
    const lancet_evaluation *e = run->evaluation;
    const size_t size = lancet_parallel_size();
    const size_t share = (total + size - 1 - lancet_parallel_rank()) / size;
    size_t *pictures = lancet_allocate(share, sizeof *pictures);
    size_t count, done = 0;
    lancet_loader *loader = NULL;
    lancet_buffer record = {0};
    lancet_loaded loaded;
    lancet_status status;

    if (!pictures)
        return lancet_fail_memory(error, "the list of pictures");
    count = choose(pictures, journal, total);
    status = lancet_loader_open(&loader, lancet_load_truth, run->dataset, pictures, count,
                                e->decoders ? e->decoders : DECODERS_DEFAULT, PICTURES_AHEAD, error);
    if (status == LANCET_OK)
        status = show(e, share - count, share - count, share, error);
    while (status == LANCET_OK && lancet_loader_next(&loaded, loader)) {
        status = handle(run, steps, journal, &record, &loaded, error);
        lancet_loaded_close(&loaded);
        if (status == LANCET_OK)
            status = show(e, share - count + ++done, share - count, share, error);
    }
    if (status == LANCET_OK)
        status = lancet_journal_sync(journal, error);
    lancet_loader_close(&loader);
    lancet_buffer_close(&record);
    lancet_free(pictures);
    return status;
}
