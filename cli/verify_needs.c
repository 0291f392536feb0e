/* What has been computed for one stage and serves the next, and shapes. SPDX-License-Identifier: Apache-2.0
 */
#include "verify_replay.h"

#include "lancet/image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int verify_broken(verify_row *row, int status, const char *message)
{
    row->result = VERIFY_ERROR;
    snprintf(row->note, sizeof row->note, "%s", message);
    return status;
}

int verify_broken_by(verify_row *row, const lancet_error *error)
{
    return verify_broken(row, error->status, error->message);
}

/* ---- What was computed already ------------------------------------------------------------------------- */

static void drop_picture_results(verify_replay *r)
{
    for (size_t i = 0; i < LANCET_PATHS; i++)
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

lancet_feature_options verify_options_of(const verify_replay *r, lancet_path path)
{
    const bool resnet = strcmp(lancet_model_describe(r->model)->family, "ModifiedResNet") == 0;
    picture_settings settings = {.path = path,
                                 .size = {r->size.width, r->size.height},
                                 .mean = r->set->mean,
                                 .deviation = r->set->deviation};

    if (resnet && path == LANCET_PATH_SURGERY) {
        settings.pool_attention = r->set->pool_attention;
        settings.pool_class = r->set->pool_class;
    }
    return feature_options(&settings, r->model);
}

static lancet_window_options windows_of(const verify_replay *r)
{
    return (lancet_window_options){.side = r->size.window, .stride = r->size.stride};
}

/* Makes the array's picture and size the ones at hand. */
int verify_need_picture(verify_replay *r, const verify_array *array, verify_row *row)
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
            return verify_broken_by(row, &error);
        r->picture = array->picture;
    }
    if (memcmp(&r->size, &array->size, sizeof r->size) != 0)
        drop_picture_results(r);
    r->size = array->size;
    pixels = lancet_image_picture(r->image);
    if ((listed->width && (size_t)listed->width != pixels.width) ||
        (listed->height && (size_t)listed->height != pixels.height)) {
        snprintf(error.message, sizeof error.message, "%s: expected %d x %d pixels, found %zu x %zu",
                 listed->path, listed->width, listed->height, pixels.width, pixels.height);
        return verify_broken(row, LANCET_ERROR_INPUT, error.message);
    }
    return EXIT_DONE;
}

int verify_need_features(verify_replay *r, lancet_path path, verify_row *row)
{
    const lancet_feature_options options = verify_options_of(r, path);
    const lancet_picture pixels = lancet_image_picture(r->image);
    lancet_error error;

    if (!r->features[path] &&
        lancet_features_encode(&r->features[path], r->session, &pixels, &options, &error) != LANCET_OK)
        return verify_broken_by(row, &error);
    return EXIT_DONE;
}

int verify_need_labels(verify_replay *r, verify_row *row)
{
    /* With the empty string's feature the same labels serve all three forms of similarity. */
    const lancet_label_options options = {.redundant = LANCET_REDUNDANT_EMPTY};
    lancet_error error;

    if (!r->set->texts.count)
        return verify_broken(row, LANCET_ERROR_INPUT, "the folder lists no \"texts\"");
    if (!r->labels && lancet_labels_encode(&r->labels, r->session, texts_view(&r->set->texts),
                                           r->set->texts.count, &options, &error) != LANCET_OK)
        return verify_broken_by(row, &error);
    return EXIT_DONE;
}

int verify_need_maps(verify_replay *r, size_t which, verify_row *row)
{
    static const lancet_map_options options[] = {
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_CODE},
        {.redundant = LANCET_REDUNDANT_EMPTY},
        {.redundant = LANCET_REDUNDANT_LABELS, .form = LANCET_FORM_PAPER},
    };
    const lancet_feature_options features = verify_options_of(r, LANCET_PATH_SURGERY);
    const lancet_window_options windows = windows_of(r);
    const lancet_picture pixels = lancet_image_picture(r->image);
    lancet_status made = LANCET_OK;
    lancet_error error;
    int status = verify_need_labels(r, row);

    if (status == EXIT_DONE && !r->size.window)
        status = verify_need_features(r, LANCET_PATH_SURGERY, row);
    if (status != EXIT_DONE || r->maps[which])
        return status;
    if (r->size.window)
        made = lancet_maps_slide(&r->maps[which], r->session, &pixels, r->labels, &features, &windows,
                                 &options[which], &error);
    else
        made = lancet_maps_compute(&r->maps[which], r->features[LANCET_PATH_SURGERY], r->labels,
                                   &options[which], &error);
    return made == LANCET_OK ? EXIT_DONE : verify_broken_by(row, &error);
}

/* ---- Shapes -------------------------------------------------------------------------------------------- */

int verify_grid(const verify_replay *r, size_t *rows, size_t *columns, verify_row *row)
{
    const lancet_picture pixels = lancet_image_picture(r->image);
    const lancet_feature_options wished = verify_options_of(r, LANCET_PATH_SURGERY);
    const lancet_window_options wished_windows = windows_of(r);
    lancet_feature_options options;
    lancet_window_options windows;
    lancet_error error;

    if (!r->size.window) {
        *rows = lancet_grid_side(r->model, (size_t)r->size.height);
        *columns = lancet_grid_side(r->model, (size_t)r->size.width);
        return EXIT_DONE;
    }
    if (lancet_window_options_resolve(&options, &windows, r->model, &pixels, &wished, &wished_windows,
                                      &error) != LANCET_OK)
        return verify_broken_by(row, &error);
    const size_t cell = lancet_window_cell(r->model, &options, &windows);

    *rows = (size_t)options.height / cell;
    *columns = (size_t)options.width / cell;
    return EXIT_DONE;
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

bool verify_matches_list(const lancet_npy *npy, const json_t *shape)
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

bool verify_check_shape(const lancet_npy *npy, const size_t *shape, size_t rank, verify_row *row)
{
    char expected[100], found[200];

    if (same_shape(npy->shape, npy->rank, shape, rank))
        return true;
    print_shape(expected, sizeof expected, npy->shape, npy->rank);
    print_shape(found, sizeof found, shape, rank);
    row->result = VERIFY_FAIL;
    row->difference = row->cosine = NAN;
    row->limit = VERIFY_LIMIT_FEATURES;
    snprintf(row->note, sizeof row->note, "the array is [%s], this model gives [%s]", expected, found);
    return false;
}
