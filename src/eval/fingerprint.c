/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/fingerprint.h"

#include "base/status.h"
#include "lancet/lancet.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <xxhash.h>

/* Where settings go: lines of a text, or rows of a report; one of the two is NULL. */
typedef struct sink {
    lancet_buffer *text;
    lancet_report *report;
} sink;

static void put(const sink *s, const char *key, const char *value)
{
    if (s->text)
        lancet_buffer_print(s->text, "%s: %s\n", key, value);
    else
        lancet_report_setting(s->report, key, "%s", value);
}

static void add_hash(uint64_t *hash, const void *bytes, size_t length)
{
    *hash = XXH3_64bits_withSeed(bytes, length, *hash);
}

/* Names, classes and the files' sizes: enough to tell another data set, without reading all of this one. */
static uint64_t hash_dataset(const lancet_dataset *dataset)
{
    uint64_t hash = 0;

    for (size_t c = 0; c < lancet_dataset_class_count(dataset); c++) {
        const lancet_class *class = lancet_dataset_class(dataset, c);

        add_hash(&hash, class->name, strlen(class->name) + 1);
        add_hash(&hash, &class->value, sizeof class->value);
    }
    for (size_t i = 0; i < lancet_dataset_count(dataset); i++) {
        const char *id = lancet_dataset_picture_id(dataset, i);
        struct stat about;
        uint64_t size = 0;

        if (stat(lancet_dataset_picture_path(dataset, i), &about) == 0)
            size = (uint64_t)about.st_size;
        add_hash(&hash, id, strlen(id) + 1);
        add_hash(&hash, &size, sizeof size);
    }
    return hash;
}

static uint64_t hash_labels(const lancet_labels *labels)
{
    const size_t width = lancet_labels_width(labels), count = lancet_labels_count(labels);
    uint64_t hash = 0;

    add_hash(&hash, lancet_labels_features(labels), count * width * sizeof(float));
    for (int bare = 0; bare < 2; bare++)
        if (lancet_labels_empty(labels, bare))
            add_hash(&hash, lancet_labels_empty(labels, bare), width * sizeof(float));
    return hash;
}

static const char *path_name(lancet_path path)
{
    for (size_t i = 0; i < lancet_method_count(); i++)
        if (lancet_method_at(i)->path == path)
            return lancet_method_at(i)->name;
    return "unknown";
}

/* As the library resolves them, so that "the model's own" and the same numbers spelt out are one setting. */
static lancet_status put_variant(const sink *s, const lancet_run *run, size_t index, lancet_error *error)
{
    static const char *const redundant[] = {"auto", "labels", "empty", "empty-bare", "none"};
    const lancet_variant *v = &run->evaluation->variants[index];
    const lancet_model *model = lancet_session_model(run->session);
    const size_t side = (size_t)lancet_model_describe(model)->image_side;
    /* Any picture will do: sizes that follow the picture's shape are told apart below. */
    const lancet_picture picture = {(const uint8_t *)"", side, side, 0};
    lancet_buffer value = {0};
    char key[32];
    lancet_feature_options o;
    lancet_status status = lancet_feature_options_resolve(&o, model, &picture, &v->features, error);

    if (status != LANCET_OK)
        return status;
    lancet_buffer_print(&value, "%s: tokens of %s, ", v->name, path_name(o.path));
    if (v->features.short_side)
        lancet_buffer_print(&value, "short side %d", v->features.short_side);
    else
        lancet_buffer_print(&value, "input %d x %d", o.width, o.height);
    if (v->crop_columns || v->crop_rows)
        lancet_buffer_print(&value, ", crops %d x %d", v->crop_columns, v->crop_rows);
    if (o.surgery_start)
        lancet_buffer_print(&value, ", surgery from block %d", o.surgery_start);
    if (o.pool_attention || o.pool_class)
        lancet_buffer_print(&value, ", pool %d %d", (int)o.pool_attention, (int)o.pool_class);
    lancet_buffer_print(&value, ", mean %.9g %.9g %.9g, deviation %.9g %.9g %.9g, redundant %s",
                        (double)o.mean[0], (double)o.mean[1], (double)o.mean[2], (double)o.deviation[0],
                        (double)o.deviation[1], (double)o.deviation[2], redundant[v->maps.redundant]);
    if (v->maps.redundant == LANCET_REDUNDANT_LABELS || v->maps.redundant == LANCET_REDUNDANT_AUTO)
        lancet_buffer_print(&value, ", form %s, tau %.9g",
                            v->maps.form == LANCET_FORM_CODE ? "code" : "paper",
                            (double)(v->maps.tau > 0 ? v->maps.tau : 2));
    lancet_buffer_print(&value, ", order %s%s", v->maps.order == LANCET_ORDER_CODE ? "code" : "paper",
                        v->maps.reversed ? ", reversed" : "");
    snprintf(key, sizeof key, "variant %zu", index + 1);
    if (!value.failed)
        put(s, key, value.bytes);
    lancet_buffer_close(&value);
    return LANCET_OK;
}

