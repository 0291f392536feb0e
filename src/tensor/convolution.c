/* Packing of convolutions. SPDX-License-Identifier: Apache-2.0 */
#include "tensor/convolution_internal.h"

#include "base/memory.h"
#include "tensor/packed.h"

#include <math.h>

struct packing {
    lancet_convolution *convolution;
    const lancet_tensor *weight;
    const double *factors; /* [out]: what the batch norm multiplies each channel with */
    float **rows;          /* [workers]: one output channel's weights */
};

/* Winograd's matrices for the weights, rows of the points in the order of the kernels'. */
static const double weights_2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double weights_4[6][3] = {{1, 0, 0},
                                       {1.0 / 3, 1.0 / 3, 1.0 / 3},
                                       {-1.0 / 3, 1.0 / 3, -1.0 / 3},
                                       {-16.0 / 15, -8.0 / 15, -4.0 / 15},
                                       {1.0 / 15, -2.0 / 15, 4.0 / 15},
                                       {0, 0, 1}};

/* One input channel's 3 x 3 weights at each point. */
static void transform(float *packed, size_t matrix_size, const float *from, double factor,
                      lancet_winograd tile)
{
    const double(*matrix)[3] = tile == LANCET_WINOGRAD_2 ? weights_2 : weights_4;
    const size_t side = (size_t)tile + 2;

    for (size_t i = 0; i < side; i++) {
        double half[3] = {0};

        for (size_t y = 0; y < 3; y++)
            for (size_t x = 0; x < 3; x++)
                half[x] += matrix[i][y] * (double)from[3 * y + x];
        for (size_t j = 0; j < side; j++) {
            double sum = 0;

            for (size_t x = 0; x < 3; x++)
                sum += matrix[j][x] * half[x];
            packed[(i * side + j) * matrix_size] = (float)(factor * sum);
        }
    }
}

static void pack_channel(void *context, size_t j, int worker)
{
    const struct packing *packing = context;
    const lancet_convolution *c = packing->convolution;
    const size_t numbers = packing->weight->count / c->out;
    const lancet_packed_place place = lancet_packed_find(c->depth, c->out, j);
    const double factor = packing->factors[j];
    float *row = packing->rows[worker];

    lancet_tensor_read(row, packing->weight, j * numbers, numbers);
    for (size_t d = 0; d < c->depth; d++) {
        float *to = c->packed + place.start + d * place.step;

        if (c->kind == LANCET_CONVOLUTION_3X3)
            transform(to, c->matrix_size, row + 9 * d, factor, c->tile);
        else
            *to = (float)(factor * (double)row[d]);
    }
}

/* The batch norm as a factor and a bias for each channel. */
static lancet_status fold(double *factors, float *bias, size_t count, const lancet_convolution_source *source,
                          lancet_error *error)
{
    const lancet_batch_norm *norm = source->norm;
    float *numbers = NULL;

    if (source->bias)
        lancet_tensor_read(bias, source->bias, 0, count);
    for (size_t j = 0; j < count; j++)
        factors[j] = 1;
    if (!norm)
        return LANCET_OK;
    numbers = lancet_allocate(4 * count, sizeof *numbers);
    if (!numbers)
        return lancet_fail_memory(error, "a convolution");
    lancet_tensor_read(numbers, &norm->weight, 0, count);
    lancet_tensor_read(numbers + count, &norm->bias, 0, count);
    lancet_tensor_read(numbers + 2 * count, &norm->mean, 0, count);
    lancet_tensor_read(numbers + 3 * count, &norm->variance, 0, count);
    for (size_t j = 0; j < count; j++) {
        factors[j] = (double)numbers[j] / sqrt((double)numbers[3 * count + j] + source->epsilon);
        bias[j] = (float)((double)numbers[count + j] +
                          factors[j] * ((double)bias[j] - (double)numbers[2 * count + j]));
    }
    lancet_free(numbers);
    return LANCET_OK;
}

static lancet_status pack(lancet_convolution *c, const lancet_convolution_source *source, lancet_pool *pool,
                          lancet_error *error)
{
    const size_t workers = (size_t)lancet_pool_threads(pool), numbers = source->weight->count / c->out;
    double *factors = lancet_allocate(c->out, sizeof *factors);
    float **rows = lancet_allocate_zero(workers, sizeof *rows);
    struct packing packing = {c, source->weight, factors, rows};
    lancet_status status = factors && rows ? LANCET_OK : lancet_fail_memory(error, "a convolution");

    for (size_t i = 0; i < workers && status == LANCET_OK; i++) {
        rows[i] = lancet_allocate(numbers, sizeof **rows);
        if (!rows[i])
            status = lancet_fail_memory(error, "a convolution");
    }
    if (status == LANCET_OK)
        status = fold(factors, c->bias, c->out, source, error);
    if (status == LANCET_OK)
        lancet_pool_run(pool, c->out, pack_channel, &packing);
    for (size_t i = 0; rows && i < workers; i++)
        lancet_free(rows[i]);
    lancet_free(rows);
    lancet_free(factors);
    return status;
}

lancet_status lancet_convolution_open(lancet_convolution **result, const lancet_convolution_source *source,
                                      lancet_pool *pool, lancet_error *error)
{
    lancet_convolution *c = lancet_allocate_zero(1, sizeof *c);
    lancet_status status = LANCET_OK;

    *result = NULL;
    if (!c)
        return lancet_fail_memory(error, "a convolution");
    c->kind = source->kind;
    c->tile = source->tile;
    c->out = source->weight->shape[0];
    c->in = source->weight->shape[1];
    c->depth = c->kind == LANCET_CONVOLUTION_PICTURE ? 9 * c->in : c->in;
    c->points = c->kind == LANCET_CONVOLUTION_3X3 ? LANCET_WINOGRAD_POINTS(c->tile) : 1;
    c->matrix_size = lancet_packed_size(c->depth, c->out);
    /* Zeros: where the last panel is not filled they are multiplied and thrown away. */
    c->packed = lancet_allocate_zero(c->points * c->matrix_size, sizeof *c->packed);
    c->bias = lancet_allocate_zero(c->out, sizeof *c->bias);
    c->zeros = lancet_allocate_zero(c->in, sizeof *c->zeros);
    if (!c->packed || !c->bias || !c->zeros)
        status = lancet_fail_memory(error, "a convolution");
    if (status == LANCET_OK)
        status = pack(c, source, pool, error);
    if (status == LANCET_OK) {
        *result = c;
        c = NULL;
    }
    lancet_convolution_close(&c);
    return status;
}

void lancet_convolution_close(lancet_convolution **result)
{
    lancet_convolution *c = result ? *result : NULL;

    if (!c)
        return;
    lancet_free(c->packed);
    lancet_free(c->bias);
    lancet_free(c->zeros);
    lancet_free(c);
    *result = NULL;
}

size_t lancet_convolution_in(const lancet_convolution *convolution)
{
    return convolution->in;
}

size_t lancet_convolution_out(const lancet_convolution *convolution)
{
    return convolution->out;
}
