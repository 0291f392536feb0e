/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/features.h"

#include "base/memory.h"
#include "base/picture.h"
#include "clip/session.h"
#include "clip/vision/pixels.h"

#include <string.h>

/* Rows of one pass through the tower: more would only need more memory, since tiles are a picture's. */
#define ROWS_OF_PASS 2048

static void close_all(lancet_features **features, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lancet_features_close(&features[i]);
}

static lancet_features *make_features(const lancet_session *session, const lancet_picture *picture,
                                      const lancet_feature_options *resolved)
{
    const lancet_model_description *about = &session->model->description;
    lancet_features *features = lancet_allocate_zero(1, sizeof *features);

    if (!features)
        return NULL;
    features->grid = (size_t)(resolved->side / about->patch_side);
    features->width = (size_t)about->embedding_width;
    features->picture_width = picture->width;
    features->picture_height = picture->height;
    features->path = resolved->path;
    features->side = resolved->side;
    features->surgery_start = resolved->surgery_start;
    memcpy(features->model_hash, about->hash, sizeof features->model_hash);
    features->tokens =
        lancet_allocate((1 + features->grid * features->grid) * features->width, sizeof(float));
    if (!features->tokens)
        lancet_features_close(&features);
    return features;
}

/* One pass: pictures into features, through buffers that hold `count` pictures' pixels and tokens. */
static lancet_status encode_pass(lancet_features **features, lancet_session *session,
                                 const lancet_picture *pictures, size_t count,
                                 const lancet_feature_options *resolved, lancet_error *error)
{
    const size_t pixels = 3 * (size_t)resolved->side * (size_t)resolved->side;
    const size_t grid = (size_t)(resolved->side / session->model->description.patch_side);
    const size_t tokens = (1 + grid * grid) * session->model->vision.embedding;
    float *input = lancet_allocate(count * pixels, sizeof *input);
    float *output = lancet_allocate(count * tokens, sizeof *output);
    const float **inputs = lancet_allocate(count, sizeof *inputs);
    lancet_vision_job job = {.pixels = inputs,
                             .pictures = count,
                             .side = (size_t)resolved->side,
                             .start = (size_t)resolved->surgery_start,
                             .tokens = output};
    lancet_status status = input && output && inputs ? LANCET_OK : lancet_fail_memory(error, "pictures");

    for (size_t i = 0; i < count && status == LANCET_OK; i++) {
        inputs[i] = input + i * pixels;
        status = lancet_pixels_fill(input + i * pixels, &pictures[i], resolved, error);
    }
    if (status == LANCET_OK)
        status = lancet_vision_tower_run(session, &job, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++) {
        features[i] = make_features(session, &pictures[i], resolved);
        if (!features[i])
            status = lancet_fail_memory(error, "features");
        else
            memcpy(features[i]->tokens, output + i * tokens, tokens * sizeof *output);
    }
    lancet_free(input);
    lancet_free(output);
    lancet_free(inputs);
    return status;
}

lancet_status lancet_features_encode_batch(lancet_features **features, lancet_session *session,
                                           const lancet_picture *pictures, size_t count,
                                           const lancet_feature_options *options, lancet_error *error)
{
    lancet_feature_options resolved;
    lancet_status status;
    size_t grid, at_once;

    if (!features)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_features_encode: features is NULL");
    memset(features, 0, count * sizeof *features);
    if (!session || !pictures)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_features_encode: %s is NULL",
                           session ? "pictures" : "session");
    status = lancet_model_need_vision(session->model, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = lancet_picture_check(&pictures[i], "lancet_features_encode", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, session->model, options, error);
    if (status != LANCET_OK)
        return status;
    grid = (size_t)(resolved.side / session->model->description.patch_side);
    at_once = ROWS_OF_PASS / (1 + grid * grid);
    at_once = at_once ? at_once : 1;
    for (size_t first = 0; first < count && status == LANCET_OK; first += at_once) {
        const size_t rest = count - first;

        status = encode_pass(features + first, session, pictures + first, rest < at_once ? rest : at_once,
                             &resolved, error);
    }
    if (status != LANCET_OK)
        close_all(features, count);
    return status;
}

lancet_status lancet_features_encode(lancet_features **features, lancet_session *session,
                                     const lancet_picture *picture, const lancet_feature_options *options,
                                     lancet_error *error)
{
    return lancet_features_encode_batch(features, session, picture, 1, options, error);
}

void lancet_features_close(lancet_features **result)
{
    lancet_features *features = result ? *result : NULL;

    if (!features)
        return;
    lancet_free(features->tokens);
    lancet_free(features);
    *result = NULL;
}

lancet_status lancet_tokens_walk(lancet_session *session, const lancet_picture *picture,
                                 const lancet_feature_options *options,
                                 int (*visit)(void *context, int block, size_t tokens, size_t width,
                                              const float *original, const float *surgery),
                                 void *context, int *stopped, lancet_error *error)
{
    lancet_feature_options resolved;
    lancet_status status;
    float *pixels = NULL;

    if (!session || !visit)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_tokens_walk: %s is NULL",
                           session ? "visit" : "session");
    status = lancet_model_need_vision(session->model, error);
    if (status == LANCET_OK)
        status = lancet_picture_check(picture, "lancet_tokens_walk", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, session->model, options, error);
    if (status != LANCET_OK)
        return status;
    pixels = lancet_allocate(3 * (size_t)resolved.side * (size_t)resolved.side, sizeof *pixels);
    status = pixels ? lancet_pixels_fill(pixels, picture, &resolved, error)
                    : lancet_fail_memory(error, "a picture");
    if (status == LANCET_OK) {
        const float *const inputs[] = {pixels};
        lancet_vision_job job = {.pixels = inputs,
                                 .pictures = 1,
                                 .side = (size_t)resolved.side,
                                 .start = (size_t)resolved.surgery_start,
                                 .visit = visit,
                                 .context = context};

        status = lancet_vision_tower_run(session, &job, error);
        if (stopped)
            *stopped = job.stopped;
    }
    lancet_free(pixels);
    return status;
}

const float *lancet_features_tokens(const lancet_features *features)
{
    return features ? features->tokens : NULL;
}

size_t lancet_features_grid_height(const lancet_features *features)
{
    return features ? features->grid : 0;
}

size_t lancet_features_grid_width(const lancet_features *features)
{
    return features ? features->grid : 0;
}

size_t lancet_features_width(const lancet_features *features)
{
    return features ? features->width : 0;
}

lancet_path lancet_features_path(const lancet_features *features)
{
    return features ? features->path : LANCET_PATH_SURGERY;
}

int lancet_features_side(const lancet_features *features)
{
    return features ? features->side : 0;
}

int lancet_features_surgery_start(const lancet_features *features)
{
    return features ? features->surgery_start : 0;
}

size_t lancet_features_picture_width(const lancet_features *features)
{
    return features ? features->picture_width : 0;
}

size_t lancet_features_picture_height(const lancet_features *features)
{
    return features ? features->picture_height : 0;
}

const char *lancet_features_model_hash(const lancet_features *features)
{
    return features ? features->model_hash : NULL;
}
