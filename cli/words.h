/* What to look for: classes of one or several words each, and their encoding.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "common.h"

#include <jansson.h>

typedef struct word_settings {
    texts texts; /* "cat, kitten; dog" */
    const char *labels, *templates;
} word_settings;

extern const option word_options[3];

/* A row of a command's table of groups, for a settings struct with a member `words`. */
#define WORD_GROUP(settings)                                                                                 \
    {                                                                                                        \
        "Classes", word_options, 3, offsetof(settings, words)                                                \
    }

/** Classes, each with its words: those of class 0, then those of class 1, ... Zero-initialised is empty. */
typedef struct classes {
    texts words;
    size_t *counts; /* [count]: words of each */
    size_t count, capacity;
} classes;

/** Appends the classes that `text` names: between semicolons, each of one or more words between commas. White
 * space at both ends of a word is dropped, and so are empty words. False if memory is out. */
bool classes_add(classes *list, const char *text);
void classes_close(classes *list);

/** What the command line cannot say together. Returns a status; a mistake is reported. */
int words_check(const word_settings *settings);

/** Whether the labels come from a bank, for which no text tower is needed. */
bool words_are_encoded(const word_settings *settings);

/** The classes, encoded: *labels, one for each class, to be closed; `list` gets their words. Returns a
 * status; failures are reported, and so is what did not fit the model's context. */
int words_encode(lancet_labels **labels, classes *list, lancet_session *session,
                 const word_settings *settings, lancet_redundant redundant, const common_settings *common);

/** The words of class `index` as a JSON array. */
json_t *json_class_words(const classes *list, size_t index);

#endif
