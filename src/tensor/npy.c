/* NumPy's .npy files. The header is a Python dictionary; it is read by a parser that knows just the three
 * keys it may hold, never evaluated. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/npy.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* numpy refuses longer headers as well: no array of numbers needs one. */
#define HEADER_MAX 65536

/* The type of the elements as they lie in the file. */
typedef struct element {
    char kind; /* f float, i signed, u unsigned, b bool */
    size_t size;
    bool big_endian;
} element;

typedef struct header {
    element element;
    bool fortran;
    size_t rank;
    size_t shape[LANCET_NPY_RANK_MAX];
} header;

/* ---- The header's text --------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
    const char *path;
    lancet_error *error;
} cursor;

static lancet_status malformed(const cursor *c, const char *expected)
{
    return lancet_fail(c->error, LANCET_ERROR_INPUT, "%s: .npy header: expected %s, found %s", c->path,
                       expected, c->at < c->end ? "something else" : "its end");
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* Takes the character if it comes next. */
static bool take(cursor *c, char character)
{
    skip_space(c);
    if (c->at == c->end || *c->at != character)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    const size_t length = strlen(word);

    skip_space(c);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* A quoted string without escapes, which is all that numpy writes. */
static bool take_string(cursor *c, char *text, size_t size)
{
    size_t length = 0;
    char quote;

    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    quote = *c->at++;
    while (c->at < c->end && *c->at != quote) {
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\' || length + 1 >= size)
            return false;
        text[length++] = *c->at++;
    }
    text[length] = '\0';
    if (c->at == c->end)
        return false;
    c->at++;
    return true;
}

static lancet_status parse_element(cursor *c, element *e)
{
    static const char *const known[] = {"b1", "f2", "f4", "f8", "i1", "i2",
                                        "i4", "i8", "u1", "u2", "u4", "u8"};
    char text[64];
    const char *name = text;
    char order = '=';

    skip_space(c);
    if (c->at < c->end && (*c->at == '[' || *c->at == '('))
        return lancet_fail(c->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: a .npy file of records; expected an array of numbers", c->path);
    if (!take_string(c, text, sizeof text))
        return malformed(c, "a data type such as '<f4'");
    if (*name && strchr("<>|=", *name))
        order = *name++;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0) {
            e->kind = name[0];
            e->size = (size_t)(name[1] - '0');
            e->big_endian = order == '>' || (order != '<' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
            return LANCET_OK;
        }
    return lancet_fail(c->error, LANCET_ERROR_UNSUPPORTED,
                       "%s: a .npy file of type '%s'; expected floats, integers or bool", c->path, text);
}

static lancet_status parse_shape(cursor *c, header *h)
{
    bool comma = true;

    if (!take(c, '('))
        return malformed(c, "a shape such as (3, 4)");
    while (!take(c, ')')) {
        size_t side = 0;
        bool digit = false;

        if (!comma)
            return malformed(c, "',' or ')' in the shape");
        if (h->rank == LANCET_NPY_RANK_MAX)
            return lancet_fail(c->error, LANCET_ERROR_UNSUPPORTED, "%s: more than %d dimensions", c->path,
                               LANCET_NPY_RANK_MAX);
        skip_space(c);
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digit = true)
            if (!lancet_multiply(&side, side, 10) || !lancet_add(&side, side, (size_t)(*c->at - '0')))
                return lancet_fail(c->error, LANCET_ERROR_INPUT, "%s: .npy header: a side beyond all memory",
                                   c->path);
        if (!digit)
            return malformed(c, "a whole number in the shape");
        if (c->at < c->end && *c->at == 'L') /* Python 2 wrote 3L */
            c->at++;
        h->shape[h->rank++] = side;
        comma = take(c, ',');
    }
    return LANCET_OK;
}

static lancet_status parse_header(cursor *c, header *h)
{
    bool has_type = false, has_order = false, has_shape = false, comma = true;
    lancet_status status = LANCET_OK;

    if (!take(c, '{'))
        return malformed(c, "'{'");
    while (!take(c, '}')) {
        char key[16];

        if (!comma || !take_string(c, key, sizeof key) || !take(c, ':'))
            return malformed(c, "'descr', 'fortran_order' or 'shape', each with its value");
        if (strcmp(key, "descr") == 0 && !has_type) {
            has_type = true;
            status = parse_element(c, &h->element);
        } else if (strcmp(key, "fortran_order") == 0 && !has_order) {
            has_order = true;
            h->fortran = take_word(c, "True");
            if (!h->fortran && !take_word(c, "False"))
                status = malformed(c, "True or False after 'fortran_order'");
        } else if (strcmp(key, "shape") == 0 && !has_shape) {
            has_shape = true;
            status = parse_shape(c, h);
        } else {
            status = lancet_fail(c->error, LANCET_ERROR_INPUT,
                                 "%s: .npy header: key '%s' is unknown or twice there", c->path, key);
        }
        if (status != LANCET_OK)
            return status;
        comma = take(c, ',');
    }
    skip_space(c);
    if (c->at != c->end)
        return malformed(c, "nothing after '}'");
    if (!has_type || !has_order || !has_shape)
        return lancet_fail(c->error, LANCET_ERROR_INPUT, "%s: .npy header: '%s' is missing", c->path,
                           !has_type    ? "descr"
                           : !has_order ? "fortran_order"
                                        : "shape");
    return LANCET_OK;
}

/* Finds the header in the file, parses it, and says where the elements begin. */
static lancet_status read_header(header *h, size_t *start, const lancet_mapping *file, const char *path,
                                 lancet_error *error)
{
    const uint8_t *bytes = file->bytes;
    size_t length, fixed;
    cursor c;

    if (file->length < sizeof magic + 4 || memcmp(bytes, magic, sizeof magic) != 0)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: not a .npy file", path);
    if (bytes[6] < 1 || bytes[6] > 3)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "%s: .npy version %d.%d; expected 1 to 3", path,
                           bytes[6], bytes[7]);
    fixed = bytes[6] == 1 ? 10 : 12;
    if (file->length < fixed)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: cut short in the .npy header", path);
    length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > HEADER_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: a .npy header of %zu bytes; expected at most %d",
                           path, length, HEADER_MAX);
    if (length > file->length - fixed)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: cut short in the .npy header", path);
    c = (cursor){(const char *)bytes + fixed, (const char *)bytes + fixed + length, path, error};
    *start = fixed + length;
    return parse_header(&c, h);
}

