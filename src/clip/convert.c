/* Writing a model as one file. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/convert.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_scales.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/show.h"
#include "clip/convert_tensor.h"
#include "clip/model.h"
#include "clip/text/vocabulary_read.h"
#include "lancet_version.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE (LANCET_TENSOR_NAME_SIZE + sizeof LANCET_SCALE_SUFFIX)

static const char *const type_names[] = {"fp32", "fp16", "bf16", "int8"};

typedef struct conversion {
    const lancet_model *model;
    const char *path; /* of the model */
    const lancet_convert_options *options;
    lancet_clip_part *parts;
    lancet_stored_part *stored; /* [count], in the order of the file */
    size_t count;
    lancet_tensor *tensors; /* [tensor_count]: the scales, then the parts */
    char (*scale_names)[NAME_SIZE];
    size_t scale_count, tensor_count;
    float *scales;
    lancet_buffer configuration, vocabulary;
    lancet_stored_memory memory;
    lancet_writer writer;
    lancet_error *error;
} conversion;

static lancet_dtype choose_type(lancet_weight_type wanted, lancet_part_kind kind)
{
    if (kind == LANCET_PART_SMALL || wanted == LANCET_WEIGHTS_FP32)
        return LANCET_F32;
    if (wanted == LANCET_WEIGHTS_BF16)
        return LANCET_BF16;
    return wanted == LANCET_WEIGHTS_INT8 && kind == LANCET_PART_MATRIX ? LANCET_I8 : LANCET_F16;
}

static lancet_tensor describe_tensor(const lancet_stored_part *stored)
{
    lancet_tensor tensor = {.name = stored->part->name,
                            .dtype = stored->dtype,
                            .rank = stored->part->rank,
                            .count = stored->part->rows * stored->part->row};

    memcpy(tensor.shape, stored->part->shape, sizeof stored->part->shape);
    return tensor;
}

/* What takes four bytes first, then two, then one, so that everything lies aligned. */
static lancet_status plan(conversion *c)
{
    static const lancet_dtype order[] = {LANCET_F32, LANCET_F16, LANCET_BF16, LANCET_I8};
    const lancet_weight_type wanted = c->options->type;
    size_t rows = 0, placed = 0;

    for (size_t i = 0; i < c->count; i++)
        if (choose_type(wanted, c->parts[i].kind) == LANCET_I8) {
            rows += c->parts[i].rows;
            c->scale_count++;
        }
    c->stored = lancet_allocate_zero(c->count, sizeof *c->stored);
    c->tensors = lancet_allocate_zero(c->count + c->scale_count, sizeof *c->tensors);
    c->scale_names = lancet_allocate(c->scale_count, sizeof *c->scale_names);
    c->scales = lancet_allocate(rows, sizeof *c->scales);
    if (!c->stored || !c->tensors || !c->scale_names || !c->scales)
        return lancet_fail_memory(c->error, "a conversion");
    for (size_t o = 0; o < sizeof order / sizeof *order; o++)
        for (size_t i = 0; i < c->count; i++)
            if (choose_type(wanted, c->parts[i].kind) == order[o])
                c->stored[placed++] = (lancet_stored_part){.part = &c->parts[i], .dtype = order[o]};
    rows = 0;
    for (size_t i = 0; i < c->count; i++) {
        lancet_stored_part *stored = &c->stored[i];
        const size_t scaled = c->tensor_count;
        lancet_tensor *tensor = &c->tensors[scaled];

        if (stored->dtype != LANCET_I8)
            continue;
        stored->scales = c->scales + rows;
        rows += stored->part->rows;
        snprintf(c->scale_names[scaled], NAME_SIZE, "%s" LANCET_SCALE_SUFFIX, stored->part->name);
        *tensor = (lancet_tensor){.name = c->scale_names[scaled],
                                  .dtype = LANCET_F32,
                                  .rank = 1,
                                  .shape = {stored->part->rows},
                                  .count = stored->part->rows};
        c->tensor_count++;
    }
    for (size_t i = 0; i < c->count; i++)
        c->tensors[c->tensor_count++] = describe_tensor(&c->stored[i]);
    return LANCET_OK;
}

/* A file's name, without its folder, as UTF-8 whatever it was. */
static void keep_name(char *name, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *at = name;

    lancet_show(name, size, slash ? slash + 1 : path);
    for (size_t length; (length = strlen(at)) > 0;) {
        at += lancet_utf8_check(at, length);
        if (*at)
            *at++ = '?';
    }
}

