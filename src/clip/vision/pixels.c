/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/pixels.h"

#include "base/memory.h"
#include "base/picture.h"
#include "clip/vision/sizes.h"
#include "clip/vision/transformer.h"
#include "image/resize.h"

#include <math.h>
#include <string.h>

static bool is_zero(const float values[3])
{
    return values[0] == 0 && values[1] == 0 && values[2] == 0;
}

/* The attention pool's options, which only a ModifiedResNet's surgery has a use for. */
static lancet_status resolve_pool(const lancet_feature_options *resolved, bool resnet, lancet_error *error)
{
    const lancet_pool_attention attention = resolved->pool_attention;
    const lancet_pool_class class_token = resolved->pool_class;

    if (attention != LANCET_POOL_VV && attention != LANCET_POOL_VV_NORM8)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "pool_attention: expected LANCET_POOL_VV or _VV_NORM8, found %d", (int)attention);
    if (class_token != LANCET_POOL_CLASS_QK && class_token != LANCET_POOL_CLASS_VV)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "pool_class: expected LANCET_POOL_CLASS_QK or _VV, found %d", (int)class_token);
    if ((attention || class_token) && !resnet)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "pool_attention and pool_class: a vision transformer has no attention pool");
    if ((attention || class_token) && resolved->path != LANCET_PATH_SURGERY)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "pool_attention and pool_class: the plain path has no surgery");
    return LANCET_OK;
}

static lancet_status resolve_surgery(lancet_feature_options *resolved, int blocks, bool resnet,
                                     lancet_error *error)
{
    const int last = resolved->surgery_last, start = resolved->surgery_start;

    if (resnet && (last || start))
        return lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "surgery_last and surgery_start: a ModifiedResNet's surgery is in its attention pool, "
            "and not in blocks");
    if (resolved->path == LANCET_PATH_PLAIN) {
        if (last || start)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "surgery_last and surgery_start: the plain path has no surgery");
        return LANCET_OK;
    }
    if (resnet)
        return LANCET_OK;
    if (lancet_way_find(resolved->path) && lancet_way_find(resolved->path)->last_only) {
        if (last > 1 || (start && start != blocks))
            return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                               "surgery_last and surgery_start: this path changes the last block alone");
        resolved->surgery_start = blocks;
        resolved->surgery_last = 0;
        return LANCET_OK;
    }
    if (last && start)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "surgery_last and surgery_start: give one of them, found %d and %d", last, start);
    if (last < 0 || last > blocks)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "surgery_last: expected 1 to %d (the model's blocks), found %d", blocks, last);
    if (start < 0 || start > blocks)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "surgery_start: expected 1 to %d (the model's blocks), found %d", blocks, start);
    if (!start) {
        const int wanted = last ? last : 6;

        resolved->surgery_start = wanted >= blocks ? 1 : blocks - wanted + 1;
    }
    resolved->surgery_last = 0;
    return LANCET_OK;
}

/* The size, and its limits. */
static lancet_status resolve_size(lancet_feature_options *resolved, const lancet_model_description *about,
                                  const lancet_picture *picture, lancet_error *error)
{
    const int patch = about->patch_side;
    lancet_status status = lancet_size_resolve(resolved, picture, patch, error);
    size_t patches;

    if (status != LANCET_OK)
        return status;
    if (!resolved->width)
        resolved->width = resolved->height = about->image_side;
    if (resolved->width < patch || resolved->width > LANCET_SIDE_MAX || resolved->height < patch ||
        resolved->height > LANCET_SIDE_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "input size: expected sides of %d (one patch) to %d pixels, found %d x %d", patch,
                           LANCET_SIDE_MAX, resolved->width, resolved->height);
    patches = (size_t)(resolved->width / patch) * (size_t)(resolved->height / patch);
    if (patches > LANCET_PATCHES_MAX)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "input size: expected at most %d patches, found %zu: %d x %d pixels",
                           LANCET_PATCHES_MAX, patches, resolved->width, resolved->height);
    return LANCET_OK;
}

