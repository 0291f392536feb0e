/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

lancet_status lancet_mapping_open(lancet_mapping *mapping, const char *path, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    struct stat about;
    int descriptor;

    *mapping = (lancet_mapping){0};
    descriptor =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* O_NONBLOCK: a named pipe must not hang us */
    if (descriptor < 0)
        return lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    if (fstat(descriptor, &about) != 0) {
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a file, found %s", path,
                             S_ISDIR(about.st_mode) ? "a folder" : "something else");
    } else if (about.st_size == 0) {
        mapping->bytes = (const uint8_t *)"";
    } else {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);

        if (bytes == MAP_FAILED) {
            status = lancet_fail(error, errno == ENOMEM ? LANCET_ERROR_MEMORY : LANCET_ERROR_IO,
                                 "%s: cannot be mapped: %s", path, strerror(errno));
        } else {
            mapping->bytes = bytes;
            mapping->length = (size_t)about.st_size;
        }
    }
    close(descriptor);
    return status;
}

void lancet_mapping_drop(const lancet_mapping *mapping, const void *bytes, size_t length)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t base = (uintptr_t)mapping->bytes;
    uintptr_t start = (uintptr_t)bytes, end = start + length;

    if (!mapping->length || start < base || end > base + mapping->length)
        return;
    /* Whole pages only: a neighbour may share the first and the last. */
    start = (start + page - 1) & ~(page - 1);
    end &= ~(page - 1);
    if (start < end)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

void lancet_mapping_close(lancet_mapping *mapping)
{
    if (mapping && mapping->length)
        munmap((void *)mapping->bytes, mapping->length);
    if (mapping)
        *mapping = (lancet_mapping){0};
}

/* False, with errno, if the system refuses. */
static bool write_all(int descriptor, const lancet_piece *piece)
{
    const char *rest = piece->bytes;
    size_t left = piece->length;

    while (left) {
        const ssize_t written = write(descriptor, rest, left);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        rest += written;
        left -= (size_t)written;
    }
    return true;
}

lancet_status lancet_file_write_pieces(const char *path, const lancet_piece *pieces, size_t count,
                                       lancet_error *error)
{
    static _Atomic unsigned counter; /* two threads of one process may write the same path */
    lancet_status status = LANCET_OK;
    lancet_buffer temporary = {0};
    bool good = true;
    int descriptor;

    if (!lancet_buffer_print(&temporary, "%s.%ld-%u.part", path, (long)getpid(), counter++))
        return lancet_fail_memory(error, "a file name");
    descriptor = open(temporary.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
        goto done;
    }
    for (size_t i = 0; i < count && good; i++)
        good = write_all(descriptor, &pieces[i]);
    if (!good)
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    if (close(descriptor) != 0 && status == LANCET_OK)
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    if (status == LANCET_OK && rename(temporary.bytes, path) != 0)
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
    if (status != LANCET_OK)
        unlink(temporary.bytes);
done:
    lancet_buffer_close(&temporary);
    return status;
}

lancet_status lancet_file_write(const char *path, const void *bytes, size_t length, lancet_error *error)
{
    return lancet_file_write_pieces(path, &(lancet_piece){bytes, length}, 1, error);
}

bool lancet_file_exists(const char *path)
{
    return access(path, R_OK) == 0;
}

char *lancet_path_beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    lancet_buffer joined = {0};

    if (slash)
        lancet_buffer_append(&joined, path, (size_t)(slash - path) + 1);
    lancet_buffer_append(&joined, name, strlen(name));
    if (joined.failed)
        lancet_buffer_close(&joined);
    return joined.bytes;
}

char *lancet_path_join(const char *folder, const char *name)
{
    const size_t length = strlen(folder);
    lancet_buffer joined = {0};

    lancet_buffer_append(&joined, folder, length);
    if (length && folder[length - 1] != '/')
        lancet_buffer_append(&joined, "/", 1);
    lancet_buffer_append(&joined, name, strlen(name));
    if (joined.failed)
        lancet_buffer_close(&joined);
    return joined.bytes;
}
