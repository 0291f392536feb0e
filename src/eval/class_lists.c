/* Class lists: built in or made up class by class. SPDX-License-Identifier: Apache-2.0 */
#include "eval/class_lists.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 1024

lancet_status lancet_classes_create(lancet_classes **classes, const char *name, lancet_error *error)
{
    *classes = lancet_allocate_zero(1, sizeof **classes);
    if (*classes)
        (*classes)->name = lancet_copy_text(name, strlen(name));
    if (!*classes || !(*classes)->name) {
        lancet_classes_close(classes);
        return lancet_fail_memory(error, "a list of classes");
    }
    return LANCET_OK;
}

void lancet_classes_close(lancet_classes **classes)
{
    if (!classes || !*classes)
        return;
    for (size_t i = 0; i < (*classes)->count; i++)
        lancet_free((void *)(*classes)->classes[i].words);
    lancet_free((*classes)->classes);
    lancet_free((*classes)->labels);
    lancet_free((*classes)->name);
    lancet_free(*classes);
    *classes = NULL;
}

static bool reserve_class(lancet_classes *classes)
{
    size_t capacity;
    lancet_class *grown;

    if (classes->count < classes->capacity)
        return true;
    capacity = classes->capacity ? 2 * classes->capacity : 32;
    grown = lancet_allocate(capacity, sizeof *grown);
    if (!grown)
        return false;
    if (classes->count)
        memcpy(grown, classes->classes, classes->count * sizeof *grown);
    lancet_free(classes->classes);
    classes->classes = grown;
    classes->capacity = capacity;
    return true;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The word up to the next comma, without blanks around it; returns where the next one begins, past `end`
 * behind the last one. */
static const char *next_word(const char *at, const char *end, const char **word, size_t *length)
{
    const char *comma = memchr(at, ',', (size_t)(end - at));
    const char *stop = comma ? comma : end;

    *word = skip_blanks(at, stop);
    while (stop > *word && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    *length = (size_t)(stop - *word);
    return comma ? comma + 1 : end + 1;
}

/* One block: the pointers, then the texts. */
static lancet_status make_words(const char *const **words, size_t *count, const char *text, size_t length,
                                lancet_error *error)
{
    const char *end = text + length, *word;
    size_t words_length, kept = 0;
    const char **block;
    char *out;

    *count = 1;
    for (size_t i = 0; i < length; i++)
        *count += text[i] == ',';
    block = lancet_allocate(*count * sizeof *block + length + *count, 1);
    if (!block)
        return lancet_fail_memory(error, "a list of classes");
    out = (char *)(block + *count);
    for (const char *at = text; at <= end;) {
        at = next_word(at, end, &word, &words_length);
        if (!words_length) {
            lancet_free(block);
            return lancet_fail(error, LANCET_ERROR_INPUT, "expected a name, found none");
        }
        block[kept++] = out;
        memcpy(out, word, words_length);
        out[words_length] = '\0';
        out += words_length + 1;
    }
    *words = block;
    return LANCET_OK;
}

lancet_status lancet_classes_add(lancet_classes *classes, const char *text, size_t length,
                                 lancet_error *error)
{
    lancet_class added = {0};
    lancet_status status;

    if (classes->count == LANCET_CLASSES_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected at most %d classes, found more",
                           LANCET_CLASSES_MAX);
    if (length > NAME_MAX_LENGTH)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected a name of at most %d bytes, found %zu",
                           NAME_MAX_LENGTH, length);
    if (lancet_utf8_check(text, length) != length)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected a name in UTF-8, found other bytes");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
            return lancet_fail(error, LANCET_ERROR_INPUT, "expected a name, found the control character %d",
                               text[i]);
    if (!reserve_class(classes))
        return lancet_fail_memory(error, "a list of classes");
    status = make_words(&added.words, &added.word_count, text, length, error);
    if (status != LANCET_OK)
        return status;
    added.name = added.words[0];
    added.value = UINT32_MAX;
    classes->classes[classes->count++] = added;
    return LANCET_OK;
}

void lancet_classes_drop_last(lancet_classes *classes)
{
    lancet_free((void *)classes->classes[--classes->count].words);
}

lancet_status lancet_classes_reword(lancet_classes *classes, size_t index, const char *word,
                                    lancet_error *error)
{
    lancet_class *class = &classes->classes[index];
    const size_t name_size = strlen(class->name) + 1, word_size = strlen(word) + 1;
    const char **block = lancet_allocate(sizeof *block + name_size + word_size, 1);
    char *text;

    if (!block)
        return lancet_fail_memory(error, "a list of classes");
    text = (char *)(block + 1);
    block[0] = memcpy(text, word, word_size);
    memcpy(text + word_size, class->name, name_size);
    lancet_free((void *)class->words);
    class->words = block;
    class->word_count = 1;
    class->name = text + word_size;
    return LANCET_OK;
}

static bool reserve_value(lancet_classes *classes, uint32_t value)
{
    size_t capacity = classes->value_capacity ? classes->value_capacity : 256;
    uint16_t *grown;

    if (value >= classes->value_capacity) {
        while (capacity <= value)
            capacity *= 2;
        grown = lancet_allocate(capacity, sizeof *grown);
        if (!grown)
            return false;
        if (classes->value_count)
            memcpy(grown, classes->labels, classes->value_count * sizeof *grown);
        lancet_free(classes->labels);
        classes->labels = grown;
        classes->value_capacity = capacity;
    }
    while (classes->value_count <= value)
        classes->labels[classes->value_count++] = LANCET_LABEL_UNKNOWN;
    return true;
}

lancet_status lancet_classes_set(lancet_classes *classes, uint32_t value, uint16_t label, lancet_error *error)
{
    if (value > LANCET_VALUES_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected a value of at most %d, found %u",
                           LANCET_VALUES_MAX, value);
    if (!reserve_value(classes, value))
        return lancet_fail_memory(error, "a list of classes");
    if (classes->labels[value] != LANCET_LABEL_UNKNOWN)
        return lancet_fail(error, LANCET_ERROR_INPUT, "the value %u is there twice", value);
    classes->labels[value] = label;
    if (label < classes->count && value < classes->classes[label].value)
        classes->classes[label].value = value;
    return LANCET_OK;
}

uint16_t lancet_classes_find(const lancet_classes *classes, const char *name)
{
    for (size_t i = 0; i < classes->count; i++)
        if (strcmp(classes->classes[i].name, name) == 0)
            return (uint16_t)i;
    return LANCET_LABEL_UNKNOWN;
}

/* A walk over values written "1-11 13". */
typedef struct value_walk {
    const char *at;
    uint32_t next, last;
    bool inside;
} value_walk;

/* False at the end. */
static bool next_value(value_walk *walk, uint32_t *value)
{
    char *end;

    if (!walk->inside) {
        while (*walk->at == ' ')
            walk->at++;
        if (!*walk->at)
            return false;
        walk->next = walk->last = (uint32_t)strtoul(walk->at, &end, 10);
        if (*end == '-')
            walk->last = (uint32_t)strtoul(end + 1, &end, 10);
        walk->at = end;
    }
    *value = walk->next++;
    walk->inside = walk->next <= walk->last;
    return true;
}

static lancet_status set_values(lancet_classes *classes, const char *values, uint16_t label,
                                lancet_error *error)
{
    value_walk walk = {.at = values};
    lancet_status status = LANCET_OK;

    for (uint32_t value; status == LANCET_OK && next_value(&walk, &value);)
        status = lancet_classes_set(classes, value, label, error);
    return status;
}

static lancet_status open_built_in(lancet_classes **classes, const lancet_class_list *list,
                                   lancet_error *error)
{
    value_walk walk = {.at = list->values};
    lancet_status status = lancet_classes_create(classes, list->about.name, error);
    uint32_t value;

    for (const char *name = list->names, *end; status == LANCET_OK && (end = strchr(name, '\n'));
         name = end + 1)
        status = lancet_classes_add(*classes, name, (size_t)(end - name), error);
    for (size_t i = 0; status == LANCET_OK && i < (*classes)->count && next_value(&walk, &value); i++) {
        if (list->things)
            (*classes)->classes[i].kind = i < list->things ? LANCET_CLASS_THING : LANCET_CLASS_STUFF;
        status = lancet_classes_set(*classes, value, (uint16_t)i, error);
    }
    if (status == LANCET_OK)
        status = set_values(*classes, list->background, LANCET_LABEL_NONE, error);
    if (status == LANCET_OK)
        status = set_values(*classes, list->ignored, LANCET_LABEL_IGNORE, error);
    if (status == LANCET_OK)
        (*classes)->colours = list->red_green ? LANCET_LABEL_COLOURS_RG : LANCET_LABEL_COLOURS_VOC;
    else
        lancet_classes_close(classes);
    return status;
}

lancet_status lancet_classes_open_in(lancet_classes **classes, const char *name, const char *folder,
                                     lancet_error *error)
{
    char *path = NULL;
    lancet_status status;

    *classes = NULL;
    for (size_t i = 0; i < lancet_class_lists_count; i++)
        if (strcmp(lancet_class_lists[i].about.name, name) == 0)
            return open_built_in(classes, &lancet_class_lists[i], error);
    if (folder && *name != '/') {
        path = lancet_path_join(folder, name);
        if (!path)
            return lancet_fail_memory(error, "a file name");
    }
    if (lancet_file_exists(name)) {
        status = lancet_classes_read(classes, name, error);
    } else if (path && lancet_file_exists(path)) {
        status = lancet_classes_read(classes, path, error);
    } else {
        lancet_buffer names = {0};

        for (size_t i = 0; i < lancet_class_lists_count; i++)
            lancet_buffer_print(&names, "%s%s", i ? ", " : "", lancet_class_lists[i].about.name);
        status = names.failed
                     ? lancet_fail_memory(error, "a message")
                     : lancet_fail(error, LANCET_ERROR_ARGUMENT,
                                   "classes: expected a file or one of %s, found \"%s\"", names.bytes, name);
        lancet_buffer_close(&names);
    }
    lancet_free(path);
    return status;
}

lancet_status lancet_classes_open(lancet_classes **classes, const char *name, lancet_error *error)
{
    if (!classes || !name)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "classes: expected a name and a place for the result, found NULL");
    return lancet_classes_open_in(classes, name, NULL, error);
}

size_t lancet_classes_count(const lancet_classes *classes)
{
    return classes ? classes->count : 0;
}

const lancet_class *lancet_classes_get(const lancet_classes *classes, size_t index)
{
    return classes && index < classes->count ? &classes->classes[index] : NULL;
}

const char *lancet_classes_name(const lancet_classes *classes)
{
    return classes ? classes->name : NULL;
}

uint16_t lancet_classes_label(const lancet_classes *classes, uint32_t value)
{
    return classes && value < classes->value_count ? classes->labels[value] : (uint16_t)LANCET_LABEL_UNKNOWN;
}

const lancet_classes_about *lancet_classes_built_in(size_t index)
{
    return index < lancet_class_lists_count ? &lancet_class_lists[index].about : NULL;
}
