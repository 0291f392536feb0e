/* Lists of texts that grow. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TEXTS_H
#define CLI_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

/** Copies of texts, in order. Zero-initialised is empty. */
typedef struct texts {
    char **items;
    size_t count, capacity;
} texts;

/** False if memory is out. */
bool texts_add(texts *list, const char *text);
bool texts_add_length(texts *list, const char *text, size_t length);

/** Takes over a text from malloc (NULL counts as out of memory). */
bool texts_take(texts *list, char *text);

/** As the library takes them. */
const char *const *texts_view(const texts *list);

void texts_close(texts *list);

/** printf into a fresh text; NULL if memory is out. free() it. */
char *text_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
