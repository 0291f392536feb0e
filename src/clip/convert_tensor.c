/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/convert_tensor.h"

#include "base/memory.h"
#include "tensor/narrow.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Numbers that are worked on at a time, unless a row has more. */
#define CHUNK ((size_t)1 << 18)

void lancet_stored_memory_close(lancet_stored_memory *memory)
{
    lancet_free(memory->exact);
    lancet_free(memory->stored);
    lancet_free(memory->bytes);
    *memory = (lancet_stored_memory){0};
}

/* Whole rows that fit; room for one row at least. */
static lancet_status provide(lancet_stored_memory *memory, const lancet_clip_part *part, size_t *rows,
                             lancet_error *error)
{
    const size_t needed = part->row > CHUNK ? part->row : CHUNK;

    *rows = needed / part->row;
    if (memory->capacity >= needed)
        return LANCET_OK;
    lancet_stored_memory_close(memory);
    memory->exact = lancet_allocate(needed, sizeof *memory->exact);
    memory->stored = lancet_allocate(needed, sizeof *memory->stored);
    memory->bytes = lancet_allocate(needed, sizeof(uint16_t));
    if (!memory->exact || !memory->stored || !memory->bytes)
        return lancet_fail_memory(error, "a conversion");
    memory->capacity = needed;
    return LANCET_OK;
}

/* What has scales keeps them: the same whole numbers come out. */
static bool keep_scales(const lancet_stored_part *stored)
{
    const lancet_clip_part *part = stored->part;
    size_t row = 0;

    if (part->transposed)
        return false;
    for (size_t i = 0; i < part->source_count; i++)
        if (part->sources[i].dtype != LANCET_I8)
            return false;
    for (size_t i = 0; i < part->source_count; i++) {
        const size_t rows = part->sources[i].shape[0];

        memcpy(stored->scales + row, part->sources[i].scales, rows * sizeof *stored->scales);
        row += rows;
    }
    return true;
}

static lancet_status fail_number(const lancet_clip_part *part, float number, const char *expected,
                                 const char *path, lancet_error *error)
{
    return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected %s, found %g", path,
                       lancet_clip_part_source(part), expected, (double)number);
}

lancet_status lancet_stored_scales(const lancet_stored_part *stored, lancet_stored_memory *memory,
                                   const char *path, lancet_error *error)
{
    const lancet_clip_part *part = stored->part;
    size_t rows;
    lancet_status status = provide(memory, part, &rows, error);

    if (status != LANCET_OK || keep_scales(stored))
        return status;
    for (size_t first = 0; first < part->rows; first += rows) {
        const size_t taken = part->rows - first < rows ? part->rows - first : rows;

        lancet_clip_part_read(memory->exact, part, first, taken);
        for (size_t i = 0; i < taken; i++) {
            const float scale = lancet_narrow_scale(memory->exact + i * part->row, part->row);

            /* One that is not a number is in no comparison, and is found when the row is stored. */
            if (scale > FLT_MAX / 128)
                return fail_number(part, scale * 127,
                                   isinf(scale) ? "finite numbers" : "numbers of 3.37e38 at most, for int8",
                                   path, error);
            stored->scales[first + i] = scale;
        }
    }
    return LANCET_OK;
}

/* Exact numbers to bytes, and back to what a reader will see. */
static void narrow(const lancet_stored_part *stored, lancet_stored_memory *memory, size_t first, size_t rows)
{
    const size_t row = stored->part->row, count = rows * row;
    const lancet_tensor view = {.dtype = stored->dtype,
                                .rank = 2,
                                .shape = {rows, row},
                                .count = count,
                                .data = memory->bytes,
                                .scales = stored->scales ? stored->scales + first : NULL};

    if (stored->dtype == LANCET_F16)
        lancet_narrow_half(memory->bytes, memory->exact, count);
    else if (stored->dtype == LANCET_BF16)
        lancet_narrow_bfloat(memory->bytes, memory->exact, count);
    else
        for (size_t i = 0; i < rows; i++)
            lancet_narrow_whole((int8_t *)memory->bytes + i * row, memory->exact + i * row, row,
                                stored->scales[first + i]);
    lancet_tensor_read(memory->stored, &view, 0, count);
}

static lancet_status check_finite(const lancet_stored_part *stored, const float *exact, size_t count,
                                  const char *path, lancet_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(exact[i]))
            return fail_number(stored->part, exact[i], "finite numbers", path, error);
    return LANCET_OK;
}

static lancet_status measure(lancet_stored_error *about, const lancet_stored_part *stored, const float *exact,
                             const float *found, size_t count, const char *path, lancet_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const double difference = (double)found[i] - (double)exact[i];

        if (!isfinite(found[i]))
            return fail_number(stored->part, exact[i],
                               stored->dtype == LANCET_F16
                                   ? "numbers of 65504 at most, for fp16 (bf16 and int8 take larger ones)"
                                   : "numbers of 3.3895e38 at most, for bf16",
                               path, error);
        about->difference += difference * difference;
        about->size += (double)exact[i] * (double)exact[i];
    }
    return LANCET_OK;
}

lancet_status lancet_stored_write(lancet_stored_error *about, const lancet_stored_part *stored,
                                  lancet_stored_memory *memory, lancet_writer *writer, const char *path,
                                  lancet_error *error)
{
    const lancet_clip_part *part = stored->part;
    const bool is_exact = stored->dtype == LANCET_F32;
    size_t rows;
    lancet_status status = provide(memory, part, &rows, error);

    *about = (lancet_stored_error){0};
    for (size_t first = 0; status == LANCET_OK && first < part->rows; first += rows) {
        const size_t taken = part->rows - first < rows ? part->rows - first : rows;
        const size_t count = taken * part->row;

        lancet_clip_part_read(memory->exact, part, first, taken);
        status = check_finite(stored, memory->exact, count, path, error);
        if (status == LANCET_OK && !is_exact) {
            narrow(stored, memory, first, taken);
            status = measure(about, stored, memory->exact, memory->stored, count, path, error);
        }
        if (status == LANCET_OK)
            status = lancet_writer_append(writer, is_exact ? memory->exact : memory->bytes,
                                          count * lancet_dtype_size(stored->dtype), error);
    }
    return status;
}
