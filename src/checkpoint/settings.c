/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/settings.h"

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Real ones have a few kilobytes. */
#define FILE_MAX ((size_t)1 << 20)

typedef enum field_kind {
    FIELD_SIZE,
    FIELD_NUMBER,
    FIELD_TEXT,
    FIELD_NOT_SET,    /* what, if set, makes an architecture that is not run */
    FIELD_ARGMAX,     /* where a text is read: "argmax" is the one that is run */
    FIELD_TOK,        /* where a picture is read: "tok" */
    FIELD_NORM_KWARGS /* an object with eps */
} field_kind;

typedef struct field {
    const char *key;
    field_kind kind;
    size_t offset;
} field;

#define AT(member) offsetof(lancet_tower_settings, member)

static const field hugging_face_fields[] = {
    {"hidden_size", FIELD_SIZE, AT(width)},
    {"intermediate_size", FIELD_SIZE, AT(hidden)},
    {"num_hidden_layers", FIELD_SIZE, AT(blocks)},
    {"num_attention_heads", FIELD_SIZE, AT(heads)},
    {"patch_size", FIELD_SIZE, AT(patch_side)},
    {"image_size", FIELD_SIZE, AT(image_side)},
    {"max_position_embeddings", FIELD_SIZE, AT(context_length)},
    {"vocab_size", FIELD_SIZE, AT(vocabulary_size)},
    {"layer_norm_eps", FIELD_NUMBER, AT(epsilon)},
    {"hidden_act", FIELD_TEXT, AT(activation)},
    {"model_type", FIELD_TEXT, AT(model_type)},
    {NULL, FIELD_SIZE, 0},
};

static const field open_clip_fields[] = {
    {"width", FIELD_SIZE, AT(width)},
    {"layers", FIELD_SIZE, AT(blocks)},
    {"heads", FIELD_SIZE, AT(heads)},
    {"head_width", FIELD_SIZE, AT(head_width)},
    {"patch_size", FIELD_SIZE, AT(patch_side)},
    {"image_size", FIELD_SIZE, AT(image_side)},
    {"context_length", FIELD_SIZE, AT(context_length)},
    {"vocab_size", FIELD_SIZE, AT(vocabulary_size)},
    {"mlp_ratio", FIELD_NUMBER, AT(hidden_ratio)},
    {"norm_kwargs", FIELD_NORM_KWARGS, AT(epsilon)},
    {"act_kwargs", FIELD_NOT_SET, 0},
    {"ls_init_value", FIELD_NOT_SET, 0},
    {"timm_model_name", FIELD_NOT_SET, 0},
    {"hf_model_name", FIELD_NOT_SET, 0},
    {"global_average_pool", FIELD_NOT_SET, 0},
    {"attentional_pool", FIELD_NOT_SET, 0},
    {"no_ln_pre", FIELD_NOT_SET, 0},
    {"no_causal_mask", FIELD_NOT_SET, 0},
    {"embed_cls", FIELD_NOT_SET, 0},
    {NULL, FIELD_SIZE, 0},
};

/* pool_type means something else in each tower. */
static const field open_clip_vision_pool = {"pool_type", FIELD_TOK, 0};
static const field open_clip_text_pool = {"pool_type", FIELD_ARGMAX, 0};

typedef struct reader {
    lancet_json json;
    lancet_settings *settings;
    const char *path;
    lancet_error *error;
} reader;

static lancet_status fail_json(const reader *r)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s at byte %zu", r->path, r->json.problem,
                       r->json.at);
}

/* A value of the wrong kind; what is no value at all is told as the JSON problem it is. */
static lancet_status fail_kind(reader *r, const char *section, const char *key, const char *expected)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (r->json.problem || kind == LANCET_JSON_NOTHING) {
        lancet_json_skip(&r->json);
        return fail_json(r);
    }
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected %s, found %s", r->path, section,
                       *section ? "." : "", key, expected, lancet_json_kind_name(kind));
}

static lancet_status read_size(reader *r, const char *section, const char *key, size_t *value)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    /* open_clip writes lists where a picture is no square, or the tower no ViT; the tensors tell of either.
     */
    if (kind == LANCET_JSON_NULL || kind == LANCET_JSON_ARRAY)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (kind != LANCET_JSON_NUMBER)
        return fail_kind(r, section, key, "a whole number");
    if (!lancet_json_size(&r->json, value) || *value == 0)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected a whole number of 1 or more",
                           r->path, section, *section ? "." : "", key);
    return LANCET_OK;
}

/* All numbers here are factors or epsilons: zero and less would be nonsense, and what overflows a float
 * infinite. */
