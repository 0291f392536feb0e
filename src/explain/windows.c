/* Sliding windows: every window a picture of its own, their scores averaged where they overlap.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/windows.h"

#include "base/memory.h"
#include "base/picture.h"
#include "clip/session.h"
#include "clip/vision/sizes.h"
#include "explain/maps.h"
#include "image/resize.h"

/* Tokens of the windows that are encoded together: some passes through the tower, so that a batch costs
 * little memory and fills every pass but the last. */
#define TOKENS_OF_BATCH 8192

/* ---- Options ------------------------------------------------------------------------------------------- */

static lancet_status resolve_windows(lancet_window_options *resolved, const lancet_model_description *about,
                                     lancet_error *error)
{
    const int patch = about->patch_side;

    if (!resolved->side)
        resolved->side = about->image_side / patch * patch;
    if (resolved->side < patch || resolved->side > LANCET_SIDE_MAX || resolved->side % patch)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "window: expected whole patches of %d pixels, up to %d pixels, found %d", patch,
                           LANCET_SIDE_MAX, resolved->side);
    if (!resolved->stride)
        resolved->stride = (resolved->side / patch + 1) / 2 * patch;
    if (resolved->stride < 1 || resolved->stride > resolved->side)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "stride: expected 1 to %d (the window), found %d",
                           resolved->side, resolved->stride);
    return LANCET_OK;
}

/* The picture's own size in whole patches, or larger, so that a window fits in. */
static void choose_size(lancet_feature_options *resolved, const lancet_picture *picture, int window,
                        int patch)
{
    const size_t shorter = picture->width < picture->height ? picture->width : picture->height;

    resolved->width = lancet_whole_patches(picture->width, 1, patch);
    resolved->height = lancet_whole_patches(picture->height, 1, patch);
    if (resolved->width < window || resolved->height < window) {
        resolved->width = lancet_whole_patches((uint64_t)window * picture->width, shorter, patch);
        resolved->height = lancet_whole_patches((uint64_t)window * picture->height, shorter, patch);
    }
}

/* How many windows there are along `length` pixels. */
static size_t count_windows(size_t length, const lancet_window_options *windows)
{
    const size_t side = (size_t)windows->side, stride = (size_t)windows->stride;

    return 1 + (length - side + stride - 1) / stride;
}

static size_t divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The greatest divisor of `side` and of every place along `length` pixels where a window begins. */
static size_t divide_places(size_t side, size_t length, const lancet_window_options *windows)
{
    if (count_windows(length, windows) > 2) /* the first begins at 0, the last is flush with the border */
        side = divisor(side, (size_t)windows->stride);
    return divisor(side, length - (size_t)windows->side);
}

size_t lancet_window_cell(const lancet_model *model, const lancet_feature_options *features,
                          const lancet_window_options *windows)
{
    const size_t patch = (size_t)lancet_model_describe(model)->patch_side;

    return divide_places(divide_places(patch, (size_t)features->width, windows), (size_t)features->height,
                         windows);
}

static lancet_status check_size(const lancet_feature_options *features, const lancet_window_options *windows,
                                const lancet_model *model, lancet_error *error)
{
    const size_t width = (size_t)features->width, height = (size_t)features->height;
    size_t cell, count, cells;

    if (width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "picture size for windows: expected sides of at most %d pixels, found %zu x %zu",
                           LANCET_PICTURE_SIDE_MAX, width, height);
    if (features->width < windows->side || features->height < windows->side)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "window: expected at most the resized picture's %zu x %zu pixels, found %d", width,
                           height, windows->side);
    count = count_windows(height, windows) * count_windows(width, windows);
    if (count > LANCET_WINDOWS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "stride: expected at most %d windows of the picture's %zu x %zu pixels, found %zu",
                           LANCET_WINDOWS_MAX, width, height, count);
    cell = lancet_window_cell(model, features, windows);
    cells = height / cell * (width / cell);
    if (cells > LANCET_WINDOW_CELLS_MAX)
        return lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "stride: expected at most %d cells, found %zu of %zu x %zu pixels: choose a stride and "
            "a size in whole patches",
            LANCET_WINDOW_CELLS_MAX, cells, cell, cell);
    return LANCET_OK;
}

