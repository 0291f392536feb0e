/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first problem stays: those after it are only its consequences. Returns false for the caller to return.
 */
static bool fail(lancet_json *json, const char *problem)
{
    if (!json->problem)
        json->problem = problem;
    return false;
}

/* The byte at the reader's place; -1 at the end. */
static int look(const lancet_json *json)
{
    return json->at < json->length ? (unsigned char)json->bytes[json->at] : -1;
}

/* JSON knows these four alone; isspace would also take what the locale likes. */
static void skip_space(lancet_json *json)
{
    for (int c = look(json); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = look(json))
        json->at++;
}

/* Steps over `byte` if it comes next. */
static bool accept(lancet_json *json, int byte)
{
    if (look(json) != byte)
        return false;
    json->at++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

lancet_json_kind lancet_json_peek(lancet_json *json)
{
    if (json->problem)
        return LANCET_JSON_NOTHING;
    skip_space(json);
    switch (look(json)) {
    case '{':
        return LANCET_JSON_OBJECT;
    case '[':
        return LANCET_JSON_ARRAY;
    case '"':
        return LANCET_JSON_STRING;
    case 't':
    case 'f':
        return LANCET_JSON_BOOLEAN;
    case 'n':
        return LANCET_JSON_NULL;
    default:
        return is_digit(look(json)) || look(json) == '-' ? LANCET_JSON_NUMBER : LANCET_JSON_NOTHING;
    }
}

const char *lancet_json_kind_name(lancet_json_kind kind)
{
    static const char *const names[] = {"no value", "an object", "a list", "a string",
                                        "a number", "a boolean", "null"};

    return names[kind];
}

bool lancet_json_enter(lancet_json *json, lancet_json_kind kind)
{
    if (lancet_json_peek(json) != kind)
        return fail(json, kind == LANCET_JSON_OBJECT ? "expected an object" : "expected a list");
    json->at++;
    return true;
}

/* The comma before a member, or the bracket that ends them. */
static bool step(lancet_json *json, bool *first, int close)
{
    const bool comma = !*first;

    if (json->problem)
        return false;
    *first = false;
    skip_space(json);
    if (accept(json, close))
        return false;
    if (comma && !accept(json, ','))
        return fail(json, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    return true;
}

bool lancet_json_key(lancet_json *json, bool *first, char *key, size_t size, size_t *length)
{
    if (!step(json, first, '}') || !lancet_json_string(json, key, size, length))
        return false;
    skip_space(json);
    return accept(json, ':') || fail(json, "expected ':'");
}

bool lancet_json_item(lancet_json *json, bool *first)
{
    return step(json, first, ']');
}

static bool read_hexadecimal(lancet_json *json, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        const int c = look(json);
        const int letter = c | 0x20;

        if (is_digit(c))
            *value = *value << 4 | (uint32_t)(c - '0');
        else if (c > 0 && letter >= 'a' && letter <= 'f')
            *value = *value << 4 | (uint32_t)(letter - 'a' + 10);
        else
            return fail(json, "expected four hexadecimal digits after \\u");
        json->at++;
    }
    return true;
}

/* What follows a backslash. */
static bool read_escape(lancet_json *json, uint32_t *point)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const int c = look(json);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;
    uint32_t low;

    if (letter) {
        *point = (unsigned char)values[letter - letters];
        json->at++;
        return true;
    }
    if (!accept(json, 'u'))
        return fail(json, "unknown escape in a string");
    if (!read_hexadecimal(json, point))
        return false;
    if (*point == 0)
        return fail(json, "a zero character in a string");
    if (*point < 0xD800 || *point > 0xDFFF)
        return true;
    if (*point > 0xDBFF || !accept(json, '\\') || !accept(json, 'u'))
        return fail(json, "half a surrogate pair in a string");
    if (!read_hexadecimal(json, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail(json, "half a surrogate pair in a string");
    *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* How many bytes from the reader's place on stand for themselves in a string. */
static size_t count_plain(const lancet_json *json)
{
    size_t end = json->at;

    while (end < json->length) {
        const unsigned char c = (unsigned char)json->bytes[end];

        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
        end++;
    }
    return end - json->at;
}

/* A string as it is read: `kept` of its `total` bytes fitted into `text`. */
typedef struct string_copy {
    char *text;
    size_t size, kept, total;
} string_copy;

/* Takes as much of `bytes` as fits; once something was left out, so is all after it. */
static void copy_bytes(string_copy *copy, const char *bytes, size_t length, bool whole)
{
    const size_t room =
        copy->kept == copy->total && copy->kept < copy->size ? copy->size - copy->kept - 1 : 0;
    const size_t taken = length <= room ? length : whole ? 0 : room;

    if (taken)
        memcpy(copy->text + copy->kept, bytes, taken);
    copy->kept += taken;
    copy->total += length;
}

bool lancet_json_string(lancet_json *json, char *text, size_t size, size_t *length)
{
    string_copy copy = {.text = text, .size = size};

    if (lancet_json_peek(json) != LANCET_JSON_STRING)
        return fail(json, "expected a string");
    json->at++;
    while (!accept(json, '"')) {
        const size_t plain = count_plain(json);
        uint32_t point;
        char bytes[4];

        if (plain) { /* nearly all of nearly every string */
            copy_bytes(&copy, json->bytes + json->at, plain, false);
            json->at += plain;
            continue;
        }
        if (look(json) < 0)
            return fail(json, "a string without end");
        if (look(json) < 0x20)
            return fail(json, "a control character in a string");
        if (accept(json, '\\')) {
            if (!read_escape(json, &point))
                return false;
        } else {
            const size_t read = lancet_utf8_read(&point, json->bytes + json->at, json->length - json->at);

            if (!read)
                return fail(json, "not UTF-8");
            json->at += read;
        }
        copy_bytes(&copy, bytes, lancet_utf8_write(bytes, point), true);
    }
    if (size)
        text[copy.kept] = '\0';
    if (length)
        *length = copy.total;
    return true;
}

/* Passes over a number by the grammar's letter. */
static bool scan_number(lancet_json *json)
{
    if (lancet_json_peek(json) != LANCET_JSON_NUMBER)
        return fail(json, "expected a number");
    accept(json, '-');
    if (!is_digit(look(json)))
        return fail(json, "expected a digit");
    if (!accept(json, '0'))
        while (is_digit(look(json)))
            json->at++;
    if (accept(json, '.')) {
        if (!is_digit(look(json)))
            return fail(json, "expected a digit");
        while (is_digit(look(json)))
            json->at++;
    }
    if (accept(json, 'e') || accept(json, 'E')) {
        if (!accept(json, '+'))
            accept(json, '-');
        if (!is_digit(look(json)))
            return fail(json, "expected a digit");
        while (is_digit(look(json)))
            json->at++;
    }
    return true;
}

bool lancet_json_size(lancet_json *json, size_t *value)
{
    size_t start, result = 0;

    lancet_json_peek(json);
    start = json->at;
    if (!scan_number(json))
        return false;
    for (size_t i = start; i < json->at; i++) {
        const int c = (unsigned char)json->bytes[i];

        if (!is_digit(c) || __builtin_mul_overflow(result, (size_t)10, &result) ||
            __builtin_add_overflow(result, (size_t)(c - '0'), &result)) {
            json->at = start; /* the message shall point at the number */
            return fail(json, is_digit(c) ? "a number too large" : "expected a whole number of 0 or more");
        }
    }
    *value = result;
    return true;
}

bool lancet_json_number(lancet_json *json, double *value)
{
    uint64_t digits = 0;
    long exponent = 0, written = 0;
    bool negative, fraction = false, small = false;
    long double result;
    size_t i;

    lancet_json_peek(json);
    i = json->at;
    if (!scan_number(json))
        return false;
    negative = json->bytes[i] == '-';
    /* 19 digits fit; those after them only move the decimal point. strtod would obey the locale's own. */
    for (i += negative; i < json->at && (json->bytes[i] | 0x20) != 'e'; i++) {
        if (json->bytes[i] == '.') {
            fraction = true;
        } else if (digits < UINT64_MAX / 10 - 1) {
            digits = digits * 10 + (uint64_t)(json->bytes[i] - '0');
            exponent -= fraction;
        } else {
            exponent += !fraction;
        }
    }
    for (i++; i < json->at; i++) {
        if (json->bytes[i] == '-')
            small = true;
        else if (json->bytes[i] != '+' && written < 100000000)
            written = written * 10 + (json->bytes[i] - '0');
    }
    exponent += small ? -written : written;
    if (exponent > 400) /* beyond double either way, and powl need not be asked */
        exponent = 400;
    if (exponent < -400)
        exponent = -400;
    /* Both are exact in double, and so their quotient or product is rounded but once. */
    if (digits < (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
        const double power = (double)powl(10.0L, (long double)labs(exponent));
        const double exact = exponent < 0 ? (double)digits / power : (double)digits * power;

        *value = negative ? -exact : exact;
        return true;
    }
    result = exponent < 0 ? (long double)digits / powl(10.0L, (long double)-exponent)
                          : (long double)digits * powl(10.0L, (long double)exponent);
    *value = (double)(negative ? -result : result);
    return true;
}

/* true, false and null have no delimiter of their own: what follows them is checked by whoever reads on. */
static bool accept_word(lancet_json *json, const char *word)
{
    const size_t length = strlen(word);

    if (json->length - json->at < length || memcmp(json->bytes + json->at, word, length) != 0)
        return false;
    json->at += length;
    return true;
}

bool lancet_json_boolean(lancet_json *json, bool *value)
{
    if (lancet_json_peek(json) != LANCET_JSON_BOOLEAN)
        return fail(json, "expected true or false");
    *value = look(json) == 't';
    return accept_word(json, *value ? "true" : "false") || fail(json, "expected a value");
}

/* A value that holds no others. */
static bool skip_scalar(lancet_json *json)
{
    bool value;

    switch (lancet_json_peek(json)) {
    case LANCET_JSON_STRING:
        return lancet_json_string(json, NULL, 0, NULL);
    case LANCET_JSON_NUMBER:
        return scan_number(json);
    case LANCET_JSON_BOOLEAN:
        return lancet_json_boolean(json, &value);
    case LANCET_JSON_NULL:
        return accept_word(json, "null") || fail(json, "expected a value");
    default:
        return fail(json, "expected a value");
    }
}

bool lancet_json_skip(lancet_json *json)
{
    bool in_object[LANCET_JSON_DEPTH_MAX];
    size_t depth = 0;
    bool first = false;

    /* A loop with its own stack: the text's nesting must not decide about ours. */
    do {
        lancet_json_kind kind;

        if (depth && !(in_object[depth - 1] ? lancet_json_key(json, &first, NULL, 0, NULL)
                                            : lancet_json_item(json, &first))) {
            if (json->problem)
                return false;
            depth--;
            continue;
        }
        kind = lancet_json_peek(json);
        if (kind != LANCET_JSON_OBJECT && kind != LANCET_JSON_ARRAY) {
            if (!skip_scalar(json))
                return false;
            continue;
        }
        if (depth == LANCET_JSON_DEPTH_MAX)
            return fail(json, "values nested too deep");
        in_object[depth++] = kind == LANCET_JSON_OBJECT;
        json->at++;
        first = true;
    } while (depth);
    return true;
}

bool lancet_json_end(lancet_json *json)
{
    if (json->problem)
        return false;
    skip_space(json);
    return json->at == json->length || fail(json, "expected the end of the text");
}
