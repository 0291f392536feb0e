/* Folders and files for tests: a fresh folder to work in, whole files in and out, and where the golden
 * vectors are. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_FILES_H
#define TESTS_SUPPORT_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_PATH_SIZE 1024

/** "folder/name", good until the test program ends. */
static inline const char *path_of(const char *folder, const char *name)
{
    /* All of them stay reachable, so that a leak checker has nothing to say. */
    static struct kept {
        struct kept *before;
        char path[];
    } * last;
    const size_t size = strlen(folder) + strlen(name) + 2;
    struct kept *next = malloc(sizeof *next + size);

    assert_non_null(next);
    strcat(strcat(strcpy(next->path, folder), "/"), name);
    next->before = last;
    last = next;
    return next->path;
}

static inline bool path_exists(const char *path)
{
    return access(path, R_OK) == 0;
}

/** A fresh folder; folder_remove frees the path. */
static inline char *folder_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = malloc(TEST_PATH_SIZE);

    snprintf(path, TEST_PATH_SIZE, "%s/lancet-test-XXXXXX", parent && *parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void folder_remove(char *path)
{
    char command[TEST_PATH_SIZE + 16];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        print_message("could not remove %s\n", path);
    free(path);
}

static inline void file_write(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    if (!file)
        fail_msg("%s cannot be written", path);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void file_write_text(const char *path, const char *text)
{
    file_write(path, text, strlen(text));
}

/** The whole file with a zero byte after it; free() it. NULL if there is none. length may be NULL. */
static inline char *file_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0, capacity = 4096;
    char *bytes;

    if (length)
        *length = 0;
    if (!file)
        return NULL;
    bytes = malloc(capacity);
    for (size_t got; (got = fread(bytes + size, 1, capacity - size - 1, file)) > 0;) {
        size += got;
        if (capacity - size < 2)
            bytes = realloc(bytes, capacity *= 2);
    }
    fclose(file);
    bytes[size] = '\0';
    if (length)
        *length = size;
    return bytes;
}

/** Whether both files hold the same bytes; false if one is missing. */
static inline bool files_equal(const char *a, const char *b)
{
    size_t a_length = 0, b_length = 0;
    char *a_bytes = file_read(a, &a_length), *b_bytes = file_read(b, &b_length);
    const bool equal = a_bytes && b_bytes && a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;

    free(a_bytes);
    free(b_bytes);
    return equal;
}

/** A folder that is not part of the repository: $`variable`/name, else shared/`kind`/name beside one of the
 * folders above the tests; NULL if there is none. */
static inline const char *shared_folder(const char *variable, const char *kind, const char *name)
{
    const char *root = getenv(variable);
    char up[TEST_PATH_SIZE] = TESTS_FOLDER;

    if (root && *root)
        return path_exists(path_of(root, name)) ? path_of(root, name) : NULL;
    for (int level = 0; level < 8 && strlen(up) + 4 < sizeof up; level++) {
        const char *path = path_of(path_of(path_of(up, "shared"), kind), name);

        if (path_exists(path))
            return path;
        strcat(up, "/..");
    }
    return NULL;
}

/** A folder of the golden vectors: $LANCET_GOLDEN/name, else shared/golden/name. NULL if there is none: call
 * golden_needed to skip. */
static inline const char *golden_folder(const char *name)
{
    return shared_folder("LANCET_GOLDEN", "golden", name);
}

/** The same, leaving the test as skipped where the vectors are not there. */
static inline const char *golden_needed(const char *name)
{
    const char *folder = golden_folder(name);

    if (!folder) {
        print_message("skipped: golden/%s is not here (LANCET_GOLDEN says where it is)\n", name);
        skip();
    }
    return folder;
}

/** Small samples of published data sets: $LANCET_DATA/name, else shared/data/name. The test is left as
 * skipped where they are not there. */
static inline const char *data_needed(const char *name)
{
    const char *folder = shared_folder("LANCET_DATA", "data", name);

    if (!folder) {
        print_message("skipped: data/%s is not here (LANCET_DATA says where it is)\n", name);
        skip();
    }
    return folder;
}

#endif
