/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/settings_values.h"

#include "checkpoint/show.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

lancet_status lancet_settings_fail(const lancet_settings_reader *r)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s at byte %zu", r->path, r->json.problem,
                       r->json.at);
}

/* A value of the wrong kind; what is no value at all is told as the JSON problem it is. */
lancet_status lancet_settings_fail_kind(lancet_settings_reader *r, const char *section, const char *key,
                                        const char *expected)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (r->json.problem || kind == LANCET_JSON_NOTHING) {
        lancet_json_skip(&r->json);
        return lancet_settings_fail(r);
    }
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected %s, found %s", r->path, section,
                       *section ? "." : "", key, expected, lancet_json_kind_name(kind));
}

lancet_status lancet_settings_size(lancet_settings_reader *r, const char *section, const char *key,
                                   size_t *value)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    /* open_clip writes lists where a picture is no square, or the tower no ViT; the tensors tell of either.
     */
    if (kind == LANCET_JSON_NULL || kind == LANCET_JSON_ARRAY)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (kind != LANCET_JSON_NUMBER)
        return lancet_settings_fail_kind(r, section, key, "a whole number");
    if (!lancet_json_size(&r->json, value) || *value == 0)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected a whole number of 1 or more",
                           r->path, section, *section ? "." : "", key);
    return LANCET_OK;
}

/* All numbers here are factors or epsilons: zero and less would be nonsense, and what overflows a float
 * infinite. */
lancet_status lancet_settings_number(lancet_settings_reader *r, const char *section, const char *key,
                                     double *value)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (kind == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (kind != LANCET_JSON_NUMBER)
        return lancet_settings_fail_kind(r, section, key, "a number");
    if (!lancet_json_number(&r->json, value))
        return lancet_settings_fail(r);
    if (!(*value > 0) || !isfinite((float)*value))
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected a number above 0, found %g",
                           r->path, section, *section ? "." : "", key, *value);
    return LANCET_OK;
}

/* Every text here is a word of a known few; one that is cut is none of them. */
lancet_status lancet_settings_text(lancet_settings_reader *r, const char *section, const char *key,
                                   char *text, size_t size)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);

    if (kind == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (kind != LANCET_JSON_STRING)
        return lancet_settings_fail_kind(r, section, key, "a string");
    return lancet_json_string(&r->json, text, size, NULL) ? LANCET_OK : lancet_settings_fail(r);
}

/* Some files list several; which one a tower reads is then not said. */
static lancet_status read_id(lancet_settings_reader *r, const char *section, const char *key, size_t *value)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);
    size_t id;

    if (kind == LANCET_JSON_NULL || kind == LANCET_JSON_ARRAY)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (kind != LANCET_JSON_NUMBER)
        return lancet_settings_fail_kind(r, section, key, "a whole number");
    if (!lancet_json_size(&r->json, &id) || id == SIZE_MAX)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s%s%s: expected a whole number of 0 or more",
                           r->path, section, *section ? "." : "", key);
    *value = id + 1;
    return LANCET_OK;
}

/* open_clip hands the object on to its norm layer; eps is what it is used for. */
static lancet_status read_norm(lancet_settings_reader *r, const char *section, double *epsilon)
{
    bool first = true;
    char key[8];

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_settings_fail_kind(r, section, "norm_kwargs", "an object");
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        lancet_status status = LANCET_OK;

        if (strcmp(key, "eps") == 0)
            status = lancet_settings_number(r, section, "norm_kwargs.eps", epsilon);
        else
            lancet_json_skip(&r->json);
        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? lancet_settings_fail(r) : LANCET_OK;
}

/* A value that makes the architecture another one than Lancet runs, or not. */
static lancet_status read_refused(lancet_settings_reader *r, const char *section, const lancet_field *f,
                                  lancet_tower_settings *tower)
{
    const lancet_json_kind kind = lancet_json_peek(&r->json);
    const size_t start = r->json.at;
    bool flag = false;
    char text[64] = "set", shown[48]; /* longer than what is shown, so that a cut shows */

    if (kind == LANCET_JSON_BOOLEAN)
        lancet_json_boolean(&r->json, &flag);
    else if (kind == LANCET_JSON_STRING)
        lancet_json_string(&r->json, text, sizeof text, NULL);
    else
        lancet_json_skip(&r->json);
    if (r->json.problem)
        return lancet_settings_fail(r);
    /* null, false, "", {} and some words say that the setting is at its rest. */
    if (kind == LANCET_JSON_NULL || (kind == LANCET_JSON_BOOLEAN && !flag) ||
        (kind == LANCET_JSON_OBJECT && !memchr(r->json.bytes + start, '"', r->json.at - start)))
        return LANCET_OK;
    for (size_t i = 0; i < 2; i++)
        if (!*text || (f->rest[i] && strcmp(text, f->rest[i]) == 0))
            return LANCET_OK;
    if (kind == LANCET_JSON_NUMBER)
        snprintf(text, sizeof text, "%.*s", (int)(r->json.at - start < 32 ? r->json.at - start : 32),
                 r->json.bytes + start);
    if (!tower->refused[0]) /* the first says enough */
        snprintf(tower->refused, sizeof tower->refused, "%s.%s is %s: %s", section, f->key,
                 flag ? "true" : lancet_show(shown, sizeof shown, text), f->what);
    return LANCET_OK;
}

