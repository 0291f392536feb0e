/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/settings.h"

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/settings_values.h"

#include <stdio.h>
#include <string.h>

/* Real ones have a few kilobytes. */
#define FILE_MAX ((size_t)1 << 20)

#define REFUSE_BUT(name, one, two, why)                                                                      \
    {                                                                                                        \
        .key = (name), .kind = LANCET_FIELD_REFUSED, .rest = {(one), (two)}, .what = (why)                   \
    }
#define REFUSE(name, why) REFUSE_BUT(name, NULL, NULL, why)

#define BLOCKS "blocks with norms or scales of their own"
#define POOLED "a picture that is read elsewhere than at its class token"

static const lancet_field hugging_face_fields[] = {
    LANCET_FIELD("hidden_size", SIZE, width),
    LANCET_FIELD("intermediate_size", SIZE, hidden),
    LANCET_FIELD("num_hidden_layers", SIZE, blocks),
    LANCET_FIELD("num_attention_heads", SIZE, heads),
    LANCET_FIELD("patch_size", SIZE, patch_side),
    LANCET_FIELD("image_size", SIZE, image_side),
    LANCET_FIELD("max_position_embeddings", SIZE, context_length),
    LANCET_FIELD("vocab_size", SIZE, vocabulary_size),
    LANCET_FIELD("eos_token_id", ID, end_token),
    LANCET_FIELD("layer_norm_eps", NUMBER, epsilon),
    LANCET_FIELD("hidden_act", TEXT, activation),
    LANCET_FIELD("model_type", TEXT, model_type),
    LANCET_FIELDS_END,
};

/* Of both towers of open_clip. */
#define OPEN_CLIP_FIELDS                                                                                     \
    LANCET_FIELD("width", SIZE, width), LANCET_FIELD("layers", BLOCKS, blocks),                              \
        LANCET_FIELD("mlp_ratio", NUMBER, hidden_ratio), LANCET_FIELD("norm_kwargs", NORM_KWARGS, epsilon),  \
        REFUSE("act_kwargs", "an activation with settings of its own"),                                      \
        REFUSE("ls_init_value", "LayerScale"), REFUSE("qk_norm", BLOCKS),                                    \
        REFUSE("scaled_cosine_attn", BLOCKS), REFUSE("scale_cosine_attn", BLOCKS),                           \
        REFUSE("scale_heads", BLOCKS), REFUSE("scale_attn_inner", BLOCKS), REFUSE("scale_attn", BLOCKS),     \
        REFUSE("scale_fc", BLOCKS)

/* What is not here changes nothing, or nothing that the tensors do not tell: patch_dropout and output_tokens
 * are of training, final_ln_after_pool comes to the same where the class token is read. */
static const lancet_field open_clip_vision_fields[] = {
    OPEN_CLIP_FIELDS,
    LANCET_FIELD("head_width", SIZE, head_width),
    LANCET_FIELD("patch_size", SIZE, patch_side),
    LANCET_FIELD("image_size", SIZE, image_side),
    REFUSE("timm_model_name", "a picture tower from timm"),
    REFUSE_BUT("pool_type", "tok", NULL, POOLED),
    REFUSE("global_average_pool", POOLED),
    REFUSE("attentional_pool", POOLED),
    REFUSE("no_ln_pre", "a picture tower without its first layer norm"),
    REFUSE("input_patchnorm", "a picture tower with a layer norm over patches"),
    /* The fixed positions are in the file as the learned ones are. */
    REFUSE_BUT("pos_embed_type", "learnable", "sin_cos_2d", "positions of another kind"),
    LANCET_FIELDS_END,
};

static const lancet_field open_clip_text_fields[] = {
    OPEN_CLIP_FIELDS,
    LANCET_FIELD("heads", SIZE, heads),
    LANCET_FIELD("context_length", SIZE, context_length),
    LANCET_FIELD("vocab_size", SIZE, vocabulary_size),
    LANCET_FIELD("hf_tokenizer_name", TEXT, tokenizer),
    REFUSE("tokenizer_kwargs", "words that are prepared otherwise than CLIP's"),
    REFUSE("hf_model_name", "a text tower from Hugging Face's library"),
    REFUSE_BUT("pool_type", "argmax", NULL, "a text that is read elsewhere than at its end token"),
    REFUSE("no_causal_mask", "a text tower that looks ahead"),
    REFUSE("embed_cls", "a text tower with a class token, as in CoCa"),
    REFUSE_BUT("proj_type", "linear", NULL, "a text tower without its projection"),
    LANCET_FIELDS_END,
};

/* Pillow's number of a filter; in some files its name, which nobody writes where it matters. */
static lancet_status read_resample(lancet_settings_reader *r)
{
    char *name = r->settings->interpolation;
    size_t filter = 3;

    if (lancet_json_peek(&r->json) != LANCET_JSON_NUMBER)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (!lancet_json_size(&r->json, &filter))
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: resample: expected a filter's number", r->path);
    snprintf(name, sizeof r->settings->interpolation, "%s",
             filter == 3   ? "bicubic"
             : filter == 2 ? "bilinear"
                           : "another");
    return LANCET_OK;
}

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

    if (preprocess && strcmp(key, open_clip ? "mean" : "image_mean") == 0)
        return lancet_settings_triple(r, section, key, false, s->mean, &s->has_mean);
    if (preprocess && strcmp(key, open_clip ? "std" : "image_std") == 0)
        return lancet_settings_triple(r, section, key, true, s->deviation, &s->has_deviation);
    if (preprocess && open_clip && strcmp(key, "interpolation") == 0)
        return lancet_settings_text(r, section, key, s->interpolation, sizeof s->interpolation);
    if (preprocess && open_clip && strcmp(key, "resize_mode") == 0)
        return lancet_settings_text(r, section, key, s->resize_mode, sizeof s->resize_mode);
    if (preprocess && !open_clip && strcmp(key, "resample") == 0)
        return read_resample(r);
    if (open_clip && !*section && (strcmp(key, "model_cfg") == 0 || strcmp(key, "preprocess_cfg") == 0))
        return lancet_json_peek(&r->json) == LANCET_JSON_NULL && lancet_json_skip(&r->json)
                   ? LANCET_OK
                   : read_members(r, kind, key, root);
    if (open_clip && !preprocess) {
        if (strcmp(key, "vision_cfg") == 0)
            return lancet_settings_tower(r, key, open_clip_vision_fields, &s->vision);
        if (strcmp(key, "text_cfg") == 0)
            return lancet_settings_tower(r, key, open_clip_text_fields, &s->text);
        if (strcmp(key, "multimodal_cfg") == 0)
            s->multimodal = lancet_json_peek(&r->json) == LANCET_JSON_OBJECT;
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
            return lancet_settings_tower(r, key, hugging_face_fields, &s->vision);
        if (strcmp(key, "text_config") == 0)
            return lancet_settings_tower(r, key, hugging_face_fields, &s->text);
        if (strcmp(key, "projection_dim") == 0)
            return lancet_settings_size(r, section, key, &s->embedding_width);
        /* A file about one tower alone has its settings here. */
        if (lancet_settings_find(hugging_face_fields, key))
            return lancet_settings_field(r, section, lancet_settings_find(hugging_face_fields, key), root);
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
