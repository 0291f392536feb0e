/* From picture to segments: as a whole, through windows, crop by crop. SPDX-License-Identifier: Apache-2.0 */
#include "tasks/segment.h"

#include "base/memory.h"
#include "base/picture.h"
#include "base/status.h"
#include "clip/session.h"
#include "image/resize.h"

/* Bounds the memory whatever the number of crops. */
#define CROPS_AT_ONCE 4

static lancet_status segment_whole(uint16_t *segments, lancet_session *session, const lancet_picture *picture,
                                   const lancet_labels *labels, const lancet_segment_task *task,
                                   lancet_error *error)
{
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;
    lancet_status status;

    if (task->windows) {
        status = lancet_maps_slide(&maps, session, picture, labels, &task->features, task->windows,
                                   &task->maps, error);
    } else {
        status = lancet_features_encode(&features, session, picture, &task->features, error);
        if (status == LANCET_OK)
            status = lancet_maps_compute(&maps, features, labels, &task->maps, error);
    }
    lancet_features_close(&features);
    if (status == LANCET_OK)
        status = lancet_maps_segment(segments, maps, picture->width, picture->height, &task->segments, error);
    lancet_maps_close(&maps);
    return status;
}

/* One picture's way through its crops. */
struct crops {
    lancet_session *session;
    const lancet_labels *labels;
    const lancet_segment_task *task;
    lancet_feature_options features; /* of one crop, resolved */
    lancet_picture resized;
    size_t columns, rows;
    uint16_t *segments; /* [height, width] */
    size_t width, height;
};

/* Where part `index` of `parts` begins along `length` pixels. */
static size_t border(size_t index, size_t parts, size_t length)
{
    return (2 * index * length + parts) / (2 * parts);
}

static lancet_status segment_crop(const struct crops *crops, const lancet_features *features, size_t row,
                                  size_t column, lancet_error *error)
{
    const size_t top = border(row, crops->rows, crops->height),
                 left = border(column, crops->columns, crops->width);
    const lancet_segment_place place = {crops->segments + top * crops->width + left,
                                        border(column + 1, crops->columns, crops->width) - left,
                                        border(row + 1, crops->rows, crops->height) - top, crops->width};
    lancet_maps *maps = NULL;
    lancet_status status = lancet_maps_compute(&maps, features, crops->labels, &crops->task->maps, error);

    if (status == LANCET_OK)
        status = lancet_segment_into(&place, maps, &crops->task->segments, error);
    lancet_maps_close(&maps);
    return status;
}

/* Crops first .. first + count - 1 of a row, in one batch. */
static lancet_status segment_batch(const struct crops *crops, size_t row, size_t first, size_t count,
                                   lancet_error *error)
{
    lancet_picture pictures[CROPS_AT_ONCE];
    lancet_features *features[CROPS_AT_ONCE] = {NULL};
    const size_t width = (size_t)crops->features.width, height = (size_t)crops->features.height;
    lancet_status status;

    for (size_t i = 0; i < count; i++)
        pictures[i] = (lancet_picture){crops->resized.rgb + row * height * crops->resized.stride +
                                           3 * (first + i) * width,
                                       width, height, crops->resized.stride};
    status = lancet_features_encode_batch(features, crops->session, pictures, count, &crops->features, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = segment_crop(crops, features[i], row, first + i, error);
    for (size_t i = 0; i < count; i++)
        lancet_features_close(&features[i]);
    return status;
}

/* The picture at the size that crops are cut from: *resized, to be freed, stays NULL where it has that size.
 */
static lancet_status resize(struct crops *crops, uint8_t **resized, const lancet_picture *picture,
                            lancet_error *error)
{
    const size_t width = crops->columns * (size_t)crops->features.width,
                 height = crops->rows * (size_t)crops->features.height;

    crops->resized = *picture;
    if (!crops->resized.stride)
        crops->resized.stride = 3 * picture->width;
    if (picture->width == width && picture->height == height)
        return LANCET_OK;
    if (width > LANCET_PICTURE_SIDE_MAX || height > LANCET_PICTURE_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "crops: expected sides of at most %d pixels in all, found %zux%zu",
                           LANCET_PICTURE_SIDE_MAX, width, height);
    *resized = lancet_allocate(width * height, 3);
    if (!*resized)
        return lancet_fail_memory(error, "a resized picture");
    crops->resized = (lancet_picture){*resized, width, height, 3 * width};
    return lancet_resize_bicubic(*resized, width, height, picture, error);
}

static lancet_status check_crops(const lancet_picture *picture, const lancet_segment_task *task,
                                 lancet_error *error)
{
    if (task->windows)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "crops and windows: expected one, found both");
    if (task->features.short_side)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "short_side: expected a crop's side or size, found the whole picture's");
    if (task->crop_columns < 1 || task->crop_rows < 1 || task->crop_columns > LANCET_CROPS_MAX ||
        task->crop_rows > LANCET_CROPS_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "crops: expected 1 to %d along each side, found %dx%d", LANCET_CROPS_MAX,
                           task->crop_columns, task->crop_rows);
    if ((size_t)task->crop_columns > picture->width || (size_t)task->crop_rows > picture->height)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "crops: expected at most one for each of the %zux%zu pixels, found %dx%d",
                           picture->width, picture->height, task->crop_columns, task->crop_rows);
    return LANCET_OK;
}

static lancet_status segment_crops(uint16_t *segments, lancet_session *session, const lancet_picture *picture,
                                   const lancet_labels *labels, const lancet_segment_task *task,
                                   lancet_error *error)
{
    struct crops crops = {.session = session,
                          .labels = labels,
                          .task = task,
                          .columns = (size_t)task->crop_columns,
                          .rows = (size_t)task->crop_rows,
                          .segments = segments,
                          .width = picture->width,
                          .height = picture->height};
    uint8_t *resized = NULL;
    lancet_status status = check_crops(picture, task, error);

    if (status == LANCET_OK)
        status =
            lancet_feature_options_resolve(&crops.features, session->model, picture, &task->features, error);
    if (status == LANCET_OK)
        status = resize(&crops, &resized, picture, error);
    for (size_t row = 0; row < crops.rows && status == LANCET_OK; row++)
        for (size_t first = 0; first < crops.columns && status == LANCET_OK; first += CROPS_AT_ONCE) {
            const size_t rest = crops.columns - first;

            status = segment_batch(&crops, row, first, rest < CROPS_AT_ONCE ? rest : CROPS_AT_ONCE, error);
        }
    lancet_free(resized);
    return status;
}

lancet_status lancet_segment(uint16_t *segments, lancet_session *session, const lancet_picture *picture,
                             const lancet_labels *labels, const lancet_segment_task *given,
                             lancet_error *error)
{
    lancet_segment_task task = given ? *given : (lancet_segment_task){0};
    lancet_status status;

    if (!segments || !session || !labels)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_segment: %s is NULL",
                           !segments  ? "segments"
                           : !session ? "session"
                                      : "labels");
    status = lancet_picture_check(picture, "lancet_segment", error);
    if (status == LANCET_OK)
        status = lancet_segment_check(&task.segments, lancet_labels_count(labels), error);
    if (status != LANCET_OK)
        return status;
    if (task.maps.redundant == LANCET_REDUNDANT_AUTO)
        task.maps.redundant = LANCET_REDUNDANT_NONE;
    task.maps.session = session;
    return task.crop_columns || task.crop_rows
               ? segment_crops(segments, session, picture, labels, &task, error)
               : segment_whole(segments, session, picture, labels, &task, error);
}
