/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/memory.h"

#include <stdint.h>

bool lancet_arena_reset(lancet_arena *arena, size_t size)
{
    arena->used = 0;
    if (size <= arena->size)
        return true;
    lancet_arena_close(arena);
    arena->memory = lancet_allocate(size, 1);
    if (!arena->memory)
        return false;
    arena->size = size;
    return true;
}

size_t lancet_arena_need(size_t count, size_t size)
{
    size_t bytes;

    if (!lancet_multiply(&bytes, count, size) || !lancet_add(&bytes, bytes, LANCET_ALIGNMENT - 1))
        return SIZE_MAX;
    return bytes & ~(size_t)(LANCET_ALIGNMENT - 1);
}

void *lancet_arena_take(lancet_arena *arena, size_t count, size_t size)
{
    const size_t bytes = lancet_arena_need(count, size);
    void *piece;

    if (bytes > arena->size - arena->used)
        return NULL;
    piece = arena->memory + arena->used;
    arena->used += bytes;
    return piece;
}

void lancet_arena_close(lancet_arena *arena)
{
    lancet_free(arena->memory);
    *arena = (lancet_arena){0};
}
