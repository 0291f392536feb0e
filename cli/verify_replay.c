/* Computing what each array of a folder should hold, and comparing. SPDX-License-Identifier: Apache-2.0 */
#include "verify_replay.h"

#include "lancet/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int replay_tokens(verify_replay *r, const lancet_npy *npy, verify_row *row)
{
    const size_t count = r->set->token_texts.count, context = npy->rank ? npy->shape[npy->rank - 1] : 0;
    const lancet_vocabulary *vocabulary = lancet_model_vocabulary(r->model);
    lancet_tokens tokens = {0};
    int32_t *ids = NULL;
    size_t different = 0;
    lancet_error error;
    int status = EXIT_DONE;

    if (npy->type != LANCET_NPY_INT32)
        return verify_broken(row, LANCET_ERROR_INPUT, "expected whole numbers of at least 16 bits");
    if (!verify_check_shape(npy, (const size_t[]){count, context}, 2, row))
        return EXIT_DONE;
    if (context < 2)
        return verify_broken(row, LANCET_ERROR_INPUT, "expected rows of at least 2 tokens");
    if (!vocabulary)
        return verify_broken(row, LANCET_ERROR_IO, "no vocabulary was found; --vocabulary PATH names one");
    ids = calloc(context, sizeof *ids);
    if (!ids)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && status == EXIT_DONE; i++) {
        const int32_t *expected = (const int32_t *)npy->values + i * context;

        if (lancet_tokenize(&tokens, vocabulary, r->set->token_texts.items[i], &error) != LANCET_OK ||
            lancet_tokens_context(ids, context, NULL, &tokens, vocabulary, &error) != LANCET_OK)
            status = verify_broken_by(row, &error);
        for (size_t k = 0; k < context; k++)
            different += ids[k] != expected[k];
    }
    if (status == EXIT_DONE) {
        row->difference = (double)different;
        row->cosine = NAN;
        row->result = different ? VERIFY_FAIL : VERIFY_PASS;
    }
    lancet_tokens_close(&tokens);
    free(ids);
    return status;
}

static int replay_text(verify_replay *r, const lancet_npy *npy, verify_row *row)
{
    const size_t shape[] = {r->set->texts.count, (size_t)lancet_model_describe(r->model)->embedding_width};
    lancet_error error;
    float *features;
    int status = EXIT_DONE;

    if (!shape[0])
        return verify_broken(row, LANCET_ERROR_INPUT, "the folder lists no \"texts\"");
    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    features = calloc(shape[0] * shape[1], sizeof *features);
    if (!features)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_text_encode(features, r->session, texts_view(&r->set->texts), shape[0], &error) == LANCET_OK)
        verify_compare(row, npy->values, features, npy->count, VERIFY_LIMIT_FEATURES);
    else
        status = verify_broken_by(row, &error);
    free(features);
    return status;
}

static int replay_ensemble(verify_replay *r, const lancet_npy *npy, bool empty, verify_row *row)
{
    const size_t shape[] = {empty ? 1 : r->set->texts.count,
                            (size_t)lancet_model_describe(r->model)->embedding_width};
    int status;

    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    status = verify_need_labels(r, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values,
                       empty ? lancet_labels_empty(r->labels, false) : lancet_labels_features(r->labels),
                       npy->count, VERIFY_LIMIT_FEATURES);
    return status;
}

static int replay_pixels(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    const size_t shape[] = {3, (size_t)array->size.height, (size_t)array->size.width};
    const lancet_feature_options options = verify_options_of(r, LANCET_PATH_PLAIN);
    const lancet_picture picture = lancet_image_picture(r->image);
    lancet_error error;
    float *pixels;
    int status = EXIT_DONE;

    if (!verify_check_shape(npy, shape, 3, row))
        return EXIT_DONE;
    pixels = calloc(npy->count, sizeof *pixels);
    if (!pixels)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_pixels_prepare(pixels, r->model, &picture, &options, &error) == LANCET_OK)
        verify_compare(row, npy->values, pixels, npy->count, VERIFY_LIMIT_PIXELS);
    else
        status = verify_broken_by(row, &error);
    free(pixels);
    return status;
}

static int replay_features(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                           verify_row *row)
{
    const lancet_path path = array->stage == VERIFY_SURGERY ? LANCET_PATH_SURGERY : LANCET_PATH_PLAIN;
    size_t rows, columns;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t shape[] = {array->stage == VERIFY_CLASS_TOKEN ? 1 : 1 + rows * columns,
                            (size_t)lancet_model_describe(r->model)->embedding_width};

    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    status = verify_need_features(r, path, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, lancet_features_tokens(r->features[path]), npy->count,
                       VERIFY_LIMIT_FEATURES);
    return status;
}

