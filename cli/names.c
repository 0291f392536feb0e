/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "files.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Leaves room for number, text and extension in the 255 bytes of a file's name. */
#define STEM_MAX 180

static char *stem_of(const char *path)
{
    const char *name = path_name(path), *dot = strrchr(name, '.');
    size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);

    if (length > STEM_MAX)
        for (length = STEM_MAX; length > 1 && ((unsigned char)name[length] & 0xC0) == 0x80;)
            length--;
    return length ? text_print("%.*s", (int)length, name) : text_print("picture");
}

/* Folders are told apart by their slashes alone. */
static size_t folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? (size_t)(slash - name) + 1 : 0;
}

/* Offset of the next "-<digits>" at or after `from` that a dash or the end follows: what stands before it
 * could be another picture's name. The text's length if there is none. */
static size_t next_boundary(const char *name, size_t from)
{
    const size_t first = folder_length(name);

    for (size_t i = from > first ? from : first; name[i]; i++) {
        const size_t digits = name[i] == '-' ? strspn(name + i + 1, "0123456789") : 0;

        if (i > first && digits && (name[i + 1 + digits] == '-' || !name[i + 1 + digits]))
            return i;
    }
    return strlen(name);
}

static bool follows_taken(const names *given, char *name)
{
    bool found = false;

    for (size_t i = next_boundary(name, 0); name[i] && !found; i = next_boundary(name, i + 1)) {
        name[i] = '\0';
        found = json_object_get(given->taken, name) != NULL;
        name[i] = '-';
    }
    return found;
}

static bool take(names *given, char *name)
{
    bool good = json_object_set_new_nocheck(given->taken, name, json_integer(1)) == 0;

    for (size_t i = next_boundary(name, 0); name[i] && good; i = next_boundary(name, i + 1)) {
        name[i] = '\0';
        good = json_object_set_new_nocheck(given->prefixes, name, json_true()) == 0;
        name[i] = '-';
    }
    return good;
}

char *names_give(names *given, const char *folder, const char *picture_path)
{
    char *last = stem_of(picture_path), *name = NULL;
    char *stem = last ? text_print("%s%s%s", folder, *folder ? "/" : "", last) : NULL;

    if (!given->taken)
        given->taken = json_object();
    if (!given->prefixes)
        given->prefixes = json_object();
    if (!stem || !given->taken || !given->prefixes)
        goto fail;
    if (follows_taken(given, stem) || json_object_get(given->prefixes, stem))
        for (char *at = stem + folder_length(stem); *at; at++)
            if (*at == '-')
                *at = '_';
    name = text_print("%s", stem);
    while (name && (json_object_get(given->taken, name) || json_object_get(given->prefixes, name))) {
        /* The count is kept with the name, or a thousand pictures of one name would be tried a million times.
         */
        json_t *count = json_object_get(given->taken, stem);
        json_int_t number = 2;

        if (count) {
            number = json_integer_value(count) + 1;
            json_integer_set(count, number);
        } else if (json_object_set_new_nocheck(given->taken, stem, json_integer(number)) != 0) {
            goto fail;
        }
        free(name);
        name = text_print("%s_%" JSON_INTEGER_FORMAT, stem, number);
    }
    if (!name || !take(given, name))
        goto fail;
    free(last);
    free(stem);
    return name;
fail:
    free(last);
    free(stem);
    free(name);
    return NULL;
}

void names_close(names *given)
{
    json_decref(given->taken);
    json_decref(given->prefixes);
    *given = (names){0};
}
