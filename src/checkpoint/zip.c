/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/zip.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "checkpoint/show.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX ((uint64_t)1 << 20)
#define SHOWN       96 /* bytes of a member's name in a message */

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END_64_SIZE = 56, ENTRY_SIZE = 46, HEADER_SIZE = 30 };
enum { COMMENT_MAX = 0xFFFF, ZIP64_FIELD = 1 };
enum { FLAG_ENCRYPTED = 1, FLAG_SIZES_FOLLOW = 8 };

typedef struct reader {
    lancet_zip *zip;
    const uint8_t *bytes;
    size_t length;
    size_t directory, directory_end; /* where it lies */
    uint64_t count;                  /* of members, as the end record says */
    const char *path;
    lancet_error *error;
} reader;

/* What a member's entry in the directory says. */
typedef struct entry {
    const uint8_t *name;
    size_t name_length;
    unsigned flags, method;
    uint64_t packed_size, size, header;
} entry;

/* Where a member begins and ends with all that is its own. */
typedef struct extent {
    size_t begin, end;
    const lancet_zip_member *member;
} extent;

static uint64_t read_number(const uint8_t *bytes, int size)
{
    uint64_t number = 0;

    while (size-- > 0)
        number = number << 8 | bytes[size];
    return number;
}

static unsigned read_short(const uint8_t *bytes)
{
    return (unsigned)read_number(bytes, 2);
}

static uint64_t read_word(const uint8_t *bytes)
{
    return read_number(bytes, 4);
}

static bool is_signature(const uint8_t *bytes, const char *signature)
{
    return memcmp(bytes, signature, 4) == 0;
}

static lancet_status fail(const reader *r, const char *what)
{
    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: the zip archive: %s", r->path, what);
}

static lancet_status fail_member(const reader *r, const uint8_t *name, size_t length, const char *what)
{
    char shown[SHOWN];

    return lancet_fail(r->error, LANCET_ERROR_INPUT, "%s: member %s of the archive: %s", r->path,
                       lancet_show_piece(shown, sizeof shown, (const char *)name, length), what);
}

/* The end record is the last thing in the file but for a comment, whose length it states. */
static const uint8_t *find_end(const reader *r)
{
    for (size_t back = END_SIZE; back <= r->length && back <= END_SIZE + COMMENT_MAX; back++) {
        const uint8_t *end = r->bytes + r->length - back;

        if (is_signature(end, "PK\5\6") && read_short(end + 20) == back - END_SIZE)
            return end;
    }
    return NULL;
}

/* A field of the old record that is too small for its number is all ones; one that is not has to agree. */
static bool agree(const uint8_t *field, int size, uint64_t number)
{
    const uint64_t said = read_number(field, size), full = size == 2 ? 0xFFFF : 0xFFFFFFFF;

    return said == full || said == number;
}

/* Zip64: a second, wider end record, found by a locator that stands before the first. PyTorch always writes
 * it. */
static lancet_status read_end_64(reader *r, const uint8_t *end, const uint8_t *locator, uint64_t *size,
                                 uint64_t *offset)
{
    const uint64_t place = read_number(locator + 8, 8);
    const uint64_t locator_place = (uint64_t)(locator - r->bytes);
    const uint8_t *wide;

    if (locator_place < END_64_SIZE || place > locator_place - END_64_SIZE)
        return fail(r, "its Zip64 end record lies outside of it");
    wide = r->bytes + place;
    if (!is_signature(wide, "PK\6\6") || read_number(wide + 4, 8) != locator_place - place - 12)
        return fail(r, "its Zip64 end record is none");
    if (read_word(wide + 16) || read_word(wide + 20) || read_word(locator + 4) ||
        read_word(locator + 16) > 1 || read_number(wide + 24, 8) != read_number(wide + 32, 8))
        return lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: found a zip archive in several parts, which is not supported", r->path);
    r->count = read_number(wide + 32, 8);
    *size = read_number(wide + 40, 8);
    *offset = read_number(wide + 48, 8);
    if (!agree(end + 10, 2, r->count) || !agree(end + 12, 4, *size) || !agree(end + 16, 4, *offset))
        return fail(r, "its end record and its Zip64 end record disagree");
    r->directory_end = (size_t)place;
    return LANCET_OK;
}

/* Where the directory is. It has to stand right before the end record, so that there is only one way to read
 * the file. */
