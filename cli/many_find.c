/* Finding pictures: operands, lists, folders and what lies in them. SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* d_type */
#include "many.h"

#include "files.h"
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Deeper ones are links that lead in circles, or as good as. */
#define DEPTH_MAX 100

#define LIST_BYTES_MAX ((size_t)4 << 30)

static bool is_picture_name(const char *name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".webp"};
    static const char *const own[] = {".overlay.png", ".map.png", ".map16.png", ".segments.png"};

    if (name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (text_ends_with(name, own[i]))
            return false;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (text_ends_with(name, extensions[i]))
            return true;
    return false;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- Folders ------------------------------------------------------------------------------------------- */

/* A folder and those it is in, so that links that lead back into it are seen. */
typedef struct level {
    const struct level *above;
    dev_t device;
    ino_t number;
    int depth;
} level;

static bool is_open(const level *l, const struct stat *about)
{
    for (; l; l = l->above)
        if (l->device == about->st_dev && l->number == about->st_ino)
            return true;
    return false;
}

static bool may_be_folder(const struct dirent *entry)
{
    return entry->d_name[0] != '.' &&
           (entry->d_type == DT_DIR || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN);
}

/* Appends what is in `folder`/`within`, as it is called from `folder` on; `within` is "" at first. */
static int list_level(texts *found, const char *folder, const char *within, bool recursive,
                      const level *above)
{
    char *path = *within ? path_join(folder, within) : text_print("%s", folder);
    level here = {.above = above, .depth = above ? above->depth + 1 : 1};
    DIR *directory = path ? opendir(path) : NULL;
    struct stat about;
    int status = EXIT_DONE;

    if (!path)
        return report_memory();
    if (!directory || fstat(dirfd(directory), &about) != 0) {
        status = report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
        goto done;
    }
    here.device = about.st_dev;
    here.number = about.st_ino;
    for (const struct dirent *entry; status != LANCET_ERROR_MEMORY && (entry = readdir(directory));) {
        const bool folder_here = recursive && may_be_folder(entry) &&
                                 fstatat(dirfd(directory), entry->d_name, &about, 0) == 0 &&
                                 S_ISDIR(about.st_mode);
        char *name;

        if (!folder_here && !is_picture_name(entry->d_name))
            continue;
        if (folder_here && (is_open(&here, &about) || here.depth == DEPTH_MAX))
            continue;
        name = *within ? path_join(within, entry->d_name) : text_print("%s", entry->d_name);
        if (folder_here && name) {
            const int below = list_level(found, folder, name, recursive, &here);

            status = status == EXIT_DONE || below == LANCET_ERROR_MEMORY ? below : status;
            free(name);
        } else if (!texts_take(found, name)) {
            status = report_memory();
        }
    }
done:
    if (directory)
        closedir(directory);
    free(path);
    return status;
}

/* ---- Names --------------------------------------------------------------------------------------------- */

/* The folders of a path without what leads out of the output folder: no slash in front, no "." and "..".
 * NULL if memory is out. */
static char *mirrored_folder(const char *path)
{
    char *folder = malloc(strlen(path) + 1), *out = folder;
    const char *last = path_name(path);

    if (!folder)
        return NULL;
    while (path < last) {
        const size_t length = strcspn(path, "/");

        if (length && !(length == 1 && path[0] == '.') &&
            !(length == 2 && path[0] == '.' && path[1] == '.')) {
            if (out > folder)
                *out++ = '/';
            memcpy(out, path, length);
            out += length;
        }
        path += length + 1;
    }
    *out = '\0';
    return folder;
}

/* What is being found. */
typedef struct finder {
    many_pictures *pictures;
    names given;
    bool recursive;
} finder;

/* shown: the path that the name is made of, with its folders. */
static int add(finder *f, char *path, const char *shown)
{
    char *folder = path ? mirrored_folder(shown) : NULL;
    char *name = folder ? names_give(&f->given, folder, shown) : NULL;
    const bool good = name && texts_take(&f->pictures->paths, path);

    if (!good)
        free(path);
    free(folder);
    if (good)
        return texts_take(&f->pictures->names, name) ? EXIT_DONE : report_memory();
    free(name);
    return report_memory();
}

/* mirrored: names begin with the folder's own. */
static int add_folder(finder *f, const char *folder, bool mirrored)
{
    texts found = {0};
    int status = list_level(&found, folder, "", f->recursive, NULL);

    if (found.count)
        qsort(found.items, found.count, sizeof *found.items, compare_texts);
    else if (status == EXIT_DONE)
        status = report_problem(LANCET_ERROR_INPUT,
                                "%s: expected pictures (.jpg, .jpeg, .png, .webp), found none", folder);
    for (size_t i = 0; i < found.count && status != LANCET_ERROR_MEMORY; i++) {
        char *path = path_join(folder, found.items[i]);
        const int this = add(f, path, mirrored && path ? path : found.items[i]);

        status = this == EXIT_DONE ? status : this;
    }
    texts_close(&found);
    return status;
}

static int add_any(finder *f, const char *path, bool mirrored)
{
    if (folder_exists(path))
        return add_folder(f, path, mirrored);
    return add(f, text_print("%s", path), mirrored ? path : path_name(path));
}

static int add_list(finder *f, const char *list)
{
    char *bytes;
    size_t length, at = 0;
    int status = file_read(&bytes, &length, strcmp(list, "-") == 0 ? "/dev/stdin" : list, LIST_BYTES_MAX);
    const char separator = status == EXIT_DONE && memchr(bytes, '\0', length) ? '\0' : '\n';
    const size_t before = f->pictures->paths.count;

    while (at < length && status != LANCET_ERROR_MEMORY) {
        char *line = bytes + at, *end = memchr(line, separator, length - at);
        int this;

        /* Behind the last byte there is a zero. */
        end = end ? end : bytes + length;
        *end = '\0';
        at = (size_t)(end - bytes) + 1;
        if (separator == '\n' && end > line && end[-1] == '\r')
            end[-1] = '\0';
        if (!*line)
            continue;
        this = add_any(f, line, true);
        if (status == EXIT_DONE || this == LANCET_ERROR_MEMORY)
            status = this;
    }
    free(bytes);
    if (status == EXIT_DONE && f->pictures->paths.count == before)
        status = report_problem(LANCET_ERROR_INPUT, "%s: expected a picture on each line, found none", list);
    return status;
}

int many_find(many_pictures *pictures, const texts *operands, const many_settings *settings)
{
    finder f = {.pictures = pictures, .recursive = settings->recursive};
    int status = EXIT_DONE;

    for (size_t i = 0; i < operands->count && status != LANCET_ERROR_MEMORY; i++) {
        const int this = add_any(&f, operands->items[i], false);

        if (status == EXIT_DONE || this == LANCET_ERROR_MEMORY)
            status = this;
    }
    if (settings->list && status != LANCET_ERROR_MEMORY) {
        const int this = add_list(&f, settings->list);

        if (status == EXIT_DONE)
            status = this;
    }
    names_close(&f.given);
    return status;
}
