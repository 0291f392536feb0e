/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/entities.h"

#include "clip/text/characters.h"

#include <string.h>

/* The longest name html.unescape and ftfy's pattern look at. */
enum { NAME_MAX_HTML = 32, NAME_MAX_CAREFUL = 24 };

static bool is_digit(uint32_t point)
{
    return point >= '0' && point <= '9';
}

static bool is_letter(uint32_t point)
{
    return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
}

static int hexadecimal(uint32_t point)
{
    if (is_digit(point))
        return (int)(point - '0');
    if (point >= 'a' && point <= 'f')
        return (int)(point - 'a') + 10;
    if (point >= 'A' && point <= 'F')
        return (int)(point - 'A') + 10;
    return -1;
}

const lancet_entity *lancet_entity_find(const uint32_t *name, size_t length, unsigned forms)
{
    char key[sizeof lancet_entities->name] = {0};
    size_t low = 0, high = lancet_entity_count;

    if (length >= sizeof key)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (!is_letter(name[i]) && !is_digit(name[i]))
            return NULL;
        key[i] = (char)name[i];
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(key, lancet_entities[middle].name);

        if (order == 0)
            return lancet_entities[middle].forms & forms ? &lancet_entities[middle] : NULL;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool push_entity(lancet_points *out, const lancet_entity *entity)
{
    size_t count = 1;

    while (count < 3 && entity->points[count])
        count++;
    return lancet_points_append(out, entity->points, count);
}

/* The character that a numeric reference stands for. Numbers that are no characters go by HTML's rules: the
 * C1 range means Windows-1252, non-characters vanish (`*nothing`), what is out of range becomes U+FFFD. */
static uint32_t numbered(uint32_t number, bool *nothing)
{
    if (number >= 0x80 && number <= 0x9F)
        return lancet_windows_1252(number);
    if (number == 0 || (number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF)
        return 0xFFFD;
    *nothing = number <= 8 || number == 0x0B || (number >= 0x0E && number <= 0x1F) || number == 0x7F ||
               (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
    return number;
}

/* Reads "#123;" or "#x1F;" at at[0..length), the semicolon optional. Returns how many points it takes, 0 if
 * there is no number. */
static size_t read_number(uint32_t *point, bool *nothing, const uint32_t *at, size_t length)
{
    const bool hex = length > 1 && (at[1] == 'x' || at[1] == 'X');
    const size_t first = hex ? 2 : 1;
    size_t next = first;
    uint32_t number = 0;

    for (; next < length; next++) {
        const int digit = hexadecimal(at[next]);

        if (digit < 0 || (!hex && digit > 9))
            break;
        if (number <= 0x10FFFF) /* beyond it only "too large" matters */
            number = number * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (next == first)
        return 0;
    *nothing = false;
    *point = numbered(number, nothing);
    return next + (next < length && at[next] == ';');
}

/* Whether html.unescape lets `point` stand in a name; names are made of much less, but it is the longest run
 * that is compared with them from its end. */
static bool may_be_named(uint32_t point)
{
    return point != '\t' && point != '\n' && point != '\f' && point != ' ' && point != '<' && point != '&' &&
           point != '#' && point != ';';
}

/* The entity at at[0..length), just behind an '&'; *taken is how many points it takes. */
static const lancet_entity *read_name(size_t *taken, const uint32_t *at, size_t length)
{
    size_t name = 0;

    while (name < length && name < NAME_MAX_HTML && may_be_named(at[name]))
        name++;
    if (name < length && at[name] == ';') {
        const lancet_entity *entity = lancet_entity_find(at, name, LANCET_ENTITY_SEMICOLON);

        *taken = name + 1;
        if (entity)
            return entity;
    }
    for (; name >= 2; name--) {
        const lancet_entity *entity = lancet_entity_find(at, name, LANCET_ENTITY_BARE);

        *taken = name;
        if (entity)
            return entity;
    }
    return NULL;
}

bool lancet_entities_resolve(lancet_points *out, const lancet_points *in)
{
    const uint32_t *points = in->points;
    size_t at = 0;

    if (!lancet_points_reserve(out, in->count))
        return false;
    while (at < in->count) {
        const size_t left = in->count - at - 1;
        const lancet_entity *entity;
        uint32_t point;
        bool nothing;
        size_t taken = 0;

        if (points[at] == '&' && left > 0 && points[at + 1] == '#') {
            taken = read_number(&point, &nothing, points + at + 1, left);
            if (taken && !nothing && !lancet_points_push(out, point))
                return false;
        } else if (points[at] == '&' && (entity = read_name(&taken, points + at + 1, left)) != NULL) {
            if (!push_entity(out, entity))
                return false;
        } else {
            taken = 0;
        }
        if (!taken && !lancet_points_push(out, points[at]))
            return false;
        at += 1 + taken;
    }
    return true;
}

bool lancet_entities_resolve_careful(lancet_points *out, const lancet_points *in)
{
    const uint32_t *points = in->points;
    size_t at = 0;

    if (!lancet_points_reserve(out, in->count))
        return false;
    while (at < in->count) {
        const bool number = points[at] == '&' && at + 1 < in->count && points[at + 1] == '#';
        const size_t name = at + 1 + number;
        size_t end = name;
        const lancet_entity *entity = NULL;
        bool nothing = false, resolved = false;
        uint32_t point = 0;

        if (points[at] == '&') {
            while (end < in->count && end - name < NAME_MAX_CAREFUL &&
                   (is_letter(points[end]) || is_digit(points[end])))
                end++;
        }
        if (end > name && end < in->count && points[end] == ';') {
            if (!number)
                entity = lancet_entity_find(points + name, end - name,
                                            LANCET_ENTITY_SEMICOLON | LANCET_ENTITY_CAPITALS);
            else /* the number has to go up to the semicolon, and must not be one itself: ftfy leaves those
                    alone */
                resolved =
                    read_number(&point, &nothing, points + name - 1, end + 2 - name) == end + 2 - name &&
                    point != ';';
        }
        if (entity ? !push_entity(out, entity)
                   : !(resolved && nothing) && !lancet_points_push(out, resolved ? point : points[at]))
            return false;
        at = entity || resolved ? end + 1 : at + 1;
    }
    return true;
}
