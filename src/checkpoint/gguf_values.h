/* Values as GGUF files hold them: little-endian, each with its type before it, lists and texts with their
 * length. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_GGUF_VALUES_H
#define LANCET_CHECKPOINT_GGUF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** As the format numbers them. */
typedef enum lancet_gguf_type {
    LANCET_GGUF_U8,
    LANCET_GGUF_I8,
    LANCET_GGUF_U16,
    LANCET_GGUF_I16,
    LANCET_GGUF_U32,
    LANCET_GGUF_I32,
    LANCET_GGUF_F32,
    LANCET_GGUF_BOOL,
    LANCET_GGUF_STRING,
    LANCET_GGUF_LIST,
    LANCET_GGUF_U64,
    LANCET_GGUF_I64,
    LANCET_GGUF_F64,
    LANCET_GGUF_TYPES
} lancet_gguf_type;

/** A place in a file. Every function below checks what it is about to read, moves on past it, and returns
 * false with `problem` set (and `at` where it starts) if it is not there or not what it should be. */
typedef struct lancet_gguf_cursor {
    const uint8_t *bytes;
    size_t length, at;
    const char *problem; /* NULL: none so far */
} lancet_gguf_cursor;

/** A piece of the file; not zero-terminated. */
typedef struct lancet_gguf_text {
    const char *bytes;
    size_t length;
} lancet_gguf_text;

bool lancet_gguf_u32(lancet_gguf_cursor *cursor, uint32_t *value);
bool lancet_gguf_u64(lancet_gguf_cursor *cursor, uint64_t *value);

/** A text of up to `longest` bytes of UTF-8 without zero bytes. */
bool lancet_gguf_string(lancet_gguf_cursor *cursor, lancet_gguf_text *text, size_t longest);

/** The type before a value. */
bool lancet_gguf_read_type(lancet_gguf_cursor *cursor, lancet_gguf_type *type);

/** A value of a type that has been read: any integer type for a whole number, either float for a number. */
bool lancet_gguf_integer(lancet_gguf_cursor *cursor, lancet_gguf_type type, uint64_t *value);
bool lancet_gguf_number(lancet_gguf_cursor *cursor, lancet_gguf_type type, double *value);
bool lancet_gguf_boolean(lancet_gguf_cursor *cursor, lancet_gguf_type type, bool *value);

/** The head of a list: what its items are, and how many (all of which can be in the file). */
bool lancet_gguf_list(lancet_gguf_cursor *cursor, lancet_gguf_type *type, uint64_t *count);

/** Moves past a value without keeping it, or looking into its texts. */
bool lancet_gguf_skip(lancet_gguf_cursor *cursor, lancet_gguf_type type);

#endif
