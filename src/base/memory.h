/* Checked allocation, growing buffers. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_BASE_MEMORY_H
#define LANCET_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Alignment of everything lancet_allocate gives: a cache line, and the widest vector register. */
#define LANCET_ALIGNMENT 64

/** *product = a * b; false (and *product untouched) if that does not fit. */
bool lancet_multiply(size_t *product, size_t a, size_t b);

/** *sum = a + b; false (and *sum untouched) if that does not fit. */
bool lancet_add(size_t *sum, size_t a, size_t b);

/** count x size bytes, 64-byte aligned, not zeroed; NULL if the product overflows or memory is out.
 * A count of zero gives a valid pointer to nothing. Freed by lancet_free. */
void *lancet_allocate(size_t count, size_t size) __attribute__((malloc));

/** The same, zeroed. */
void *lancet_allocate_zero(size_t count, size_t size) __attribute__((malloc));

/** Frees; accepts NULL. */
void lancet_free(void *memory);

/** A copy of `length` bytes and a terminating zero; NULL if memory is out. */
char *lancet_copy_text(const char *text, size_t length) __attribute__((malloc));

/** Bytes that grow. Zero-initialised is empty. After a failed append `failed` stays true and further appends
 * do nothing, so that a writer checks once, at the end. */
typedef struct lancet_buffer {
    char *bytes; /* always zero-terminated when not NULL */
    size_t length, capacity;
    bool failed;
} lancet_buffer;

bool lancet_buffer_append(lancet_buffer *buffer, const void *bytes, size_t length);
bool lancet_buffer_print(lancet_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Grows the buffer by `more` bytes for the caller to fill; returns their place, NULL on failure. */
char *lancet_buffer_extend(lancet_buffer *buffer, size_t more);
/** Empties, keeping the memory (and clearing `failed`). */
void lancet_buffer_clear(lancet_buffer *buffer);
void lancet_buffer_close(lancet_buffer *buffer);

/** For tests: the n-th allocation from now (1-based) fails, once; 0 turns that off. */
void lancet_memory_fail_at(uint64_t n);

/** For tests: how many allocations were asked for since lancet_memory_fail_at was last called. */
uint64_t lancet_memory_requests(void);

#endif
