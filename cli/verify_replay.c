/* Computing what each array of a folder should hold, and comparing. SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include "lancet/image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Agreement that is asked of float32 (the resize is exact in 8 bits, so pixels differ by rounding alone). */
#define LIMIT_FEATURES 2e-4
#define LIMIT_PIXELS   1e-6

#define RANK_MAX 4

static int broken(verify_row *row, int status, const char *message)
{
    row->result = VERIFY_ERROR;
    snprintf(row->note, sizeof row->note, "%s", message);
    return status;
}

static int broken_by(verify_row *row, const lancet_error *error)
{
    return broken(row, error->status, error->message);
}

/* ---- What was computed already ------------------------------------------------------------------------- */

static void drop_picture_results(verify_replay *r)
{
    for (size_t i = 0; i < 2; i++)
        lancet_features_close(&r->features[i]);
    for (size_t i = 0; i < 3; i++)
        lancet_maps_close(&r->maps[i]);
}

void verify_replay_close(verify_replay *r)
{
    drop_picture_results(r);
    lancet_image_close(&r->image);
    lancet_labels_close(&r->labels);
}

static lancet_feature_options options_of(const verify_replay *r, lancet_path path)
{
    const picture_settings settings = {
        .path = path, .side = r->side, .mean = r->set->mean, .deviation = r->set->deviation};

    return feature_options(&settings, r->model);
}

/* Makes the array's picture and side the ones at hand. */
static int need_picture(verify_replay *r, const verify_array *array, verify_row *row)
{
    const verify_picture *listed = &r->set->pictures[array->picture];
    /* PyTorch's pictures come from Pillow, which leaves them as they are stored. */
    const lancet_image_options options = {.ignore_orientation = true};
    lancet_picture pixels;
    lancet_error error;

    if (!r->image || r->picture != array->picture) {
        drop_picture_results(r);
        lancet_image_close(&r->image);
        if (lancet_image_open(&r->image, listed->path, &options, &error) != LANCET_OK)
            return broken_by(row, &error);
        r->picture = array->picture;
    }
    if (r->side != array->side)
        drop_picture_results(r);
    r->side = array->side;
    pixels = lancet_image_picture(r->image);
    if ((listed->width && (size_t)listed->width != pixels.width) ||
        (listed->height && (size_t)listed->height != pixels.height)) {
        snprintf(error.message, sizeof error.message, "%s: expected %d x %d pixels, found %zu x %zu",
                 listed->path, listed->width, listed->height, pixels.width, pixels.height);
        return broken(row, LANCET_ERROR_INPUT, error.message);
    }
    return EXIT_DONE;
}

static int need_features(verify_replay *r, lancet_path path, verify_row *row)
{
    const lancet_feature_options options = options_of(r, path);
    const lancet_picture pixels = lancet_image_picture(r->image);
    lancet_error error;

    if (!r->features[path] &&
        lancet_features_encode(&r->features[path], r->session, &pixels, &options, &error) != LANCET_OK)
        return broken_by(row, &error);
    return EXIT_DONE;
}

static int need_labels(verify_replay *r, verify_row *row)
{
    /* With the empty string's feature the same labels serve all three forms of similarity. */
    const lancet_label_options options = {.redundant = LANCET_REDUNDANT_EMPTY};
    lancet_error error;

    if (!r->set->texts.count)
        return broken(row, LANCET_ERROR_INPUT, "the folder lists no \"texts\"");
    if (!r->labels && lancet_labels_encode(&r->labels, r->session, texts_view(&r->set->texts),
                                           r->set->texts.count, &options, &error) != LANCET_OK)
        return broken_by(row, &error);
    return EXIT_DONE;
}

static int need_maps(verify_replay *r, size_t which, verify_row *row)
{
    static const lancet_map_options options[] = {
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_CODE},
        {.redundant = LANCET_REDUNDANT_EMPTY},
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER},
    };
    lancet_error error;
    int status = need_features(r, LANCET_PATH_SURGERY, row);

    if (status == EXIT_DONE)
        status = need_labels(r, row);
    if (status == EXIT_DONE && !r->maps[which] &&
        lancet_maps_compute(&r->maps[which], r->features[LANCET_PATH_SURGERY], r->labels, &options[which],
                            &error) != LANCET_OK)
        status = broken_by(row, &error);
    return status;
}

/* ---- Shapes -------------------------------------------------------------------------------------------- */

/* The number of patches along a side, known before anything is computed: a file of the wrong shape must not
 * start a computation of any size. */
static size_t grid_side(const verify_replay *r, int side)
{
    const int patch = lancet_model_describe(r->model)->patch_side;

    return patch > 0 ? (size_t)(side / patch) : 0;
}

