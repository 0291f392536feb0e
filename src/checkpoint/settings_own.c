/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/settings_own.h"

#include "checkpoint/show.h"

#include <stdio.h>
#include <string.h>

static const lancet_field tower_fields[] = {
    LANCET_FIELD("width", SIZE, width),
    LANCET_FIELD("hidden", SIZE, hidden),
    LANCET_FIELD("blocks", SIZE, blocks),
    LANCET_FIELD("heads", SIZE, heads),
    LANCET_FIELD("patch_side", SIZE, patch_side),
    LANCET_FIELD("image_side", SIZE, image_side),
    LANCET_FIELD("context_length", SIZE, context_length),
    LANCET_FIELD("vocabulary_size", SIZE, vocabulary_size),
    LANCET_FIELD("end_token", ID, end_token),
    LANCET_FIELDS_END,
};

static lancet_status read_activation(lancet_settings_reader *r)
{
    char name[48] = "", shown[48];
    const lancet_status status = lancet_settings_text(r, "", "activation", name, sizeof name);

    if (status != LANCET_OK || !*name)
        return status;
    r->settings->has_quick_gelu = true;
    r->settings->quick_gelu = strcmp(name, "quick_gelu") == 0;
    if (r->settings->quick_gelu || strcmp(name, "gelu") == 0)
        return LANCET_OK;
    return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                       "%s: activation: expected quick_gelu or gelu, found %s", r->path,
                       lancet_show(shown, sizeof shown, name));
}

static lancet_status read_assumed(lancet_settings_reader *r)
{
    if (lancet_json_peek(&r->json) != LANCET_JSON_BOOLEAN)
        return lancet_settings_fail_kind(r, "", "activation_assumed", "true or false");
    return lancet_json_boolean(&r->json, &r->settings->activation_assumed) ? LANCET_OK
                                                                           : lancet_settings_fail(r);
}

/* One for both towers. */
static lancet_status read_epsilon(lancet_settings_reader *r)
{
    double epsilon = 0;
    const lancet_status status = lancet_settings_number(r, "", "layer_norm_epsilon", &epsilon);

    r->settings->vision.epsilon = r->settings->text.epsilon = epsilon;
    return status;
}

static lancet_status read_origin(lancet_settings_reader *r)
{
    lancet_origin *o = &r->settings->origin;
    const struct {
        const char *key;
        char *text;
        size_t size;
    } texts[] = {{"name", o->name, sizeof o->name},
                 {"container", o->container, sizeof o->container},
                 {"naming", o->naming, sizeof o->naming},
                 {"data_types", o->data_types, sizeof o->data_types},
                 {"hash", o->hash, sizeof o->hash}};
    lancet_status status = LANCET_OK;
    bool first = true;
    char key[40];

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_settings_fail_kind(r, "", "origin", "an object");
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (status == LANCET_OK && lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        size_t i = 0;

        while (i < sizeof texts / sizeof *texts && strcmp(texts[i].key, key) != 0)
            i++;
        if (i < sizeof texts / sizeof *texts)
            status = lancet_settings_text(r, "origin", key, texts[i].text, texts[i].size);
        else
            lancet_json_skip(&r->json);
    }
    return status == LANCET_OK && r->json.problem ? lancet_settings_fail(r) : status;
}

/* "version" comes first, so that a text of a later one is told as that and not by what it has otherwise. */
static lancet_status check_version(lancet_settings_reader *r)
{
    size_t version = 0;
    bool first = true;
    char key[16] = "";
    lancet_status status = LANCET_OK;

    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: expected a JSON object, found %s", r->path,
                           lancet_json_kind_name(lancet_json_peek(&r->json)));
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    if (lancet_json_key(&r->json, &first, key, sizeof key, NULL) && strcmp(key, "version") == 0)
        status = lancet_settings_size(r, "", key, &version);
    if (status != LANCET_OK)
        return status;
    if (r->json.problem)
        return lancet_settings_fail(r);
    if (!version)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: expected its version first", r->path);
    if (version > LANCET_SETTINGS_OWN_VERSION)
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: version %zu, of a later Lancet, is not supported", r->path, version);
    return LANCET_OK;
}

static lancet_status read_member(lancet_settings_reader *r, const char *key)
{
    lancet_settings *s = r->settings;

    if (strcmp(key, "activation") == 0)
        return read_activation(r);
    if (strcmp(key, "activation_assumed") == 0)
        return read_assumed(r);
    if (strcmp(key, "layer_norm_epsilon") == 0)
        return read_epsilon(r);
    if (strcmp(key, "mean") == 0)
        return lancet_settings_triple(r, "", key, false, s->mean, &s->has_mean);
    if (strcmp(key, "std") == 0)
        return lancet_settings_triple(r, "", key, true, s->deviation, &s->has_deviation);
    if (strcmp(key, "embedding_width") == 0)
        return lancet_settings_size(r, "", key, &s->embedding_width);
    if (strcmp(key, "vision") == 0)
        return lancet_settings_tower(r, key, tower_fields, &s->vision);
    if (strcmp(key, "text") == 0)
        return lancet_settings_tower(r, key, tower_fields, &s->text);
    if (strcmp(key, "origin") == 0)
        return read_origin(r);
    if (strcmp(key, "types") == 0)
        return lancet_settings_text(r, "", key, s->origin.types, sizeof s->origin.types);
    if (strcmp(key, "lancet") == 0)
        return lancet_settings_text(r, "", key, s->origin.version, sizeof s->origin.version);
    return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
}

