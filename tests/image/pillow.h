/* Runs tests/image/pillow.py, where the interpreter has Pillow; tests that need it skip themselves elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_IMAGE_PILLOW_H
#define TESTS_IMAGE_PILLOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/** A fresh folder for a test's files; freed by folder_remove. */
static inline char *folder_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = malloc(512);

    snprintf(path, 512, "%s/lancet-image-XXXXXX", parent && *parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void folder_remove(char *path)
{
    char command[600];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        print_message("could not remove %s\n", path);
    free(path);
}

static inline bool pillow_available(void)
{
    return system("'" LANCET_PYTHON "' -c 'import PIL.Image' >/dev/null 2>&1") == 0;
}

/** Leaves the test as skipped where Pillow is not there. */
static inline void pillow_needed(void)
{
    if (!pillow_available()) {
        print_message("skipped: %s cannot import PIL (Debian: python3-pil)\n",
                      *LANCET_PYTHON ? LANCET_PYTHON : "(no python3)");
        skip();
    }
}

/** pillow.py SUBJECT FOLDER */
static inline void pillow_run(const char *subject, const char *folder)
{
    char command[1200];

    snprintf(command, sizeof command, "'%s' '%s/image/pillow.py' %s '%s'", LANCET_PYTHON, TESTS_FOLDER,
             subject, folder);
    assert_int_equal(system(command), 0);
}

/** The whole file `folder/name`; free() it. */
static inline uint8_t *file_read(const char *folder, const char *name, size_t *length)
{
    char path[1100];
    uint8_t *bytes;
    FILE *file;
    long size;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is missing", path);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    bytes = malloc((size_t)size + 1);
    *length = fread(bytes, 1, (size_t)size, file);
    fclose(file);
    assert_int_equal(*length, size);
    return bytes;
}

/** Numbers that are the same on every machine. */
static inline uint32_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

#endif
