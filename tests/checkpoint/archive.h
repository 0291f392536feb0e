/* Zip archives and PyTorch archives, written by a test: enough of both formats for what PyTorch writes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHECKPOINT_ARCHIVE_H
#define TESTS_CHECKPOINT_ARCHIVE_H

#include "support/files.h"

#include "base/memory.h"
#include "tensor/tensor.h"

/* A zip archive that is being written; zero-initialised is empty. */
typedef struct zip_writer {
    lancet_buffer out, directory;
    size_t count;
} zip_writer;

/* How a member is written. */
enum {
    ZIP_DEFLATED = 1,   /* says so; the bytes are the caller's */
    ZIP_ENCRYPTED = 2,  /* likewise */
    ZIP_WIDE = 4,       /* its sizes and place stand in Zip64's extra field */
    ZIP_SIZES_FIRST = 8 /* its own header states the sizes, rather than zeros */
};

static inline void put_number(lancet_buffer *out, uint64_t number, int size)
{
    for (; size-- > 0; number >>= 8)
        lancet_buffer_append(out, &(uint8_t){(uint8_t)number}, 1);
}

static inline void put_string(lancet_buffer *out, const char *text)
{
    lancet_buffer_append(out, text, strlen(text));
}

/* Adds a member, its bytes at a multiple of 64 as PyTorch has them. */
static inline void zip_add(zip_writer *w, const char *name, const void *bytes, size_t length, int how)
{
    const size_t place = w->out.length, wide = how & ZIP_WIDE ? 20 : 0;
    const size_t padding = 64 - (place + 30 + strlen(name) + wide + 4) % 64;
    const uint64_t flags = (how & ZIP_SIZES_FIRST ? 0 : 8) | (how & ZIP_ENCRYPTED ? 1 : 0) | 0x800;
    const uint64_t stated = how & ZIP_WIDE ? 0xFFFFFFFF : length, first = how & ZIP_SIZES_FIRST ? stated : 0;

    put_string(&w->out, "PK\3\4");
    put_number(&w->out, 0, 2);
    put_number(&w->out, flags, 2);
    put_number(&w->out, how & ZIP_DEFLATED ? 8 : 0, 2);
    put_number(&w->out, 0, 8); /* time and checksum */
    put_number(&w->out, first, 4);
    put_number(&w->out, first, 4);
    put_number(&w->out, strlen(name), 2);
    put_number(&w->out, wide + 4 + padding, 2);
    put_string(&w->out, name);
    if (wide) {
        put_number(&w->out, 1 | 16 << 16, 4);
        put_number(&w->out, length, 8);
        put_number(&w->out, length, 8);
    }
    put_string(&w->out, "FB");
    put_number(&w->out, padding, 2);
    for (size_t i = 0; i < padding; i++)
        put_string(&w->out, "Z");
    lancet_buffer_append(&w->out, bytes, length);
    if (!(how & ZIP_SIZES_FIRST)) {
        put_string(&w->out, "PK\7\x8");
        put_number(&w->out, 0, 4);
        put_number(&w->out, length, 4);
        put_number(&w->out, length, 4);
    }

    put_string(&w->directory, "PK\1\2");
    put_number(&w->directory, 0, 4);
    put_number(&w->directory, flags, 2);
    put_number(&w->directory, how & ZIP_DEFLATED ? 8 : 0, 2);
    put_number(&w->directory, 0, 8);
    put_number(&w->directory, stated, 4);
    put_number(&w->directory, stated, 4);
    put_number(&w->directory, strlen(name), 2);
    put_number(&w->directory, wide ? 28 : 0, 2);
    put_number(&w->directory, 0, 10);
    put_number(&w->directory, wide ? 0xFFFFFFFF : place, 4);
    put_string(&w->directory, name);
    if (wide) {
        put_number(&w->directory, 1 | 24 << 16, 4);
        put_number(&w->directory, length, 8);
        put_number(&w->directory, length, 8);
        put_number(&w->directory, place, 8);
    }
    w->count++;
}

/* The directory and its end records, Zip64's too if `wide`; the archive is the caller's to close. */
static inline lancet_buffer zip_end(zip_writer *w, bool wide, const char *comment)
{
    const size_t start = w->out.length, length = w->directory.length, end = start + length;
    lancet_buffer out = w->out;

    lancet_buffer_append(&out, w->directory.bytes ? w->directory.bytes : "", length);
    if (wide) {
        put_string(&out, "PK\6\6");
        put_number(&out, 44, 8);
        put_number(&out, 45 | 45 << 16, 4);
        put_number(&out, 0, 8);
        put_number(&out, w->count, 8);
        put_number(&out, w->count, 8);
        put_number(&out, length, 8);
        put_number(&out, start, 8);
        put_string(&out, "PK\6\7");
        put_number(&out, 0, 4);
        put_number(&out, end, 8);
        put_number(&out, 1, 4);
    }
    put_string(&out, "PK\5\6");
    put_number(&out, 0, 4);
    /* What is too large for the old record is all ones there, whatever it is. */
    put_number(&out, w->count < 0xFFFF ? w->count : 0xFFFF, 2);
    put_number(&out, w->count < 0xFFFF ? w->count : 0xFFFF, 2);
    put_number(&out, length, 4);
    put_number(&out, start, 4);
    put_number(&out, strlen(comment), 2);
    put_string(&out, comment);
    assert_false(out.failed || w->directory.failed);
    lancet_buffer_close(&w->directory);
    *w = (zip_writer){0};
    return out;
}

