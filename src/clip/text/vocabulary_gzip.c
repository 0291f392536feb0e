/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST /* zlib then does not want to write to its input */
#include "clip/text/vocabulary_read.h"

#include <string.h>
#include <zlib.h>

/* zlib's memory comes from where all of ours does. */
static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return lancet_allocate(count, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    lancet_free(memory);
}

lancet_status lancet_read_gzip(lancet_buffer *text, const lancet_bytes *file, lancet_error *error)
{
    z_stream stream = {.zalloc = allocate, .zfree = release};
    lancet_status status = LANCET_OK;
    char *chunk = lancet_allocate(65536, 1);
    int result;

    if (!chunk || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) { /* 16: gzip and nothing else */
        lancet_free(chunk);
        return lancet_fail_memory(error, "unpacking a vocabulary");
    }
    stream.next_in = (const Bytef *)file->bytes; /* LANCET_VOCABULARY_FILE_MAX fits an unsigned */
    stream.avail_in = (uInt)file->length;
    do {
        stream.next_out = (Bytef *)chunk;
        stream.avail_out = 65536;
        result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END)
            break;
        if (!lancet_buffer_append(text, chunk, 65536 - stream.avail_out)) {
            result = Z_MEM_ERROR;
            break;
        }
    } while (result == Z_OK && text->length <= LANCET_VOCABULARY_FILE_MAX);
    if (result == Z_MEM_ERROR)
        status = lancet_fail_memory(error, "unpacking a vocabulary");
    else if (result == Z_BUF_ERROR)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: cut short: the compressed data end after %zu bytes",
                        file->name, file->length);
    else if (result != Z_OK && result != Z_STREAM_END)
        status = lancet_fail(error, LANCET_ERROR_INPUT, "%s: the compressed data are damaged%s%s", file->name,
                             stream.msg ? ": " : "", stream.msg ? stream.msg : "");
    else if (text->length > LANCET_VOCABULARY_FILE_MAX)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected at most %zu bytes when unpacked, found more",
                        file->name, LANCET_VOCABULARY_FILE_MAX);
    else if (stream.avail_in)
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected the end of the file, found %u more bytes",
                        file->name, stream.avail_in);
    else if (!text->bytes) /* an archive of nothing still gives a string */
        status = lancet_buffer_append(text, "", 0) ? LANCET_OK : lancet_fail_memory(error, "a vocabulary");
    inflateEnd(&stream);
    lancet_free(chunk);
    return status;
}
