/* Files: mapped to read, replaced whole to write. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_FILE_H
#define LANCET_BASE_FILE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A file mapped read-only. Zero-initialised is closed. An empty file has length 0 and a valid pointer. */
typedef struct lancet_mapping {
    const uint8_t *bytes;
    size_t length;
} lancet_mapping;

/** Maps `path`. Errors: IO (missing, unreadable), INPUT (a folder, a pipe: not a regular file). */
lancet_status lancet_mapping_open(lancet_mapping *mapping, const char *path, lancet_error *error);

/** Tells the system that `length` bytes at `bytes` (inside the mapping) are done with for now: they leave the
 * resident set and come back from the file when touched again. */
void lancet_mapping_drop(const lancet_mapping *mapping, const void *bytes, size_t length);

void lancet_mapping_close(lancet_mapping *mapping);

/** A file being written: a temporary one beside it, which takes its place at the end, so that a reader sees
 * the old file or the new one and never half of either. Zero-initialised is closed. */
typedef struct lancet_writer {
    char *path, *temporary;
    int descriptor;
    uint64_t written; /* bytes so far */
} lancet_writer;

/** Errors: IO, MEMORY. */
lancet_status lancet_writer_open(lancet_writer *writer, const char *path, lancet_error *error);

/** Errors: IO. */
lancet_status lancet_writer_append(lancet_writer *writer, const void *bytes, size_t length,
                                   lancet_error *error);

/** Puts the file in its place. The writer is closed either way; on failure nothing is left of the file.
 * Errors: IO. */
lancet_status lancet_writer_finish(lancet_writer *writer, lancet_error *error);

/** Closes a writer that is not finished, and leaves nothing of its file. */
void lancet_writer_discard(lancet_writer *writer);

/** A part of a file to write; the caller's memory. */
typedef struct lancet_piece {
    const void *bytes;
    size_t length;
} lancet_piece;

/** Writes `path` as a whole, the pieces one after the other. Errors: IO, MEMORY. */
lancet_status lancet_file_write_pieces(const char *path, const lancet_piece *pieces, size_t count,
                                       lancet_error *error);

/** The same for one piece. */
lancet_status lancet_file_write(const char *path, const void *bytes, size_t length, lancet_error *error);

/** True if `path` names something that can be opened for reading. */
bool lancet_file_exists(const char *path);

/** True if both are there and are one file, by whatever names. */
bool lancet_file_is_same(const char *path, const char *other);

/** "`folder of path`/`name`" (or just `name` if path has no folder); NULL if memory is out. lancet_free it.
 */
char *lancet_path_beside(const char *path, const char *name);

/** "`folder`/`name`"; NULL if memory is out. lancet_free it. */
char *lancet_path_join(const char *folder, const char *name);

#endif