static lancet_status read_end(reader *r)
{
    const uint8_t *end = find_end(r);
    uint64_t size, offset;
    lancet_status status = LANCET_OK;

    if (!end)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: expected a zip archive with its directory at the end, found none: cut short?",
                           r->path);
    r->directory_end = (size_t)(end - r->bytes);
    r->count = read_short(end + 10);
    size = read_word(end + 12);
    offset = read_word(end + 16);
    if (r->directory_end >= LOCATOR_SIZE && is_signature(end - LOCATOR_SIZE, "PK\6\7"))
        status = read_end_64(r, end, end - LOCATOR_SIZE, &size, &offset);
    else if (read_short(end + 4) || read_short(end + 6) || read_short(end + 8) != r->count)
        status = lancet_fail(r->error, LANCET_ERROR_UNSUPPORTED,
                             "%s: found a zip archive in several parts, which is not supported", r->path);
    if (status != LANCET_OK)
        return status;
    if (offset > r->directory_end || size != r->directory_end - offset)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: the zip archive: its directory of %" PRIu64 " bytes at %" PRIu64
                           " does not end where its end record starts, at %zu",
                           r->path, size, offset, r->directory_end);
    /* Before anything is allocated for them. */
    if (r->count > size / ENTRY_SIZE || r->count > MEMBERS_MAX)
        return lancet_fail(r->error, LANCET_ERROR_INPUT,
                           "%s: the zip archive: lists %" PRIu64 " members in a directory of %" PRIu64
                           " bytes",
                           r->path, r->count, size);
    r->directory = (size_t)offset;
    return LANCET_OK;
}

/* Extra fields are pairs of an identity and a length, then so many bytes. Zip64's holds, in this order, those
 * of the numbers that are all ones in the entry itself. False if it does not hold them. */