lancet_status lancet_window_options_resolve(lancet_feature_options *resolved_features,
                                            lancet_window_options *resolved_windows,
                                            const lancet_model *model, const lancet_picture *picture,
                                            const lancet_feature_options *given_features,
                                            const lancet_window_options *given_windows, lancet_error *error)
{
    lancet_feature_options features = given_features ? *given_features : (lancet_feature_options){0}, window;
    lancet_window_options windows = given_windows ? *given_windows : (lancet_window_options){0};
    const lancet_model_description *about;
    lancet_status status;

    if (!resolved_features || !resolved_windows || !model)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_window_options_resolve: %s is NULL",
                           !model ? "model" : "a result");
    about = lancet_model_describe(model);
    status = lancet_model_need_vision(model, error);
    if (status == LANCET_OK)
        status = lancet_picture_check(picture, "lancet_window_options_resolve", error);
    if (status == LANCET_OK)
        status = resolve_windows(&windows, about, error);
    if (status == LANCET_OK)
        status = lancet_size_resolve(&features, picture, about->patch_side, error);
    if (status != LANCET_OK)
        return status;
    if (!features.width)
        choose_size(&features, picture, windows.side, about->patch_side);
    status = check_size(&features, &windows, model, error);
    if (status != LANCET_OK)
        return status;
    /* All but the size is as for a picture of a window's size. */
    window = features;
    window.width = window.height = windows.side;
    status = lancet_feature_options_resolve(&window, model, picture, &window, error);
    window.width = features.width;
    window.height = features.height;
    *resolved_features = window;
    *resolved_windows = windows;
    return status;
}

/* ---- Sliding ------------------------------------------------------------------------------------------- */

/* One picture's way through all windows. */
struct slide {
    lancet_session *session;
    const lancet_labels *labels;
    lancet_feature_options features; /* of one window */
    lancet_window_options windows;
    lancet_map_options options;
    lancet_picture picture; /* resized */
    size_t rows, columns;   /* of windows */
    size_t cell;            /* pixels of a cell's side */
    lancet_maps *maps;      /* the result */
    double *sums;           /* [T, H, W] */
    double *class_sums;     /* [T] */
};

/* Where window `index` of them begins, along a side of `length` pixels. */
static size_t place(const struct slide *slide, size_t index, size_t length)
{
    const size_t at = index * (size_t)slide->windows.stride, last = length - (size_t)slide->windows.side;

    return at < last ? at : last;
}

/* How many windows cover cell `index` along a side of `length` pixels. */
static size_t count_covering(const struct slide *slide, size_t index, size_t length)
{
    const size_t at = index * slide->cell, side = (size_t)slide->windows.side;
    const size_t count = count_windows(length, &slide->windows);
    size_t covering = 0;

    for (size_t i = 0; i < count; i++) {
        const size_t begin = place(slide, i, length);

        covering += begin <= at && at < begin + side;
    }
    return covering;
}

/* Adds the scores of the window whose corner is pixel (y, x). */
static void add_window(struct slide *slide, const lancet_maps *window, size_t y, size_t x)
{
    const size_t cell = slide->cell, side = (size_t)slide->windows.side;
    const size_t patch = side / window->width, height = slide->maps->height, width = slide->maps->width;

    for (size_t t = 0; t < window->count; t++) {
        slide->class_sums[t] += (double)window->class_scores[t];
        for (size_t down = 0; down < side; down += cell) {
            const float *scores = window->scores + (t * window->height + down / patch) * window->width;
            double *sums = slide->sums + (t * height + (y + down) / cell) * width + x / cell;

            for (size_t across = 0; across < side; across += cell)
                *sums++ += (double)scores[across / patch];
        }
    }
}

static lancet_status run_batch(struct slide *slide, size_t first, size_t count, lancet_picture *pictures,
                               lancet_features **features, lancet_error *error)
{
    const lancet_picture *whole = &slide->picture;
    const size_t side = (size_t)slide->windows.side;
    lancet_status status;

    for (size_t i = 0; i < count; i++) {
        const size_t y = place(slide, (first + i) / slide->columns, whole->height),
                     x = place(slide, (first + i) % slide->columns, whole->width);

        pictures[i] = (lancet_picture){whole->rgb + y * whole->stride + 3 * x, side, side, whole->stride};
    }
    status = lancet_features_encode_batch(features, slide->session, pictures, count, &slide->features, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++) {
        lancet_maps *window = NULL;

        status = lancet_maps_compute(&window, features[i], slide->labels, &slide->options, error);
        if (status == LANCET_OK) {
            add_window(slide, window, place(slide, (first + i) / slide->columns, whole->height),
                       place(slide, (first + i) % slide->columns, whole->width));
            slide->maps->redundant = window->redundant;
            slide->maps->order = window->order;
        }
        lancet_maps_close(&window);
        lancet_features_close(&features[i]);
    }
    for (size_t i = 0; i < count; i++)
        lancet_features_close(&features[i]);
    return status;
}

