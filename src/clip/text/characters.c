/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/characters.h"

#include <utf8proc.h>

static bool is_space(uint32_t point)
{
    switch (point) {
    case 0x20:
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return true;
    default:
        return (point >= 0x09 && point <= 0x0D) || (point >= 0x2000 && point <= 0x200A);
    }
}

lancet_character lancet_character_class(uint32_t point)
{
    if (is_space(point))
        return LANCET_CHARACTER_SPACE;
    /* The published pattern ignores case, and so its class "no space, no letter, no number" rejects a
     * character whose case variant is a letter. The combining iota is the only one that is no letter itself.
     */
    if (point == 0x345)
        return LANCET_CHARACTER_NONE;
    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return LANCET_CHARACTER_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return LANCET_CHARACTER_NUMBER;
    default:
        return LANCET_CHARACTER_OTHER;
    }
}

uint32_t lancet_windows_1252(uint32_t point)
{
    static const uint16_t table[32] = {0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021,
                                       0x2C6,  0x2030, 0x160,  0x2039, 0x152,  0x8D,   0x17D,  0x8F,
                                       0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};

    return point >= 0x80 && point <= 0x9F ? table[point - 0x80] : point;
}

/* Unicode's Case_Ignorable: the categories that are, and the punctuation that word breaking lets stand in a
 * word. */
static bool is_case_ignorable(uint32_t point)
{
    static const uint16_t punctuation[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                           0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                           0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};

    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
        return true;
    default:
        for (size_t i = 0; i < sizeof punctuation / sizeof *punctuation; i++) {
            if (punctuation[i] == point)
                return true;
        }
        return false;
    }
}

/* Unicode's Cased, of characters that are not Case_Ignorable: the cased letters, and what Other_Lowercase and
 * Other_Uppercase add to them. */
static bool is_cased(uint32_t point)
{
    switch (utf8proc_category((utf8proc_int32_t)point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
        return true;
    default:
        return point == 0xAA || point == 0xBA || (point >= 0x2160 && point <= 0x217F) ||
               (point >= 0x24B6 && point <= 0x24E9) || (point >= 0x1F130 && point <= 0x1F149) ||
               (point >= 0x1F150 && point <= 0x1F169) || (point >= 0x1F170 && point <= 0x1F189);
    }
}

/* A capital sigma is final if a cased letter stands before it and none after it, case-ignorable characters
 * aside. A sigma is not ignorable itself, so that a run is looked at from its two ends at most. */
static bool is_final_sigma(const lancet_points *text, size_t at)
{
    size_t before = at, after = at + 1;

    while (before > 0 && is_case_ignorable(text->points[before - 1]))
        before--;
    if (before == 0 || !is_cased(text->points[before - 1]))
        return false;
    while (after < text->count && is_case_ignorable(text->points[after]))
        after++;
    return after == text->count || !is_cased(text->points[after]);
}

bool lancet_lower(lancet_points *out, const lancet_points *in)
{
    if (!lancet_points_reserve(out, in->count))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t point = in->points[i];

        if (point == 0x3A3) {
            point = is_final_sigma(in, i) ? 0x3C2 : 0x3C3;
        } else if (point == 0x130) { /* the one character whose full lower case is two */
            if (!lancet_points_push(out, 'i'))
                return false;
            point = 0x307;
        } else if (point < 0x80) {
            point += point >= 'A' && point <= 'Z' ? 'a' - 'A' : 0;
        } else {
            point = (uint32_t)utf8proc_tolower((utf8proc_int32_t)point);
        }
        if (!lancet_points_push(out, point))
            return false;
    }
    return true;
}