static lancet_status read_number(reader *r, const char *section, const char *key, double *value)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (kind == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (kind != LANCET_JSON_NUMBER)
        return fail_kind(r, section, key, "a number");
    if (!lancet_json_number(&r->json, value))
        return fail_json(r);
    if (!(*value > 0) || !isfinite((float)*value))
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected a number above 0, found %g",
                           r->path, section, *section ? "." : "", key, *value);
    return LANCET_OK;
}

/* Every text here is a word of a known few; one that is cut is none of them. */
static lancet_status read_text(reader *r, const char *section, const char *key, char *text, size_t size)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (kind == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (kind != LANCET_JSON_STRING)
        return fail_kind(r, section, key, "a string");
    return lancet_json_string(&r->json, text, size, NULL) ? LANCET_OK : fail_json(r);
}

/* open_clip hands the object on to its norm layer; eps is what it is used for. */
static lancet_status read_norm(reader *r, const char *section, double *epsilon)
{
    bool first = true;
    char key[8];

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return fail_kind(r, section, "norm_kwargs", "an object");
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        lancet_status status = LANCET_OK;

        if (strcmp(key, "eps") == 0)
            status = read_number(r, section, "norm_kwargs.eps", epsilon);
        else
            lancet_json_skip(&r->json);
        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

/* A value that makes the architecture another one than Lancet runs, or not. */
static lancet_status read_refused(reader *r, const char *section, const field *f,
                                  lancet_tower_settings *tower)
{
    const char *const harmless = f->kind == FIELD_TOK ? "tok" : f->kind == FIELD_ARGMAX ? "argmax" : "";
    const lancet_json_kind kind = lancet_json_peek(&r->json);
    const size_t start = r->json.at;
    bool flag = false;
    char text[16] = "?";

    if (kind == LANCET_JSON_BOOLEAN)
        lancet_json_boolean(&r->json, &flag);
    else if (kind == LANCET_JSON_STRING)
        lancet_json_string(&r->json, text, sizeof text, NULL);
    else
        lancet_json_skip(&r->json);
    if (r->json.problem)
        return fail_json(r);
    /* null, false, "" and {} say that the setting is at its rest. */
    if (kind == LANCET_JSON_NULL || (kind == LANCET_JSON_BOOLEAN && !flag) || strcmp(text, harmless) == 0 ||
        (kind == LANCET_JSON_OBJECT && !memchr(r->json.bytes + start, '"', r->json.at - start)))
        return LANCET_OK;
    snprintf(tower->refused, sizeof tower->refused, "%s.%s", section, f->key);
    return LANCET_OK;
}

static lancet_status read_field(reader *r, const char *section, const field *f, lancet_tower_settings *tower)
{
    char *place = (char *)tower + f->offset;

    switch (f->kind) {
    case FIELD_SIZE:
        return read_size(r, section, f->key, (size_t *)(void *)place);
    case FIELD_NUMBER:
        return read_number(r, section, f->key, (double *)(void *)place);
    case FIELD_TEXT:
        return read_text(r, section, f->key, place, sizeof tower->activation);
    case FIELD_NORM_KWARGS:
        return read_norm(r, section, (double *)(void *)place);
    default:
        return read_refused(r, section, f, tower);
    }
}

static const field *find_field(const field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

/* A key that is there twice is refused: which one counts would depend on who reads. */
static lancet_status read_tower(reader *r, const char *section, const field *fields, const field *pool,
                                lancet_tower_settings *tower)
{
    uint64_t seen = 0;
    bool first = true;
    char key[40];

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return fail_kind(r, "", section, "an object");
    if (tower->present)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s is there twice", r->path, section);
    tower->present = true;
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        const field *f = find_field(fields, key);
        lancet_status status = LANCET_OK;

        if (!f && pool && strcmp(key, pool->key) == 0)
            f = pool;
        if (f && f != pool) {
            const uint64_t bit = UINT64_C(1) << (f - fields);

            if (seen & bit)
                return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s.%s is there twice", r->path, section,
                                   key);
            seen |= bit;
        }
        if (f)
            status = read_field(r, section, f, tower);
        else
            lancet_json_skip(&r->json);
        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

/* Mean or deviation of the three colours; the deviation divides. */
static lancet_status read_triple(reader *r, const char *section, const char *key, bool positive,
                                 float *values, bool *present)
{
    bool first = true;

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_ARRAY)
        return fail_kind(r, section, key, "a list of three numbers");
    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    for (size_t i = 0; i < 3; i++) {
        double value;

        if (!lancet_json_item(&r->json, &first) || !lancet_json_number(&r->json, &value))
            return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected a list of three numbers",
                               r->path, key);
        values[i] = (float)value;
        if (!isfinite(values[i]) || (positive && !(values[i] > 0)))
            return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected three numbers%s, found %g",
                               r->path, key, positive ? " above 0" : " in range", value);
    }
    if (lancet_json_item(&r->json, &first))
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected three numbers, found more",
                           r->path, key);
    *present = true;
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

