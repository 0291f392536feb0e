/* Any bytes as the pickle of a PyTorch archive that has two storages. SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/pickle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(lancet_buffer *out, uint64_t number, int size)
{
    for (; size-- > 0; number >>= 8)
        lancet_buffer_append(out, &(uint8_t){(uint8_t)number}, 1);
}

/* The same member in the archive and in its directory. */
static void add(lancet_buffer *out, lancet_buffer *directory, const char *name, const void *bytes,
                size_t length)
{
    const size_t place = out->length;

    lancet_buffer_append(directory, "PK\1\2\0\0", 6);
    for (int i = 0; i < 2; i++) {
        lancet_buffer *to = i ? directory : out;

        if (!i)
            lancet_buffer_append(to, "PK\3\4", 4);
        put(to, 0, 14); /* version, flags, method, time, checksum */
        put(to, length, 4);
        put(to, length, 4);
        put(to, strlen(name), 2);
        put(to, 0, i ? 12 : 2);
        if (i)
            put(to, place, 4);
        lancet_buffer_append(to, name, strlen(name));
    }
    lancet_buffer_append(out, bytes, length);
}

static lancet_buffer wrap(const uint8_t *data, size_t size)
{
    static const uint8_t numbers[64] = {1, 2, 3};
    lancet_buffer out = {0}, directory = {0};
    size_t start;

    add(&out, &directory, "x/data.pkl", data, size);
    add(&out, &directory, "x/data/0", numbers, sizeof numbers);
    add(&out, &directory, "x/data/1", numbers, 4);
    start = out.length;
    lancet_buffer_append(&out, directory.bytes, directory.length);
    lancet_buffer_append(&out, "PK\5\6\0\0\0\0\3\0\3\0", 12);
    put(&out, directory.length, 4);
    put(&out, start, 4);
    put(&out, 0, 2);
    lancet_buffer_close(&directory);
    if (out.failed)
        abort();
    return out;
}

/* Reads every byte, as whoever trusts the shape would. */
static void touch(const lancet_tensor *tensor)
{
    const uint8_t *bytes = tensor->data;
    volatile uint8_t seen = 0;

    for (size_t i = 0, length = lancet_tensor_bytes(tensor); i < length; i++)
        seen = bytes[i];
    (void)seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lancet_checkpoint *checkpoint;
    lancet_pickle pickle;
    lancet_buffer archive;
    lancet_error error = {0};
    lancet_status status = lancet_pickle_read(&pickle, data, size, "fuzz", &error);

    if ((status == LANCET_OK) != (pickle.root != NULL) || (status != LANCET_OK && !strlen(error.message)))
        abort(); /* a refusal says why */
    lancet_pickle_close(&pickle);
    archive = wrap(data, size);
    if (lancet_checkpoint_open_memory(&checkpoint, archive.bytes, archive.length, "fuzz", &error) ==
        LANCET_OK) {
        for (size_t i = 0; i < lancet_checkpoint_count(checkpoint); i++)
            touch(lancet_checkpoint_tensor(checkpoint, i));
        lancet_checkpoint_close(&checkpoint);
    } else if (error.status == LANCET_ERROR_INPUT && strstr(error.message, "the zip archive")) {
        abort(); /* the archive itself is sound */
    }
    lancet_buffer_close(&archive);
    return 0;
}