lancet_status lancet_settings_own(lancet_settings_reader *r)
{
    lancet_status status = check_version(r);
    bool first = false;
    char key[40];

    r->settings->converted = true;
    while (status == LANCET_OK && lancet_json_key(&r->json, &first, key, sizeof key, NULL))
        status = read_member(r, key);
    return status == LANCET_OK && r->json.problem ? lancet_settings_fail(r) : status;
}

static void print_text(lancet_buffer *out, const char *key, const char *text)
{
    lancet_buffer_print(out, "\"%s\":", key);
    lancet_json_print(out, text);
}

/* 9 digits tell every float from its neighbours. Whatever the locale puts for a point becomes one. */
static void print_number(lancet_buffer *out, float value)
{
    char text[64];

    snprintf(text, sizeof text, "%.9g", (double)value);
    for (const char *at = text; *at;) {
        const size_t plain = strspn(at, "0123456789+-e");

        lancet_buffer_append(out, plain ? at : ".", plain ? plain : 1);
        at += plain ? plain : strcspn(at, "0123456789+-e");
    }
}

static void print_triple(lancet_buffer *out, const char *key, const float *values)
{
    lancet_buffer_print(out, ",\"%s\":", key);
    for (int i = 0; i < 3; i++) {
        lancet_buffer_append(out, i ? "," : "[", 1);
        print_number(out, values[i]);
    }
    lancet_buffer_append(out, "]", 1);
}

/* A ResNet's width is its stem's, and its blocks have no hidden layer. */
static void print_vision(lancet_buffer *out, const lancet_clip_configuration *c)
{
    const bool resnet = c->family == LANCET_FAMILY_RESNET;

    print_triple(out, "mean", c->mean);
    print_triple(out, "std", c->deviation);
    lancet_buffer_print(out, ",\"vision\":{\"width\":%zu,", resnet ? c->stem_width : c->vision_width);
    if (!resnet)
        lancet_buffer_print(out, "\"hidden\":%zu,", c->vision_hidden);
    lancet_buffer_print(out, "\"blocks\":%zu,\"heads\":%zu,\"patch_side\":%zu,\"image_side\":%zu}",
                        c->vision_blocks, c->vision_heads, c->patch_side, c->image_side);
}

void lancet_settings_print(lancet_buffer *out, const lancet_clip_configuration *c,
                           const lancet_origin *origin)
{
    lancet_buffer_print(out, "{\"version\":%d,", LANCET_SETTINGS_OWN_VERSION);
    print_text(out, "lancet", origin->version);
    lancet_buffer_print(out, ",\"activation\":\"%s\"",
                        c->activation == LANCET_ACTIVATION_QUICK_GELU ? "quick_gelu" : "gelu");
    if (strncmp(c->activation_origin, "assumed", 7) == 0)
        lancet_buffer_print(out, ",\"activation_assumed\":true");
    lancet_buffer_print(out, ",\"layer_norm_epsilon\":");
    print_number(out, c->layer_norm_epsilon);
    lancet_buffer_print(out, ",\"embedding_width\":%zu", c->embedding_width);
    if (c->has_vision)
        print_vision(out, c);
    if (c->has_text) {
        lancet_buffer_print(out,
                            ",\"text\":{\"width\":%zu,\"hidden\":%zu,\"blocks\":%zu,\"heads\":%zu,"
                            "\"context_length\":%zu,\"vocabulary_size\":%zu",
                            c->text_width, c->text_hidden, c->text_blocks, c->text_heads, c->context_length,
                            c->vocabulary_size);
        if (c->end_token)
            lancet_buffer_print(out, ",\"end_token\":%zu", c->end_token - 1);
        lancet_buffer_print(out, "}");
    }
    lancet_buffer_print(out, ",");
    print_text(out, "types", origin->types);
    lancet_buffer_print(out, ",\"origin\":{");
    print_text(out, "name", origin->name);
    lancet_buffer_print(out, ",");
    print_text(out, "container", origin->container);
    lancet_buffer_print(out, ",");
    print_text(out, "naming", origin->naming);
    lancet_buffer_print(out, ",");
    print_text(out, "data_types", origin->data_types);
    lancet_buffer_print(out, ",");
    print_text(out, "hash", origin->hash);
    lancet_buffer_print(out, "}}");
}