/* ---- The elements -------------------------------------------------------------------------------------- */

static uint64_t load(const uint8_t *bytes, const element *e)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < e->size; i++)
        bits |= (uint64_t)bytes[i] << 8 * (e->big_endian ? e->size - 1 - i : i);
    return bits;
}

static float half(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31);
    const float fraction = (float)(bits & 1023);
    const float value = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                        : exponent == 0 ? ldexpf(fraction, -24)
                                        : ldexpf(1024 + fraction, exponent - 25);

    return bits >> 15 ? -value : value;
}

static float to_float(uint64_t bits, const element *e)
{
    uint32_t narrow = (uint32_t)bits;
    double wide;
    float value;

    if (e->size == 2)
        return half(bits);
    if (e->size == 4) {
        memcpy(&value, &narrow, sizeof value);
        return value;
    }
    memcpy(&wide, &bits, sizeof wide);
    if (fabs(wide) > FLT_MAX) /* the language leaves the conversion undefined */
        return wide > 0 ? INFINITY : -INFINITY;
    return (float)wide;
}

/* Whether the integer fits 32 bits, and then *value. */
static bool to_integer(int32_t *value, uint64_t bits, const element *e)
{
    int64_t wide;

    if (e->kind == 'u') {
        if (bits > INT32_MAX)
            return false;
        *value = (int32_t)bits;
        return true;
    }
    if (e->size < 8 && bits >> (8 * e->size - 1))
        bits |= ~UINT64_C(0) << 8 * e->size;
    memcpy(&wide, &bits, sizeof wide);
    *value = (int32_t)wide;
    return wide >= INT32_MIN && wide <= INT32_MAX;
}

/* Steps `index` to the next element in row-major order; returns where that element lies in Fortran's order.
 */
static size_t step(size_t *index, const header *h)
{
    size_t place = 0, stride = 1;

    for (size_t d = h->rank; d-- > 0;) {
        if (++index[d] < h->shape[d])
            break;
        index[d] = 0;
    }
    for (size_t d = 0; d < h->rank; d++) {
        place += index[d] * stride;
        stride *= h->shape[d];
    }
    return place;
}

static lancet_status read_elements(lancet_npy *array, const header *h, const uint8_t *bytes, const char *path,
                                   lancet_error *error)
{
    const element *e = &h->element;
    size_t index[LANCET_NPY_RANK_MAX] = {0}, place = 0;

    if (e->kind == 'f' && e->size == 4 && !h->fortran && !e->big_endian &&
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(array->values, bytes, array->count * sizeof(float));
        return LANCET_OK;
    }
    for (size_t i = 0; i < array->count; i++) {
        const uint64_t bits = load(bytes + place * e->size, e);

        if (array->type == LANCET_NPY_FLOAT32) {
            ((float *)array->values)[i] = to_float(bits, e);
        } else if (array->type == LANCET_NPY_UINT8) {
            ((uint8_t *)array->values)[i] = e->kind == 'b' ? bits != 0 : (uint8_t)bits;
        } else if (!to_integer((int32_t *)array->values + i, bits, e)) {
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "%s: element %zu does not fit 32 bits; expected -2147483648 to 2147483647",
                               path, i);
        }
        place = h->fortran ? step(index, h) : i + 1;
    }
    return LANCET_OK;
}