/* What PyTorch's pickles are made of. */

static inline void put_text(lancet_buffer *out, const char *text, size_t length)
{
    put_string(out, "X");
    put_number(out, length, 4);
    lancet_buffer_append(out, text, length);
}

static inline void put_integer(lancet_buffer *out, size_t number)
{
    put_string(out, "J");
    put_number(out, number, 4);
}

static inline void put_tensor(lancet_buffer *out, const lancet_tensor *tensor, size_t key)
{
    static const char *const classes[] = {"Float", "Half", "BFloat16", "Long", "Int", "Byte"};
    size_t stride = tensor->count;
    char text[24];

    put_string(out, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(out, "storage", 7);
    lancet_buffer_print(out, "ctorch\n%sStorage\n", classes[tensor->dtype]);
    put_text(out, text, (size_t)snprintf(text, sizeof text, "%zu", key));
    put_text(out, "cpu", 3);
    put_integer(out, tensor->count);
    put_string(out, "tQ");
    put_integer(out, 0);
    put_string(out, "(");
    for (size_t i = 0; i < tensor->rank; i++)
        put_integer(out, tensor->shape[i]);
    put_string(out, "t(");
    for (size_t i = 0; i < tensor->rank; i++) {
        stride = tensor->shape[i] ? stride / tensor->shape[i] : 0;
        put_integer(out, stride);
    }
    put_string(out, "t\x89"
                    "ccollections\nOrderedDict\n)RtR");
}

/* The attributes of a compiled module whose tensors have this much of their names in common. They are sorted,
 * so that those of a module within it stand together. */
static inline void put_module(lancet_buffer *out, const lancet_tensor *const *tensors, const size_t *keys,
                              size_t count, size_t prefix)
{
    put_string(out, "c__torch__.tests\nModule\n)\x81}(");
    put_text(out, "training", 8);
    put_string(out, "\x89");
    put_text(out, "_is_full_backward_hook", 22);
    put_string(out, "N");
    for (size_t i = 0, end; i < count; i = end) {
        const char *name = tensors[i]->name + prefix, *dot = strchr(name, '.');
        const size_t length = dot ? (size_t)(dot - name) : strlen(name);

        for (end = i + 1; dot && end < count && strncmp(tensors[end]->name + prefix, name, length + 1) == 0;)
            end++;
        put_text(out, name, length);
        if (dot)
            put_module(out, tensors + i, keys + i, end - i, prefix + length + 1);
        else
            put_tensor(out, tensors[i], keys[i]);
    }
    put_string(out, "ub");
}

static inline int compare_named(const void *left, const void *right)
{
    const lancet_tensor *const *a = left, *const *b = right;

    return strcmp((*a)->name, (*b)->name);
}

/* The tensors as an archive of a state dict, or of a compiled module; close the buffer. */
static inline lancet_buffer archive_print(const lancet_tensor *tensors, size_t count, bool torchscript)
{
    const lancet_tensor **sorted = calloc(count + 1, sizeof *sorted);
    size_t *keys = calloc(count + 1, sizeof *keys);
    lancet_buffer pickle = {0};
    zip_writer zip = {0};
    char name[64];

    for (size_t i = 0; i < count; i++)
        sorted[i] = &tensors[i];
    if (torchscript)
        qsort(sorted, count, sizeof *sorted, compare_named);
    for (size_t i = 0; i < count; i++)
        keys[i] = i;
    put_string(&pickle, "\x80\x2");
    if (torchscript) {
        put_module(&pickle, sorted, keys, count, 0);
    } else {
        put_string(&pickle, "}(");
        for (size_t i = 0; i < count; i++) {
            put_text(&pickle, sorted[i]->name, strlen(sorted[i]->name));
            put_tensor(&pickle, sorted[i], i);
        }
        put_string(&pickle, "u");
    }
    put_string(&pickle, ".");
    zip_add(&zip, "archive/data.pkl", pickle.bytes, pickle.length, 0);
    if (torchscript) {
        zip_add(&zip, "archive/code/__torch__/tests.py", "\3\0", 2, ZIP_DEFLATED);
        zip_add(&zip, "archive/constants.pkl", "\x80\x2).", 4, 0);
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "archive/data/%zu", i);
        zip_add(&zip, name, sorted[i]->data, lancet_tensor_bytes(sorted[i]), 0);
    }
    zip_add(&zip, "archive/version", "3\n", 2, 0);
    free(sorted);
    free(keys);
    lancet_buffer_close(&pickle);
    return zip_end(&zip, true, "");
}

#endif
