/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/settings.h"

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/settings_values.h"

#include <string.h>

/* Real ones have a few kilobytes. */
#define FILE_MAX ((size_t)1 << 20)

#define AT(member) offsetof(lancet_tower_settings, member)

static const lancet_field hugging_face_fields[] = {
    {"hidden_size", LANCET_FIELD_SIZE, AT(width)},
    {"intermediate_size", LANCET_FIELD_SIZE, AT(hidden)},
    {"num_hidden_layers", LANCET_FIELD_SIZE, AT(blocks)},
    {"num_attention_heads", LANCET_FIELD_SIZE, AT(heads)},
    {"patch_size", LANCET_FIELD_SIZE, AT(patch_side)},
    {"image_size", LANCET_FIELD_SIZE, AT(image_side)},
    {"max_position_embeddings", LANCET_FIELD_SIZE, AT(context_length)},
    {"vocab_size", LANCET_FIELD_SIZE, AT(vocabulary_size)},
    {"layer_norm_eps", LANCET_FIELD_NUMBER, AT(epsilon)},
    {"hidden_act", LANCET_FIELD_TEXT, AT(activation)},
    {"model_type", LANCET_FIELD_TEXT, AT(model_type)},
    {NULL, LANCET_FIELD_SIZE, 0},
};

static const lancet_field open_clip_fields[] = {
    {"width", LANCET_FIELD_SIZE, AT(width)},
    {"layers", LANCET_FIELD_SIZE, AT(blocks)},
    {"heads", LANCET_FIELD_SIZE, AT(heads)},
    {"head_width", LANCET_FIELD_SIZE, AT(head_width)},
    {"patch_size", LANCET_FIELD_SIZE, AT(patch_side)},
    {"image_size", LANCET_FIELD_SIZE, AT(image_side)},
    {"context_length", LANCET_FIELD_SIZE, AT(context_length)},
    {"vocab_size", LANCET_FIELD_SIZE, AT(vocabulary_size)},
    {"mlp_ratio", LANCET_FIELD_NUMBER, AT(hidden_ratio)},
    {"norm_kwargs", LANCET_FIELD_NORM_KWARGS, AT(epsilon)},
    {"act_kwargs", LANCET_FIELD_NOT_SET, 0},
    {"ls_init_value", LANCET_FIELD_NOT_SET, 0},
    {"timm_model_name", LANCET_FIELD_NOT_SET, 0},
    {"hf_model_name", LANCET_FIELD_NOT_SET, 0},
    {"global_average_pool", LANCET_FIELD_NOT_SET, 0},
    {"attentional_pool", LANCET_FIELD_NOT_SET, 0},
    {"no_ln_pre", LANCET_FIELD_NOT_SET, 0},
    {"no_causal_mask", LANCET_FIELD_NOT_SET, 0},
    {"embed_cls", LANCET_FIELD_NOT_SET, 0},
    {NULL, LANCET_FIELD_SIZE, 0},
};

/* pool_type means something else in each tower. */
static const lancet_field open_clip_vision_pool = {"pool_type", LANCET_FIELD_TOK, 0};
static const lancet_field open_clip_text_pool = {"pool_type", LANCET_FIELD_ARGMAX, 0};

/* One key of a file's outermost object, or of model_cfg and preprocess_cfg in it. */
static lancet_status read_member(lancet_settings_reader *r, lancet_settings_kind kind, const char *section,
                                 const char *key, lancet_tower_settings *root);

/* Nests once at most: only the outermost object has sections that come back here. */
static lancet_status read_members(lancet_settings_reader *r, lancet_settings_kind kind, const char *section,
                                  lancet_tower_settings *root)
{
    bool first = true;
    char key[40];

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return *section ? lancet_settings_fail_kind(r, "", section, "an object")
                        : lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: expected a JSON object, found %s",
                                      r->path, lancet_json_kind_name(lancet_json_peek(&r->json)));
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        const lancet_status status = read_member(r, kind, section, key, root);

        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? lancet_settings_fail(r) : LANCET_OK;
}

