/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/attention_rows.h"

#include "tensor/rows.h"

#include <math.h>

void lancet_attention_show(const lancet_vision_attention *attention, const lancet_projections *projections)
{
    const bool values = attention->kind == LANCET_ATTENTION_VALUES;
    const float *queries = values ? projections->value : projections->query,
                *keys = values ? projections->value : projections->key;

    for (size_t head = 0; head < projections->heads; head++) {
        const lancet_attention job = {
            .queries = queries + head * projections->head_width,
            .keys = keys + head * projections->head_width,
            .query_stride = projections->stride,
            .key_stride = projections->stride,
            .query_count = attention->count,
            .key_count = projections->tokens,
            .width = projections->head_width,
            .scale = 1 / sqrtf((float)projections->head_width),
        };

        lancet_attention_weigh(attention->rows + head * attention->count * projections->tokens, &job);
    }
}
