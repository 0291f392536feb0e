/* Replaying other methods: their tokens, cosines, what residual branches say, scores of the class token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify_replay.h"

#include "lancet/image.h"

#include <stdlib.h>

static int replay_tokens(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    size_t rows, columns;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t shape[] = {1 + rows * columns, (size_t)lancet_model_describe(r->model)->embedding_width};

    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    status = verify_need_features(r, array->way, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, lancet_features_tokens(r->features[array->way]), npy->count,
                       VERIFY_LIMIT_METHODS);
    return status;
}

/* Maps of a path: cosines, or feature surgery over the texts. */
static int make_maps(lancet_maps **maps, verify_replay *r, lancet_path path,
                     const lancet_map_options *options, verify_row *row)
{
    lancet_error error;
    int status = verify_need_labels(r, row);

    if (status == EXIT_DONE)
        status = verify_need_features(r, path, row);
    if (status == EXIT_DONE &&
        lancet_maps_compute(maps, r->features[path], r->labels, options, &error) != LANCET_OK)
        status = verify_broken_by(row, &error);
    return status;
}

/* [patches, texts], where the library has [texts, patches]. */
static int replay_cosines(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    const lancet_map_options options = {.redundant = LANCET_REDUNDANT_NONE};
    const size_t count = r->set->texts.count;
    lancet_maps *maps = NULL;
    size_t rows, columns;
    float *found;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t patches = rows * columns;

    if (!verify_check_shape(npy, (const size_t[]){patches, count}, 2, row))
        return EXIT_DONE;
    found = calloc(npy->count ? npy->count : 1, sizeof *found);
    if (!found)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    status = make_maps(&maps, r, array->way, &options, row);
    for (size_t i = 0; i < npy->count && status == EXIT_DONE; i++)
        found[i] = lancet_maps_scores(maps)[i % count * patches + i / count];
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, found, npy->count, VERIFY_LIMIT_METHODS);
    lancet_maps_close(&maps);
    free(found);
    return status;
}

static int replay_class_scores(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                               verify_row *row)
{
    const lancet_map_options options = {
        .redundant = array->stage == VERIFY_CLASS_COSINES ? LANCET_REDUNDANT_NONE : LANCET_REDUNDANT_LABELS,
        .form = array->stage == VERIFY_CLASS_SURGERY_PAPER ? LANCET_FORM_PAPER : LANCET_FORM_CODE};
    lancet_maps *maps = NULL;
    int status;

    if (!verify_check_shape(npy, (const size_t[]){r->set->texts.count}, 1, row))
        return EXIT_DONE;
    status = make_maps(&maps, r, LANCET_PATH_PLAIN, &options, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, lancet_maps_class_scores(maps), npy->count, VERIFY_LIMIT_METHODS);
    lancet_maps_close(&maps);
    return status;
}

static int replay_branches(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                           verify_row *row)
{
    const lancet_model_description *about = lancet_model_describe(r->model);
    const lancet_feature_options options = verify_options_of(r, LANCET_PATH_PLAIN);
    const lancet_picture picture = lancet_image_picture(r->image);
    const size_t shape[] = {2 * (size_t)about->vision_blocks, (size_t)about->embedding_width};
    lancet_error error;
    float *found;
    int status = EXIT_DONE;

    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    found = calloc(npy->count ? npy->count : 1, sizeof *found);
    if (!found)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_branches_encode(found, r->session, &picture, &options, array->stage == VERIFY_BRANCHES,
                               &error) == LANCET_OK)
        verify_compare(row, npy->values, found, npy->count, VERIFY_LIMIT_METHODS);
    else
        status = verify_broken_by(row, &error);
    free(found);
    return status;
}

int verify_replay_method(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    switch (array->stage) {
    case VERIFY_METHOD_TOKENS:
        return replay_tokens(r, array, npy, row);
    case VERIFY_METHOD_COSINES:
        return replay_cosines(r, array, npy, row);
    case VERIFY_BRANCHES:
    case VERIFY_BRANCHES_NO_NORM:
        return replay_branches(r, array, npy, row);
    default:
        return replay_class_scores(r, array, npy, row);
    }
}