static lancet_status describe_origin(conversion *c)
{
    const lancet_model_description *about = &c->model->description;
    const lancet_settings *own = lancet_checkpoint_settings(c->model->checkpoint);
    const char *type = type_names[c->options->type];
    lancet_origin origin = {0};

    if (own && own->converted) {
        origin = own->origin;
        /* A chain that is too long keeps its beginning. */
        if (strlen(origin.types) + strlen(type) + 3 <= sizeof origin.types)
            strcat(strcat(origin.types, *origin.types ? ", " : ""), type);
    } else {
        keep_name(origin.name, sizeof origin.name, c->path);
        snprintf(origin.container, sizeof origin.container, "%s", about->container);
        snprintf(origin.naming, sizeof origin.naming, "%s", about->naming);
        snprintf(origin.data_types, sizeof origin.data_types, "%s", about->data_types);
        snprintf(origin.hash, sizeof origin.hash, "%s", about->hash);
        snprintf(origin.types, sizeof origin.types, "%s", type);
    }
    snprintf(origin.version, sizeof origin.version, "%s", LANCET_VERSION_TEXT);
    lancet_settings_print(&c->configuration, &c->model->configuration, &origin);
    return c->configuration.failed ? lancet_fail_memory(c->error, "a conversion") : LANCET_OK;
}

/* A vocabulary that is nowhere is no error, as when the model is opened; one that is broken is. */
static lancet_status print_vocabulary(conversion *c)
{
    const lancet_model *model = c->model;
    lancet_status status;

    if (c->options->without_vocabulary || !model->configuration.has_text)
        return LANCET_OK;
    if (!model->vocabulary)
        return model->vocabulary_error.status == LANCET_ERROR_IO
                   ? LANCET_OK
                   : lancet_fail(c->error, model->vocabulary_error.status, "%s",
                                 model->vocabulary_error.message);
    status = lancet_model_check_vocabulary(model, c->error);
    if (status != LANCET_OK)
        return status;
    return lancet_vocabulary_print(&c->vocabulary, model->vocabulary)
               ? LANCET_OK
               : lancet_fail_memory(c->error, "a conversion");
}

/* Everything before the tensors' bytes, and the scales, which come first among these. */
static lancet_status write_head(conversion *c, const char *path)
{
    /* "pt" is what other readers of safetensors expect to be told about tensors that are laid out as
     * PyTorch's. */
    const char *const keys[] = {"format", LANCET_SETTINGS_OWN_KEY, LANCET_VOCABULARY_KEY};
    const char *const values[] = {"pt", c->configuration.bytes, c->vocabulary.bytes};
    lancet_buffer head = {0};
    lancet_status status = lancet_safetensors_print_table(&head, c->tensors, c->tensor_count, keys, values,
                                                          c->vocabulary.bytes ? 3 : 2, c->error);

    if (status == LANCET_OK)
        status = lancet_writer_open(&c->writer, path, c->error);
    if (status == LANCET_OK)
        status = lancet_writer_append(&c->writer, head.bytes, head.length, c->error);
    lancet_buffer_close(&head);
    for (size_t i = 0; i < c->count && status == LANCET_OK; i++) {
        const lancet_stored_part *stored = &c->stored[i];

        if (!stored->scales)
            continue;
        status = lancet_stored_scales(stored, &c->memory, c->path, c->error);
        lancet_clip_part_drop(stored->part, c->model->checkpoint);
        if (status == LANCET_OK)
            status = lancet_writer_append(&c->writer, stored->scales,
                                          stored->part->rows * sizeof *stored->scales, c->error);
    }
    return status;
}

