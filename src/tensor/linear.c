/* Packing of linear layers. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/linear_internal.h"

#include "base/memory.h"

#include <string.h>

size_t lancet_linear_width(const lancet_linear *linear, size_t index)
{
    return lancet_packed_width(linear->out - index * lancet_kernels_get()->panel);
}

const uint32_t *lancet_linear_panel(const lancet_linear *linear, size_t index)
{
    return linear->packed + index * lancet_kernels_get()->panel * linear->stored;
}

size_t lancet_linear_stride(size_t width)
{
    const size_t line = LANCET_ALIGNMENT / sizeof(float), whole = (width + line - 1) / line * line;

    return whole * sizeof(float) % 1024 == 0 ? whole + line : whole;
}

struct packing {
    lancet_linear *linear;
    const lancet_linear_source *source;
    const lancet_kernels *kernels;
    void **columns; /* [workers]: a column as floats, then a panel's columns as words */
};

/* Column `column` of the matrix, the layer's output, as floats. */
static void read_column(float *to, const lancet_linear *linear, const lancet_linear_source *source,
                        size_t column)
{
    if (!source->transposed) {
        lancet_tensor_read(to, source->weight, column * linear->in, linear->in);
        return;
    }
    for (size_t d = 0; d < linear->in; d++)
        lancet_tensor_read(to + d, source->weight, d * linear->out + column, 1);
}

static void pack_panel(void *context, size_t index, int worker)
{
    const struct packing *packing = context;
    lancet_linear *linear = packing->linear;
    const lancet_tensor *weight = packing->source->weight;
    const size_t first = index * packing->kernels->panel, width = lancet_linear_width(linear, index);
    const size_t columns = linear->out - first < width ? linear->out - first : width;
    uint32_t *panel = linear->packed + first * linear->stored;
    float *column = packing->columns[worker];
    uint32_t *words = (uint32_t *)(column + linear->in);

    if (columns < width)
        memset(panel, 0, width * linear->stored * sizeof *panel);
    /* Weights that are stored as the file has them go straight from there to their places. */
    if (linear->store != LANCET_STORE_UNITS ||
        (linear->kind == LANCET_PACKED_FLOAT && weight->dtype == LANCET_F32 &&
         !packing->source->transposed)) {
        packing->kernels->transpose(panel, width, (const char *)weight->data + first * linear->stored * 4,
                                    linear->stored, columns, linear->stored);
        if (linear->store != LANCET_STORE_UNITS)
            packing->kernels->split_pairs(panel, linear->stored, width);
        return;
    }
    for (size_t i = 0; i < columns; i++) {
        float scale = 0;

        read_column(column, linear, packing->source, first + i);
        packing->kernels->packed_column(linear->kind, words + i * linear->stored, &scale, column, linear->in);
        if (linear->scales)
            linear->scales[first + i] = scale;
    }
    packing->kernels->transpose(panel, width, words, linear->stored, columns, linear->stored);
}

static lancet_status pack(lancet_linear *linear, const lancet_linear_source *source, lancet_pool *pool,
                          lancet_error *error)
{
    const size_t workers = (size_t)lancet_pool_threads(pool);
    const lancet_kernels *kernels = lancet_kernels_get();
    struct packing packing = {linear, source, kernels, lancet_allocate_zero(workers, sizeof(void *))};
    lancet_status status = packing.columns ? LANCET_OK : lancet_fail_memory(error, "a linear layer");

    for (size_t i = 0; i < workers && status == LANCET_OK; i++) {
        packing.columns[i] = lancet_allocate(linear->in + kernels->panel * linear->stored, sizeof(float));
        if (!packing.columns[i])
            status = lancet_fail_memory(error, "a linear layer");
    }
    if (status == LANCET_OK)
        lancet_pool_run(pool, linear->panels, pack_panel, &packing);
    for (size_t i = 0; packing.columns && i < workers; i++)
        lancet_free(packing.columns[i]);
    lancet_free(packing.columns);
    return status;
}

/* Pairs are transposed as they lie in the file, so a row has to be a whole number of them. */
static lancet_linear_store choose_store(const lancet_linear *linear, const lancet_linear_source *source)
{
    const bool pairs =
        !source->transposed && linear->in % 2 == 0 && lancet_kernels_get()->packed_group[linear->kind] == 1;

    if (pairs && source->weight->dtype == LANCET_F16 && linear->kind == LANCET_PACKED_FLOAT)
        return LANCET_STORE_HALVES;
    if (pairs && source->weight->dtype == LANCET_BF16)
        return LANCET_STORE_BFLOATS;
    return LANCET_STORE_UNITS;
}

lancet_status lancet_linear_open(lancet_linear **result, const lancet_linear_source *source,
                                 lancet_pool *pool, lancet_error *error)
{
    const lancet_tensor *weight = source->weight;
    const lancet_kernels *kernels = lancet_kernels_get();
    const size_t group = kernels->packed_group[source->kind];
    lancet_linear *linear = lancet_allocate_zero(1, sizeof *linear);
    lancet_status status;

    *result = NULL;
    if (!linear)
        return lancet_fail_memory(error, "a linear layer");
    linear->kind = source->kind;
    linear->out = source->transposed ? weight->shape[1] : weight->shape[0];
    linear->in = weight->count / linear->out;
    linear->store = choose_store(linear, source);
    linear->units = (linear->in + group - 1) / group;
    linear->stored = linear->store == LANCET_STORE_UNITS ? linear->units : linear->in / 2;
    linear->panels = (linear->out + kernels->panel - 1) / kernels->panel;
    linear->packed = lancet_allocate(lancet_packed_size(linear->stored, linear->out), sizeof *linear->packed);
    if (source->bias)
        linear->bias = lancet_allocate(linear->out, sizeof *linear->bias);
    if (source->kind == LANCET_PACKED_WHOLE)
        linear->scales = lancet_allocate(linear->out, sizeof *linear->scales);
    if (!linear->packed || (source->bias && !linear->bias) ||
        (source->kind == LANCET_PACKED_WHOLE && !linear->scales)) {
        status = lancet_fail_memory(error, "a linear layer");
        goto done;
    }
    if (source->bias)
        lancet_tensor_read(linear->bias, source->bias, 0, linear->out);
    status = pack(linear, source, pool, error);
    if (status != LANCET_OK)
        goto done;
    *result = linear;
    linear = NULL;
done:
    lancet_linear_close(&linear);
    return status;
}

void lancet_linear_close(lancet_linear **result)
{
    lancet_linear *linear = result ? *result : NULL;

    if (!linear)
        return;
    lancet_free(linear->packed);
    lancet_free(linear->bias);
    lancet_free(linear->scales);
    lancet_free(linear);
    *result = NULL;
}

bool lancet_linear_matrix(lancet_packed_matrix *matrix, const lancet_linear *linear)
{
    *matrix = (lancet_packed_matrix){
        .words = linear->packed, .depth = linear->in, .columns = linear->out, .stored = linear->stored};
    if (linear->store == LANCET_STORE_HALVES)
        matrix->form = LANCET_FORM_HALVES;
    else if (linear->store == LANCET_STORE_BFLOATS)
        matrix->form = LANCET_FORM_BFLOATS;
    else if (lancet_kernels_get()->packed_group[linear->kind] == 2)
        matrix->form = LANCET_FORM_BFLOAT_PAIRS;
    return linear->kind != LANCET_PACKED_WHOLE;
}

size_t lancet_linear_in(const lancet_linear *linear)
{
    return linear->in;
}

size_t lancet_linear_out(const lancet_linear *linear)
{
    return linear->out;
}
