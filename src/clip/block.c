/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/block.h"

#include "base/memory.h"

lancet_status lancet_pack(lancet_linear **linear, const lancet_tensor *weight, const lancet_tensor *bias,
                          bool transposed, lancet_packed_kind kind, const lancet_checkpoint *checkpoint,
                          lancet_pool *pool, lancet_error *error)
{
    const lancet_linear_source source = {weight, bias, transposed, kind};
    const lancet_status status = lancet_linear_open(linear, &source, pool, error);

    lancet_checkpoint_drop(checkpoint, weight);
    return status;
}

lancet_packed_kind lancet_block_kind(lancet_precision precision)
{
    return precision == LANCET_PRECISION_INT8       ? LANCET_PACKED_WHOLE
           : precision == LANCET_PRECISION_BFLOAT16 ? LANCET_PACKED_BFLOAT
                                                    : LANCET_PACKED_FLOAT;
}

lancet_packed_kind lancet_edge_kind(lancet_precision precision)
{
    return precision == LANCET_PRECISION_FLOAT32 ? LANCET_PACKED_FLOAT : LANCET_PACKED_BFLOAT;
}

float *lancet_copy_tensors(const lancet_tensor *const *tensors, size_t count)
{
    size_t total = 0, at = 0;
    float *copy;

    for (size_t i = 0; i < count; i++)
        total += tensors[i]->count;
    copy = lancet_allocate(total, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        lancet_tensor_read(copy + at, tensors[i], 0, tensors[i]->count);
        at += tensors[i]->count;
    }
    return copy;
}

lancet_status lancet_block_open(lancet_block *block, const lancet_block_weights *weights,
                                lancet_packed_kind kind, const lancet_checkpoint *checkpoint,
                                lancet_pool *pool, lancet_error *error)
{
    const lancet_tensor *norms[] = {&weights->ln_1_weight, &weights->ln_1_bias, &weights->ln_2_weight,
                                    &weights->ln_2_bias};
    const size_t width = weights->ln_1_weight.count;
    const struct {
        lancet_linear **linear;
        const lancet_tensor *weight, *bias;
    } layers[] = {
        {&block->query, &weights->qkv_weight[0], &weights->qkv_bias[0]},
        {&block->key, &weights->qkv_weight[1], &weights->qkv_bias[1]},
        {&block->value, &weights->qkv_weight[2], &weights->qkv_bias[2]},
        {&block->out, &weights->out_weight, &weights->out_bias},
        {&block->expand, &weights->expand_weight, &weights->expand_bias},
        {&block->contract, &weights->contract_weight, &weights->contract_bias},
    };

    block->norms = lancet_copy_tensors(norms, 4);
    if (!block->norms)
        return lancet_fail_memory(error, "a block's weights");
    block->norm_1 = (lancet_norm){block->norms, block->norms + width};
    block->norm_2 = (lancet_norm){block->norms + 2 * width, block->norms + 3 * width};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        const lancet_status status = lancet_pack(layers[i].linear, layers[i].weight, layers[i].bias, false,
                                                 kind, checkpoint, pool, error);

        if (status != LANCET_OK)
            return status;
    }
    return LANCET_OK;
}

void lancet_block_close(lancet_block *block)
{
    lancet_linear_close(&block->query);
    lancet_linear_close(&block->key);
    lancet_linear_close(&block->value);
    lancet_linear_close(&block->out);
    lancet_linear_close(&block->expand);
    lancet_linear_close(&block->contract);
    lancet_free(block->norms);
    *block = (lancet_block){0};
}