static void print_shape(char *text, size_t size, const size_t *shape, size_t rank)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t d = 0; d < rank && length < size; d++)
        length += (size_t)snprintf(text + length, size - length, "%s%zu", d ? ", " : "", shape[d]);
}

/* Sides of 1 in front do not count: some dump a batch of one, some its only member. */
static bool same_shape(const size_t *a, size_t a_rank, const size_t *b, size_t b_rank)
{
    for (; a_rank && *a == 1; a++)
        a_rank--;
    for (; b_rank && *b == 1; b++)
        b_rank--;
    return a_rank == b_rank && memcmp(a, b, a_rank * sizeof *a) == 0;
}

/* Whether the file agrees with what the list says of it. */
static bool matches_list(const lancet_npy *npy, const json_t *shape)
{
    if (!shape)
        return true;
    if (!json_is_array(shape) || json_array_size(shape) != npy->rank)
        return false;
    for (size_t d = 0; d < npy->rank; d++) {
        const json_t *side = json_array_get(shape, d);

        if (!json_is_integer(side) || json_integer_value(side) < 0 ||
            (uint64_t)json_integer_value(side) != npy->shape[d])
            return false;
    }
    return true;
}

static bool check_shape(const lancet_npy *npy, const size_t *shape, size_t rank, verify_row *row)
{
    char expected[100], found[200];

    if (same_shape(npy->shape, npy->rank, shape, rank))
        return true;
    print_shape(expected, sizeof expected, npy->shape, npy->rank);
    print_shape(found, sizeof found, shape, rank);
    row->result = VERIFY_FAIL;
    row->difference = row->cosine = NAN;
    row->limit = LIMIT_FEATURES;
    snprintf(row->note, sizeof row->note, "the array is [%s], this model gives [%s]", expected, found);
    return false;
}

/* ---- Stages -------------------------------------------------------------------------------------------- */

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
        return broken(row, LANCET_ERROR_INPUT, "expected whole numbers of at least 16 bits");
    if (!check_shape(npy, (const size_t[]){count, context}, 2, row))
        return EXIT_DONE;
    if (context < 2)
        return broken(row, LANCET_ERROR_INPUT, "expected rows of at least 2 tokens");
    if (!vocabulary)
        return broken(row, LANCET_ERROR_IO, "no vocabulary was found; --vocabulary PATH names one");
    ids = calloc(context, sizeof *ids);
    if (!ids)
        return broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && status == EXIT_DONE; i++) {
        const int32_t *expected = (const int32_t *)npy->values + i * context;

        if (lancet_tokenize(&tokens, vocabulary, r->set->token_texts.items[i], &error) != LANCET_OK ||
            lancet_tokens_context(ids, context, NULL, &tokens, vocabulary, &error) != LANCET_OK)
            status = broken_by(row, &error);
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
        return broken(row, LANCET_ERROR_INPUT, "the folder lists no \"texts\"");
    if (!check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    features = calloc(shape[0] * shape[1], sizeof *features);
    if (!features)
        return broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_text_encode(features, r->session, texts_view(&r->set->texts), shape[0], &error) == LANCET_OK)
        verify_compare(row, npy->values, features, npy->count, LIMIT_FEATURES);
    else
        status = broken_by(row, &error);
    free(features);
    return status;
}

static int replay_ensemble(verify_replay *r, const lancet_npy *npy, bool empty, verify_row *row)
{
    const size_t shape[] = {empty ? 1 : r->set->texts.count,
                            (size_t)lancet_model_describe(r->model)->embedding_width};
    int status;

    if (!check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    status = need_labels(r, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values,
                       empty ? lancet_labels_empty(r->labels, false) : lancet_labels_features(r->labels),
                       npy->count, LIMIT_FEATURES);
    return status;
}

static int replay_pixels(verify_replay *r, const verify_array *array, const lancet_npy *npy, verify_row *row)
{
    const size_t side = (size_t)array->side, shape[] = {3, side, side};
    const lancet_feature_options options = options_of(r, LANCET_PATH_PLAIN);
    const lancet_picture picture = lancet_image_picture(r->image);
    lancet_error error;
    float *pixels;
    int status = EXIT_DONE;

    if (!check_shape(npy, shape, 3, row))
        return EXIT_DONE;
    pixels = calloc(npy->count, sizeof *pixels);
    if (!pixels)
        return broken(row, LANCET_ERROR_MEMORY, "out of memory");
    if (lancet_pixels_prepare(pixels, r->model, &picture, &options, &error) == LANCET_OK)
        verify_compare(row, npy->values, pixels, npy->count, LIMIT_PIXELS);
    else
        status = broken_by(row, &error);
    free(pixels);
    return status;
}

static int replay_features(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                           verify_row *row)
{
    const lancet_path path = array->stage == VERIFY_SURGERY ? LANCET_PATH_SURGERY : LANCET_PATH_PLAIN;
    const size_t grid = grid_side(r, array->side),
                 rows = array->stage == VERIFY_CLASS_TOKEN ? 1 : 1 + grid * grid;
    const size_t shape[] = {rows, (size_t)lancet_model_describe(r->model)->embedding_width};
    int status;

    if (!check_shape(npy, shape, 2, row))
        return EXIT_DONE;
    status = need_features(r, path, row);
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, lancet_features_tokens(r->features[path]), npy->count,
                       LIMIT_FEATURES);
    return status;
}

