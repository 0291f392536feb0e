/* Running a ModifiedResNet's trunk: a stem of three convolutions that halves the picture twice, then four
 * stages of bottlenecks, all but the first of which halve it again. Every halving but the first is an average
 * of 2 x 2 pixels, a last odd row or column left out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/vision/resnet.h"

#include "clip/session.h"

#include <string.h>

/* Pictures [pictures, height, width, channels], pixels lancet_row_stride(channels) floats apart. */
struct image {
    float *pixels;
    size_t height, width, channels;
};

/* Everything one pass works on. The first walk through the trunk only measures; the second computes. */
struct pass {
    lancet_session *session;
    const lancet_resnet *resnet;
    lancet_vision_job *job;
    bool measures;
    struct image stream;    /* what the blocks hand on */
    float *shortcut;        /* where a block's shortcut goes, which then changes places with the stream */
    float *reduced, *inner; /* behind a block's first convolution, and behind its second */
    float *scratch;
    float *dense; /* what is shown to the visitor, without gaps between the pixels */
    size_t stream_size, reduced_size, inner_size, scratch_size, dense_size; /* floats */
    int block;
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t floats_of(const struct pass *pass, size_t height, size_t width, size_t channels)
{
    return pass->job->pictures * height * width * lancet_row_stride(channels);
}

size_t lancet_resnet_grid(size_t pixels)
{
    size_t side = (pixels + 1) / 2;

    for (int i = 0; i < 4; i++)
        side /= 2;
    return side;
}

/* out = the convolution of `in`. add: the block's residual, NULL: none; its strides are out's. */
static struct image convolve(struct pass *pass, const lancet_convolution *convolution, struct image in,
                             float *out, const float *add, bool relu, bool average)
{
    struct image result = {out, in.height, in.width, lancet_convolution_out(convolution)};
    lancet_convolution_job job = {
        .convolution = convolution,
        .in = in.pixels,
        .out = out,
        .add = add,
        .in_stride = lancet_row_stride(in.channels),
        .out_stride = lancet_row_stride(result.channels),
        .add_stride = lancet_row_stride(result.channels),
        .pictures = pass->job->pictures,
        .height = in.height,
        .width = in.width,
        .relu = relu,
        .average = average,
        .scratch = pass->scratch,
    };

    if (average) {
        result.height /= 2;
        result.width /= 2;
    }
    if (pass->measures)
        pass->scratch_size =
            larger(pass->scratch_size, lancet_convolution_scratch(&job, pass->session->pool));
    else
        lancet_convolution_run(pass->session->pool, &job);
    return result;
}

static void run_stem(struct pass *pass)
{
    const lancet_vision_job *wanted = pass->job;
    lancet_convolution *const *stem = pass->resnet->stem;
    struct image image = {pass->reduced, (wanted->height + 1) / 2, (wanted->width + 1) / 2,
                          lancet_convolution_out(stem[0])};
    const lancet_convolution_job first = {
        .convolution = stem[0],
        .planes = wanted->pixels,
        .out = image.pixels,
        .out_stride = lancet_row_stride(image.channels),
        .pictures = wanted->pictures,
        .height = wanted->height,
        .width = wanted->width,
        .relu = true,
        .scratch = pass->scratch,
    };
    const size_t size = floats_of(pass, image.height, image.width, image.channels);

    if (pass->measures) {
        pass->scratch_size = lancet_convolution_scratch(&first, pass->session->pool);
        pass->reduced_size = pass->inner_size = size;
    } else {
        lancet_convolution_run(pass->session->pool, &first);
    }
    image = convolve(pass, stem[1], image, pass->inner, NULL, true, false);
    pass->stream = convolve(pass, stem[2], image, pass->stream.pixels, NULL, true, true);
    pass->stream_size = larger(
        pass->stream_size, floats_of(pass, pass->stream.height, pass->stream.width, pass->stream.channels));
}

/* What goes around the block, which is where the block's own result is added. */
static void run_shortcut(struct pass *pass, const lancet_bottleneck *block)
{
    struct image from = pass->stream, to;

    if (block->halves) {
        from = (struct image){pass->reduced, from.height / 2, from.width / 2, from.channels};
        if (pass->measures)
            pass->reduced_size =
                larger(pass->reduced_size, floats_of(pass, from.height, from.width, from.channels));
        else
            lancet_average_run(pass->session->pool, from.pixels, lancet_row_stride(from.channels),
                               pass->stream.pixels, lancet_row_stride(from.channels), pass->job->pictures,
                               pass->stream.height, pass->stream.width, from.channels);
    }
    to = convolve(pass, block->shortcut, from, pass->shortcut, NULL, false, false);
    pass->shortcut = pass->stream.pixels;
    pass->stream = to;
    pass->stream_size = larger(pass->stream_size, floats_of(pass, to.height, to.width, to.channels));
}

static void run_block(struct pass *pass, const lancet_bottleneck *block)
{
    struct image image = convolve(pass, block->reduce, pass->stream, pass->reduced, NULL, true, false);

    pass->reduced_size =
        larger(pass->reduced_size, floats_of(pass, image.height, image.width, image.channels));
    image = convolve(pass, block->spatial, image, pass->inner, NULL, true, block->halves);
    pass->inner_size = larger(pass->inner_size, floats_of(pass, image.height, image.width, image.channels));
    if (block->shortcut)
        run_shortcut(pass, block);
    convolve(pass, block->expand, image, pass->stream.pixels, pass->stream.pixels, true, false);
}

/* Shows the visitor what a block hands on. False: he has seen enough. */
static bool show(struct pass *pass)
{
    const struct image *image = &pass->stream;
    const size_t count = image->height * image->width, stride = lancet_row_stride(image->channels);
    lancet_vision_job *job = pass->job;

    if (!job->visit)
        return true;
    if (pass->measures) {
        pass->dense_size = larger(pass->dense_size, count * image->channels);
        return true;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(pass->dense + i * image->channels, image->pixels + i * stride,
               image->channels * sizeof *pass->dense);
    job->stopped = job->visit(job->context, ++pass->block, count, image->channels, pass->dense, NULL);
    return job->stopped == 0;
}

/* False: the visitor has seen enough. */
static bool run_trunk(struct pass *pass)
{
    run_stem(pass);
    for (size_t i = 0; i < pass->resnet->block_count; i++) {
        run_block(pass, &pass->resnet->blocks[i]);
        if (!show(pass))
            return false;
    }
    return true;
}

/* Lays everything out in the session's arena. */
static lancet_status lay_out(struct pass *pass, const lancet_attention_pool *pool, lancet_error *error)
{
    lancet_session *session = pass->session;
    struct {
        float **memory;
        size_t size;
    } parts[] = {{&pass->stream.pixels, pass->stream_size}, {&pass->shortcut, pass->stream_size},
                 {&pass->reduced, pass->reduced_size},      {&pass->inner, pass->inner_size},
                 {&pass->scratch, pass->scratch_size},      {&pass->dense, pass->dense_size}};
    const bool pools = pass->job->tokens || pass->job->attention;
    size_t size = pools ? lancet_attention_pool_need(session, pool) : 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        size += lancet_arena_need(parts[i].size, sizeof(float));
    if (!lancet_arena_reset(&session->arena, size))
        return lancet_fail_memory(error, "the vision tower's activations");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        *parts[i].memory = lancet_arena_take(&session->arena, parts[i].size, sizeof(float));
    return LANCET_OK;
}

lancet_status lancet_resnet_run(lancet_session *session, lancet_vision_job *job, lancet_error *error)
{
    struct pass pass = {
        .session = session, .resnet = session->model->vision.resnet, .job = job, .measures = true};
    lancet_attention_pool pool = {.pictures = job->pictures,
                                  .grid_height = lancet_resnet_grid(job->height),
                                  .grid_width = lancet_resnet_grid(job->width),
                                  .stride = lancet_row_stride(session->model->vision.width)};
    lancet_status status;

    run_trunk(&pass);
    status = lay_out(&pass, &pool, error);
    if (status != LANCET_OK)
        return status;
    pass.measures = false;
    if (!run_trunk(&pass) || !(job->tokens || job->attention))
        return LANCET_OK;
    pool.pixels = pass.stream.pixels;
    return lancet_attention_pool_run(session, &pool, job, error);
}