/* Surgery on an attention pool in another way than the rest of the folder: computed for this array alone. */
static int replay_variant(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    const lancet_picture picture = lancet_image_picture(r->image);
    lancet_feature_options options = verify_options_of(r, LANCET_PATH_SURGERY);
    lancet_features *features = NULL;
    lancet_error error;
    size_t rows, columns;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t shape[] = {1 + rows * columns, (size_t)lancet_model_describe(r->model)->embedding_width};

    if (!verify_check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    if (array->stage == VERIFY_SURGERY_QK)
        options.pool_class = LANCET_POOL_CLASS_QK;
    else
        options.pool_attention = LANCET_POOL_VV_NORM8;
    if (lancet_features_encode(&features, r->session, &picture, &options, &error) == LANCET_OK)
        verify_compare(row, npy->values, lancet_features_tokens(features), npy->count, VERIFY_LIMIT_FEATURES);
    else
        status = verify_broken_by(row, &error);
    lancet_features_close(&features);
    return status;
}

/* [tokens, texts] with the class token first, where the library has [texts, grid rows, grid columns]. */
static int replay_similarity(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                             verify_row *row)
{
    const size_t which = array->stage == VERIFY_SIMILARITY         ? 0
                         : array->stage == VERIFY_SIMILARITY_EMPTY ? 1
                                                                   : 2;
    const size_t count = r->set->texts.count;
    size_t rows, columns;
    float *found;
    int status = verify_grid(r, &rows, &columns, row);

    if (status != EXIT_DONE)
        return status;
    const size_t patches = rows * columns;

    if (!verify_check_shape(npy, (const size_t[]){1 + patches, count}, 2, row))
        return EXIT_DONE;
    status = verify_need_maps(r, which, row);
    if (status != EXIT_DONE)
        return status;
    found = calloc(npy->count, sizeof *found);
    if (!found)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < count; t++) {
        found[t] = lancet_maps_class_scores(r->maps[which])[t];
        for (size_t i = 0; i < patches; i++)
            found[(1 + i) * count + t] = lancet_maps_scores(r->maps[which])[t * patches + i];
    }
    verify_compare(row, npy->values, found, npy->count, VERIFY_LIMIT_FEATURES);
    free(found);
    return EXIT_DONE;
}

static int replay_map(verify_replay *r, const lancet_npy *npy, verify_row *row)
{
    const size_t count = r->set->texts.count, rank = npy->rank;
    size_t height, width;
    float *found, *map;
    lancet_error error;
    int status;

    if (rank < 3 || !npy->count)
        return verify_broken(row, LANCET_ERROR_INPUT, "expected an array [1, height, width, texts]");
    height = npy->shape[rank - 3];
    width = npy->shape[rank - 2];
    if (!verify_check_shape(npy, (const size_t[]){height, width, count}, 3, row))
        return EXIT_DONE;
    status = verify_need_maps(r, 0, row);
    if (status != EXIT_DONE)
        return status;
    found = calloc(npy->count, sizeof *found);
    map = calloc(height * width, sizeof *map);
    if (!found || !map)
        status = verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < count && status == EXIT_DONE; t++) {
        if (lancet_maps_write(r->maps[0], t, width, height, map, &error) != LANCET_OK)
            status = verify_broken_by(row, &error);
        for (size_t i = 0; i < height * width; i++)
            found[i * count + t] = map[i];
    }
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, found, npy->count, VERIFY_LIMIT_FEATURES);
    free(found);
    free(map);
    return status;
}

/* How many of a text's listed points ([[x, y], ...] and their labels) differ from the found ones; -1 if the
 * list is not of that form. */
static long differing_points(const json_t *listed, const lancet_point *found, size_t count)
{
    const json_t *coordinates = json_array_get(listed, 0), *labels = json_array_get(listed, 1);
    const size_t listed_count = json_array_size(coordinates);
    long different = 0;

    if (!json_is_array(coordinates) || !json_is_array(labels) || json_array_size(labels) != listed_count)
        return -1;
    for (size_t i = 0; i < listed_count; i++) {
        const json_t *point = json_array_get(coordinates, i), *label = json_array_get(labels, i);
        const json_t *x = json_array_get(point, 0), *y = json_array_get(point, 1);

        if (!json_is_integer(x) || !json_is_integer(y) || !json_is_integer(label))
            return -1;
        different += i >= count || json_integer_value(x) != found[i].x ||
                     json_integer_value(y) != found[i].y || json_integer_value(label) != found[i].positive;
    }
    return different + (count > listed_count ? (long)(count - listed_count) : 0);
}

