/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/container.h"

#include "checkpoint/gguf.h"
#include "checkpoint/pytorch.h"
#include "checkpoint/safetensors.h"

#include <stdbool.h>
#include <string.h>

/* How much of a file is looked at. */
#define LOOK_MAX 65536

typedef struct signature {
    size_t offset;
    const char *bytes;
    size_t length;
    const char *what;
    lancet_status status;
} signature;

#define AT(offset, bytes) offset, bytes, sizeof(bytes) - 1

static const signature signatures[] = {
    {AT(0, "tjgg"), "a GGML file, which is not supported", LANCET_ERROR_UNSUPPORTED},
    {AT(0, "lmgg"), "a GGML file, which is not supported", LANCET_ERROR_UNSUPPORTED},
    {AT(0, "\x89HDF\r\n\x1a\n"), "an HDF5 file (Keras or TensorFlow), which is not supported",
     LANCET_ERROR_UNSUPPORTED},
    {AT(4, "TFL3"), "a TensorFlow Lite model, which is not supported", LANCET_ERROR_UNSUPPORTED},
    {AT(0, "\x93NUMPY"), "a NumPy array, no model", LANCET_ERROR_INPUT},
    {AT(0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"),
     "a PyTorch file of before version 1.6 (a bare pickle), which is not supported",
     LANCET_ERROR_UNSUPPORTED},
    {AT(0, "version https://git-lfs.github.com/"), "a Git LFS pointer, not the weights (run git lfs pull)",
     LANCET_ERROR_INPUT},
    {AT(257, "ustar"), "a tar archive, no model", LANCET_ERROR_INPUT},
    {AT(0, "\x1f\x8b"), "a gzip archive, no model", LANCET_ERROR_INPUT},
    {AT(0, "\x28\xb5\x2f\xfd"), "a Zstandard archive, no model", LANCET_ERROR_INPUT},
    {AT(0, "\xfd\x37zXZ"), "an xz archive, no model", LANCET_ERROR_INPUT},
    {AT(0, "\xff\xd8\xff"), "a JPEG picture, no model", LANCET_ERROR_INPUT},
    {AT(0, "\x89PNG"), "a PNG picture, no model", LANCET_ERROR_INPUT},
    {AT(8, "WEBP"), "a WebP picture, no model", LANCET_ERROR_INPUT},
    {AT(0, "\x7f"
           "ELF"),
     "a program, no model", LANCET_ERROR_INPUT},
};

/* A plain search is enough: it runs once, over a bounded piece of a file that is refused anyway. */
static bool contains(const uint8_t *bytes, size_t length, const char *text)
{
    const size_t size = strlen(text);

    if (length > LOOK_MAX)
        length = LOOK_MAX;
    for (size_t i = 0; i + size <= length; i++)
        if (bytes[i] == (uint8_t)text[0] && memcmp(bytes + i, text, size) == 0)
            return true;
    return false;
}

/* ASCII letters of either case; `text` is in small letters. */
static bool starts_with(const uint8_t *bytes, size_t length, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        const int c = i < length ? bytes[i] : -1;

        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != text[i])
            return false;
    }
    return true;
}

/* Texts that are often found where weights should be. */
static const char *name_text(const uint8_t *bytes, size_t length)
{
    static const char *const openings[] = {"<!doctype", "<html", "<head", "<?xml", "<!--"};

    while (length && memchr(" \t\r\n\xEF\xBB\xBF", *bytes, 7)) { /* white space, a byte order mark */
        bytes++;
        length--;
    }
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (starts_with(bytes, length, openings[i]))
            return "an HTML page, not the weights (a download that failed?)";
    return starts_with(bytes, length, "{") ? "a JSON text, no model" : NULL;
}

const char *lancet_container_name(lancet_container container)
{
    static const char *const names[] = {[LANCET_CONTAINER_SAFETENSORS] = "safetensors",
                                        [LANCET_CONTAINER_PYTORCH] = "PyTorch",
                                        [LANCET_CONTAINER_GGUF] = "GGUF",
                                        [LANCET_CONTAINER_INDEX] = "an index of"};

    return names[container];
}

lancet_status lancet_container_recognise(lancet_container *container, const uint8_t *bytes, size_t length,
                                         const char *path, lancet_error *error)
{
    const char *text;

    *container = LANCET_CONTAINER_SAFETENSORS;
    if (!length)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a model, found an empty file", path);
    /* First, because a table of 640 bytes starts as a pickle does. */
    if (length > 8 && bytes[8] == '{' && bytes[7] == 0)
        return LANCET_OK;
    if (length >= 4 && memcmp(bytes, "GGUF", 4) == 0) {
        *container = LANCET_CONTAINER_GGUF;
        return LANCET_OK;
    }
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const signature *s = &signatures[i];

        if (length >= s->offset + s->length && memcmp(bytes + s->offset, s->bytes, s->length) == 0)
            return lancet_fail(error, s->status, "%s: expected a model, found %s", path, s->what);
    }
    /* Of files or of nothing; whether PyTorch wrote it stands in its directory. */
    if (length >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0)) {
        *container = LANCET_CONTAINER_PYTORCH;
        return LANCET_OK;
    }
    if (length > 8 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "%s: expected a model, found %s", path,
                           "a Python pickle, which is not supported");
    /* ONNX is a protocol buffer: field 1 is its version, field 2 who made it. */
    if (length >= 4 && bytes[0] == 0x08 && bytes[1] && bytes[1] < 0x20 && bytes[2] == 0x12)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "%s: expected a model, found %s", path,
                           "an ONNX model, which is not supported");
    if (bytes[0] == '{' && contains(bytes, length, "\"weight_map\"")) {
        *container = LANCET_CONTAINER_INDEX;
        return LANCET_OK;
    }
    text = name_text(bytes, length < LOOK_MAX ? length : LOOK_MAX);
    return text ? lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a model, found %s", path, text)
                : LANCET_OK;
}

lancet_status lancet_container_parse(lancet_container container, lancet_table *table, const uint8_t *bytes,
                                     size_t length, const char *path, lancet_error *error)
{
    switch (container) {
    case LANCET_CONTAINER_SAFETENSORS:
        return lancet_safetensors_parse(table, bytes, length, path, error);
    case LANCET_CONTAINER_PYTORCH:
        return lancet_pytorch_parse(table, bytes, length, path, error);
    case LANCET_CONTAINER_GGUF:
        return lancet_gguf_parse(table, bytes, length, path, error);
    default:
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "%s: an index has no tensors", path);
    }
}
