/* Opening models. SPDX-License-Identifier: Apache-2.0 */
#include "clip/model.h"

#include "base/memory.h"
#include "checkpoint/clip_parts.h"
#include "checkpoint/clip_roles.h"
#include "checkpoint/show.h"
#include "clip/hash.h"
#include "clip/text/vocabulary_read.h"

#include <stdio.h>
#include <string.h>

#define SPARE_TOKENS_MAX 1024

/* "F16 x 101, F32 x 52" */
static char *describe_types(const lancet_checkpoint *checkpoint, uint64_t *parameters)
{
    size_t counts[LANCET_DTYPES] = {0};
    lancet_buffer text = {0};

    *parameters = 0;
    for (size_t i = 0; i < lancet_checkpoint_count(checkpoint); i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(checkpoint, i);

        counts[tensor->dtype]++;
        *parameters += tensor->count;
    }
    for (lancet_dtype type = LANCET_F32; type < LANCET_DTYPES; type++)
        if (counts[type])
            lancet_buffer_print(&text, "%s%s x %zu", text.length ? ", " : "", lancet_dtype_name(type),
                                counts[type]);
    if (text.failed)
        lancet_buffer_close(&text);
    return text.bytes;
}

static char *describe_missing(const lancet_model *model)
{
    const char *sentences[] = {
        model->configuration.missing,
        model->configuration.has_text && !model->vocabulary ? "No vocabulary was found." : ""};
    lancet_buffer text = {0};

    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        lancet_buffer_print(&text, "%s%s", text.length && sentences[i][0] ? " " : "", sentences[i]);
    if (text.failed)
        lancet_buffer_close(&text);
    return text.bytes;
}

/* Texts from a file that a stranger may have written, fit for a terminal; "" for a file that is as it was. */
static char *describe_origin(const lancet_checkpoint *checkpoint)
{
    const lancet_settings *own = lancet_checkpoint_settings(checkpoint);
    char name[sizeof own->origin.name + 4], container[24], naming[24], types[128], hash[48], to[128],
        version[32];
    lancet_buffer text = {0};

    if (!own || !own->converted)
        return lancet_copy_text("", 0);
    lancet_buffer_print(&text, "%s (%s, %s names, %s), hash %s, to %s, by lancet %s",
                        lancet_show(name, sizeof name, own->origin.name),
                        lancet_show(container, sizeof container, own->origin.container),
                        lancet_show(naming, sizeof naming, own->origin.naming),
                        lancet_show(types, sizeof types, own->origin.data_types),
                        lancet_show(hash, sizeof hash, own->origin.hash),
                        lancet_show(to, sizeof to, own->origin.types),
                        lancet_show(version, sizeof version, own->origin.version));
    if (text.failed)
        lancet_buffer_close(&text);
    return text.bytes;
}

static lancet_status describe(lancet_model *model, lancet_error *error)
{
    const lancet_clip_configuration *from = &model->configuration;
    const char *path = lancet_checkpoint_path(model->checkpoint);
    lancet_model_description *to = &model->description;

    model->strings[0] = describe_types(model->checkpoint, &to->parameters);
    model->strings[1] = describe_missing(model);
    model->strings[2] = lancet_copy_text(path, strlen(path));
    model->strings[3] = describe_origin(model->checkpoint);
    for (size_t i = 0; i < sizeof model->strings / sizeof *model->strings; i++)
        if (!model->strings[i])
            return lancet_fail_memory(error, "a model's description");
    to->data_types = model->strings[0];
    to->missing = model->strings[1];
    to->path = model->strings[2];
    to->origin = model->strings[3];
    to->container = lancet_checkpoint_container(model->checkpoint);
    to->naming = lancet_naming_name(from->naming);
    to->family = from->family == LANCET_FAMILY_RESNET ? "ModifiedResNet" : "ViT";
    to->embedding_width = (int)from->embedding_width;
    to->image_side = (int)from->image_side;
    to->patch_side = (int)from->patch_side;
    to->grid_side = (int)from->grid_side;
    to->vision_width = (int)from->vision_width;
    to->vision_blocks = (int)from->vision_blocks;
    for (size_t i = 0; i < LANCET_RESNET_STAGES; i++)
        to->stage_blocks[i] = (int)from->stage_blocks[i];
    to->vision_heads = (int)from->vision_heads;
    to->text_width = (int)from->text_width;
    to->text_blocks = (int)from->text_blocks;
    to->text_heads = (int)from->text_heads;
    to->context_length = (int)from->context_length;
    to->vocabulary_size = (int)from->vocabulary_size;
    to->activation = from->activation;
    to->precision = from->precision;
    to->activation_origin = from->activation_origin;
    to->layer_norm_epsilon = from->layer_norm_epsilon;
    to->logit_scale = from->logit_scale;
    to->logit_scale_assumed = from->logit_scale_assumed;
    memcpy(to->mean, from->mean, sizeof to->mean);
    memcpy(to->deviation, from->deviation, sizeof to->deviation);
    for (size_t i = 0; i < lancet_checkpoint_files(model->checkpoint); i++)
        to->file_bytes += lancet_checkpoint_file(model->checkpoint, i)->length;
    to->vocabulary = model->vocabulary ? lancet_vocabulary_path(model->vocabulary) : "";
    to->vocabulary_inside = strcmp(to->vocabulary, path) == 0;
    return LANCET_OK;
}

