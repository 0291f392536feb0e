/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/gguf_values.h"

#include "base/utf8.h"

#include <string.h>

/* Bytes of a value; of texts and lists, the least there can be. */
static const uint8_t sizes[LANCET_GGUF_TYPES] = {
    [LANCET_GGUF_U8] = 1,   [LANCET_GGUF_I8] = 1,  [LANCET_GGUF_U16] = 2, [LANCET_GGUF_I16] = 2,
    [LANCET_GGUF_U32] = 4,  [LANCET_GGUF_I32] = 4, [LANCET_GGUF_F32] = 4, [LANCET_GGUF_BOOL] = 1,
    [LANCET_GGUF_U64] = 8,  [LANCET_GGUF_I64] = 8, [LANCET_GGUF_F64] = 8, [LANCET_GGUF_STRING] = 8,
    [LANCET_GGUF_LIST] = 12};

static bool fail(lancet_gguf_cursor *cursor, size_t at, const char *problem)
{
    cursor->at = at;
    cursor->problem = problem;
    return false;
}

/* The next `size` <= 8 bytes as a number, the lowest first, whatever this machine does. */
static bool take(lancet_gguf_cursor *cursor, size_t size, uint64_t *value)
{
    if (cursor->length - cursor->at < size)
        return fail(cursor, cursor->at, "cut short");
    *value = 0;
    for (size_t i = size; i-- > 0;)
        *value = *value << 8 | cursor->bytes[cursor->at + i];
    cursor->at += size;
    return true;
}

bool lancet_gguf_u32(lancet_gguf_cursor *cursor, uint32_t *value)
{
    uint64_t wide;

    if (!take(cursor, 4, &wide))
        return false;
    *value = (uint32_t)wide;
    return true;
}

bool lancet_gguf_u64(lancet_gguf_cursor *cursor, uint64_t *value)
{
    return take(cursor, 8, value);
}

/* A length, and as many bytes after it. */
static bool take_text(lancet_gguf_cursor *cursor, lancet_gguf_text *text)
{
    const size_t start = cursor->at;
    uint64_t length;

    if (!take(cursor, 8, &length))
        return false;
    if (length > cursor->length - cursor->at)
        return fail(cursor, start, "a text that is longer than the rest of the file");
    *text = (lancet_gguf_text){(const char *)cursor->bytes + cursor->at, (size_t)length};
    cursor->at += (size_t)length;
    return true;
}

bool lancet_gguf_string(lancet_gguf_cursor *cursor, lancet_gguf_text *text, size_t longest)
{
    const size_t start = cursor->at;

    if (!take_text(cursor, text))
        return false;
    if (text->length > longest)
        return fail(cursor, start, "a text that is too long");
    if (text->length && memchr(text->bytes, 0, text->length))
        return fail(cursor, start, "a text with a zero byte in it");
    if (lancet_utf8_check(text->bytes, text->length) != text->length)
        return fail(cursor, start, "a text that is not UTF-8");
    return true;
}

bool lancet_gguf_read_type(lancet_gguf_cursor *cursor, lancet_gguf_type *type)
{
    const size_t start = cursor->at;
    uint64_t number;

    if (!take(cursor, 4, &number))
        return false;
    if (number >= LANCET_GGUF_TYPES)
        return fail(cursor, start, "a value of unknown type");
    *type = (lancet_gguf_type)number;
    return true;
}

bool lancet_gguf_integer(lancet_gguf_cursor *cursor, lancet_gguf_type type, uint64_t *value)
{
    const size_t start = cursor->at;
    const bool is_signed = type == LANCET_GGUF_I8 || type == LANCET_GGUF_I16 || type == LANCET_GGUF_I32 ||
                           type == LANCET_GGUF_I64;
    const bool is_integer = is_signed || type == LANCET_GGUF_U8 || type == LANCET_GGUF_U16 ||
                            type == LANCET_GGUF_U32 || type == LANCET_GGUF_U64;

    if (!is_integer)
        return fail(cursor, start, "expected a whole number");
    if (!take(cursor, sizes[type], value))
        return false;
    if (is_signed && *value >> (8 * sizes[type] - 1))
        return fail(cursor, start, "expected a whole number of 0 or more");
    return true;
}

bool lancet_gguf_number(lancet_gguf_cursor *cursor, lancet_gguf_type type, double *value)
{
    uint64_t bits;

    if (type != LANCET_GGUF_F32 && type != LANCET_GGUF_F64)
        return fail(cursor, cursor->at, "expected a number with a fraction");
    if (!take(cursor, sizes[type], &bits))
        return false;
    if (type == LANCET_GGUF_F64) {
        memcpy(value, &bits, sizeof *value);
    } else {
        const uint32_t narrow_bits = (uint32_t)bits;
        float narrow;

        memcpy(&narrow, &narrow_bits, sizeof narrow);
        *value = (double)narrow;
    }
    return true;
}

bool lancet_gguf_boolean(lancet_gguf_cursor *cursor, lancet_gguf_type type, bool *value)
{
    const size_t start = cursor->at;
    uint64_t byte;

    if (type != LANCET_GGUF_BOOL)
        return fail(cursor, start, "expected true or false");
    if (!take(cursor, 1, &byte))
        return false;
    if (byte > 1)
        return fail(cursor, start, "a truth value that is neither 0 nor 1");
    *value = byte == 1;
    return true;
}

bool lancet_gguf_list(lancet_gguf_cursor *cursor, lancet_gguf_type *type, uint64_t *count)
{
    const size_t start = cursor->at;

    if (!lancet_gguf_read_type(cursor, type) || !take(cursor, 8, count))
        return false;
    /* The format would allow it; its own library does not, and no file needs it. */
    if (*type == LANCET_GGUF_LIST)
        return fail(cursor, start, "a list of lists");
    if (*count > (cursor->length - cursor->at) / sizes[*type])
        return fail(cursor, start, "a list that is longer than the rest of the file");
    return true;
}

bool lancet_gguf_skip(lancet_gguf_cursor *cursor, lancet_gguf_type type)
{
    lancet_gguf_text text;
    uint64_t count = 1;

    if (type == LANCET_GGUF_LIST && !lancet_gguf_list(cursor, &type, &count))
        return false;
    if (type == LANCET_GGUF_STRING) {
        for (; count; count--)
            if (!take_text(cursor, &text))
                return false;
        return true;
    }
    if (count > (cursor->length - cursor->at) / sizes[type])
        return fail(cursor, cursor->at, "cut short");
    cursor->at += (size_t)count * sizes[type];
    return true;
}
