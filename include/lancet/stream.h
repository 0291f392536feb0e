/* Streams: many pictures one after the other, read ahead, shared among processes, noted in a journal. Part of
 * liblancet-eval.
 *
 *     lancet_stream_open(&stream, paths, count, &options, &error);
 *     while (lancet_stream_next(&items, &taken, stream))
 *         for (size_t i = 0; i < taken; i++)
 *             ... work on items[i].image; lancet_stream_keep(stream, items[i].index, result, length, false,
 * ...) lancet_stream_finish(stream, &error); for (size_t i = 0; i < count; i++)
 *         ... lancet_stream_kept(&kept, stream, i)
 *
 * Memory does not grow with the number of pictures but for their paths and 60 bytes for each.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_STREAM_H
#define LANCET_STREAM_H

#include "lancet/error.h"
#include "lancet/image.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lancet_stream lancet_stream;

/** What was kept of a picture. */
typedef struct lancet_kept {
    const void *bytes; /**< [length]; lives as long as the stream, but for lancet_stream_finish */
    size_t length;
    bool broken; /**< nothing came of it, and why is what was kept */
} lancet_kept;

/** All zero is the default. */
typedef struct lancet_stream_options {
    bool ignore_orientation; /**< as lancet_image_options has it */
    int decoders;            /**< threads that read pictures ahead, 1 to 64; default (0): 2 */
    size_t together; /**< the most pictures that lancet_stream_next gives at a time; default (0): 1. So many
                        and decoders + 1 are in memory at a time, or what 512 MiB hold and one more for each
                          decoder */
    /** Folder of the journal, made if it is not there; NULL: nothing is kept on disk, and lancet_stream_kept
     * has nothing. Several processes need one that all of them see. */
    const char *journal;
    /** A text of every setting that decides the results, a line each: a journal of others is not resumed.
     * NULL: "" */
    const char *settings;
    /** [count], or NULL: what the results of each picture go by. A picture counts as done under this name
     * alone. */
    const char *const *names;
    bool resume; /**< pictures that the journal has as done are not done again; default: it is begun anew */
    /** With `resume`: whether what was kept of a picture still holds (its files are there); false has it done
     * again. NULL: it does. */
    bool (*holds)(void *context, size_t index, const lancet_kept *kept);
    void *holds_context;
} lancet_stream_options;

/** Opens a stream of the pictures in `paths` [count]; paths and names are not copied. Reading begins at once.
 *
 * A picture counts as the one of the journal if path, name, the file's size and the time it was changed are
 * the same, wherever it stands in the list: a list may have grown, shrunk or changed its order.
 *
 * Under MPI (lancet_parallel_begin) picture i is that of process i mod N, whichever did it before.
 * On success *stream is the caller's (lancet_stream_close), on failure NULL. Errors: ARGUMENT (a NULL, an
 * option out of range, several processes without a journal, a journal that a process is writing), INPUT (a
 * journal of other settings, something that is no journal), IO, MEMORY. */
LANCET_API lancet_status lancet_stream_open(lancet_stream **stream, const char *const *paths, size_t count,
                                            const lancet_stream_options *options, lancet_error *error);

/** One picture, or why there is none. */
typedef struct lancet_stream_item {
    size_t index;              /**< in the list */
    const lancet_image *image; /**< NULL if it could not be read */
    lancet_status status;
    lancet_error error; /**< names the file */
} lancet_stream_item;

/** *items [*count] = the next pictures of this process in the order of the list, at least one; waits for the
 * first, and takes those behind it that are there already. They live until the next call. False behind the
 * last one. */
LANCET_API bool lancet_stream_next(const lancet_stream_item **items, size_t *count, lancet_stream *stream);

/** Pictures that are this process's to do, in all, and how many of those the journal had as done. */
LANCET_API size_t lancet_stream_share(const lancet_stream *stream);
LANCET_API size_t lancet_stream_resumed(const lancet_stream *stream);

/** Keeps the result of a picture, any bytes. A broken one is tried again when the stream is resumed. What was
 * kept survives the process from the moment this returns, and reaches the disk every few seconds. Errors: IO,
 * MEMORY, ARGUMENT. */
LANCET_API lancet_status lancet_stream_keep(lancet_stream *stream, size_t index, const void *bytes,
                                            size_t length, bool broken, lancet_error *error);

/** Ends reading, waits until everything kept is on the disk and all processes are here. Afterwards
 * lancet_stream_kept has what all of them did. Errors: IO, MEMORY. */
LANCET_API lancet_status lancet_stream_finish(lancet_stream *stream, lancet_error *error);

/** *kept = what the journal had of the picture when the stream was opened, as far as it was done, or since
 * lancet_stream_finish what it has. False if that is nothing. */
LANCET_API bool lancet_stream_kept(lancet_kept *kept, const lancet_stream *stream, size_t index);

/** Closes, sets *stream to NULL; accepts NULL and a pointer to NULL. */
LANCET_API void lancet_stream_close(lancet_stream **stream);

#ifdef __cplusplus
}
#endif
#endif