/* [tokens, texts] with the class token first, where the library has [texts, grid rows, grid columns]. */
static int replay_similarity(verify_replay *r, const verify_array *array, const lancet_npy *npy,
                             verify_row *row)
{
    const size_t which = array->stage == VERIFY_SIMILARITY         ? 0
                         : array->stage == VERIFY_SIMILARITY_EMPTY ? 1
                                                                   : 2;
    const size_t grid = grid_side(r, array->side), patches = grid * grid, count = r->set->texts.count;
    float *found;
    int status;

    if (!check_shape(npy, (const size_t[]){1 + patches, count}, 2, row))
        return EXIT_DONE;
    status = need_maps(r, which, row);
    if (status != EXIT_DONE)
        return status;
    found = calloc(npy->count, sizeof *found);
    if (!found)
        return broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < count; t++) {
        found[t] = lancet_maps_class_scores(r->maps[which])[t];
        for (size_t i = 0; i < patches; i++)
            found[(1 + i) * count + t] = lancet_maps_scores(r->maps[which])[t * patches + i];
    }
    verify_compare(row, npy->values, found, npy->count, LIMIT_FEATURES);
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
        return broken(row, LANCET_ERROR_INPUT, "expected an array [1, height, width, texts]");
    height = npy->shape[rank - 3];
    width = npy->shape[rank - 2];
    if (!check_shape(npy, (const size_t[]){height, width, count}, 3, row))
        return EXIT_DONE;
    status = need_maps(r, 0, row);
    if (status != EXIT_DONE)
        return status;
    found = calloc(npy->count, sizeof *found);
    map = calloc(height * width, sizeof *map);
    if (!found || !map)
        status = broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < count && status == EXIT_DONE; t++) {
        if (lancet_maps_write(r->maps[0], t, width, height, map, &error) != LANCET_OK)
            status = broken_by(row, &error);
        for (size_t i = 0; i < height * width; i++)
            found[i * count + t] = map[i];
    }
    if (status == EXIT_DONE)
        verify_compare(row, npy->values, found, npy->count, LIMIT_FEATURES);
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
    const size_t grid = grid_side(r, array->side), capacity = grid * grid / 4 + 1,
                 texts_count = r->set->texts.count;
    const lancet_picture picture = lancet_image_picture(r->image);
    lancet_point *points;
    lancet_error error;
    long different = 0;
    int status;

    if (!json_is_array(listed) || json_array_size(listed) != texts_count)
        return broken(row, LANCET_ERROR_INPUT, "expected \"points\": a list of points for each text");
    status = need_maps(r, 0, row);
    if (status != EXIT_DONE)
        return status;
    points = calloc(capacity, sizeof *points);
    if (!points)
        return broken(row, LANCET_ERROR_MEMORY, "out of memory");
    for (size_t t = 0; t < texts_count && status == EXIT_DONE; t++) {
        size_t count = 0;
        long of_text;

        if (lancet_maps_points(r->maps[0], t, picture.width, picture.height, -1, points, capacity, &count,
                               &error) != LANCET_OK)
            status = broken_by(row, &error);
        of_text = differing_points(json_array_get(listed, t), points, count);
        if (of_text < 0 && status == EXIT_DONE)
            status = broken(row, LANCET_ERROR_INPUT, "expected for each text [[[x, y], ...], [1 or 0, ...]]");
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
        const int status = need_picture(r, array, row);

        if (status != EXIT_DONE)
            return status;
    }
    if (array->stage != VERIFY_POINTS && array->stage != VERIFY_TOKENS && npy->type != LANCET_NPY_FLOAT32)
        return broken(row, LANCET_ERROR_INPUT, "expected an array of floats");
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
            return broken_by(row, &error);
        if (!matches_list(&npy, json_object_get(array->entry, "shape"))) {
            status = broken(row, LANCET_ERROR_INPUT, "the file's shape is not the one that is listed");
            goto done;
        }
    }
    status = replay(r, array, &npy, row);
done:
    lancet_npy_close(&npy);
    return status;
}