/* A vocabulary that cannot be had is remembered, not reported: pictures need none. One that the caller named
 * is. */
static lancet_status find_vocabulary(lancet_model *model, const char *model_path,
                                     const lancet_model_options *options, lancet_error *error)
{
    const char *wanted = options ? options->vocabulary : NULL;
    const lancet_status status = lancet_vocabulary_find_for(&model->vocabulary, wanted, model->checkpoint,
                                                            model_path, &model->vocabulary_error);

    if (status == LANCET_OK || (status != LANCET_ERROR_MEMORY && !wanted))
        return LANCET_OK;
    return lancet_fail(error, status, "%s", model->vocabulary_error.message);
}

/* Of a model that is only looked at: are all tensors there, and of their shapes? */
static lancet_status check_towers(const lancet_model *model, lancet_error *error)
{
    lancet_clip_part *parts;
    size_t count;
    const lancet_status status =
        lancet_clip_parts_list(&parts, &count, model->checkpoint, &model->configuration, error);

    lancet_free(parts);
    return status;
}

static lancet_status open_towers(lancet_model *model, lancet_error *error)
{
    const lancet_clip_configuration *configuration = &model->configuration;
    lancet_pool *pool = NULL;
    lancet_status status = lancet_pool_open(&pool, lancet_processors(), error);

    if (status == LANCET_OK && configuration->has_vision)
        status = lancet_vision_tower_open(&model->vision, model->checkpoint, configuration, pool, error);
    if (status == LANCET_OK && configuration->has_text)
        status = lancet_text_tower_open(&model->text, model->checkpoint, configuration, pool, error);
    lancet_pool_close(&pool);
    return status;
}

typedef struct hashing {
    lancet_model *model;
    bool done;
} hashing;

static void *hash(void *context)
{
    hashing *job = context;

    job->done = lancet_hash_fast(job->model->description.hash, job->model->checkpoint);
    return NULL;
}

/* The hash reads every byte of the file, one after the other, and packing the weights waits for memory as
 * much as for arithmetic: side by side they take little longer than one of them. */
static lancet_status open_parts(lancet_model *model, lancet_error *error)
{
    hashing job = {.model = model};
    lancet_helper helper;
    lancet_status status;

    lancet_helper_start(&helper, hash, &job);
    status = model->towers == LANCET_TOWERS_NONE ? check_towers(model, error) : open_towers(model, error);
    lancet_helper_join(&helper);
    if (status == LANCET_OK && !job.done)
        status = lancet_fail_memory(error, model->description.path);
    return status;
}

/* Takes over `checkpoint`, whatever happens. */
static lancet_status open_checkpoint(lancet_model **result, lancet_checkpoint *checkpoint,
                                     const char *model_path, const lancet_model_options *options,
                                     lancet_error *error)
{
    lancet_model *model = lancet_allocate_zero(1, sizeof *model);
    lancet_status status;

    if (!model) {
        lancet_checkpoint_close(&checkpoint);
        return lancet_fail_memory(error, "a model");
    }
    model->checkpoint = checkpoint;
    model->towers = options ? options->towers : LANCET_TOWERS_BOTH;
    status = lancet_clip_configuration_read(&model->configuration, checkpoint, options, error);
    model->configuration.precision = options ? options->precision : LANCET_PRECISION_FLOAT32;
    if (status == LANCET_OK && model->configuration.has_text)
        status = find_vocabulary(model, model_path, options, error);
    if (status == LANCET_OK)
        status = describe(model, error);
    if (status == LANCET_OK)
        status = open_parts(model, error);
    if (status == LANCET_OK) {
        *result = model;
        model = NULL;
    }
    lancet_model_close(&model);
    return status;
}

static lancet_status check_options(const lancet_model_options *options, lancet_error *error)
{
    if (!options)
        return LANCET_OK;
    if (options->activation < LANCET_ACTIVATION_AUTO || options->activation > LANCET_ACTIVATION_GELU)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "activation: expected a lancet_activation, found %d",
                           (int)options->activation);
    if (options->precision < LANCET_PRECISION_FLOAT32 || options->precision > LANCET_PRECISION_INT8)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "precision: expected a lancet_precision, found %d",
                           (int)options->precision);
    if (options->towers < LANCET_TOWERS_BOTH || options->towers > LANCET_TOWERS_NONE)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "towers: expected a lancet_towers, found %d",
                           (int)options->towers);
    return LANCET_OK;
}