static lancet_status put_all(const sink *s, const lancet_run *run, const lancet_protocol_steps *steps,
                             lancet_error *error)
{
    const lancet_model_description *model = lancet_model_describe(lancet_session_model(run->session));
    const lancet_dataset_about *data = lancet_dataset_describe(run->dataset);
    lancet_status status = LANCET_OK;
    static const char *const precisions[] = {"", ", bf16", ", int8"};
    char value[256];

    snprintf(value, sizeof value, "%s, version %d", steps->name, steps->version);
    put(s, "protocol", value);
    snprintf(value, sizeof value, "lancet %s, %s", lancet_version(), lancet_instruction_set());
    put(s, "computed by", value);
    snprintf(value, sizeof value, "hash %s, activation %s, heads %d and %d%s", model->hash,
             model->activation == LANCET_ACTIVATION_GELU ? "gelu" : "quickgelu", model->vision_heads,
             model->text_heads, precisions[model->precision]);
    put(s, "model", value);
    snprintf(value, sizeof value, "%zu, hash %016llx", run->class_count,
             (unsigned long long)hash_labels(run->labels));
    put(s, "labels", value);
    snprintf(value, sizeof value, "layout %s, split %s, %zu classes, hash %016llx",
             lancet_layout_name(data->layout), *data->split ? data->split : "none", run->class_count,
             (unsigned long long)hash_dataset(run->dataset));
    put(s, "data set", value);
    for (size_t v = 0; v < run->evaluation->variant_count && status == LANCET_OK; v++)
        status = put_variant(s, run, v, error);
    return status;
}

lancet_status lancet_fingerprint(lancet_buffer *text, const lancet_run *run,
                                 const lancet_protocol_steps *steps, lancet_error *error)
{
    const lancet_status status = put_all(&(sink){text, NULL}, run, steps, error);

    return status == LANCET_OK && text->failed ? lancet_fail_memory(error, "the fingerprint") : status;
}

void lancet_report_settings(lancet_report *report, const lancet_run *run, const lancet_protocol_steps *steps)
{
    const lancet_totals_options *totals = &run->evaluation->totals;

    put_all(&(sink){NULL, report}, run, steps, NULL);
    if (totals->resamples < 0)
        lancet_report_setting(report, "bootstrap", "none");
    else
        lancet_report_setting(report, "bootstrap", "%d resamples of pictures, seed %llu",
                              totals->resamples ? totals->resamples : 1000, (unsigned long long)totals->seed);
}

void lancet_report_average(lancet_report *report, const lancet_run *run)
{
    const bool by_class = run->evaluation->totals.average == LANCET_AVERAGE_CLASS;

    lancet_report_setting(report, "average", "%s",
                          by_class ? "over samples within a class, then over classes" : "over all samples");
}
