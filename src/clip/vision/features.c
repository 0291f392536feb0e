/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/features.h"

#include "base/memory.h"
#include "base/picture.h"
#include "clip/session.h"
#include "clip/vision/pixels.h"

#include <string.h>

static void close_all(lancet_features **features, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lancet_features_close(&features[i]);
}

static lancet_features *make_features(const lancet_session *session, const lancet_picture *picture,
                                      const lancet_feature_options *resolved)
{
    const lancet_model_description *about = &session->model->description;
    const lancet_vision_tower *tower = &session->model->vision;
    lancet_features *features = lancet_allocate_zero(1, sizeof *features);

    if (!features)
        return NULL;
    features->input_height = (size_t)resolved->height;
    features->input_width = (size_t)resolved->width;
    features->grid_height = lancet_vision_tower_grid(tower, features->input_height);
    features->grid_width = lancet_vision_tower_grid(tower, features->input_width);
    features->width = (size_t)about->embedding_width;
    features->picture_width = picture->width;
    features->picture_height = picture->height;
    features->path = resolved->path;
    features->pool_attention = resolved->pool_attention;
    features->pool_class = resolved->pool_class;
    features->surgery_start = resolved->surgery_start;
    memcpy(features->model_hash, about->hash, sizeof features->model_hash);
    features->tokens =
        lancet_allocate((1 + features->grid_height * features->grid_width) * features->width, sizeof(float));
    if (!features->tokens)
        lancet_features_close(&features);
    return features;
}

/* Tokens of a picture: the class token and H x W patches. */
static size_t count_tokens(const lancet_session *session, const lancet_feature_options *resolved)
{
    const lancet_vision_tower *tower = &session->model->vision;

    return 1 + lancet_vision_tower_grid(tower, (size_t)resolved->height) *
                   lancet_vision_tower_grid(tower, (size_t)resolved->width);
}

/* One pass: pictures into features, through buffers that hold `count` pictures' pixels and tokens. */
static lancet_status encode_pass(lancet_features **features, lancet_session *session,
                                 const lancet_picture *pictures, size_t count,
                                 const lancet_feature_options *resolved, lancet_error *error)
{
    const size_t pixels = 3 * (size_t)resolved->height * (size_t)resolved->width;
    const size_t tokens = count_tokens(session, resolved) * session->model->vision.embedding;
    float *input = lancet_allocate(count * pixels, sizeof *input);
    float *output = lancet_allocate(count * tokens, sizeof *output);
    const float **inputs = lancet_allocate(count, sizeof *inputs);
    lancet_vision_job job = {.pixels = inputs,
                             .pictures = count,
                             .height = (size_t)resolved->height,
                             .width = (size_t)resolved->width,
                             .options = resolved,
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

/* How many of the first pictures, `count` at most, go through the tower together: those of the first one's
 * input size, as many as a pass takes. *resolved is what the options mean for them. */
static lancet_status plan_pass(size_t *together, lancet_feature_options *resolved,
                               const lancet_session *session, const lancet_picture *pictures, size_t count,
                               const lancet_feature_options *options, lancet_error *error)
{
    lancet_status status = lancet_feature_options_resolve(resolved, session->model, pictures, options, error);
    size_t at_once;

    if (status != LANCET_OK)
        return status;
    at_once = lancet_vision_tower_pictures(&session->model->vision, (size_t)resolved->height,
                                           (size_t)resolved->width);
    for (*together = 1; *together < count && *together < at_once; ++*together) {
        lancet_feature_options other;

        status = lancet_feature_options_resolve(&other, session->model, &pictures[*together], options, error);
        if (status != LANCET_OK || other.height != resolved->height || other.width != resolved->width)
            break;
    }
    return status;
}

lancet_status lancet_features_encode_batch(lancet_features **features, lancet_session *session,
                                           const lancet_picture *pictures, size_t count,
                                           const lancet_feature_options *options, lancet_error *error)
{
    lancet_feature_options resolved;
    lancet_status status;
    size_t together = 0;

    if (!features)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_features_encode: features is NULL");
    memset(features, 0, count * sizeof *features);
    if (!session || !pictures)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_features_encode: %s is NULL",
                           session ? "pictures" : "session");
    status = lancet_model_need_vision(session->model, error);
    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = lancet_picture_check(&pictures[i], "lancet_features_encode", error);
    /* Options that one picture does not go with are refused before any work is done. */
    for (size_t i = 0; i < count && status == LANCET_OK; i++)
        status = lancet_feature_options_resolve(&resolved, session->model, &pictures[i], options, error);
    for (size_t first = 0; first < count && status == LANCET_OK; first += together) {
        status = plan_pass(&together, &resolved, session, pictures + first, count - first, options, error);
        if (status == LANCET_OK)
            status = encode_pass(features + first, session, pictures + first, together, &resolved, error);
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

size_t lancet_grid_side(const lancet_model *model, size_t pixels)
{
    return model && model->vision.patch ? lancet_vision_tower_grid(&model->vision, pixels) : 0;
}

/* A pass over one picture for what happens on the way: `job` says what of it, and gets the rest filled in. */
static lancet_status look_inside(lancet_session *session, const lancet_picture *picture,
                                 const lancet_feature_options *resolved, lancet_vision_job *job,
                                 lancet_error *error)
{
    float *pixels = lancet_allocate(3 * (size_t)resolved->height * (size_t)resolved->width, sizeof *pixels);
    const float *const inputs[] = {pixels};
    lancet_status status = pixels ? lancet_pixels_fill(pixels, picture, resolved, error)
                                  : lancet_fail_memory(error, "a picture");

    job->pixels = inputs;
    job->pictures = 1;
    job->height = (size_t)resolved->height;
    job->width = (size_t)resolved->width;
    job->options = resolved;
    job->start = (size_t)resolved->surgery_start;
    if (status == LANCET_OK)
        status = lancet_vision_tower_run(session, job, error);
    job->pixels = NULL;
    job->options = NULL;
    lancet_free(pixels);
    return status;
}

lancet_status lancet_tokens_walk(lancet_session *session, const lancet_picture *picture,
                                 const lancet_feature_options *options,
                                 int (*visit)(void *context, int block, size_t tokens, size_t width,
                                              const float *original, const float *surgery),
                                 void *context, int *stopped, lancet_error *error)
{
    lancet_vision_job job = {.visit = visit, .context = context};
    lancet_feature_options resolved;
    lancet_status status;

    if (!session || !visit)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_tokens_walk: %s is NULL",
                           session ? "visit" : "session");
    status = lancet_picture_check(picture, "lancet_tokens_walk", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, session->model, picture, options, error);
    if (status == LANCET_OK)
        status = look_inside(session, picture, &resolved, &job, error);
    if (status == LANCET_OK && stopped)
        *stopped = job.stopped;
    return status;
}

lancet_status lancet_branches_encode(float *rows, lancet_session *session, const lancet_picture *picture,
                                     const lancet_feature_options *options, bool norm, lancet_error *error)
{
    lancet_vision_job job = {.branches = rows, .branches_norm = norm};
    lancet_feature_options resolved;
    lancet_status status;

    if (!rows || !session)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_branches_encode: %s is NULL",
                           rows ? "session" : "rows");
    status = lancet_picture_check(picture, "lancet_branches_encode", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, session->model, picture, options, error);
    if (status != LANCET_OK)
        return status;
    if (session->model->vision.resnet)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "lancet_branches_encode: a ModifiedResNet has no such branches");
    resolved.surgery_start = 0; /* the second path adds nothing to the first */
    return look_inside(session, picture, &resolved, &job, error);
}

