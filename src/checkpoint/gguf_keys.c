/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/gguf_keys.h"

#include "checkpoint/show.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The format's own limit. */
#define KEY_MAX       65535
#define ALIGNMENT_MAX ((uint64_t)1 << 20)

typedef enum key_kind {
    KEY_ARCHITECTURE,
    KEY_ALIGNMENT,
    KEY_FORMAT,    /* of quantised tensors */
    KEY_TOWER,     /* has the file this tower? */
    KEY_GELU,      /* or QuickGELU */
    KEY_PROJECTOR, /* there, or true: llama.cpp's half of a model that sees */
    KEY_SILU,
    KEY_SIZE,
    KEY_EPSILON,
    KEY_MEAN,
    KEY_DEVIATION
} key_kind;

typedef struct known_key {
    const char *name;
    key_kind kind;
    size_t offset; /* in lancet_settings */
} known_key;

#define TOWER(tower, name, member)                                                                           \
    {                                                                                                        \
        "clip." #tower "." name, KEY_SIZE, offsetof(lancet_settings, tower.member)                           \
    }

static const known_key known_keys[] = {
    {"general.architecture", KEY_ARCHITECTURE, 0},
    {"general.alignment", KEY_ALIGNMENT, 0},
    {"general.quantization_version", KEY_FORMAT, 0},
    {"clip.has_text_encoder", KEY_TOWER, offsetof(lancet_settings, text)},
    {"clip.has_vision_encoder", KEY_TOWER, offsetof(lancet_settings, vision)},
    {"clip.has_audio_encoder", KEY_PROJECTOR, 0},
    {"clip.has_llava_projector", KEY_PROJECTOR, 0},
    {"clip.has_minicpmv_projector", KEY_PROJECTOR, 0},
    {"clip.has_qwen2vl_merger", KEY_PROJECTOR, 0},
    {"clip.projector_type", KEY_PROJECTOR, 0},
    {"clip.vision.projector_type", KEY_PROJECTOR, 0},
    {"clip.use_gelu", KEY_GELU, 0},
    {"clip.use_silu", KEY_SILU, 0},
    TOWER(text, "embedding_length", width),
    TOWER(text, "feed_forward_length", hidden),
    TOWER(text, "block_count", blocks),
    TOWER(text, "attention.head_count", heads),
    TOWER(text, "projection_dim", embedding_width),
    TOWER(text, "context_length", context_length),
    {"clip.text.attention.layer_norm_epsilon", KEY_EPSILON, offsetof(lancet_settings, text.epsilon)},
    TOWER(vision, "embedding_length", width),
    TOWER(vision, "feed_forward_length", hidden),
    TOWER(vision, "block_count", blocks),
    TOWER(vision, "attention.head_count", heads),
    TOWER(vision, "projection_dim", embedding_width),
    TOWER(vision, "image_size", image_side),
    TOWER(vision, "patch_size", patch_side),
    {"clip.vision.attention.layer_norm_epsilon", KEY_EPSILON, offsetof(lancet_settings, vision.epsilon)},
    {"clip.vision.image_mean", KEY_MEAN, 0},
    {"clip.vision.image_std", KEY_DEVIATION, 0},
};

enum { KNOWN_KEYS = sizeof known_keys / sizeof *known_keys };

typedef struct reader {
    lancet_settings *settings;
    lancet_gguf_facts *facts;
    lancet_gguf_cursor *cursor;
    const char *path;
    lancet_error *error;
} reader;

static lancet_status fail_value(const reader *r, const known_key *key)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: %s at byte %zu", r->path, key->name,
                       r->cursor->problem, r->cursor->at);
}

static const known_key *find_key(const lancet_gguf_text *name)
{
    for (size_t i = 0; i < KNOWN_KEYS; i++)
        if (strlen(known_keys[i].name) == name->length &&
            memcmp(known_keys[i].name, name->bytes, name->length) == 0)
            return &known_keys[i];
    return NULL;
}

static lancet_status read_architecture(const reader *r, const known_key *key, lancet_gguf_type type)
{
    lancet_gguf_text text;
    char copy[65] = "", shown[48];

    if (type != LANCET_GGUF_STRING)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected a text", r->path, key->name);
    if (!lancet_gguf_string(r->cursor, &text, sizeof copy - 1))
        return fail_value(r, key);
    memcpy(copy, text.bytes, text.length);
    if (strcmp(copy, "clip") != 0)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: %s: expected clip, found %s, which is not supported", r->path, key->name,
                           lancet_show(shown, sizeof shown, copy));
    memcpy(r->settings->model_type, copy, sizeof "clip");
    return LANCET_OK;
}

static lancet_status read_alignment(const reader *r, const known_key *key, lancet_gguf_type type)
{
    uint64_t value;

    if (!lancet_gguf_integer(r->cursor, type, &value))
        return fail_value(r, key);
    if (!value || (value & (value - 1)) || value > ALIGNMENT_MAX)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: %s: expected a power of two of at most %" PRIu64 ", found %" PRIu64, r->path,
                           key->name, ALIGNMENT_MAX, value);
    r->facts->alignment = (uint32_t)value;
    return LANCET_OK;
}

static lancet_status read_size(const reader *r, const known_key *key, lancet_gguf_type type, size_t *size)
{
    uint64_t value;

    if (!lancet_gguf_integer(r->cursor, type, &value))
        return fail_value(r, key);
    if (!value || value > SIZE_MAX)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: %s: expected a whole number of 1 or more, found %" PRIu64, r->path, key->name,
                           value);
    *size = (size_t)value;
    return LANCET_OK;
}