/* Counts a tensor that was stored. */
static void report_part(lancet_conversion *report, const lancet_stored_part *stored,
                        const lancet_stored_error *about)
{
    const lancet_tensor tensor = describe_tensor(stored);
    const double error =
        about->difference > 0 ? sqrt(about->difference / (about->size > 0 ? about->size : 1)) : 0;
    lancet_conversion_type *type = report->types;

    while (type < report->types + report->type_count &&
           strcmp(type->name, lancet_dtype_name(stored->dtype)) != 0)
        type++;
    if (type == report->types + report->type_count) {
        *type = (lancet_conversion_type){.name = lancet_dtype_name(stored->dtype)};
        report->type_count++;
    }
    type->tensors++;
    type->numbers += tensor.count;
    type->bytes += lancet_tensor_bytes(&tensor) + (stored->scales ? stored->part->rows * sizeof(float) : 0);
    type->mean_error += (error - type->mean_error) / (double)type->tensors;
    if (error > type->max_error) {
        type->max_error = error;
        snprintf(type->worst, sizeof type->worst, "%s", stored->part->name);
    }
    report->tensors++;
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

/* What is in the file but not in the model: both lists of names are sorted. */
static lancet_status report_dropped(lancet_conversion *report, const conversion *c)
{
    const lancet_checkpoint *checkpoint = c->model->checkpoint;
    const size_t names = lancet_checkpoint_names(checkpoint);
    const char **used = lancet_allocate(3 * c->count, sizeof *used);
    size_t count = 0, at = 0, length = 0;

    if (!used)
        return lancet_fail_memory(c->error, "a conversion");
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->parts[i].source_count; k++)
            used[count++] = c->parts[i].sources[k].name;
    qsort(used, count, sizeof *used, compare_names);
    for (size_t i = 0; i < names; i++) {
        const char *name = lancet_checkpoint_name(checkpoint, i);
        char shown[96];

        while (at < count && strcmp(used[at], name) < 0)
            at++;
        if (at < count && strcmp(used[at], name) == 0)
            continue;
        lancet_show(shown, sizeof shown, name);
        if (length + strlen(shown) + 3 <= sizeof report->dropped)
            length += (size_t)snprintf(report->dropped + length, sizeof report->dropped - length, "%s%s",
                                       length ? ", " : "", shown);
        report->dropped_count++;
    }
    lancet_free(used);
    return LANCET_OK;
}

static lancet_status write_parts(conversion *c, lancet_conversion *report)
{
    const lancet_convert_options *options = c->options;

    for (size_t i = 0; i < c->count; i++) {
        const lancet_stored_part *stored = &c->stored[i];
        lancet_stored_error about;
        const lancet_status status =
            lancet_stored_write(&about, stored, &c->memory, &c->writer, c->path, c->error);

        lancet_clip_part_drop(stored->part, c->model->checkpoint);
        if (status != LANCET_OK)
            return status;
        report_part(report, stored, &about);
        if (options->progress && !options->progress(options->progress_context, i + 1, c->count))
            return lancet_fail(c->error, LANCET_ERROR_ARGUMENT, "stopped");
    }
    return LANCET_OK;
}

static lancet_status check_call(const lancet_model *model, const char *path,
                                const lancet_convert_options *options, lancet_error *error)
{
    if (!model || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_model_convert: %s is NULL",
                           model ? "path" : "model");
    if ((unsigned)options->type > LANCET_WEIGHTS_INT8)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "option type: %d is none", (int)options->type);
    if (lancet_checkpoint_holds(model->checkpoint, path))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: expected a new file, found the model itself",
                           path);
    return LANCET_OK;
}

lancet_status lancet_model_convert(lancet_conversion *report, const lancet_model *model, const char *path,
                                   const lancet_convert_options *options, lancet_error *error)
{
    static const lancet_convert_options defaults;
    lancet_conversion counted = {0};
    conversion c = {.options = options ? options : &defaults, .model = model, .error = error};
    lancet_status status = check_call(model, path, c.options, error);

    if (report)
        *report = counted;
    if (status != LANCET_OK)
        return status;
    c.path = lancet_checkpoint_path(model->checkpoint);
    status = lancet_clip_parts_list(&c.parts, &c.count, model->checkpoint, &model->configuration, error);
    if (status == LANCET_OK)
        status = plan(&c);
    if (status == LANCET_OK)
        status = describe_origin(&c);
    if (status == LANCET_OK)
        status = print_vocabulary(&c);
    if (status == LANCET_OK)
        status = report_dropped(&counted, &c);
    if (status == LANCET_OK)
        status = write_head(&c, path);
    if (status == LANCET_OK)
        status = write_parts(&c, &counted);
    if (status == LANCET_OK) {
        counted.bytes = c.writer.written;
        counted.vocabulary = c.vocabulary.bytes != NULL;
        status = lancet_writer_finish(&c.writer, error);
    }
    if (status == LANCET_OK && report)
        *report = counted;
    lancet_writer_discard(&c.writer);
    lancet_stored_memory_close(&c.memory);
    lancet_buffer_close(&c.configuration);
    lancet_buffer_close(&c.vocabulary);
    lancet_free(c.scales);
    lancet_free(c.scale_names);
    lancet_free(c.tensors);
    lancet_free(c.stored);
    lancet_free(c.parts);
    return status;
}
