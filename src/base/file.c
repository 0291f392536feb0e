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

lancet_status lancet_writer_open(lancet_writer *writer, const char *path, lancet_error *error)
{
    static _Atomic unsigned counter; /* two threads of one process may write the same path */
    lancet_buffer temporary = {0};

    *writer = (lancet_writer){.path = lancet_copy_text(path, strlen(path))};
    if (!writer->path ||
        !lancet_buffer_print(&temporary, "%s.%ld-%u.part", path, (long)getpid(), counter++)) {
        lancet_free(writer->path);
        *writer = (lancet_writer){0};
        return lancet_fail_memory(error, "a file name");
    }
    writer->temporary = temporary.bytes;
    writer->descriptor = open(temporary.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer->descriptor < 0) {
        lancet_fail(error, LANCET_ERROR_IO, "%s: %s", path, strerror(errno));
        lancet_writer_discard(writer);
        return LANCET_ERROR_IO;
    }
    return LANCET_OK;
}

lancet_status lancet_writer_append(lancet_writer *writer, const void *bytes, size_t length,
                                   lancet_error *error)
{
    const char *rest = bytes;

    writer->written += length;
    while (length) {
        const ssize_t written = write(writer->descriptor, rest, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return lancet_fail(error, LANCET_ERROR_IO, "%s: %s", writer->path, strerror(errno));
        rest += written;
        length -= (size_t)written;
    }
    return LANCET_OK;
}

/* The last half of finishing and of discarding. */
static void close_writer(lancet_writer *writer)
{
    lancet_free(writer->path);
    lancet_free(writer->temporary);
    *writer = (lancet_writer){0};
}

lancet_status lancet_writer_finish(lancet_writer *writer, lancet_error *error)
{
    lancet_status status = LANCET_OK;

    if (close(writer->descriptor) != 0 || rename(writer->temporary, writer->path) != 0) {
        status = lancet_fail(error, LANCET_ERROR_IO, "%s: %s", writer->path, strerror(errno));
        unlink(writer->temporary);
    }
    close_writer(writer);
    return status;
}

void lancet_writer_discard(lancet_writer *writer)
{
    if (!writer->path)
        return;
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
        unlink(writer->temporary);
    }
    close_writer(writer);
}

lancet_status lancet_file_write_pieces(const char *path, const lancet_piece *pieces, size_t count,
                                       lancet_error *error)
{
    lancet_writer writer;
    lancet_status status = lancet_writer_open(&writer, path, error);

    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = lancet_writer_append(&writer, pieces[i].bytes, pieces[i].length, error);
    if (status == LANCET_OK)
        return lancet_writer_finish(&writer, error);
    lancet_writer_discard(&writer);
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

bool lancet_file_is_same(const char *path, const char *other)
{
    struct stat a, b;

    return stat(path, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
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
