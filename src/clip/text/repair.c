/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/repair.h"

#include "clip/text/characters.h"
#include "clip/text/compose.h"
#include "clip/text/entities.h"

#include <string.h>
#include <utf8proc.h>

/* ftfy works on lines, and breaks lines that are longer than this. */
#define SEGMENT_MAX ((size_t)1000000)

/* Rounds are bounded by the points they touch: this many times the text's, and this many in any case. */
#define WORK_FACTOR ((size_t)64)
#define WORK_LEAST  ((size_t)1 << 20)

/* The Latin ligatures and digraphs that ftfy takes apart; NULL for any other character. */
static const char *ligature(uint32_t point)
{
    static const char *const digraphs[] = {"D\u017D", "D\u017E", "d\u017E", "LJ", "Lj",
                                           "lj",      "NJ",      "Nj",      "nj"};
    static const char *const presentation[] = {"ff", "fi", "fl", "ffi", "ffl", "\u017Ft", "st"};

    switch (point) {
    case 0x132:
        return "IJ";
    case 0x133:
        return "ij";
    case 0x149:
        return "\u02BCn";
    case 0x1F1:
        return "DZ";
    case 0x1F2:
        return "Dz";
    case 0x1F3:
        return "dz";
    default:
        if (point >= 0x1C4 && point <= 0x1CC)
            return digraphs[point - 0x1C4];
        if (point >= 0xFB00 && point <= 0xFB06)
            return presentation[point - 0xFB00];
        return NULL;
    }
}

static uint32_t straight_quote(uint32_t point)
{
    if (point == 0x2BC || (point >= 0x2018 && point <= 0x201B))
        return '\'';
    if (point >= 0x201C && point <= 0x201F)
        return '"';
    return point;
}

static bool is_line_break(uint32_t point)
{
    return point == '\r' || point == 0x2028 || point == 0x2029;
}

/* One character through the steps that look at one character only: C1 controls, ligatures, width, quotes. */
static bool push_plain(lancet_points *out, uint32_t point)
{
    const char *letters;

    point = lancet_windows_1252(point);
    if ((letters = ligature(point)) != NULL) {
        const size_t first = out->count;

        if (!lancet_points_decode(out, letters, strlen(letters)))
            return false;
        for (size_t i = first; i < out->count; i++)
            out->points[i] = straight_quote(out->points[i]);
        return true;
    }
    if (point == 0x3000) {
        point = ' ';
    } else if (point >= 0xFF01 && point < 0xFFF0) {
        utf8proc_int32_t parts[8];
        int boundary = 0;
        const utf8proc_ssize_t count =
            utf8proc_decompose_char((utf8proc_int32_t)point, parts, 8,
                                    UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE, &boundary);

        for (utf8proc_ssize_t i = 0; i < count && i < 8; i++) {
            if (!lancet_points_push(out, straight_quote((uint32_t)parts[i])))
                return false;
        }
        return true;
    }
    return lancet_points_push(out, straight_quote(point));
}

/* C1 controls, ligatures, width, quotes, line breaks. */
static bool plain_characters(lancet_points *out, const lancet_points *in)
{
    if (!lancet_points_reserve(out, in->count))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        const uint32_t point = in->points[i];
        bool pushed;

        if (point == '\r' && i + 1 < in->count && in->points[i + 1] == '\n')
            continue; /* one break, not two */
        if (is_line_break(point))
            pushed = lancet_points_push(out, '\n');
        else if (point < 0x80)
            pushed = lancet_points_push(out, point);
        else
            pushed = push_plain(out, point);
        if (!pushed)
            return false;
    }
    return true;
}

static bool is_control(uint32_t point)
{
    if (point < 0x20)
        return point != '\t' && point != '\n' && point != '\f' && point != '\r';
    return point == 0x7F || (point >= 0x206A && point <= 0x206F) || point == 0xFEFF ||
           (point >= 0xFFF9 && point <= 0xFFFC);
}

