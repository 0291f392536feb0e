/* Arenas: one block of memory handed out in pieces and taken back all at once. SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef LANCET_BASE_ARENA_H
#define LANCET_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialised is empty. */
typedef struct lancet_arena {
    char *memory;
    size_t size, used;
} lancet_arena;

/** Takes back every piece and sees that at least `size` bytes are there; false if memory is out (the arena is
 * then empty). Keeps a larger block from before, so that re-use costs nothing. */
bool lancet_arena_reset(lancet_arena *arena, size_t size);

/** A piece of count x size bytes, 64-byte aligned, not zeroed; NULL if it does not fit in what reset
 * provided. */
void *lancet_arena_take(lancet_arena *arena, size_t count, size_t size);

/** What lancet_arena_take uses of the arena for count x size bytes; SIZE_MAX if that overflows. */
size_t lancet_arena_need(size_t count, size_t size);

void lancet_arena_close(lancet_arena *arena);

#endif
