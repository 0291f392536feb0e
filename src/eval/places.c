/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/places.h"

#include "base/file.h"
#include "base/memory.h"
#include "eval/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NAME_LENGTH_MAX 1024

const char *const lancet_picture_endings[] = {".jpg", ".png", ".jpeg", ".webp", NULL};
const char *const lancet_mask_endings[] = {".png", NULL};

bool lancet_place_inside(const char *name, size_t length)
{
    size_t part = 0; /* where the one at hand begins */

    if (length < 1 || length > NAME_LENGTH_MAX)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && name[i] != '/') {
            if ((unsigned char)name[i] < 0x20 || name[i] == '\\' || name[i] == 0x7F)
                return false;
            continue;
        }
        if (i == part || (i == part + 1 && name[part] == '.') ||
            (i == part + 2 && name[part] == '.' && name[part + 1] == '.'))
            return false;
        part = i + 1;
    }
    return true;
}

char *lancet_place_at(const char *folder, const char *name)
{
    return *name == '/' ? lancet_copy_text(name, strlen(name)) : lancet_path_join(folder, name);
}

bool lancet_place_is_folder(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_file(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

lancet_status lancet_place_first(char **found, const char *folder, const char *const *names, bool is_folder,
                                 lancet_error *error)
{
    *found = NULL;
    for (; *names; names++) {
        char *path = lancet_place_at(folder, *names);

        if (!path)
            return lancet_fail_memory(error, "a file name");
        if (is_folder ? lancet_place_is_folder(path) : is_file(path)) {
            *found = path;
            return LANCET_OK;
        }
        lancet_free(path);
    }
    return LANCET_OK;
}

lancet_status lancet_place_has(bool *has, const char *folder, const char *name, lancet_error *error)
{
    char *path = lancet_path_join(folder, name);

    *has = path && lancet_file_exists(path);
    if (!path)
        return lancet_fail_memory(error, "a file name");
    lancet_free(path);
    return LANCET_OK;
}

size_t lancet_place_stem(const char *name, const char *const *endings)
{
    const size_t length = strlen(name);

    for (; *endings; endings++) {
        const size_t ending = strlen(*endings);

        if (length > ending && strcasecmp(name + length - ending, *endings) == 0)
            return length - ending;
    }
    return length;
}

static lancet_status keep_name(lancet_listing *listing, char *name, lancet_error *error)
{
    if (listing->count == LANCET_PICTURES_MAX) {
        lancet_free(name);
        return lancet_fail(error, LANCET_ERROR_INPUT, "expected at most %zu files, found more",
                           LANCET_PICTURES_MAX);
    }
    if (listing->count == listing->capacity) {
        const size_t capacity = listing->capacity ? 2 * listing->capacity : 64;
        char **grown = lancet_allocate(capacity, sizeof *grown);

        if (!grown) {
            lancet_free(name);
            return lancet_fail_memory(error, "a list of files");
        }
        if (listing->count)
            memcpy(grown, listing->names, listing->count * sizeof *grown);
        lancet_free(listing->names);
        listing->names = grown;
        listing->capacity = capacity;
    }
    listing->names[listing->count++] = name;
    return LANCET_OK;
}

static lancet_status list(lancet_listing *listing, const char *folder, const char *within,
                          const char *const *endings, lancet_error *error);

/* A file that counts is kept; a folder is looked into, once. */
static lancet_status take_name(lancet_listing *listing, const char *folder, const char *within,
                               const char *entry, const char *const *endings, lancet_error *error)
{
    char *name = *within ? lancet_path_join(within, entry) : lancet_copy_text(entry, strlen(entry));
    char *path = name ? lancet_path_join(folder, name) : NULL;
    lancet_status status = LANCET_OK;

    if (!path) {
        status = lancet_fail_memory(error, "a list of files");
    } else if (!*within && lancet_place_is_folder(path)) {
        status = list(listing, folder, name, endings, error);
    } else if (lancet_place_stem(name, endings) < strlen(name)) {
        status = keep_name(listing, name, error);
        name = NULL;
    }
    lancet_free(path);
    lancet_free(name);
    return status;
}

/* `within`: "" or the name of a folder in `folder`. */
static lancet_status list(lancet_listing *listing, const char *folder, const char *within,
                          const char *const *endings, lancet_error *error)
{
    char *path = lancet_path_join(folder, within);
    lancet_status status = LANCET_OK;
    struct dirent *entry;
    DIR *open;

    if (!path)
        return lancet_fail_memory(error, "a list of files");
    open = opendir(path);
    if (!open)
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    while (status == LANCET_OK && (entry = readdir(open)))
        if (entry->d_name[0] != '.')
            status = take_name(listing, folder, within, entry->d_name, endings, error);
    if (open)
        closedir(open);
    lancet_free(path);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

lancet_status lancet_listing_open(lancet_listing *listing, const char *folder, const char *const *endings,
                                  lancet_error *error)
{
    lancet_status status;

    *listing = (lancet_listing){0};
    status = list(listing, folder, "", endings, error);
    if (status != LANCET_OK)
        lancet_listing_close(listing);
    else if (listing->count)
        qsort(listing->names, listing->count, sizeof *listing->names, compare_names);
    return status;
}

void lancet_listing_close(lancet_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        lancet_free(listing->names[i]);
    lancet_free(listing->names);
    *listing = (lancet_listing){0};
}