/* Everything but the size. */
static lancet_status resolve_rest(lancet_feature_options *resolved, const lancet_model *model,
                                  lancet_error *error)
{
    const lancet_model_description *about = lancet_model_describe(model);
    const bool resnet = model->configuration.family == LANCET_FAMILY_RESNET;

    if ((unsigned)resolved->path >= LANCET_PATHS)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "path: expected a lancet_path, found %d",
                           (int)resolved->path);
    if (resnet && resolved->path > LANCET_PATH_PLAIN && resolved->path != LANCET_PATH_MASKCLIP)
        return lancet_fail(
            error, LANCET_ERROR_ARGUMENT,
            "path: this one changes a vision transformer's blocks, and a ModifiedResNet has none");
    if (is_zero(resolved->deviation)) {
        memcpy(resolved->mean, about->mean, sizeof resolved->mean);
        memcpy(resolved->deviation, about->deviation, sizeof resolved->deviation);
    }
    for (int c = 0; c < 3; c++)
        if (!isfinite(resolved->mean[c]) || !(resolved->deviation[c] > 0) ||
            !isfinite(resolved->deviation[c]))
            return lancet_fail(
                error, LANCET_ERROR_ARGUMENT,
                "mean and deviation: expected finite numbers and deviations above 0, found %g and %g",
                (double)resolved->mean[c], (double)resolved->deviation[c]);
    if (resolve_pool(resolved, resnet, error) != LANCET_OK)
        return LANCET_ERROR_ARGUMENT;
    return resolve_surgery(resolved, about->vision_blocks, resnet, error);
}

lancet_status lancet_feature_options_resolve(lancet_feature_options *resolved, const lancet_model *model,
                                             const lancet_picture *picture,
                                             const lancet_feature_options *options, lancet_error *error)
{
    const lancet_feature_options asked = options ? *options : (lancet_feature_options){0};
    lancet_status status;

    if (!resolved || !model)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_feature_options_resolve: %s is NULL",
                           resolved ? "model" : "resolved");
    *resolved = asked;
    status = lancet_model_need_vision(model, error);
    if (status == LANCET_OK)
        status = lancet_picture_check(picture, "lancet_feature_options_resolve", error);
    if (status == LANCET_OK)
        status = resolve_size(resolved, lancet_model_describe(model), picture, error);
    if (status == LANCET_OK)
        status = resolve_rest(resolved, model, error);
    return status;
}

lancet_status lancet_pixels_fill(float *pixels, const lancet_picture *picture,
                                 const lancet_feature_options *resolved, lancet_error *error)
{
    const size_t width = (size_t)resolved->width, height = (size_t)resolved->height, count = width * height;
    uint8_t *small = lancet_allocate(count, 3);
    lancet_status status = LANCET_OK;
    float normal[3][256];

    if (!small)
        return lancet_fail_memory(error, "a resized picture");
    status = lancet_resize_bicubic(small, width, height, picture, error);
    /* Three operations in float, in the order of the published preprocessing; a byte has 256 outcomes. */
    for (int c = 0; c < 3; c++)
        for (int value = 0; value < 256; value++)
            normal[c][value] = ((float)value / 255.0f - resolved->mean[c]) / resolved->deviation[c];
    for (size_t i = 0; status == LANCET_OK && i < count; i++)
        for (size_t c = 0; c < 3; c++)
            pixels[c * count + i] = normal[c][small[3 * i + c]];
    lancet_free(small);
    return status;
}

lancet_status lancet_pixels_prepare(float *pixels, const lancet_model *model, const lancet_picture *picture,
                                    const lancet_feature_options *options, lancet_error *error)
{
    lancet_feature_options resolved;
    lancet_status status;

    if (!pixels || !model)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_pixels_prepare: %s is NULL",
                           pixels ? "model" : "pixels");
    status = lancet_picture_check(picture, "lancet_pixels_prepare", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, model, picture, options, error);
    if (status == LANCET_OK)
        status = lancet_pixels_fill(pixels, picture, &resolved, error);
    return status;
}
