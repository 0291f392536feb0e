/* The one call: options checked, pictures measured, records added up. SPDX-License-Identifier: Apache-2.0 */
#include "eval/runner.h"

#include "base/status.h"
#include "eval/fingerprint.h"
#include "eval/parallel.h"
#include "lancet/lancet.h"

#include <stdio.h>
#include <string.h>

static const lancet_protocol_steps *const protocols[LANCET_PROTOCOL_COUNT] = {
    [LANCET_PROTOCOL_EXPLAINABILITY] = &lancet_explainability,
    [LANCET_PROTOCOL_SEGMENTATION] = &lancet_segmentation,
    [LANCET_PROTOCOL_MULTI_LABEL] = &lancet_multi_label,
    [LANCET_PROTOCOL_POINTS] = &lancet_points_protocol,
    [LANCET_PROTOCOL_FSR] = &lancet_fsr,
    [LANCET_PROTOCOL_AFFINITY] = &lancet_affinity,
    [LANCET_PROTOCOL_LABEL_L1] = &lancet_label_l1,
};

static const lancet_protocol_steps *steps_of(lancet_protocol protocol)
{
    return (unsigned)protocol < LANCET_PROTOCOL_COUNT ? protocols[protocol] : NULL;
}

const char *lancet_protocol_name(lancet_protocol protocol)
{
    return steps_of(protocol) ? steps_of(protocol)->name : NULL;
}

const char *lancet_protocol_summary(lancet_protocol protocol)
{
    return steps_of(protocol) ? steps_of(protocol)->summary : NULL;
}

int lancet_protocol_version(lancet_protocol protocol)
{
    return steps_of(protocol) ? steps_of(protocol)->version : 0;
}

lancet_status lancet_protocol_find(lancet_protocol *protocol, const char *name, lancet_error *error)
{
    char list[256] = "";
    size_t length = 0;

    if (!protocol || !name)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_protocol_find: %s is NULL",
                           protocol ? "name" : "protocol");
    for (int p = 0; p < LANCET_PROTOCOL_COUNT; p++) {
        if (strcmp(protocols[p]->name, name) == 0) {
            *protocol = (lancet_protocol)p;
            return LANCET_OK;
        }
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? ", " : "",
                                   protocols[p]->name);
    }
    return lancet_fail(error, LANCET_ERROR_ARGUMENT, "protocol: expected one of %s, found '%s'", list, name);
}

/* ---- Records ------------------------------------------------------------------------------------------- */

const void *lancet_cursor_take(lancet_cursor *cursor, size_t length)
{
    const void *place = cursor->bytes;

    if (length > cursor->length)
        return NULL;
    cursor->bytes += length;
    cursor->length -= length;
    return place;
}

lancet_status lancet_fail_record(const lancet_record *record, lancet_error *error)
{
    return lancet_fail(error, LANCET_ERROR_INPUT, "the journal's record of picture %llu is not sound",
                       (unsigned long long)record->picture);
}

/* Parts what was measured, moved to the front with its first number taken off, from what was skipped, which
 * is noted. */
static lancet_status sort_out(lancet_report *report, const lancet_run *run, lancet_records *records,
                              size_t total, size_t *measured, lancet_error *error)
{
    size_t skipped = 0;

    *measured = 0;
    for (size_t i = 0; i < records->count; i++) {
        lancet_record record = records->items[i];
        lancet_cursor cursor = {record.bytes, record.length};
        const uint64_t *kind = lancet_cursor_take(&cursor, sizeof *kind);

        if (record.picture >= total) /* of a run over more pictures */
            continue;
        if (!kind || *kind > LANCET_RECORD_SKIPPED)
            return lancet_fail_record(&record, error);
        if (*kind == LANCET_RECORD_SKIPPED && run->evaluation->on_broken != LANCET_BROKEN_SKIP)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%.*s (an earlier run left it out)",
                               (int)cursor.length, (const char *)cursor.bytes);
        if (*kind == LANCET_RECORD_SKIPPED) {
            lancet_report_note(report, "left out: %s: %.*s",
                               lancet_dataset_picture_id(run->dataset, (size_t)record.picture),
                               (int)cursor.length, (const char *)cursor.bytes);
            skipped++;
            continue;
        }
        records->items[(*measured)++] = (lancet_record){record.picture, cursor.bytes, cursor.length};
    }
    if (*measured + skipped != total)
        return lancet_fail(
            error, LANCET_ERROR_IO,
            "the journal: expected %zu pictures, found %zu: is its folder shared by all processes?", total,
            *measured + skipped);
    lancet_report_setting(report, "pictures", "%zu", *measured);
    lancet_report_setting(report, "pictures left out", "%zu when measured, %zu when the data set was opened",
                          skipped, run->skipped_before);
    return LANCET_OK;
}

/* ---- The call ------------------------------------------------------------------------------------------ */