static lancet_status run_windows(struct slide *slide, lancet_error *error)
{
    const lancet_window_options *windows = &slide->windows;
    const size_t patch = (size_t)slide->session->model->description.patch_side,
                 grid = (size_t)windows->side / patch, total = slide->rows * slide->columns;
    const size_t wanted = TOKENS_OF_BATCH / (1 + grid * grid), most = wanted ? wanted : 1;
    const size_t at_once = most < total ? most : total;
    lancet_picture *pictures = lancet_allocate(at_once, sizeof *pictures);
    lancet_features **features = lancet_allocate_zero(at_once, sizeof(lancet_features *));
    lancet_status status = pictures && features ? LANCET_OK : lancet_fail_memory(error, "windows");

    for (size_t first = 0; first < total && status == LANCET_OK; first += at_once) {
        const size_t rest = total - first, count = rest < at_once ? rest : at_once;

        status = run_batch(slide, first, count, pictures, features, error);
        if (status == LANCET_OK && windows->progress &&
            !windows->progress(windows->progress_context, first + count, total))
            status = lancet_fail(error, LANCET_ERROR_ARGUMENT, "stopped");
    }
    lancet_free(pictures);
    lancet_free(features);
    return status;
}

/* Sums become means. */
static lancet_status average(const struct slide *slide, lancet_error *error)
{
    lancet_maps *maps = slide->maps;
    size_t *covering = lancet_allocate(maps->width, sizeof *covering);

    if (!covering)
        return lancet_fail_memory(error, "windows");
    for (size_t b = 0; b < maps->width; b++)
        covering[b] = count_covering(slide, b, slide->picture.width);
    for (size_t a = 0; a < maps->height; a++) {
        const size_t of_row = count_covering(slide, a, slide->picture.height);

        for (size_t t = 0; t < maps->count; t++) {
            const size_t row = (t * maps->height + a) * maps->width;

            for (size_t b = 0; b < maps->width; b++)
                maps->scores[row + b] = (float)(slide->sums[row + b] / (double)(of_row * covering[b]));
        }
    }
    for (size_t t = 0; t < maps->count; t++)
        maps->class_scores[t] = (float)(slide->class_sums[t] / (double)(slide->rows * slide->columns));
    lancet_free(covering);
    return LANCET_OK;
}

/* The picture at the size that windows are cut from: *resized, to be freed, stays NULL where it has that
 * size. */
static lancet_status resize(struct slide *slide, uint8_t **resized, const lancet_picture *picture,
                            const lancet_feature_options *features, lancet_error *error)
{
    const size_t width = (size_t)features->width, height = (size_t)features->height;

    slide->picture = *picture;
    if (!slide->picture.stride)
        slide->picture.stride = 3 * picture->width;
    if (picture->width == width && picture->height == height)
        return LANCET_OK;
    *resized = lancet_allocate(width * height, 3);
    if (!*resized)
        return lancet_fail_memory(error, "a resized picture");
    slide->picture = (lancet_picture){*resized, width, height, 3 * width};
    return lancet_resize_bicubic(*resized, width, height, picture, error);
}

lancet_status lancet_maps_slide(lancet_maps **result, lancet_session *session, const lancet_picture *picture,
                                const lancet_labels *labels, const lancet_feature_options *features,
                                const lancet_window_options *windows, const lancet_map_options *options,
                                lancet_error *error)
{
    struct slide slide = {
        .session = session, .labels = labels, .options = options ? *options : (lancet_map_options){0}};
    lancet_feature_options whole;
    uint8_t *resized = NULL;
    lancet_status status;
    size_t count;

    if (!result || !session || !labels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_maps_slide: %s is NULL",
                           !result    ? "maps"
                           : !session ? "session"
                                      : "labels");
    *result = NULL;
    slide.options.session = session;
    status = lancet_window_options_resolve(&whole, &slide.windows, session->model, picture, features, windows,
                                           error);
    if (status != LANCET_OK)
        return status;
    slide.features = whole;
    slide.features.width = slide.features.height = slide.windows.side;
    slide.rows = count_windows((size_t)whole.height, &slide.windows);
    slide.columns = count_windows((size_t)whole.width, &slide.windows);
    slide.cell = lancet_window_cell(session->model, &whole, &slide.windows);
    status = lancet_maps_make(&slide.maps, labels, (size_t)whole.height / slide.cell,
                              (size_t)whole.width / slide.cell, error);
    if (status != LANCET_OK)
        goto done;
    count = slide.maps->count;
    slide.sums = lancet_allocate_zero(count * slide.maps->height * slide.maps->width, sizeof *slide.sums);
    slide.class_sums = lancet_allocate_zero(count, sizeof *slide.class_sums);
    status = slide.sums && slide.class_sums ? resize(&slide, &resized, picture, &whole, error)
                                            : lancet_fail_memory(error, "windows");
    if (status == LANCET_OK)
        status = run_windows(&slide, error);
    if (status == LANCET_OK)
        status = average(&slide, error);
    if (status == LANCET_OK) {
        *result = slide.maps;
        slide.maps = NULL;
    }
done:
    lancet_maps_close(&slide.maps);
    lancet_free(slide.sums);
    lancet_free(slide.class_sums);
    lancet_free(resized);
    return status;
}