static lancet_status read_epsilon(const reader *r, const known_key *key, lancet_gguf_type type, double *value)
{
    if (!lancet_gguf_number(r->cursor, type, value))
        return fail_value(r, key);
    if (!(*value > 0) || !isfinite((float)*value))
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected a number above 0, found %g",
                           r->path, key->name, *value);
    return LANCET_OK;
}

/* Mean or deviation of the three colours; the deviation divides. */
static lancet_status read_triple(const reader *r, const known_key *key, lancet_gguf_type type, float *values)
{
    uint64_t count;

    if (type != LANCET_GGUF_LIST)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected a list of three numbers", r->path,
                           key->name);
    if (!lancet_gguf_list(r->cursor, &type, &count))
        return fail_value(r, key);
    if (count != 3)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: %s: expected a list of three numbers, found %" PRIu64, r->path, key->name,
                           count);
    for (size_t i = 0; i < 3; i++) {
        double value;

        if (!lancet_gguf_number(r->cursor, type, &value))
            return fail_value(r, key);
        values[i] = (float)value;
        if (!isfinite(values[i]) || (key->kind == KEY_DEVIATION && !(values[i] > 0)))
            return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s: expected three numbers%s, found %g",
                               r->path, key->name, key->kind == KEY_DEVIATION ? " above 0" : " in range",
                               value);
    }
    return LANCET_OK;
}

/* llama.cpp keeps the eyes of a language model in files that look much the same: picture tower without its
 * end, and what turns its tokens into words of the other model. */
static lancet_status read_projector(const reader *r, const known_key *key, lancet_gguf_type type)
{
    bool set = true;

    if (type == LANCET_GGUF_BOOL ? !lancet_gguf_boolean(r->cursor, type, &set)
                                 : !lancet_gguf_skip(r->cursor, type))
        return fail_value(r, key);
    if (!set)
        return LANCET_OK;
    return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                       "%s: found a part of a language model (llama.cpp's mmproj: %s is set), which is not "
                       "supported",
                       r->path, key->name);
}

/* True or false, for the kinds of keys that are. */
static lancet_status read_boolean(const reader *r, const known_key *key, lancet_gguf_type type)
{
    lancet_settings *settings = r->settings;
    lancet_tower_settings *tower = (lancet_tower_settings *)(void *)((char *)settings + key->offset);
    bool value;

    if (!lancet_gguf_boolean(r->cursor, type, &value))
        return fail_value(r, key);
    if (key->kind == KEY_TOWER) {
        tower->present = value;
        tower->absent = !value;
    } else if (key->kind == KEY_GELU) {
        settings->has_quick_gelu = true;
        settings->quick_gelu = !value;
    } else if (value) {
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED, "%s: %s: the activation SiLU is not supported",
                           r->path, key->name);
    }
    return LANCET_OK;
}

static lancet_status read_value(const reader *r, const known_key *key, lancet_gguf_type type)
{
    char *place = (char *)r->settings + key->offset;
    lancet_status status;

    switch (key->kind) {
    case KEY_ARCHITECTURE:
        return read_architecture(r, key, type);
    case KEY_ALIGNMENT:
        return read_alignment(r, key, type);
    case KEY_FORMAT:
        return lancet_gguf_integer(r->cursor, type, &r->facts->quantised_format) ? LANCET_OK
                                                                                 : fail_value(r, key);
    case KEY_PROJECTOR:
        return read_projector(r, key, type);
    case KEY_TOWER:
    case KEY_GELU:
    case KEY_SILU:
        return read_boolean(r, key, type);
    case KEY_SIZE:
        return read_size(r, key, type, (size_t *)(void *)place);
    case KEY_EPSILON:
        return read_epsilon(r, key, type, (double *)(void *)place);
    case KEY_MEAN:
        status = read_triple(r, key, type, r->settings->mean);
        r->settings->has_mean = status == LANCET_OK;
        return status;
    case KEY_DEVIATION:
        status = read_triple(r, key, type, r->settings->deviation);
        r->settings->has_deviation = status == LANCET_OK;
        return status;
    }
    return LANCET_OK;
}

static lancet_status fail_key(const reader *r, size_t index)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: key %zu: %s at byte %zu", r->path, index + 1,
                       r->cursor->problem, r->cursor->at);
}

lancet_status lancet_gguf_keys_read(lancet_settings *settings, lancet_gguf_facts *facts,
                                    lancet_gguf_cursor *cursor, size_t count, const char *path,
                                    lancet_error *error)
{
    const reader r = {settings, facts, cursor, path, error};
    uint64_t seen = 0;

    *settings = (lancet_settings){.present = true};
    *facts = (lancet_gguf_facts){.alignment = 32};
    for (size_t i = 0; i < count; i++) {
        lancet_gguf_text name;
        lancet_gguf_type type;
        const known_key *key;
        lancet_status status;

        if (!lancet_gguf_string(cursor, &name, KEY_MAX) || !lancet_gguf_read_type(cursor, &type))
            return fail_key(&r, i);
        key = find_key(&name);
        if (!key) {
            if (!lancet_gguf_skip(cursor, type))
                return fail_key(&r, i);
            continue;
        }
        /* Which of two counts would depend on who reads. */
        if (seen >> (key - known_keys) & 1)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: %s is there twice", path, key->name);
        seen |= UINT64_C(1) << (key - known_keys);
        status = read_value(&r, key, type);
        if (status != LANCET_OK)
            return status;
    }
    if (!settings->model_type[0])
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: general.architecture: expected clip, but the key is missing", path);
    return LANCET_OK;
}