/* Numbers too large for their sum only need to stay too large. */
static lancet_status read_blocks(lancet_settings_reader *r, const char *section, const char *key,
                                 size_t *value)
{
    size_t sum = 0;
    bool first = true;

    if (lancet_json_peek(&r->json) != LANCET_JSON_ARRAY)
        return lancet_settings_size(r, section, key, value);
    lancet_json_enter(&r->json, LANCET_JSON_ARRAY);
    while (lancet_json_item(&r->json, &first)) {
        size_t item = 0;
        const lancet_status status = lancet_settings_size(r, section, key, &item);

        if (status != LANCET_OK)
            return status;
        sum = sum + item < sum ? SIZE_MAX : sum + item;
    }
    *value = sum;
    return r->json.problem ? lancet_settings_fail(r) : LANCET_OK;
}

lancet_status lancet_settings_field(lancet_settings_reader *r, const char *section, const lancet_field *f,
                                    lancet_tower_settings *tower)
{
    char *place = (char *)tower + f->offset;

    switch (f->kind) {
    case LANCET_FIELD_SIZE:
        return lancet_settings_size(r, section, f->key, (size_t *)(void *)place);
    case LANCET_FIELD_BLOCKS:
        return read_blocks(r, section, f->key, (size_t *)(void *)place);
    case LANCET_FIELD_NUMBER:
        return lancet_settings_number(r, section, f->key, (double *)(void *)place);
    case LANCET_FIELD_TEXT:
        return lancet_settings_text(r, section, f->key, place, f->size);
    case LANCET_FIELD_ID:
        return read_id(r, section, f->key, (size_t *)(void *)place);
    case LANCET_FIELD_NORM_KWARGS:
        return read_norm(r, section, (double *)(void *)place);
    default:
        return read_refused(r, section, f, tower);
    }
}

const lancet_field *lancet_settings_find(const lancet_field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0)
            return fields;
    return NULL;
}

/* A key that is there twice is refused: which one counts would depend on who reads. */
lancet_status lancet_settings_tower(lancet_settings_reader *r, const char *section,
                                    const lancet_field *fields, lancet_tower_settings *tower)
{
    uint64_t seen = 0;
    bool first = true;
    char key[40];

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_OBJECT)
        return lancet_settings_fail_kind(r, "", section, "an object");
    if (tower->present)
        return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s is there twice", r->path, section);
    tower->present = true;
    lancet_json_enter(&r->json, LANCET_JSON_OBJECT);
    while (lancet_json_key(&r->json, &first, key, sizeof key, NULL)) {
        const lancet_field *f = lancet_settings_find(fields, key);
        lancet_status status = LANCET_OK;

        if (f) {
            const uint64_t bit = UINT64_C(1) << (f - fields);

            if (seen & bit)
                return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: %s.%s is there twice", r->path, section,
                                   key);
            seen |= bit;
            status = lancet_settings_field(r, section, f, tower);
        } else {
            lancet_json_skip(&r->json);
        }
        if (status != LANCET_OK)
            return status;
    }
    return r->json.problem ? lancet_settings_fail(r) : LANCET_OK;
}

/* Mean or deviation of the three colours; the deviation divides. */
lancet_status lancet_settings_triple(lancet_settings_reader *r, const char *section, const char *key,
                                     bool positive, float *values, bool *present)
{
    bool first = true;

    if (lancet_json_peek(&r->json) == LANCET_JSON_NULL)
        return lancet_json_skip(&r->json) ? LANCET_OK : lancet_settings_fail(r);
    if (lancet_json_peek(&r->json) != LANCET_JSON_ARRAY)
        return lancet_settings_fail_kind(r, section, key, "a list of three numbers");
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
    return r->json.problem ? lancet_settings_fail(r) : LANCET_OK;
}