static int replay_points(verify_replay *r, const verify_array *array, verify_row *row)
{
    const json_t *listed = json_object_get(array->entry, "points");
    const size_t texts_count = r->set->texts.count;
    const lancet_picture picture = lancet_image_picture(r->image);
    lancet_point *points;
    lancet_error error;
    long different = 0;
    int status;

    if (!json_is_array(listed) || json_array_size(listed) != texts_count)
        return verify_broken(row, LANCET_ERROR_INPUT, "expected \"points\": a list of points for each text");
    status = verify_need_maps(r, 0, row);
    if (status != EXIT_DONE)
        return status;
    const size_t capacity = lancet_maps_grid_height(r->maps[0]) * lancet_maps_grid_width(r->maps[0]) / 4 + 1;

    points = calloc(capacity, sizeof *points);
    if (!points)
        return verify_broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < texts_count && status == EXIT_DONE; t++) {
        size_t count = 0;
        long of_text;

        if (lancet_maps_points(r->maps[0], t, picture.width, picture.height, -1, points, capacity, &count,
                               &error) != LANCET_OK)
            status = verify_broken_by(row, &error);
        of_text = differing_points(json_array_get(listed, t), points, count);
        if (of_text < 0 && status == EXIT_DONE)
            status = verify_broken(row, LANCET_ERROR_INPUT,
                                   "expected for each text [[[x, y], ...], [1 or 0, ...]]");
        different += of_text;
    }
    free(points);
    if (status == EXIT_DONE) {
        row->difference = (double)different;
        row->cosine = NAN;
        row->result = different ? VERIFY_FAIL : VERIFY_PASS;
    }
    return status;
}

static int replay(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    if (array->stage >= VERIFY_PIXELS) {
        const int status = verify_need_picture(r, array, row);

        if (status != EXIT_DONE)
            return status;
    }
    if (array->stage != VERIFY_POINTS && array->stage != VERIFY_TOKENS && npy->type != LANCET_NPY_FLOAT32)
        return verify_broken(row, LANCET_ERROR_INPUT, "expected an array of floats");
    switch (array->stage) {
    case VERIFY_TOKENS:
        return replay_tokens(r, npy, row);
    case VERIFY_TEXT:
        return replay_text(r, npy, row);
    case VERIFY_ENSEMBLE:
        return replay_ensemble(r, npy, false, row);
    case VERIFY_ENSEMBLE_EMPTY:
        return replay_ensemble(r, npy, true, row);
    case VERIFY_PIXELS:
        return replay_pixels(r, array, npy, row);
    case VERIFY_PLAIN:
    case VERIFY_SURGERY:
    case VERIFY_CLASS_TOKEN:
        return replay_features(r, array, npy, row);
    case VERIFY_SURGERY_QK:
    case VERIFY_SURGERY_NORM8:
        return replay_variant(r, array, npy, row);
    case VERIFY_BLOCK:
    case VERIFY_BLOCK_SURGERY:
        return verify_replay_block(r, array, npy, row);
    case VERIFY_ATTENTION_RAW:
    case VERIFY_ATTENTION_VALUES:
        return verify_replay_attention(r, array, npy, row);
    case VERIFY_METHOD_TOKENS:
    case VERIFY_METHOD_COSINES:
    case VERIFY_BRANCHES:
    case VERIFY_BRANCHES_NO_NORM:
    case VERIFY_CLASS_COSINES:
    case VERIFY_CLASS_SURGERY:
    case VERIFY_CLASS_SURGERY_PAPER:
        return verify_replay_method(r, array, npy, row);
    case VERIFY_SIMILARITY:
    case VERIFY_SIMILARITY_EMPTY:
    case VERIFY_SIMILARITY_PAPER:
        return replay_similarity(r, array, npy, row);
    case VERIFY_MAP:
        return replay_map(r, npy, row);
    case VERIFY_POINTS:
        return replay_points(r, array, row);
    case VERIFY_UNKNOWN:
        break;
    }
    return EXIT_DONE;
}

int verify_replay_array(verify_replay *r, const verify_array *array, verify_row *row)
{
    lancet_npy npy = {0};
    lancet_error error;
    int status = EXIT_DONE;

    *row = (verify_row){.name = array->name, .result = VERIFY_NOT_REPLAYED, .cosine = NAN};
    if (array->stage == VERIFY_UNKNOWN)
        return EXIT_DONE;
    if (array->path) {
        const lancet_status read = lancet_npy_read(&npy, array->path, &error);

        if (read == LANCET_ERROR_IO) {
            row->result = VERIFY_ABSENT;
            return EXIT_DONE;
        }
        if (read != LANCET_OK)
            return verify_broken_by(row, &error);
        if (!verify_matches_list(&npy, json_object_get(array->entry, "shape"))) {
            status = verify_broken(row, LANCET_ERROR_INPUT, "the file's shape is not the one that is listed");
            goto done;
        }
    }
    status = replay(r, array, &npy, row);
done:
    lancet_npy_close(&npy);
    return status;
}
