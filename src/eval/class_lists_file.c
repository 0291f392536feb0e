/* Class lists from files. SPDX-License-Identifier: Apache-2.0 */
#include "eval/class_lists.h"

#include "eval/lines.h"

#include <stdio.h>
#include <string.h>

typedef struct reading {
    lancet_classes *classes;
    bool begun;     /* a line was read, and so the form is known */
    bool valued;    /* lines begin with a value */
    size_t skipped; /* empty lines, which only the file's end may have */
} reading;

/* "255 TAB name": the value, and where the name begins; NULL if the line is of the other form. */
static const char *read_value(uint32_t *value, const char *line, size_t length)
{
    size_t i = 0;

    *value = 0;
    for (; i < length && line[i] >= '0' && line[i] <= '9'; i++)
        *value = *value > LANCET_VALUES_MAX ? *value : *value * 10 + (uint32_t)(line[i] - '0');
    return i && i < length && line[i] == '\t' ? line + i + 1 : NULL;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

/* A class seen before is known by its first name; what a line after that says of synonyms is left out. */
static lancet_status find_or_add(reading *r, uint16_t *label, const char *text, size_t length,
                                 lancet_error *error)
{
    lancet_status status = lancet_classes_add(r->classes, text, length, error);
    const size_t last = r->classes->count - 1;

    if (status != LANCET_OK)
        return status;
    *label = lancet_classes_find(r->classes, r->classes->classes[last].name);
    if (*label != last) {
        if (!r->valued)
            return lancet_fail(error, LANCET_ERROR_INPUT, "the class %s is there twice",
                               r->classes->classes[last].name);
        lancet_classes_drop_last(r->classes);
    }
    return LANCET_OK;
}

static lancet_status read_line(reading *r, const lancet_lines *lines, lancet_error *error)
{
    const char *name, *end = lines->line + lines->length;
    uint32_t value;
    uint16_t label;
    lancet_status status;

    if (!lines->length) {
        r->skipped++;
        return LANCET_OK;
    }
    if (r->skipped)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected no empty line before it, since lines are counted");
    name = read_value(&value, lines->line, lines->length);
    if (r->begun && (name != NULL) != r->valued)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "expected %sa value and a tab before the name, as above",
                           r->valued ? "" : "no line with ");
    r->begun = true;
    r->valued = name;
    if (!name) {
        name = lines->line;
        value = (uint32_t)lines->number;
    }
    if (is_word(name, (size_t)(end - name), "(background)"))
        return lancet_classes_set(r->classes, value, LANCET_LABEL_NONE, error);
    if (is_word(name, (size_t)(end - name), "(ignore)"))
        return lancet_classes_set(r->classes, value, LANCET_LABEL_IGNORE, error);
    status = find_or_add(r, &label, name, (size_t)(end - name), error);
    return status == LANCET_OK ? lancet_classes_set(r->classes, value, label, error) : status;
}

/* What goes without saying. */
static lancet_status set_defaults(lancet_classes *classes, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    if (lancet_classes_label(classes, 0) == LANCET_LABEL_UNKNOWN)
        status = lancet_classes_set(classes, 0, LANCET_LABEL_NONE, error);
    if (status == LANCET_OK && lancet_classes_label(classes, 255) == LANCET_LABEL_UNKNOWN)
        status = lancet_classes_set(classes, 255, LANCET_LABEL_IGNORE, error);
    return status;
}

static lancet_status read_all(reading *r, lancet_lines *lines, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    while (lancet_lines_next(lines, &status, error)) {
        status = read_line(r, lines, error);
        if (status == LANCET_ERROR_INPUT) {
            char prefix[LANCET_ERROR_MESSAGE_SIZE];

            snprintf(prefix, sizeof prefix, "%s: line %zu", lines->path, lines->number);
            lancet_fail_within(error, status, prefix);
        }
    }
    if (status == LANCET_OK && !r->classes->count)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected names of classes, found none", lines->path);
    return status == LANCET_OK ? set_defaults(r->classes, error) : status;
}

lancet_status lancet_classes_read(lancet_classes **classes, const char *path, lancet_error *error)
{
    reading r = {0};
    lancet_lines lines;
    lancet_status status;

    *classes = NULL;
    status = lancet_lines_open(&lines, path, error);
    if (status == LANCET_OK)
        status = lancet_classes_create(&r.classes, path, error);
    if (status == LANCET_OK)
        status = read_all(&r, &lines, error);
    lancet_lines_close(&lines);
    if (status == LANCET_OK)
        *classes = r.classes;
    else
        lancet_classes_close(&r.classes);
    return status;
}
