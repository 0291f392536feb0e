/* Replaying what happens inside the vision tower: tokens after a block, attention.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify_replay.h"

#include "lancet/image.h"

#include <stdlib.h>

/* The block at hand and what it should hold; compared where it is seen. */
typedef struct block_check {
    const lancet_npy *npy;
    verify_row *row;
    int block;
    bool surgery;
    int status;
} block_check;

static int compare_block(void *context, int block, size_t tokens, size_t width, const float *original,
                         const float *surgery)
{
    block_check *check = context;

    if (block != check->block)
        return 0;
    if (check->surgery && !surgery)
        check->status =
            verify_broken(check->row, LANCET_ERROR_INPUT, "surgery has not started at this block");
    else if (verify_check_shape(check->npy, (const size_t[]){tokens, width}, 2, check->row))
        verify_compare(check->row, check->npy->values, check->surgery ? surgery : original, check->npy->count,
                       VERIFY_LIMIT_FEATURES);
    return 1;
}

int verify_replay_block(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    const lancet_model_description *about = lancet_model_describe(r->model);
    const lancet_feature_options options = verify_options_of(r, LANCET_PATH_SURGERY);
    const lancet_picture picture = lancet_image_picture(r->image);
    block_check check = {npy, row, array->block, array->stage == VERIFY_BLOCK_SURGERY, EXIT_DONE};
    size_t rows, columns;
    lancet_error error;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    if (array->block > about->vision_blocks)
        return verify_broken(row, LANCET_ERROR_INPUT, "the model has fewer blocks");
    /* A ResNet's pixels become fewer and wider from stage to stage; it is the visitor who compares shapes. */
    if (about->stage_blocks[0] == 0 &&
        !verify_check_shape(npy, (const size_t[]){1 + rows * columns, (size_t)about->vision_width}, 2, row))
        return EXIT_DONE;
    if (lancet_tokens_walk(r->session, &picture, &options, compare_block, &check, NULL, &error) != LANCET_OK)
        return verify_broken_by(row, &error);
    return check.status;
}

/* [heads, N, N] of a block, or [N, N], the mean over heads. */
int verify_replay_attention(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                            verify_row *row)
{
    const lancet_attention_options options = {
        .kind = array->stage == VERIFY_ATTENTION_RAW ? LANCET_ATTENTION_RAW : LANCET_ATTENTION_VALUES,
        .block = array->block};
    const lancet_feature_options features = verify_options_of(r, LANCET_PATH_PLAIN);
    const lancet_picture picture = lancet_image_picture(r->image);
    const size_t heads = (size_t)lancet_model_describe(r->model)->vision_heads;
    size_t rows, columns;
    lancet_error error;
    float *found;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t n = 1 + rows * columns, count = n * n;
    const bool by_heads = npy->count == heads * count;

    if (array->block > lancet_model_describe(r->model)->vision_blocks)
        return verify_broken(row, LANCET_ERROR_INPUT, "the model has fewer blocks");
    if (!verify_check_shape(npy, (const size_t[]){by_heads ? heads : 1, n, n}, 3, row))
        return EXIT_DONE;
    found = calloc(heads, count * sizeof *found);
    if (!found)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_attention_rows(found, r->session, &picture, &features, &options, &error) != LANCET_OK)
        status = verify_broken_by(row, &error);
    for (size_t i = 0; i < count && !by_heads; i++) {
        double sum = 0;

        for (size_t h = 0; h < heads; h++)
            sum += (double)found[h * count + i];
        found[i] = (float)(sum / (double)heads);
    }
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, found, npy->count, VERIFY_LIMIT_ATTENTION);
    free(found);
    return status;
}
