/* Pickles as plain values. What a pickle asks Python to call stays a note of that: nothing is imported and
 * nothing is called. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CHECKPOINT_PICKLE_H
#define LANCET_CHECKPOINT_PICKLE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest pickle that is read; those of published models have less than 1 MB. */
#define LANCET_PICKLE_LENGTH_MAX ((size_t)32 << 20)
/** The most memory that the values of one pickle may take. */
#define LANCET_PICKLE_MEMORY_MAX ((size_t)256 << 20)

typedef enum lancet_pickle_kind {
    LANCET_PICKLE_NONE,
    LANCET_PICKLE_BOOLEAN,
    LANCET_PICKLE_INTEGER,
    LANCET_PICKLE_LARGE, /* an integer of more than 64 bits; its value is not kept */
    LANCET_PICKLE_REAL,  /* its value is not kept either: no shape or place is one */
    LANCET_PICKLE_TEXT,
    LANCET_PICKLE_BYTES,
    LANCET_PICKLE_TUPLE,
    LANCET_PICKLE_LIST,
    LANCET_PICKLE_SET,
    LANCET_PICKLE_DICTIONARY,
    LANCET_PICKLE_NAME,      /* of a Python function or class that is on the list below */
    LANCET_PICKLE_CALL,      /* a NAME, what it is to be called with, what it is to be given then */
    LANCET_PICKLE_PERSISTENT /* something outside of the pickle: its identity */
} lancet_pickle_kind;

/** What the Python names that may stand in a pickle are to a reader of weights. */
typedef enum lancet_pickle_role {
    LANCET_PICKLE_HARMLESS,     /* makes something that holds no weights */
    LANCET_PICKLE_MAPPING,      /* makes an empty dictionary of at most `number` arguments */
    LANCET_PICKLE_FIRST,        /* gives its first argument back */
    LANCET_PICKLE_TENSOR,       /* makes a tensor: storage, offset, size, strides, ... */
    LANCET_PICKLE_TENSOR_TYPED, /* the same with a storage of bytes; the seventh argument is the data type */
    LANCET_PICKLE_TENSOR_KIND,  /* makes a tensor by calling its first argument with its third */
    LANCET_PICKLE_STORAGE,      /* a class of storages; the value's `number` is the data type */
    LANCET_PICKLE_DATA_TYPE,    /* a data type, the same way */
    LANCET_PICKLE_MODULE        /* a class compiled by TorchScript */
} lancet_pickle_role;

/** Data types, as `number` of a name. */
typedef enum lancet_pickle_type {
    LANCET_PICKLE_F32,
    LANCET_PICKLE_F16,
    LANCET_PICKLE_BF16,
    LANCET_PICKLE_F64,
    LANCET_PICKLE_I64,
    LANCET_PICKLE_I32,
    LANCET_PICKLE_I16,
    LANCET_PICKLE_I8,
    LANCET_PICKLE_U8,
    LANCET_PICKLE_BOOL,
    LANCET_PICKLE_C64,
    LANCET_PICKLE_C128,
    LANCET_PICKLE_U16,
    LANCET_PICKLE_U32,
    LANCET_PICKLE_U64,
    LANCET_PICKLE_F8_E4M3,
    LANCET_PICKLE_F8_E5M2,
    LANCET_PICKLE_UNTYPED /* a storage of bytes */
} lancet_pickle_type;

/** Dies with its pickle. */
typedef struct lancet_pickle_value {
    lancet_pickle_kind kind;
    lancet_pickle_role role; /* of a NAME */
    int64_t number;          /* BOOLEAN, INTEGER; of a NAME see its role */
    const char *bytes;       /* TEXT (UTF-8), BYTES: views into the pickle, not zero-terminated */
    /** Of TUPLE, LIST, SET; of a DICTIONARY key, value, key, value, ...; of a CALL its NAME, its arguments
     * (a TUPLE), and its state (or NULL); of a PERSISTENT its identity. */
    struct lancet_pickle_value **items;
    size_t count, capacity; /* of items or bytes */
} lancet_pickle_value;

/** Zero-initialised is empty. */
typedef struct lancet_pickle {
    const lancet_pickle_value *root;
    struct lancet_pickle_block *memory; /* every value and list of items */
    size_t memory_used;                 /* of the newest block */
    size_t memory_total;
    bool full; /* LANCET_PICKLE_MEMORY_MAX was reached */
} lancet_pickle;

/** Reads a whole pickle of protocol 2 to 5. Values may be shared, and a list or dictionary may hold itself.
 * `bytes` stay the caller's and outlive the pickle; `what` names it in messages. On failure `pickle` is
 * empty.
 *
 * Errors: INPUT (cut short, or no pickle), UNSUPPORTED (an operation that PyTorch does not use; a Python name
 * that is not on the list; more nesting, values or memory than any model needs), MEMORY. */
lancet_status lancet_pickle_read(lancet_pickle *pickle, const uint8_t *bytes, size_t length, const char *what,
                                 lancet_error *error);

/** What a Python name means, of the closed list of those that weights and what is saved beside them need;
 * false if it is not on it. `name` is filled in but for its kind. */
bool lancet_pickle_know(lancet_pickle_value *name, const char *module, size_t module_length,
                        const char *attribute, size_t attribute_length);

/** Whether the value is this text. */
bool lancet_pickle_is(const lancet_pickle_value *value, const char *text);

/** The value under a key of a DICTIONARY, the last if there are several; NULL if there is none. */
const lancet_pickle_value *lancet_pickle_find(const lancet_pickle_value *dictionary, const char *key);

/** "a list", "a number", ...: for messages. */
const char *lancet_pickle_kind_name(lancet_pickle_kind kind);

void lancet_pickle_close(lancet_pickle *pickle);

/** A new zeroed value of a pickle that is being read; NULL if memory is out or LANCET_PICKLE_MEMORY_MAX is
 * reached (`full` tells). */
lancet_pickle_value *lancet_pickle_new(lancet_pickle *pickle, lancet_pickle_kind kind);

/** Appends `count` items; false likewise. */
bool lancet_pickle_append(lancet_pickle *pickle, lancet_pickle_value *value,
                          lancet_pickle_value *const *items, size_t count);

#endif
