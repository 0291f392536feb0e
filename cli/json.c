/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "common.h"
#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 9 significant digits tell every float from its neighbours. */
#define JSON_FORM (JSON_INDENT(2) | JSON_REAL_PRECISION(9) | JSON_ENCODE_ANY)

void json_put(bool *good, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) != 0)
        *good = false;
}

void json_add(bool *good, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        *good = false;
}

/* Bytes of the well-formed UTF-8 character at `text`; 0 if there is none. */
static size_t character_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    const size_t length = c[0] < 0x80   ? 1
                          : c[0] < 0xC2 ? 0
                          : c[0] < 0xE0 ? 2
                          : c[0] < 0xF0 ? 3
                          : c[0] < 0xF5 ? 4
                                        : 0;

    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    if ((c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF0 && c[1] < 0x90) ||
        (c[0] == 0xF4 && c[1] > 0x8F))
        return 0;
    return length;
}

json_t *json_words(const char *text)
{
    json_t *value;
    char *repaired, *out;

    if (!text)
        return json_null();
    value = json_string(text);
    if (value)
        return value;
    repaired = out = malloc(strlen(text) * 3 + 1);
    if (!repaired)
        return NULL;
    while (*text) {
        const size_t length = character_length(text);

        memcpy(out, length ? text : "\xEF\xBF\xBD", length ? length : 3);
        out += length ? length : 3;
        text += length ? length : 1;
    }
    *out = '\0';
    value = json_string(repaired);
    free(repaired);
    return value;
}

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_count(size_t count)
{
    return json_integer((json_int_t)count);
}

json_t *json_numbers(const float *values, size_t count)
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < count; i++)
        json_add(&good, array, json_number((double)values[i]));
    if (!good) {
        json_decref(array);
        return NULL;
    }
    return array;
}

json_t *json_model(const lancet_model *model)
{
    const lancet_model_description *about = lancet_model_describe(model);
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "path", json_words(about->path));
    json_put(&good, object, "hash", json_words(about->hash));
    json_put(&good, object, "family", json_words(about->family));
    json_put(&good, object, "activation", json_words(activation_names[about->activation]));
    json_put(&good, object, "activation_origin", json_words(about->activation_origin));
    json_put(&good, object, "precision", json_words(precision_names[about->precision]));
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *json_picture(const char *path, const lancet_image *image)
{
    const lancet_picture pixels = lancet_image_picture(image);
    const lancet_image_about *about = lancet_image_describe(image);
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "path", json_words(path));
    json_put(&good, object, "width", json_count(pixels.width));
    json_put(&good, object, "height", json_count(pixels.height));
    json_put(&good, object, "format", json_words(about->format));
    json_put(&good, object, "orientation", json_integer(about->orientation));
    json_put(&good, object, "oriented", json_boolean(about->oriented));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

/* Puts arrays of plain numbers into one line each; an indented dump gives every number its own. */
static void join_number_lines(char *text)
{
    char *out = text;
    bool in_words = false;

    for (const char *at = text; *at; at++) {
        if (*at == '"')
            in_words = !in_words;
        if (in_words && *at == '\\')
            *out++ = *at++;
        if (!in_words && *at == '[') {
            const size_t length = strcspn(at + 1, "[]{}\"");

            if (at[1 + length] == ']') {
                for (const char *end = at + 1 + length; at < end; at++)
                    if (*at != ' ' && *at != '\n') {
                        *out++ = *at;
                        if (*at == ',')
                            *out++ = ' ';
                    }
            }
        }
        *out++ = *at;
    }
    *out = '\0';
}

char *json_text(const json_t *value)
{
    const size_t length = json_dumpb(value, NULL, 0, JSON_FORM);
    char *text = length ? malloc(length + 2) : NULL;

    if (!text)
        return NULL;
    json_dumpb(value, text, length, JSON_FORM);
    text[length] = '\0';
    join_number_lines(text);
    strcat(text, "\n");
    return text;
}

char *json_line(const json_t *value)
{
    return json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

int json_write(const char *path, const json_t *value)
{
    char *text = json_text(value);
    const int status = text ? file_write(path, text, strlen(text)) : report_memory();

    free(text);
    return status;
}

int json_print(const json_t *value)
{
    char *text = json_text(value);

    if (!text)
        return report_memory();
    fputs(text, stdout);
    free(text);
    return EXIT_DONE;
}

void csv_text(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}