/* One key of a file's outermost object, or of model_cfg and preprocess_cfg in it. */
static lancet_status read_member(reader *r, lancet_settings_kind kind, const char *section, const char *key,
                                 lancet_tower_settings *root);

/* Nests once at most: only the outermost object has sections that come back here. */
static lancet_status read_members(reader *r, lancet_settings_kind kind, const char *section,
                                  lancet_tower_settings *root)
{
    bool first = true;
    char key[40];

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return *section ? fail_kind(r, "", section, "an object")
                        : lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: expected a JSON object, found %s",
                                      r->path, lancet_json_kind_name(lancet_json_peek(&r->json)));
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        const lancet_status status = read_member(r, kind, section, key, root);

        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? fail_json(r) : LANCET_OK;
}

static lancet_status read_member(reader *r, lancet_settings_kind kind, const char *section, const char *key,
                                 lancet_tower_settings *root)
{
    lancet_settings *s = r->settings;
    const bool open_clip = kind == LANCET_SETTINGS_OPEN_CLIP;
    const bool preprocess = kind == LANCET_SETTINGS_PREPROCESSOR || strcmp(section, "preprocess_cfg") == 0;
    const field *f;

    if (preprocess && strcmp(key, open_clip ? "mean" : "image_mean") == 0)
        return read_triple(r, section, key, false, s->mean, &s->has_mean);
    if (preprocess && strcmp(key, open_clip ? "std" : "image_std") == 0)
        return read_triple(r, section, key, true, s->deviation, &s->has_deviation);
    if (open_clip && !*section && (strcmp(key, "model_cfg") == 0 || strcmp(key, "preprocess_cfg") == 0))
        return lancet_json_peek(&r->json) == LANCET_JSON_NULL && lancet_json_skip(&r->json)
                   ? LANCET_OK
                   : read_members(r, kind, key, root);
    if (open_clip && !preprocess) {
        if (strcmp(key, "vision_cfg") == 0)
            return read_tower(r, key, open_clip_fields, &open_clip_vision_pool, &s->vision);
        if (strcmp(key, "text_cfg") == 0)
            return read_tower(r, key, open_clip_fields, &open_clip_text_pool, &s->text);
        if (strcmp(key, "embed_dim") == 0)
            return read_size(r, section, key, &s->embedding_width);
        if (strcmp(key, "quick_gelu") == 0) {
            if (lancet_json_peek(&r->json) != LANCET_JSON_BOOLEAN)
                return fail_kind(r, section, key, "true or false");
            s->has_quick_gelu = true;
            return lancet_json_boolean(&r->json, &s->quick_gelu) ? LANCET_OK : fail_json(r);
        }
    }
    if (kind == LANCET_SETTINGS_HUGGING_FACE) {
        if (strcmp(key, "vision_config") == 0)
            return read_tower(r, key, hugging_face_fields, NULL, &s->vision);
        if (strcmp(key, "text_config") == 0)
            return read_tower(r, key, hugging_face_fields, NULL, &s->text);
        if (strcmp(key, "projection_dim") == 0)
            return read_size(r, section, key, &s->embedding_width);
        f = find_field(hugging_face_fields, key);
        if (f) /* a file about one tower alone has its settings here */
            return read_field(r, section, f, root);
    }
    return lancet_json_skip(&r->json) ? LANCET_OK : fail_json(r);
}

const char *lancet_settings_file(lancet_settings_kind kind)
{
    return kind == LANCET_SETTINGS_HUGGING_FACE   ? "config.json"
           : kind == LANCET_SETTINGS_PREPROCESSOR ? "preprocessor_config.json"
                                                  : "open_clip_config.json";
}

lancet_status lancet_settings_parse(lancet_settings *settings, lancet_settings_kind kind, const char *text,
                                    size_t length, const char *path, lancet_error *error)
{
    lancet_tower_settings root = {0};
    reader r = {
        .json = {.bytes = text, .length = length}, .settings = settings, .path = path, .error = error};
    lancet_status status;

    *settings = (lancet_settings){.present = true};
    status = read_members(&r, kind, "", &root);
    if (status == LANCET_OK && !lancet_json_end(&r.json))
        status = fail_json(&r);
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
