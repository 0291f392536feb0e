/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/normalize.h"

#include "base/utf8.h"
#include "clip/text/characters.h"
#include "clip/text/entities.h"
#include "clip/text/repair.h"

/* Bytes of a text that no step but white space and lower case would change: 1 stands for white space, 2 for
 * the rest. Not among them: '&', control characters, everything beyond ASCII. */
static uint8_t simple_byte(unsigned char byte)
{
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\f' || byte == '\r')
        return 1;
    return byte > ' ' && byte < 0x7F && byte != '&' ? 2 : 0;
}

/* The short way for such texts, most of all there are. Returns false, with `out` in any state, if this is not
 * one. */
static bool normalize_simple(lancet_buffer *out, const char *text, size_t length)
{
    char chunk[512];
    size_t used = 0;
    bool space = false, begun = false;

    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)text[i];
        const uint8_t kind = simple_byte(byte);

        if (kind == 0)
            return false;
        if (kind == 1) {
            space = begun;
            continue;
        }
        if (used > sizeof chunk - 2) {
            lancet_buffer_append(out, chunk, used);
            used = 0;
        }
        if (space)
            chunk[used++] = ' ';
        chunk[used++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
        space = false;
        begun = true;
    }
    lancet_buffer_append(out, chunk, used);
    return true;
}

static bool collapse_space(lancet_points *out, const lancet_points *in)
{
    bool space = false;

    if (!lancet_points_reserve(out, in->count))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        if (lancet_character_class(in->points[i]) == LANCET_CHARACTER_SPACE) {
            space = out->count > 0;
            continue;
        }
        if ((space && !lancet_points_push(out, ' ')) || !lancet_points_push(out, in->points[i]))
            return false;
        space = false;
    }
    return true;
}

lancet_status lancet_normalize(lancet_buffer *out, lancet_normalizer *normalizer, const char *text,
                               size_t length, lancet_error *error)
{
    lancet_points *a = &normalizer->a, *b = &normalizer->b;
    lancet_status status;
    size_t wrong;

    lancet_buffer_clear(out);
    if (normalize_simple(out, text, length))
        return out->failed ? lancet_fail_memory(error, "a text") : LANCET_OK;
    wrong = lancet_utf8_check(text, length);
    if (wrong < length)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "the text is not UTF-8: byte %zu (0x%02X) fits no character", wrong,
                           (unsigned)(unsigned char)text[wrong]);
    lancet_buffer_clear(out);
    a->count = b->count = 0;
    if (!lancet_points_decode(a, text, length))
        return lancet_fail_memory(error, "a text");
    status = lancet_repair(b, a, &normalizer->c, &normalizer->d, error);
    if (status != LANCET_OK)
        return status;
    for (int round = 0; round < 2; round++) {
        a->count = 0;
        if (!lancet_entities_resolve(a, b))
            return lancet_fail_memory(error, "a text");
        lancet_points_swap(a, b);
    }
    a->count = 0;
    if (!collapse_space(a, b))
        return lancet_fail_memory(error, "a text");
    b->count = 0;
    if (!lancet_lower(b, a) || !lancet_points_encode(out, b))
        return lancet_fail_memory(error, "a text");
    return LANCET_OK;
}

void lancet_normalizer_close(lancet_normalizer *normalizer)
{
    lancet_points_close(&normalizer->a);
    lancet_points_close(&normalizer->b);
    lancet_points_close(&normalizer->c);
    lancet_points_close(&normalizer->d);
}