/* count = product of the shape, and the file holds exactly that many elements after `start`. */
static lancet_status check_size(size_t *count, const header *h, size_t start, size_t length, const char *path,
                                lancet_error *error)
{
    size_t bytes;
    bool fits = true;

    *count = 1;
    for (size_t d = 0; d < h->rank; d++)
        fits = fits && lancet_multiply(count, *count, h->shape[d]);
    if (!fits || !lancet_multiply(&bytes, *count, h->element.size))
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: the shape is beyond all memory", path);
    if (bytes != length - start)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "%s: the shape asks for %zu bytes of elements, the file has %zu", path, bytes,
                           length - start);
    return LANCET_OK;
}

lancet_status lancet_npy_read(lancet_npy *array, const char *path, lancet_error *error)
{
    lancet_mapping file = {0};
    header h = {0};
    size_t start = 0, count = 0;
    lancet_status status;

    if (array)
        *array = (lancet_npy){0};
    if (!array || !path)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_npy_read: NULL");
    status = lancet_mapping_open(&file, path, error);
    if (status == LANCET_OK)
        status = read_header(&h, &start, &file, path, error);
    if (status == LANCET_OK)
        status = check_size(&count, &h, start, file.length, path, error);
    if (status != LANCET_OK)
        goto done;
    array->type = h.element.kind == 'f'                          ? LANCET_NPY_FLOAT32
                  : h.element.size == 1 && h.element.kind != 'i' ? LANCET_NPY_UINT8
                                                                 : LANCET_NPY_INT32;
    array->rank = h.rank;
    memcpy(array->shape, h.shape, sizeof h.shape);
    array->count = count;
    array->values = lancet_allocate(count, array->type == LANCET_NPY_UINT8 ? 1 : 4);
    status = array->values ? read_elements(array, &h, file.bytes + start, path, error)
                           : lancet_fail_memory(error, path);
done:
    if (status != LANCET_OK)
        lancet_npy_close(array);
    lancet_mapping_close(&file);
    return status;
}

void lancet_npy_close(lancet_npy *array)
{
    if (!array)
        return;
    lancet_free(array->values);
    *array = (lancet_npy){0};
}

/* ---- Writing ------------------------------------------------------------------------------------------- */

static void append_header(lancet_buffer *file, lancet_npy_type type, const size_t *shape, size_t rank)
{
    static const char *const names[] = {"<f4", "<i4", "|u1"};
    lancet_buffer text = {0};
    size_t length;

    lancet_buffer_print(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (", names[type]);
    for (size_t d = 0; d < rank; d++)
        lancet_buffer_print(&text, "%zu%s", shape[d], rank == 1 ? "," : d + 1 < rank ? ", " : "");
    lancet_buffer_print(&text, "), }");
    if (text.failed) {
        file->failed = true;
    } else {
        /* Padded so that the elements begin at a multiple of 64 bytes, as numpy does for those who map the
         * file. */
        length = (10 + text.length + 1 + 63) / 64 * 64 - 10;
        lancet_buffer_append(file, magic, sizeof magic);
        lancet_buffer_append(file, (const char[]){1, 0, (char)(length & 255), (char)(length >> 8)}, 4);
        lancet_buffer_print(file, "%-*s\n", (int)length - 1, text.bytes);
    }
    lancet_buffer_close(&text);
}

lancet_status lancet_npy_write(const char *path, lancet_npy_type type, const size_t *shape, size_t rank,
                               const void *values, lancet_error *error)
{
    const size_t size = type == LANCET_NPY_UINT8 ? 1 : 4;
    const bool swapped = size > 1 && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__;
    lancet_buffer file = {0};
    lancet_status status = LANCET_OK;
    size_t count = 1, bytes;

    if (!path || (!shape && rank) || !values)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_npy_write: NULL");
    if (rank > LANCET_NPY_RANK_MAX || (int)type < LANCET_NPY_FLOAT32 || type > LANCET_NPY_UINT8)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "%s: %zu dimensions of type %d; expected at most %d, type 0 to 2", path, rank,
                           (int)type, LANCET_NPY_RANK_MAX);
    for (size_t d = 0; d < rank; d++)
        if (!lancet_multiply(&count, count, shape[d]))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: the shape is beyond all memory", path);
    if (!lancet_multiply(&bytes, count, size))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: the shape is beyond all memory", path);
    append_header(&file, type, shape, rank);
    if (swapped) {
        for (size_t i = 0; i < count && !file.failed; i++) {
            const char *v = (const char *)values + 4 * i;

            lancet_buffer_append(&file, (const char[]){v[3], v[2], v[1], v[0]}, 4);
        }
    }
    /* The values go from the caller's memory to the file: a copy of a large map would double the peak. */
    const lancet_piece pieces[] = {{file.bytes, file.length}, {values, swapped ? 0 : bytes}};

    status = file.failed ? lancet_fail_memory(error, path) : lancet_file_write_pieces(path, pieces, 2, error);
    lancet_buffer_close(&file);
    return status;
}
