/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of the pages that processors have beside the small ones. */
#define LARGE_PAGE ((size_t)2 << 20)

static _Atomic uint64_t requests;
static _Atomic uint64_t fail_at;

bool lancet_multiply(size_t *product, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, product);
}

bool lancet_add(size_t *sum, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* A weight matrix has thousands of small pages, and the first touch of each costs a trip through the kernel
 * that takes longer than filling it. Only what lies within whole large pages becomes such, so nothing is
 * wasted. */
static void *allocate_large(size_t bytes)
{
    void *memory;

    if (posix_memalign(&memory, LARGE_PAGE, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: without it the memory is as good, if slower */
#endif
    return memory;
}

void *lancet_allocate(size_t count, size_t size)
{
    size_t bytes;
    const uint64_t n = atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed) + 1;

    if (n == atomic_load_explicit(&fail_at, memory_order_relaxed))
        return NULL;
    if (!lancet_multiply(&bytes, count, size) || !lancet_add(&bytes, bytes, LANCET_ALIGNMENT - 1))
        return NULL;
    bytes &= ~(size_t)(LANCET_ALIGNMENT - 1);
    if (bytes >= LARGE_PAGE)
        return allocate_large(bytes);
    return aligned_alloc(LANCET_ALIGNMENT, bytes ? bytes : LANCET_ALIGNMENT);
}

void *lancet_allocate_zero(size_t count, size_t size)
{
    void *memory = lancet_allocate(count, size);

    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

void lancet_free(void *memory)
{
    free(memory);
}

char *lancet_copy_text(const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? lancet_allocate(length + 1, 1) : NULL;

    if (copy) {
        if (length)
            memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static bool reserve(lancet_buffer *buffer, size_t more)
{
    size_t need, capacity;
    char *bytes;

    if (buffer->failed)
        return false;
    if (!lancet_add(&need, buffer->length, more) || !lancet_add(&need, need, 1))
        goto fail;
    if (need <= buffer->capacity)
        return true;
    capacity = buffer->capacity < SIZE_MAX / 2 ? buffer->capacity * 2 : need;
    if (capacity < need)
        capacity = need;
    if (capacity < 64)
        capacity = 64;
    bytes = lancet_allocate(capacity, 1);
    if (!bytes)
        goto fail;
    if (buffer->length)
        memcpy(bytes, buffer->bytes, buffer->length);
    lancet_free(buffer->bytes);
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
fail:
    buffer->failed = true;
    return false;
}

char *lancet_buffer_extend(lancet_buffer *buffer, size_t more)
{
    char *place;

    if (!reserve(buffer, more))
        return NULL;
    place = buffer->bytes + buffer->length;
    buffer->length += more;
    buffer->bytes[buffer->length] = '\0';
    return place;
}

bool lancet_buffer_append(lancet_buffer *buffer, const void *bytes, size_t length)
{
    char *place = lancet_buffer_extend(buffer, length);

    if (place && length)
        memcpy(place, bytes, length);
    return place;
}

bool lancet_buffer_print(lancet_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(buffer, (size_t)length)) {
        buffer->failed = true;
        return false;
    }
    va_start(arguments, format);
    vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->length += (size_t)length;
    return true;
}

void lancet_buffer_clear(lancet_buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->bytes)
        buffer->bytes[0] = '\0';
}

void lancet_buffer_close(lancet_buffer *buffer)
{
    if (!buffer)
        return;
    lancet_free(buffer->bytes);
    *buffer = (lancet_buffer){0};
}

void lancet_memory_fail_at(uint64_t n)
{
    atomic_store(&requests, 0);
    atomic_store(&fail_at, n);
}

uint64_t lancet_memory_requests(void)
{
    return atomic_load(&requests);
}
