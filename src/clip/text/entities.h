/* HTML character references. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_TEXT_ENTITIES_H
#define LANCET_CLIP_TEXT_ENTITIES_H

#include "clip/text/points.h"

/** One name, without '&' and ';', and what it stands for. */
typedef struct lancet_entity {
    char name[32];
    uint8_t forms;      /**< how it may be written: a sum of lancet_entity_form */
    uint32_t points[3]; /**< one to three code points, then zeros */
} lancet_entity;

typedef enum lancet_entity_form {
    LANCET_ENTITY_SEMICOLON = 1, /**< &name; */
    LANCET_ENTITY_BARE = 2,      /**< &name  (the old names that HTML also takes without a semicolon) */
    LANCET_ENTITY_CAPITALS = 4   /**< &NAME; (no HTML, but ftfy takes it) */
} lancet_entity_form;

/** Sorted by name (entities_table.c). */
extern const lancet_entity lancet_entities[];
extern const size_t lancet_entity_count;

/** The entity called name[0..length), in one of `forms`; NULL if there is none. */
const lancet_entity *lancet_entity_find(const uint32_t *name, size_t length, unsigned forms);

/** Appends `in` to `out` with every reference resolved once, as Python's html.unescape does: names with
 * and without semicolon (the longest that fits), numbers with HTML's table for those that are no
 * characters.
 * False if memory is out. */
bool lancet_entities_resolve(lancet_points *out, const lancet_points *in);

/** The same as ftfy's unescape_html does it: only references that end in a semicolon, and names in
 * capitals too. */
bool lancet_entities_resolve_careful(lancet_points *out, const lancet_points *in);

#endif
