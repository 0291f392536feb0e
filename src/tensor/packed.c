/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor/packed.h"

/* Rows of a task at most: enough to use each column of the matrix several times while it is in the cache. */
#define ROWS_OF_TASK 112

size_t lancet_packed_width(size_t left)
{
    const size_t panel = lancet_kernels_get()->panel;

    return left > panel / 2 ? panel : panel / 2;
}

size_t lancet_packed_size(size_t depth, size_t columns)
{
    const size_t panel = lancet_kernels_get()->panel, left = columns % panel;

    return depth * (columns - left + (left ? lancet_packed_width(left) : 0));
}

const float *lancet_packed_columns(const float *matrix, size_t depth, size_t first)
{
    return matrix + depth * first;
}

lancet_packed_place lancet_packed_find(size_t depth, size_t columns, size_t j)
{
    const size_t panel = lancet_kernels_get()->panel, first = j - j % panel;

    return (lancet_packed_place){depth * first + j - first, lancet_packed_width(columns - first)};
}

struct run {
    const lancet_kernels *kernels;
    const lancet_packed_product *product;
    size_t chunks, blocks;
};

static void run_task(void *context, size_t index, int worker)
{
    const struct run *run = context;
    const size_t chunk = index / run->blocks, block = index % run->blocks;
    const size_t first = chunk * LANCET_PACKED_CHUNK, row = block * run->product->rows / run->blocks;
    lancet_packed_product part = *run->product;

    (void)worker;
    part.rows = (block + 1) * part.rows / run->blocks - row;
    part.columns = part.columns - first < LANCET_PACKED_CHUNK ? part.columns - first : LANCET_PACKED_CHUNK;
    part.matrix = lancet_packed_columns(part.matrix, part.depth, first);
    part.in = (const float *)part.in + row * part.in_stride;
    part.out += row * part.out_stride + first;
    part.bias = part.bias ? part.bias + first : NULL;
    part.add = part.add ? part.add + row * part.add_stride + first : NULL;
    run->kernels->packed_product(&part);
}

void lancet_packed_run(lancet_pool *pool, const lancet_packed_product *product)
{
    struct run run = {.kernels = lancet_kernels_get(),
                      .product = product,
                      .chunks = (product->columns + LANCET_PACKED_CHUNK - 1) / LANCET_PACKED_CHUNK,
                      .blocks = (product->rows + ROWS_OF_TASK - 1) / ROWS_OF_TASK};

    lancet_pool_run(pool, run.chunks * run.blocks, run_task, &run);
}