lancet_status lancet_model_open(lancet_model **model, const char *path, const lancet_model_options *options,
                                lancet_error *error)
{
    lancet_checkpoint *checkpoint = NULL;
    lancet_status status;

    if (!model || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_model_open: %s is NULL",
                           model ? "path" : "model");
    *model = NULL;
    status = check_options(options, error);
    if (status == LANCET_OK)
        status = lancet_checkpoint_open(&checkpoint, path, error);
    if (status == LANCET_OK)
        status = open_checkpoint(model, checkpoint, path, options, error);
    return status;
}

lancet_status lancet_model_open_memory(lancet_model **model, const void *bytes, size_t length,
                                       const char *name, const lancet_model_options *options,
                                       lancet_error *error)
{
    lancet_checkpoint *checkpoint = NULL;
    lancet_status status;

    if (!model || !bytes)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_model_open_memory: %s is NULL",
                           model ? "bytes" : "model");
    *model = NULL;
    status = check_options(options, error);
    if (status == LANCET_OK)
        status = lancet_checkpoint_open_memory(&checkpoint, bytes, length, name, error);
    if (status == LANCET_OK)
        status = open_checkpoint(model, checkpoint, NULL, options, error);
    return status;
}

void lancet_model_close(lancet_model **result)
{
    lancet_model *model = result ? *result : NULL;

    if (!model)
        return;
    lancet_vision_tower_close(&model->vision);
    lancet_text_tower_close(&model->text);
    lancet_vocabulary_close(&model->vocabulary);
    lancet_checkpoint_close(&model->checkpoint);
    for (size_t i = 0; i < sizeof model->strings / sizeof *model->strings; i++)
        lancet_free(model->strings[i]);
    lancet_free(model);
    *result = NULL;
}

const lancet_model_description *lancet_model_describe(const lancet_model *model)
{
    static const lancet_model_description nothing = {.path = "",
                                                     .container = "",
                                                     .naming = "",
                                                     .family = "",
                                                     .activation_origin = "",
                                                     .data_types = "",
                                                     .vocabulary = "",
                                                     .origin = "",
                                                     .missing = ""};

    return model ? &model->description : &nothing;
}

const lancet_vocabulary *lancet_model_vocabulary(const lancet_model *model)
{
    return model ? model->vocabulary : NULL;
}

lancet_status lancet_model_sha256(const lancet_model *model, char hex[LANCET_SHA256_SIZE],
                                  lancet_error *error)
{
    if (!model || !hex)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_model_sha256: %s is NULL",
                           model ? "hex" : "model");
    lancet_hash_sha256(hex, model->checkpoint);
    return LANCET_OK;
}

static lancet_status no_tower(const lancet_model *model, const char *tower, lancet_towers left_out,
                              lancet_error *error)
{
    const bool opened_without = model->towers == left_out || model->towers == LANCET_TOWERS_NONE;

    return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: %s %s tower", model->description.path,
                       opened_without ? "opened without its" : "the file holds no", tower);
}

lancet_status lancet_model_need_vision(const lancet_model *model, lancet_error *error)
{
    return model->vision.width ? LANCET_OK : no_tower(model, "vision", LANCET_TOWERS_TEXT, error);
}

lancet_status lancet_model_check_vocabulary(const lancet_model *model, lancet_error *error)
{
    const lancet_clip_configuration *c = &model->configuration;
    const lancet_settings *own = lancet_checkpoint_settings(model->checkpoint);
    const char *said = own && own->converted ? "lancet.model: text.end_token"
                                             : "config.json beside it: text_config.eos_token_id";
    const char *path = lancet_vocabulary_path(model->vocabulary);
    const size_t size = lancet_vocabulary_size(model->vocabulary);

    if (size > c->vocabulary_size)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: expected at most %zu tokens (the model's embedding), found %zu", path,
                           c->vocabulary_size, size);
    /* Some models have rows to spare, or a few tokens more; none has another tokenizer's thousands. */
    if (c->vocabulary_size - size > SPARE_TOKENS_MAX)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: its embedding is of %zu tokens, of which %s has %zu: the model's words are "
                           "another tokenizer's, which is not supported",
                           model->description.path, c->vocabulary_size, path, size);
    if (c->end_token && c->end_token != (size_t)lancet_vocabulary_end(model->vocabulary) + 1)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "%s: %s: expected %d, the end token of %s, found %zu: another end token is not "
                           "supported",
                           model->description.path, said, (int)lancet_vocabulary_end(model->vocabulary), path,
                           c->end_token - 1);
    return LANCET_OK;
}

lancet_status lancet_model_need_text(const lancet_model *model, lancet_error *error)
{
    if (!model->text.block_count)
        return no_tower(model, "text", LANCET_TOWERS_VISION, error);
    if (!model->vocabulary)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s", model->vocabulary_error.message);
    return lancet_model_check_vocabulary(model, error);
}
