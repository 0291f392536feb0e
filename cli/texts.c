/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool texts_take(texts *list, char *text)
{
    if (!text)
        return false;
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **items =
            capacity <= SIZE_MAX / sizeof *items ? realloc(list->items, capacity * sizeof *items) : NULL;

        if (!items) {
            free(text);
            return false;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = text;
    return true;
}

bool texts_add_length(texts *list, const char *text, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return texts_take(list, copy);
}

bool texts_add(texts *list, const char *text)
{
    return texts_add_length(list, text, strlen(text));
}

const char *const *texts_view(const texts *list)
{
    return (const char *const *)list->items;
}

void texts_close(texts *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (texts){0};
}

char *text_print(const char *format, ...)
{
    va_list arguments, again;
    char *text = NULL;
    int length;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    if (length >= 0)
        text = malloc((size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}
