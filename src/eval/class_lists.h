/* Class lists from the inside. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_CLASS_LISTS_H
#define LANCET_EVAL_CLASS_LISTS_H

#include "base/status.h"
#include "lancet/classes.h"

/** What the numbers of colour masks are. */
typedef enum lancet_label_colours {
    LANCET_LABEL_COLOURS_VOC, /* a value as VOC's palette colours it */
    LANCET_LABEL_COLOURS_RG   /* R + 256 G */
} lancet_label_colours;

struct lancet_classes {
    char *name;
    lancet_class *classes; /* [count]; each one's words are one block, which holds the name's text as well */
    size_t count, capacity;
    uint16_t *labels; /* [value_count]: of each value */
    size_t value_count, value_capacity;
    lancet_label_colours colours;
};

/** Values beyond this are none. */
#define LANCET_VALUES_MAX 65535

/** A built-in list. Values are written "1-11 13 255". */
typedef struct lancet_class_list {
    lancet_classes_about about;
    const char *names;      /* one a line */
    const char *values;     /* in the order of the names */
    const char *background; /* "" if nothing is */
    const char *ignored;
    size_t things;  /* how many of the first are countable; the rest is stuff. 0: unsaid for all */
    bool red_green; /* the values of colour masks are R + 256 G */
} lancet_class_list;

extern const lancet_class_list lancet_class_lists[];
extern const size_t lancet_class_lists_count;

/** An empty list, to which the following add. Errors: MEMORY. */
lancet_status lancet_classes_create(lancet_classes **classes, const char *name, lancet_error *error);

/** The same from a file of the form that lancet/classes.h describes. Errors: IO, INPUT, MEMORY. */
lancet_status lancet_classes_read(lancet_classes **classes, const char *path, lancet_error *error);

/** Adds a class from "name, synonym, ...". Errors: INPUT (no name, not UTF-8, a control character, too many
 * classes), MEMORY. */
lancet_status lancet_classes_add(lancet_classes *classes, const char *text, size_t length,
                                 lancet_error *error);

/** Takes back the last class, which no value may stand for yet. */
void lancet_classes_drop_last(lancet_classes *classes);

/** Lets `value` stand for `label`: a class index or LANCET_LABEL_NONE or _IGNORE. Errors: INPUT (beyond
 * LANCET_VALUES_MAX, or taken by another), MEMORY. */
lancet_status lancet_classes_set(lancet_classes *classes, uint32_t value, uint16_t label,
                                 lancet_error *error);

/** Index of the class of that name; LANCET_LABEL_UNKNOWN if there is none. */
uint16_t lancet_classes_find(const lancet_classes *classes, const char *name);

/** Replaces the words of a class by one. Errors: MEMORY. */
lancet_status lancet_classes_reword(lancet_classes *classes, size_t index, const char *word,
                                    lancet_error *error);

/** Opens the list `name` that the user gave: built in, a file, or a file in `folder`. */
lancet_status lancet_classes_open_in(lancet_classes **classes, const char *name, const char *folder,
                                     lancet_error *error);

#endif