static lancet_status check_attention(const lancet_attention_options *options, const lancet_model *model,
                                     lancet_error *error)
{
    const int blocks = model->description.vision_blocks;

    if (options->kind != LANCET_ATTENTION_RAW && options->kind != LANCET_ATTENTION_VALUES)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "kind: expected LANCET_ATTENTION_RAW or _VALUES, found %d", (int)options->kind);
    if (options->block && model->vision.resnet)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "block: a ModifiedResNet's blocks have no attention, only its attention pool has");
    if (options->block < 0 || options->block > blocks)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "block: expected 1 to %d (the model's blocks), found %d", blocks, options->block);
    return LANCET_OK;
}

lancet_status lancet_attention_rows(float *rows, lancet_session *session, const lancet_picture *picture,
                                    const lancet_feature_options *features,
                                    const lancet_attention_options *given, lancet_error *error)
{
    const lancet_attention_options options = given ? *given : (lancet_attention_options){0};
    lancet_vision_attention attention = {.kind = options.kind, .rows = rows};
    lancet_vision_job job = {.attention = &attention};
    lancet_feature_options resolved;
    lancet_status status;

    if (!rows || !session)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_attention_rows: %s is NULL",
                           rows ? "session" : "rows");
    status = lancet_picture_check(picture, "lancet_attention_rows", error);
    if (status == LANCET_OK)
        status = lancet_feature_options_resolve(&resolved, session->model, picture, features, error);
    if (status != LANCET_OK)
        return status;
    status = check_attention(&options, session->model, error);
    if (status != LANCET_OK)
        return status;
    attention.block = (size_t)(options.block ? options.block : session->model->description.vision_blocks);
    attention.count = options.class_only ? 1 : count_tokens(session, &resolved);
    resolved.surgery_start = 0; /* the second path changes nothing in the first */
    return look_inside(session, picture, &resolved, &job, error);
}

const float *lancet_features_tokens(const lancet_features *features)
{
    return features ? features->tokens : NULL;
}

size_t lancet_features_grid_height(const lancet_features *features)
{
    return features ? features->grid_height : 0;
}

size_t lancet_features_grid_width(const lancet_features *features)
{
    return features ? features->grid_width : 0;
}

size_t lancet_features_width(const lancet_features *features)
{
    return features ? features->width : 0;
}

lancet_path lancet_features_path(const lancet_features *features)
{
    return features ? features->path : LANCET_PATH_SURGERY;
}

size_t lancet_features_input_width(const lancet_features *features)
{
    return features ? features->input_width : 0;
}

size_t lancet_features_input_height(const lancet_features *features)
{
    return features ? features->input_height : 0;
}

int lancet_features_side(const lancet_features *features)
{
    return features && features->input_width == features->input_height ? (int)features->input_width : 0;
}

int lancet_features_surgery_start(const lancet_features *features)
{
    return features ? features->surgery_start : 0;
}

lancet_pool_attention lancet_features_pool_attention(const lancet_features *features)
{
    return features ? features->pool_attention : LANCET_POOL_VV;
}

lancet_pool_class lancet_features_pool_class(const lancet_features *features)
{
    return features ? features->pool_class : LANCET_POOL_CLASS_QK;
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