static lancet_status read_member(lancet_settings_reader *r, lancet_settings_kind kind, const char *section,
                                 const char *key, lancet_tower_settings *root)
{
    lancet_settings *s = r->settings;
    const bool open_clip = kind == LANCET_SETTINGS_OPEN_CLIP;
    const bool preprocess = kind == LANCET_SETTINGS_PREPROCESSOR || strcmp(section, "preprocess_cfg") == 0;
    const lancet_field *f;

    if (preprocess && strcmp(key, open_clip ? "mean" : "image_mean") == 0)
        return lancet_settings_triple(r, section, key, false, s->mean, &s->has_mean);
    if (preprocess && strcmp(key, open_clip ? "std" : "image_std") == 0)
        return lancet_settings_triple(r, section, key, true, s->deviation, &s->has_deviation);
    if (open_clip && !*section && (strcmp(key, "model_cfg") == 0 || strcmp(key, "preprocess_cfg") == 0))
        return lancet_json_peek(&r->json) == LANCET_JSON_NULL && lancet_json_skip(&r->json)
                   ? LANCET_OK
                   : read_members(r, kind, key, root);
    if (open_clip && !preprocess) {
        if (strcmp(key, "vision_cfg") == 0)
            return lancet_settings_tower(r, key, open_clip_fields, &open_clip_vision_pool, &s->vision);
        if (strcmp(key, "text_cfg") == 0)
            return lancet_settings_tower(r, key, open_clip_fields, &open_clip_text_pool, &s->text);
        if (strcmp(key, "embed_dim") == 0)
            return lancet_settings_size(r, section, key, &s->embedding_width);
        if (strcmp(key, "quick_gelu") == 0) {
            if (lancet_json_peek(&r->json) != LANCET_JSON_BOOLEAN)
                return lancet_settings_fail_kind(r, section, key, "true or false");
            s->has_quick_gelu = true;
            return lancet_json_boolean(&r->json, &s->quick_gelu) ? LANCET_OK : lancet_settings_fail(r);
        }
    }
    if (kind == LANCET_SETTINGS_HUGGING_FACE) {
        if (strcmp(key, "vision_config") == 0)
            return lancet_settings_tower(r, key, hugging_face_fields, NULL, &s->vision);
        if (strcmp(key, "text_config") == 0)
            return lancet_settings_tower(r, key, hugging_face_fields, NULL, &s->text);
        if (strcmp(key, "projection_dim") == 0)
            return lancet_settings_size(r, section, key, &s->embedding_width);
        f = lancet_settings_find(hugging_face_fields, key);
        if (f) /* a file about one tower alone has its settings here */
            return lancet_settings_field(r, section, f, root);
    }
    return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
}

const char *lancet_settings_file(lancet_settings_kind kind)
{
    return kind == LANCET_SETTINGS_HUGGING_FACE   ? "config.json"
           : kind == LANCET_SETTINGS_PREPROCESSOR ? "preprocessor_config.json"
           : kind == LANCET_SETTINGS_OPEN_CLIP    ? "open_clip_config.json"
                                                  : LANCET_SETTINGS_OWN_KEY;
}

lancet_status lancet_settings_parse(lancet_settings *settings, lancet_settings_kind kind, const char *text,
                                    size_t length, const char *path, lancet_error *error)
{
    lancet_tower_settings root = {0};
    lancet_settings_reader r = {
        .json = {.bytes = text, .length = length}, .settings = settings, .path = path, .error = error};
    lancet_status status;

    *settings = (lancet_settings){.present = true};
    status = kind == LANCET_SETTINGS_OWN ? lancet_settings_own(&r) : read_members(&r, kind, "", &root);
    if (status == LANCET_OK && !lancet_json_end(&r.json))
        status = lancet_settings_fail(&r);
    if (status != LANCET_OK)
        return status;
    memcpy(settings->model_type, root.model_type, sizeof settings->model_type);
    root.present = true;
    if (strcmp(root.model_type, "clip_vision_model") == 0 && !settings->vision.present)
        settings->vision = root;
    if (strcmp(root.model_type, "clip_text_model") == 0 && !settings->text.present)
        settings->text = root;
    return LANCET_OK;
}

lancet_status lancet_settings_read(lancet_settings *settings, lancet_settings_kind kind, const char *weights,
                                   lancet_error *error)
{
    char *path = lancet_path_beside(weights, lancet_settings_file(kind));
    lancet_mapping mapping = {0};
    lancet_status status = LANCET_OK;

    *settings = (lancet_settings){0};
    if (!path)
        return lancet_fail_memory(error, lancet_settings_file(kind));
    if (lancet_file_exists(path))
        status = lancet_mapping_open(&mapping, path, error);
    if (status != LANCET_OK || !mapping.bytes)
        goto done;
    if (mapping.length > FILE_MAX)
        status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected at most %zu bytes, found %zu", path,
                             FILE_MAX, mapping.length);
    else
        status =
            lancet_settings_parse(settings, kind, (const char *)mapping.bytes, mapping.length, path, error);
done:
    lancet_mapping_close(&mapping);
    lancet_free(path);
    return status;
}