static lancet_status check_variants(const lancet_run *run, lancet_error *error)
{
    const lancet_evaluation *e = run->evaluation;

    if (!e->variants || !e->variant_count || e->variant_count > LANCET_VARIANTS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "variants: expected 1 to %d, found %zu",
                           LANCET_VARIANTS_MAX, e->variants ? e->variant_count : 0);
    for (size_t v = 0; v < e->variant_count; v++)
        if (!e->variants[v].name || !*e->variants[v].name || strchr(e->variants[v].name, '\n'))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "variant %zu: expected a name of one line", v);
    if (e->protocol == LANCET_PROTOCOL_AFFINITY &&
        (e->variant_count > 1 || e->variants[0].features.path != LANCET_PATH_PLAIN))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "affinity is of CLIP's own path: expected one variant, on the plain path");
    return LANCET_OK;
}

static lancet_status check(const lancet_run *run, lancet_error *error)
{
    const lancet_evaluation *e = run->evaluation;

    if (!steps_of(e->protocol))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "protocol: expected a lancet_protocol, found %d",
                           (int)e->protocol);
    if (e->decoders < 0 || e->decoders > 64)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "decoders: expected 1 to 64, found %d", e->decoders);
    if (lancet_labels_count(run->labels) != run->class_count)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "labels: expected one for each of the data set's %zu classes, found %zu",
                           run->class_count, lancet_labels_count(run->labels));
    if (steps_of(e->protocol)->needs_masks && !lancet_dataset_describe(run->dataset)->has_masks)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "the data set has no masks, which %s needs",
                           steps_of(e->protocol)->name);
    if (lancet_parallel_size() > 1 && !e->journal)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "several processes need a journal's folder to share");
    return check_variants(run, error);
}

static lancet_status make_report(lancet_report **report, lancet_run *run, const lancet_journal *journal,
                                 size_t total, lancet_error *error)
{
    const lancet_protocol_steps *steps = steps_of(run->evaluation->protocol);
    lancet_report *made = NULL;
    lancet_records records = {0};
    size_t measured;
    lancet_status status = lancet_journal_read(&records, journal, error);

    if (status == LANCET_OK)
        status = lancet_report_open(&made, steps->title, error);
    if (status == LANCET_OK) {
        lancet_report_settings(made, run, steps);
        status = sort_out(made, run, &records, total, &measured, error);
    }
    if (status == LANCET_OK && !measured)
        status = lancet_fail(error, LANCET_ERROR_INPUT, "expected pictures to evaluate, found none");
    if (status == LANCET_OK)
        status = steps->total(made, run, records.items, measured, error);
    if (status == LANCET_OK && made->failed)
        status = lancet_fail_memory(error, "the report");
    if (status == LANCET_OK)
        *report = made;
    else
        lancet_report_close(&made);
    lancet_records_close(&records);
    return status;
}

static lancet_status run_all(lancet_report **report, lancet_run *run, lancet_error *error)
{
    const lancet_evaluation *e = run->evaluation;
    const size_t count = lancet_dataset_count(run->dataset);
    const size_t total = e->limit && e->limit < count ? e->limit : count;
    lancet_buffer fingerprint = {0};
    lancet_journal *journal = NULL;
    lancet_status status = lancet_fingerprint(&fingerprint, run, steps_of(e->protocol), error);

    if (status == LANCET_OK)
        status = lancet_journal_open(&journal, e->journal, fingerprint.bytes, lancet_parallel_rank(), error);
    if (status == LANCET_OK) {
        /* Everybody has looked at everybody's file before the first of them changes. */
        lancet_parallel_wait();
        status = lancet_run_pictures(run, steps_of(e->protocol), journal, total, error);
    }
    if (status == LANCET_OK) {
        lancet_parallel_wait();
        if (lancet_parallel_rank() == 0)
            status = make_report(report, run, journal, total, error);
    }
    lancet_journal_close(&journal);
    lancet_buffer_close(&fingerprint);
    return status;
}

lancet_status lancet_evaluate(lancet_report **report, lancet_session *session, const lancet_labels *labels,
                              lancet_dataset *dataset, const lancet_evaluation *evaluation,
                              lancet_error *error)
{
    lancet_run run = {.session = session, .labels = labels, .dataset = dataset, .evaluation = evaluation};
    lancet_status status;

    if (report)
        *report = NULL;
    if (!report || !session || !labels || !dataset || !evaluation)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_evaluate: %s is NULL",
                           !report    ? "report"
                           : !session ? "session"
                           : !labels  ? "labels"
                           : !dataset ? "dataset"
                                      : "evaluation");
    run.class_count = lancet_dataset_class_count(dataset);
    run.skipped_before = lancet_dataset_skipped_count(dataset);
    status = check(&run, error);
    if (status == LANCET_OK)
        status = run_all(report, &run, error);
    lancet_run_forget(&run);
    return status;
}
