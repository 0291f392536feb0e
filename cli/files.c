/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLUG_MAX 40

bool text_ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

bool file_exists(const char *path)
{
    return access(path, R_OK) == 0;
}

bool file_is_there(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && about.st_size > 0;
}

bool folder_exists(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

int folder_make(const char *path)
{
    char *copy = text_print("%s", path);
    int status = EXIT_DONE;

    if (!copy)
        return report_memory();
    for (char *at = copy + 1; *copy; at++) {
        const char end = *at;

        if (end && end != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST) {
            status = report_problem(LANCET_ERROR_IO, "%s: cannot be made: %s", copy, strerror(errno));
            break;
        }
        *at = end;
        if (!end)
            break;
    }
    if (status == EXIT_DONE && *path && !folder_exists(path))
        status = report_problem(LANCET_ERROR_IO, "%s: expected a folder, found a file", path);
    free(copy);
    return status;
}

char *data_folder(void)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (data && *data)
        return text_print("%s/lancet", data);
    return text_print("%s/.local/share/lancet", home ? home : "");
}

char *path_join(const char *folder, const char *name)
{
    const size_t length = strlen(folder);

    if (!length || strcmp(folder, ".") == 0)
        return text_print("%s", name);
    return text_print("%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", name);
}

const char *path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool write_all(int descriptor, const char *bytes, size_t length)
{
    while (length) {
        const ssize_t written = write(descriptor, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

int file_write(const char *path, const void *bytes, size_t length)
{
    char *part = text_print("%s.%ld.part", path, (long)getpid());
    int descriptor, status = EXIT_DONE;
    bool good;

    if (!part)
        return report_memory();
    descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    good = descriptor >= 0 && write_all(descriptor, bytes, length);
    if (descriptor >= 0 && close(descriptor) != 0)
        good = false;
    if (!good || rename(part, path) != 0) {
        status = report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
        if (descriptor >= 0)
            unlink(part);
    }
    free(part);
    return status;
}

int file_read(char **bytes, size_t *length, const char *path, size_t most)
{
    FILE *file = fopen(path, "rb");
    int status = EXIT_DONE;
    size_t capacity = 0;

    *bytes = NULL;
    *length = 0;
    if (!file)
        return report_problem(LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    for (size_t got = 1; got > 0 && status == EXIT_DONE;) {
        if (capacity - *length < 2) {
            char *more;

            capacity = capacity ? capacity * 2 : 65536;
            more = realloc(*bytes, capacity);
            if (!more) {
                status = report_memory();
                break;
            }
            *bytes = more;
        }
        errno = 0;
        got = fread(*bytes + *length, 1, capacity - *length - 1, file);
        *length += got;
        if (*length > most)
            status =
                report_problem(LANCET_ERROR_INPUT, "%s: expected at most %zu bytes, found more", path, most);
    }
    if (status == EXIT_DONE && ferror(file))
        status = report_problem(errno == EISDIR ? LANCET_ERROR_INPUT : LANCET_ERROR_IO, "%s: %s", path,
                                strerror(errno));
    fclose(file);
    if (status == EXIT_DONE) {
        (*bytes)[*length] = '\0';
    } else {
        free(*bytes);
        *bytes = NULL;
        *length = 0;
    }
    return status;
}

char *text_slug(const char *text)
{
    char *slug = malloc(SLUG_MAX + 1);
    size_t length = 0;

    if (!slug)
        return NULL;
    for (; *text && length < SLUG_MAX; text++) {
        const unsigned char c = (unsigned char)*text;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
            slug[length++] = (char)c;
        else if (c >= 'A' && c <= 'Z')
            slug[length++] = (char)(c - 'A' + 'a');
        else if (length && slug[length - 1] != '-')
            slug[length++] = '-';
    }
    /* Not half a character at the end. */
    if (((unsigned char)*text & 0xC0) == 0x80) {
        while (length && ((unsigned char)slug[length - 1] & 0xC0) == 0x80)
            length--;
        length -= length > 0;
    }
    while (length && slug[length - 1] == '-')
        length--;
    slug[length] = '\0';
    if (!length)
        memcpy(slug, "text", 5);
    return slug;
}