static bool widen(const uint8_t *extra, size_t length, uint64_t *const numbers[], size_t count)
{
    size_t wanted = 0;

    for (size_t i = 0; i < count; i++)
        wanted += *numbers[i] == 0xFFFFFFFF;
    while (wanted && length >= 4) {
        const size_t size = read_short(extra + 2);

        if (size > length - 4)
            return false;
        if (read_short(extra) == ZIP64_FIELD) {
            const uint8_t *from = extra + 4;

            if (size < 8 * wanted)
                return false;
            for (size_t i = 0; i < count; i++)
                if (*numbers[i] == 0xFFFFFFFF) {
                    *numbers[i] = read_number(from, 8);
                    from += 8;
                }
            return true;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return !wanted;
}

/* One entry of the directory; *at moves behind it. */
static lancet_status read_entry(const reader *r, entry *e, size_t *at)
{
    const uint8_t *from = r->bytes + *at;
    const size_t left = r->directory_end - *at;
    size_t extra_length, total;

    if (left < ENTRY_SIZE || !is_signature(from, "PK\1\2"))
        return fail(r, "its directory is cut short or damaged");
    e->name = from + ENTRY_SIZE;
    e->name_length = read_short(from + 28);
    extra_length = read_short(from + 30);
    total = ENTRY_SIZE + e->name_length + extra_length + read_short(from + 32);
    if (total > left)
        return fail(r, "its directory is cut short or damaged");
    e->flags = read_short(from + 8);
    e->method = read_short(from + 10);
    e->packed_size = read_word(from + 20);
    e->size = read_word(from + 24);
    e->header = read_word(from + 42);
    if (!e->name_length || memchr(e->name, '\0', e->name_length) ||
        lancet_utf8_check((const char *)e->name, e->name_length) != e->name_length)
        return fail(r, "a member whose name is no text in UTF-8");
    if (!widen(e->name + e->name_length, extra_length,
               (uint64_t *const[]){&e->size, &e->packed_size, &e->header}, 3))
        return fail_member(r, e->name, e->name_length, "its Zip64 sizes are missing");
    *at += total;
    return LANCET_OK;
}

/* The member's own header repeats what the directory says; some readers trust the one, some the other. Sizes
 * that were not known yet when it was written stand behind the member, and zeros here. */
static lancet_status check_header(const reader *r, const entry *e, lancet_zip_member *member, extent *place)
{
    const uint8_t *header;
    uint64_t size, packed_size;
    size_t room, front, extra_length;

    if (e->header > r->directory || r->directory - (size_t)e->header < HEADER_SIZE)
        return fail_member(r, e->name, e->name_length, "it lies outside of the archive");
    header = r->bytes + e->header;
    room = r->directory - (size_t)e->header;
    if (!is_signature(header, "PK\3\4"))
        return fail_member(r, e->name, e->name_length, "it does not lie where the directory says");
    extra_length = read_short(header + 28);
    front = HEADER_SIZE + e->name_length + extra_length;
    if (read_short(header + 26) != e->name_length || front > room ||
        memcmp(header + HEADER_SIZE, e->name, e->name_length) != 0)
        return fail_member(r, e->name, e->name_length, "its own header has another name");
    if (e->packed_size > room - front)
        return fail_member(r, e->name, e->name_length, "its bytes end outside of the archive: cut short?");
    packed_size = read_word(header + 18);
    size = read_word(header + 22);
    if (!widen(header + HEADER_SIZE + e->name_length, extra_length, (uint64_t *const[]){&size, &packed_size},
               2) ||
        !((size == e->size && packed_size == e->packed_size) ||
          (read_short(header + 6) & FLAG_SIZES_FOLLOW && !size && !packed_size)))
        return fail_member(r, e->name, e->name_length,
                           "its own header and the directory disagree on its size");
    if (read_short(header + 8) != e->method || (read_short(header + 6) ^ e->flags) & FLAG_ENCRYPTED)
        return fail_member(r, e->name, e->name_length,
                           "its own header and the directory disagree on how it is packed");
    if (e->method == 0 && e->size != e->packed_size)
        return fail_member(r, e->name, e->name_length, "it is stored as it is, but has two sizes");
    *member =
        (lancet_zip_member){(const char *)e->name, e->name_length, header + front, (size_t)e->packed_size,
                            e->flags & FLAG_ENCRYPTED ? "encrypted"
                            : e->method               ? "compressed"
                                                      : NULL};
    *place = (extent){(size_t)e->header, (size_t)e->header + front + member->length, member};
    return LANCET_OK;
}

static int compare_places(const void *left, const void *right)
{
    const extent *a = left, *b = right;

    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* Members that share bytes are how a small file pretends to be a large one. */
static lancet_status check_places(const reader *r, extent *places, size_t count)
{
    if (count)
        qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 1; i < count; i++)
        if (places[i].begin < places[i - 1].end)
            return fail_member(r, (const uint8_t *)places[i].member->name, places[i].member->name_length,
                               "it lies inside another member");
    return LANCET_OK;
}

static int compare_text(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const size_t common = a_length < b_length ? a_length : b_length;
    const int order = common ? memcmp(a, b, common) : 0;

    return order ? order : a_length < b_length ? -1 : a_length > b_length;
}

static int compare_names(const void *left, const void *right)
{
    const lancet_zip_member *const *a = left, *const *b = right;

    return compare_text((*a)->name, (*a)->name_length, (*b)->name, (*b)->name_length);
}

static lancet_status index_names(const reader *r)
{
    lancet_zip *zip = r->zip;

    for (size_t i = 0; i < zip->count; i++)
        zip->sorted[i] = &zip->members[i];
    if (zip->count)
        qsort(zip->sorted, zip->count, sizeof *zip->sorted, compare_names);
    for (size_t i = 1; i < zip->count; i++)
        if (compare_names(&zip->sorted[i - 1], &zip->sorted[i]) == 0)
            return fail_member(r, (const uint8_t *)zip->sorted[i]->name, zip->sorted[i]->name_length,
                               "it is there twice");
    return LANCET_OK;
}

static lancet_status read_directory(reader *r, extent *places)
{
    lancet_status status = LANCET_OK;
    size_t at = r->directory;
    entry e;

    for (; status == LANCET_OK && r->zip->count < r->count; r->zip->count++) {
        status = read_entry(r, &e, &at);
        if (status == LANCET_OK)
            status = check_header(r, &e, &r->zip->members[r->zip->count], &places[r->zip->count]);
    }
    if (status == LANCET_OK && at != r->directory_end)
        status = fail(r, "its directory holds more than its end record says");
    if (status == LANCET_OK)
        status = check_places(r, places, r->zip->count);
    return status == LANCET_OK ? index_names(r) : status;
}

lancet_status lancet_zip_open(lancet_zip *zip, const uint8_t *bytes, size_t length, const char *path,
                              lancet_error *error)
{
    reader r = {.zip = zip, .bytes = bytes, .length = length, .path = path, .error = error};
    extent *places = NULL;
    lancet_status status;

    *zip = (lancet_zip){0};
    status = read_end(&r);
    if (status != LANCET_OK)
        return status;
    zip->members = lancet_allocate((size_t)r.count, sizeof *zip->members);
    zip->sorted = lancet_allocate((size_t)r.count, sizeof *zip->sorted);
    places = lancet_allocate((size_t)r.count, sizeof *places);
    status =
        zip->members && zip->sorted && places ? read_directory(&r, places) : lancet_fail_memory(error, path);
    lancet_free(places);
    if (status != LANCET_OK)
        lancet_zip_close(zip);
    return status;
}

const lancet_zip_member *lancet_zip_find(const lancet_zip *zip, const char *name, size_t name_length)
{
    size_t low = 0, high = zip->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const lancet_zip_member *member = zip->sorted[middle];
        const int order = compare_text(member->name, member->name_length, name, name_length);

        if (order == 0)
            return member;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void lancet_zip_close(lancet_zip *zip)
{
    lancet_free(zip->members);
    lancet_free(zip->sorted);
    *zip = (lancet_zip){0};
}
