/* A strict JSON reader that walks instead of building a tree. SPDX-License-Identifier: Apache-2.0
 *
 * The tables and settings read here come from strangers. A tree costs tens of times the bytes of a hostile
 * text
 * ("[[],[],..." ), and the time to build it; a walk costs nothing, allocates nothing and so cannot fail
 * half-way. */
#ifndef LANCET_CHECKPOINT_JSON_H
#define LANCET_CHECKPOINT_JSON_H

#include "base/memory.h"

#include <stdbool.h>
#include <stddef.h>

/** Values nested deeper than this are refused. */
#define LANCET_JSON_DEPTH_MAX 64

typedef enum lancet_json_kind {
    LANCET_JSON_NOTHING, /* the end of the text, or no value */
    LANCET_JSON_OBJECT,
    LANCET_JSON_ARRAY,
    LANCET_JSON_STRING,
    LANCET_JSON_NUMBER,
    LANCET_JSON_BOOLEAN,
    LANCET_JSON_NULL
} lancet_json_kind;

/** A place in a text. Start with {bytes, length}. After the first problem every call returns false, so that a
 * walk may check once, at its end. */
typedef struct lancet_json {
    const char *bytes;
    size_t length, at;
    const char *problem; /* NULL while all is well; then what is wrong at byte `at` */
} lancet_json;

/** The kind of the value that comes next; consumes white space alone. */
lancet_json_kind lancet_json_peek(lancet_json *json);

/** "an object", "a string", ... */
const char *lancet_json_kind_name(lancet_json_kind kind);

/** Steps into the object or array that comes next. */
bool lancet_json_enter(lancet_json *json, lancet_json_kind kind);

/** Steps to the next member of an object and reads its name, as lancet_json_string does; false at the
 * object's end: for (bool first = true; lancet_json_key(json, &first, key, sizeof key, NULL);) read or skip
 * the value; */
bool lancet_json_key(lancet_json *json, bool *first, char *key, size_t size, size_t *length);

/** Steps to the next item of an array; false at the array's end. */
bool lancet_json_item(lancet_json *json, bool *first);

/** Reads a string as UTF-8, zero-terminated. One that does not fit is cut at a character; *length (may be
 * NULL) is the length of all of it. It is never longer than its source without the quotes. U+0000 is a
 * problem. */
bool lancet_json_string(lancet_json *json, char *text, size_t size, size_t *length);

/** Reads a whole number of 0 or more, written without fraction and exponent. */
bool lancet_json_size(lancet_json *json, size_t *value);

/** Reads a number; beyond the range of double it is infinite. The nearest double for numbers of up to 15
 * digits within 1e-22 to 1e22, correct to 1e-17 of its size for others, whatever the locale. */
bool lancet_json_number(lancet_json *json, double *value);

bool lancet_json_boolean(lancet_json *json, bool *value);

/** Passes over a value of any kind, checking it as strictly as if it were read. */
bool lancet_json_skip(lancet_json *json);

/** True if nothing but white space is left; a problem otherwise. */
bool lancet_json_end(lancet_json *json);

/** Appends a UTF-8 text as a JSON string, with its quotes. */
void lancet_json_print(lancet_buffer *out, const char *text);

#endif
