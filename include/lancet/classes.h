/* Lists of classes: the names that data sets go by, and the values that stand for them in label maps. Part of
 * liblancet-eval.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLASSES_H
#define LANCET_CLASSES_H

#include "lancet/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The most classes of a list. */
#define LANCET_CLASSES_MAX 16384

/** Entries of label maps that are no class. */
enum {
    LANCET_LABEL_UNKNOWN = 0xFFFD, /**< a value the list does not know; never in a truth */
    LANCET_LABEL_NONE = 0xFFFE,    /**< background: none of the classes is here */
    LANCET_LABEL_IGNORE = 0xFFFF   /**< not to be counted: borders, crowds, what nobody labelled */
};

typedef enum lancet_class_kind {
    LANCET_CLASS_UNSAID = 0, /**< the list does not tell */
    LANCET_CLASS_THING,      /**< countable: cars, people */
    LANCET_CLASS_STUFF       /**< not: sky, grass */
} lancet_class_kind;

typedef struct lancet_class {
    const char *name; /**< as reports call it; UTF-8 */
    const char *const
        *words;        /**< [word_count] what to put into prompts; the first for one, all for an average */
    size_t word_count; /**< at least 1 */
    uint32_t value;    /**< that stands for it in masks, or its category id; the lowest if several do */
    lancet_class_kind kind;
} lancet_class;

/** Immutable once open; threads may share it. */
typedef struct lancet_classes lancet_classes;

/** Opens the built-in list `name`, or if there is none of that name the file `name`.
 *
 * A file is UTF-8 with a class a line, in one of two forms:
 *   name, synonym, ...          line i (from 1) is for mask value i
 *   value TAB name, synonym, ...
 * In the second form a name that comes again gives its class another value, and the names "(background)" and
 * "(ignore)" say what else occurs. Unless a line says otherwise, value 0 is background and 255 is ignored.
 *
 * On success *classes is the caller's (lancet_classes_close), on failure NULL. Errors: ARGUMENT, IO, INPUT
 * (the message has the line), MEMORY. */
LANCET_API lancet_status lancet_classes_open(lancet_classes **classes, const char *name, lancet_error *error);

/** Frees *classes and sets it to NULL; NULL and a pointer to NULL are fine. */
LANCET_API void lancet_classes_close(lancet_classes **classes);

LANCET_API size_t lancet_classes_count(const lancet_classes *classes);

/** The class of that index; lives as long as the list. NULL for an index that is none. */
LANCET_API const lancet_class *lancet_classes_get(const lancet_classes *classes, size_t index);

/** What the list was opened by. */
LANCET_API const char *lancet_classes_name(const lancet_classes *classes);

/** The class index that a value of a mask stands for, or one of LANCET_LABEL_*. */
LANCET_API uint16_t lancet_classes_label(const lancet_classes *classes, uint32_t value);

/** A built-in list. Strings are constants. */
typedef struct lancet_classes_about {
    const char *name;  /**< "voc20" */
    const char *about; /**< one line: what it is of, and which values its masks have */
} lancet_classes_about;

/** The built-in list of that index, from 0; NULL behind the last one. */
LANCET_API const lancet_classes_about *lancet_classes_built_in(size_t index);

#ifdef __cplusplus
}
#endif
#endif
