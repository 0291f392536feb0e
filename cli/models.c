/* SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include "files.h"
#include "options.h"
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for a name's letters and digits. */
#define KEY_SIZE 80
/* How many near names are offered, and out of how many the nearest one is chosen. */
#define NEAR_MAX   8
#define MODELS_MAX 64

/* What of a name counts: its letters in lower case, and its digits. */
static void make_key(char key[KEY_SIZE], const char *name)
{
    size_t length = 0;

    for (; *name && length < KEY_SIZE - 1; name++)
        if (isalnum((unsigned char)*name))
            key[length++] = (char)tolower((unsigned char)*name);
    key[length] = '\0';
    if (length > 2 && strcmp(key + length - 2, "px") == 0) /* "336px" */
        key[length - 2] = '\0';
}

/* What of `key` follows `prefix`; the key itself if it does not begin so. */
static char *after(char *key, const char *prefix)
{
    const size_t length = strlen(prefix);

    return strncmp(key, prefix, length) == 0 ? key + length : key;
}

/* Names that OpenAI's models go by: with the owner before them or, at open_clip, after them. */
static const char *openai_key(char *key)
{
    const size_t length = strlen(key);

    if (length > 6 && strcmp(key + length - 6, "openai") == 0) {
        key[length - 6] = '\0';
        return after(key, "openclip");
    }
    return after(after(key, "openai"), "cs");
}

const model_source *models_find(const char *name)
{
    char typed[KEY_SIZE], openai[KEY_SIZE], key[KEY_SIZE];
    const char *typed_openai;

    make_key(typed, name);
    make_key(openai, name);
    typed_openai = openai_key(openai);
    for (const model_source *source = model_sources; source->name; source++) {
        make_key(key, source->name);
        if (strcmp(key, typed) == 0 || strcmp(after(key, "openclip"), typed) == 0 ||
            (!source->repository && strcmp(key, typed_openai) == 0))
            return source;
        if (source->repository) {
            make_key(key, source->repository);
            if (strcmp(key, typed) == 0)
                return source;
        }
    }
    return NULL;
}

/* Names that go on where the typed one ends; if there are none, the one that it may be a slip of. */
static size_t find_near(const char *near[NEAR_MAX], const char *name)
{
    char typed[KEY_SIZE], key[KEY_SIZE], keys[MODELS_MAX][KEY_SIZE];
    const char *short_keys[MODELS_MAX] = {0}, *nearest;
    size_t count = 0, all = 0;

    make_key(typed, name);
    if (strlen(typed) < 2)
        return 0;
    for (const model_source *source = model_sources; source->name && count < NEAR_MAX; source++) {
        make_key(key, source->name);
        if (strncmp(key, typed, strlen(typed)) == 0 ||
            strncmp(after(key, "openclip"), typed, strlen(typed)) == 0)
            near[count++] = source->name;
    }
    for (; !count && model_sources[all].name && all < MODELS_MAX; all++) {
        make_key(keys[all], model_sources[all].name);
        short_keys[all] = after(keys[all], "openclip");
    }
    nearest = options_nearest(after(typed, "openclip"), short_keys, all);
    for (size_t i = 0; i < all && !count; i++)
        if (nearest == short_keys[i])
            near[count++] = model_sources[i].name;
    return count;
}

int models_near(char **near, const char *name)
{
    const char *names[NEAR_MAX];
    const size_t count = find_near(names, name);

    *near = NULL;
    for (size_t i = 0; i < count; i++) {
        char *longer =
            i ? text_print("%s, %s", *near, names[i]) : text_print(count > 1 ? "one of %s" : "%s", names[i]);

        free(*near);
        *near = longer;
        if (!longer)
            return report_memory();
    }
    return EXIT_DONE;
}

char *models_folder(const model_source *source, const char *root)
{
    char *data = root ? NULL : data_folder(), *folder = NULL;

    if (root)
        return path_join(root, source->name);
    if (data)
        folder = text_print("%s/models/%s", data, source->name);
    free(data);
    return folder;
}

int models_fetched(char **path, const model_source *source, const char *folder)
{
    for (size_t i = 0; i < sizeof source->weights / sizeof *source->weights && source->weights[i].name; i++) {
        *path = path_join(folder, source->weights[i].name);
        if (!*path)
            return report_memory();
        if (file_exists(*path))
            return EXIT_DONE;
        free(*path);
        *path = NULL;
    }
    return EXIT_DONE;
}

int models_list_fetched(texts *paths)
{
    int status = EXIT_DONE;

    for (const model_source *source = model_sources; source->name && status == EXIT_DONE; source++) {
        char *folder = models_folder(source, NULL), *path = NULL;

        status = folder ? models_fetched(&path, source, folder) : report_memory();
        if (path && !texts_take(paths, path))
            status = report_memory();
        free(folder);
    }
    return status;
}

int64_t models_size(const model_source *source)
{
    return source->weights[0].size ? source->weights[0].size : source->size_about;
}

void models_print_size(char text[16], int64_t size)
{
    if (size < 1000)
        snprintf(text, 16, "%d bytes", (int)size);
    else if (size < 1000000)
        snprintf(text, 16, "%.0f kB", (double)size / 1e3);
    else if (size < 10000000)
        snprintf(text, 16, "%.1f MB", (double)size / 1e6);
    else if (size < 1000000000)
        snprintf(text, 16, "%.0f MB", (double)size / 1e6);
    else
        snprintf(text, 16, size < 10000000000 ? "%.2f GB" : "%.1f GB", (double)size / 1e9);
}