/* How many points the terminal escape at points[0] takes, "ESC [ digits and semicolons, letter"; 0 if it is
 * none. */
static size_t terminal_escape(const uint32_t *points, size_t length)
{
    size_t end = 2;

    if (length < 3 || points[0] != 0x1B || points[1] != '[')
        return 0;
    while (end < length &&
           (points[end] == ';' || utf8proc_category((utf8proc_int32_t)points[end]) == UTF8PROC_CATEGORY_ND))
        end++;
    if (end < length && ((points[end] | 0x20) >= 'a' && (points[end] | 0x20) <= 'z'))
        return end + 1;
    return 0;
}

/* Takes out terminal escapes, then control characters, in one go: an escape cannot be pieced together by
 * taking out a control character, because the ESC itself goes as one. */
static void drop_controls(lancet_points *text)
{
    size_t kept = 0, at = 0;

    while (at < text->count) {
        const size_t escape = terminal_escape(text->points + at, text->count - at);

        if (escape) {
            at += escape;
        } else {
            if (!is_control(text->points[at]))
                text->points[kept++] = text->points[at];
            at++;
        }
    }
    text->count = kept;
}

/* One segment, round after round until nothing changes. `work` holds the segment and then the result. */
static lancet_status repair_segment(lancet_points *work, lancet_points *spare, lancet_points *previous,
                                    bool resolve, size_t *budget, lancet_error *error)
{
    for (;;) {
        if (work->count > *budget)
            return lancet_fail(
                error, LANCET_ERROR_ARGUMENT,
                "the text's HTML entities are nested too deep (\"&amp;amp;amp;...\"): expected "
                "nesting that unfolds in %zu rounds over the whole text",
                WORK_FACTOR);
        *budget -= work->count;
        previous->count = spare->count = 0;
        if (!lancet_points_append(previous, work->points, work->count))
            return lancet_fail_memory(error, "a text");
        if (resolve) {
            if (!lancet_entities_resolve_careful(spare, work))
                return lancet_fail_memory(error, "a text");
            lancet_points_swap(work, spare);
            spare->count = 0;
        }
        if (!plain_characters(spare, work))
            return lancet_fail_memory(error, "a text");
        lancet_points_swap(work, spare);
        drop_controls(work);
        if (!lancet_compose(work, spare))
            return lancet_fail_memory(error, "a text");
        if (work->count == previous->count &&
            (work->count == 0 ||
             memcmp(work->points, previous->points, work->count * sizeof *work->points) == 0))
            return LANCET_OK;
    }
}

lancet_status lancet_repair(lancet_points *out, const lancet_points *in, lancet_points *work,
                            lancet_points *spare, lancet_error *error)
{
    lancet_points previous = {0};
    lancet_status status = LANCET_OK;
    size_t start = 0, budget = WORK_FACTOR * in->count + WORK_LEAST;
    bool resolve = true;

    while (start < in->count) {
        size_t end = start;

        while (end < in->count && in->points[end] != '\n')
            end++;
        end += end < in->count;
        if (end - start > SEGMENT_MAX)
            end = start + SEGMENT_MAX;
        /* A literal '<' says that this is HTML, whose entities are meant: ftfy then keeps them, from this
         * line on. */
        for (size_t i = start; i < end && resolve; i++)
            resolve = in->points[i] != '<';
        work->count = 0;
        if (!lancet_points_append(work, in->points + start, end - start)) {
            status = lancet_fail_memory(error, "a text");
            goto done;
        }
        status = repair_segment(work, spare, &previous, resolve, &budget, error);
        if (status != LANCET_OK)
            goto done;
        if (!lancet_points_append(out, work->points, work->count)) {
            status = lancet_fail_memory(error, "a text");
            goto done;
        }
        start = end;
    }
done:
    lancet_points_close(&previous);
    return status;
}
