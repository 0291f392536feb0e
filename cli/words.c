/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include "files.h"
#include "json.h"
#include "progress.h"

#include "lancet/tasks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const option word_options[3] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXTS,
     .offset = offsetof(word_settings, texts),
     .argument = "WORDS",
     .help = "a class, or several with semicolons between them; a class of several words has commas between "
             "them: \"cat, kitten; dog\"; may be given again and again"},
    {.name = "labels",
     .kind = OPTION_TEXT,
     .offset = offsetof(word_settings, labels),
     .argument = "LIST",
     .help =
         "more classes: those of a data set by its name (voc20, cityscapes19, ...; 'lancet classes' lists "
         "them), a text file with one a line, its words with commas between them, or a bank that 'lancet "
         "text' wrote (.safetensors)"},
    {.name = "templates",
     .kind = OPTION_TEXT,
     .offset = offsetof(word_settings, templates),
     .argument = "NAME",
     .help = "sentences that each word is put into: 85 (default), none, or a file with one a line, \"{}\" "
             "being the word's place"},
};

/* ---- Classes ------------------------------------------------------------------------------------------- */

static bool open_class(classes *list)
{
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? list->capacity * 2 : 16;
        size_t *counts =
            capacity <= SIZE_MAX / sizeof *counts ? realloc(list->counts, capacity * sizeof *counts) : NULL;

        if (!counts)
            return false;
        list->counts = counts;
        list->capacity = capacity;
    }
    list->counts[list->count++] = 0;
    return true;
}

/* The words of one class. */
static bool add_class(classes *list, const char *text, size_t length)
{
    static const char space[] = " \t\r\n";
    const char *end = text + length;
    bool opened = false;

    for (const char *next; text <= end; text = next + 1) {
        const char *last;

        next = memchr(text, ',', (size_t)(end - text));
        next = next ? next : end;
        last = next;
        while (text < last && strchr(space, *text))
            text++;
        while (last > text && strchr(space, last[-1]))
            last--;
        if (last == text)
            continue;
        if (!opened && !open_class(list))
            return false;
        opened = true;
        if (!texts_add_length(&list->words, text, (size_t)(last - text)))
            return false;
        list->counts[list->count - 1]++;
    }
    return true;
}

bool classes_add(classes *list, const char *text)
{
    for (;;) {
        const size_t length = strcspn(text, ";");

        if (!add_class(list, text, length))
            return false;
        if (!text[length])
            return true;
        text += length + 1;
    }
}

void classes_close(classes *list)
{
    texts_close(&list->words);
    free(list->counts);
    *list = (classes){0};
}

json_t *json_class_words(const classes *list, size_t index)
{
    json_t *array = json_array();
    bool good = array != NULL;
    size_t first = 0;

    for (size_t i = 0; i < index; i++)
        first += list->counts[i];
    for (size_t i = 0; good && i < list->counts[index]; i++)
        json_add(&good, array, json_words(list->words.items[first + i]));
    if (good)
        return array;
    json_decref(array);
    return NULL;
}

/* ---- Encoding ------------------------------------------------------------------------------------------ */

bool words_are_encoded(const word_settings *settings)
{
    return settings->labels && text_ends_with(settings->labels, ".safetensors");
}

int words_check(const word_settings *settings)
{
    if (!settings->texts.count && !settings->labels)
        return report_usage("expected what to look for: -t WORDS or --labels FILE");
    if (words_are_encoded(settings) && settings->texts.count)
        return report_usage("--labels: a bank (%s) cannot be joined with -t", settings->labels);
    if (words_are_encoded(settings) && settings->templates)
        return report_usage("--templates: the bank %s has its own", settings->labels);
    return EXIT_DONE;
}

/* The classes of -t, then those of the file. */
static int list_classes(classes *list, const word_settings *settings)
{
    texts lines = {0};
    int status = EXIT_DONE;

    for (size_t i = 0; i < settings->texts.count && status == EXIT_DONE; i++) {
        const size_t before = list->count;

        if (!classes_add(list, settings->texts.items[i]))
            status = report_memory();
        else if (list->count == before)
            status = report_usage("-t: expected words, found '%s'", settings->texts.items[i]);
    }
    if (status == EXIT_DONE && settings->labels) {
        const size_t before = list->count;

        status = labels_read(&lines, settings->labels);
        for (size_t i = 0; i < lines.count && status == EXIT_DONE; i++)
            if (!classes_add(list, lines.items[i]))
                status = report_memory();
        if (status == EXIT_DONE && list->count == before)
            status = report_problem(LANCET_ERROR_INPUT, "%s: expected a class on each line, found none",
                                    settings->labels);
    }
    texts_close(&lines);
    return status;
}

static int encode(lancet_labels **labels, classes *list, lancet_session *session,
                  const word_settings *settings, lancet_redundant redundant, const common_settings *common)
{
    lancet_label_options options = {.redundant = redundant, .progress = progress_of_work};
    lancet_templates *templates = NULL;
    lancet_labels *words = NULL;
    lancet_error error;
    progress bar;
    int status = EXIT_DONE;

    if (lancet_templates_open(&templates, settings->templates ? settings->templates : "85", &error) !=
        LANCET_OK)
        return report_error(&error);
    /* One class of several words is one label, which is held against the empty string. */
    if (redundant == LANCET_REDUNDANT_AUTO && list->count == 1)
        options.redundant = LANCET_REDUNDANT_EMPTY;
    progress_begin(&bar, "sentences", common->quiet);
    options.templates = templates;
    options.progress_context = &bar;
    if (lancet_labels_encode(&words, session, texts_view(&list->words), list->words.count, &options,
                             &error) != LANCET_OK)
        status = report_error(&error);
    progress_end(&bar);
    lancet_templates_close(&templates);
    if (status == EXIT_DONE) {
        report_lost(words);
        if (lancet_labels_group(labels, words, list->counts, list->count, &error) != LANCET_OK)
            status = report_error(&error);
    }
    lancet_labels_close(&words);
    return status;
}

int words_encode(lancet_labels **labels, classes *list, lancet_session *session,
                 const word_settings *settings, lancet_redundant redundant, const common_settings *common)
{
    lancet_error error;
    int status;

    if (words_are_encoded(settings)) {
        if (lancet_labels_open(labels, settings->labels, &error) != LANCET_OK)
            return report_error(&error);
        for (size_t i = 0; i < lancet_labels_count(*labels); i++) {
            if (!open_class(list) || !texts_add(&list->words, lancet_labels_text(*labels, i)))
                return report_memory();
            list->counts[i] = 1;
        }
        return EXIT_DONE;
    }
    status = list_classes(list, settings);
    return status == EXIT_DONE ? encode(labels, list, session, settings, redundant, common) : status;
}
