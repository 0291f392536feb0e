/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/safetensors_scales.h"

#include "base/memory.h"
#include "checkpoint/show.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *left, const void *right)
{
    const lancet_entry *const *a = left, *const *b = right;

    return strcmp((*a)->tensor.name, (*b)->tensor.name);
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, (*(const lancet_entry *const *)entry)->tensor.name);
}

static lancet_status fail(const char *path, const char *name, const char *expected, const char *found,
                          lancet_error *error)
{
    char shown[96];

    return lancet_fail(error, LANCET_ERROR_INPUT, "%s: tensor %s: expected %s, found %s", path,
                       lancet_show(shown, sizeof shown, name), expected, found);
}

/* Copied, because files do not align their tensors. */
static lancet_status take_scales(lancet_table *table, lancet_tensor *tensor, const lancet_entry *from,
                                 const char *path, lancet_error *error)
{
    const lancet_tensor *given = &from->tensor;
    const size_t rows = tensor->shape[0];
    char expected[48], found[48];
    float *scales;

    if (from->unreadable || given->dtype != LANCET_F32)
        return fail(path, given->name, "F32 scales",
                    from->unreadable ? from->unreadable : lancet_dtype_name(given->dtype), error);
    if (given->rank != 1 || given->shape[0] != rows) {
        lancet_shape_print(expected, sizeof expected, tensor->shape, 1);
        lancet_shape_print(found, sizeof found, given->shape, given->rank);
        return fail(path, given->name, expected, found, error);
    }
    scales = lancet_table_own(table, rows * sizeof *scales);
    if (!scales)
        return lancet_fail_memory(error, path);
    if (rows)
        memcpy(scales, given->data, rows * sizeof *scales);
    for (size_t i = 0; i < rows; i++)
        if (!(scales[i] >= 0 && scales[i] <= FLT_MAX / 128))
            return fail(path, given->name, "finite scales of 0 or more",
                        scales[i] < 0 ? "a negative one" : "one that is not", error);
    tensor->scales = scales;
    return LANCET_OK;
}

/* Names are not looked up one by one among all the others: a file may have millions. */
lancet_status lancet_safetensors_join_scales(lancet_table *table, const char *path, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    lancet_entry **by_name = NULL, **found;
    bool *taken = NULL;
    lancet_buffer name = {0};
    size_t kept = 0, waiting = 0;

    for (size_t i = 0; i < table->count; i++)
        waiting += table->entries[i].unreadable && table->entries[i].tensor.dtype == LANCET_I8;
    if (!waiting)
        return LANCET_OK;
    by_name = lancet_allocate(table->count, sizeof(lancet_entry *));
    taken = lancet_allocate_zero(table->count, sizeof *taken);
    if (!by_name || !taken) {
        status = lancet_fail_memory(error, path);
        goto done;
    }
    for (size_t i = 0; i < table->count; i++)
        by_name[i] = &table->entries[i];
    qsort(by_name, table->count, sizeof(lancet_entry *), compare_names);
    for (size_t i = 0; i < table->count; i++) {
        lancet_entry *entry = &table->entries[i];

        if (!entry->unreadable || entry->tensor.dtype != LANCET_I8 || !entry->tensor.rank)
            continue;
        lancet_buffer_clear(&name);
        if (!lancet_buffer_print(&name, "%s%s", entry->tensor.name, LANCET_SCALE_SUFFIX)) {
            status = lancet_fail_memory(error, path);
            goto done;
        }
        found = bsearch(name.bytes, by_name, table->count, sizeof(lancet_entry *), compare_name);
        if (!found)
            continue;
        status = take_scales(table, &entry->tensor, *found, path, error);
        if (status != LANCET_OK)
            goto done;
        entry->unreadable = NULL;
        taken[*found - table->entries] = true;
    }
    for (size_t i = 0; i < table->count; i++)
        if (!taken[i])
            table->entries[kept++] = table->entries[i];
    table->count = kept;
done:
    lancet_buffer_close(&name);
    lancet_free(taken);
    lancet_free(by_name);
    return status;
}
