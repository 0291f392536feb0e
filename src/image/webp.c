/* WebP through libwebp: a still, or the first frame of an animation. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include "base/memory.h"
#include "base/status.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

static lancet_status fail_decode(VP8StatusCode code, lancet_error *error)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return lancet_fail_memory(error, "decoding a WebP");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "expected a WebP of a known kind, found an unknown feature");
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "damaged WebP: expected more data, found the end of the file");
    default:
        return lancet_fail(error, LANCET_ERROR_INPUT, "damaged WebP: its pixels cannot be decoded");
    }
}

/* Decodes into `out`, whose rows are `stride` bytes apart. */
static lancet_status decode_frame(uint8_t *out, size_t stride, WEBP_CSP_MODE mode, const WebPIterator *frame,
                                  lancet_error *error)
{
    const size_t pixel = mode == MODE_RGBA ? 4 : 3, width = (size_t)frame->width,
                 height = (size_t)frame->height;
    WebPDecoderConfig config;
    VP8StatusCode code;

    if (!WebPInitDecoderConfig(&config))
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED, "libwebp is of another version than its header");
    code = WebPGetFeatures(frame->fragment.bytes, frame->fragment.size, &config.input);
    if (code != VP8_STATUS_OK)
        return fail_decode(code, error);
    if ((size_t)config.input.width != width || (size_t)config.input.height != height)
        return lancet_fail(error, LANCET_ERROR_INPUT,
                           "damaged WebP: expected a frame of %zu x %zu pixels, found %d x %d", width, height,
                           config.input.width, config.input.height);
    if (stride > INT32_MAX)
        return lancet_fail(error, LANCET_ERROR_INPUT, "damaged WebP: a row of %zu bytes", stride);
    config.output.colorspace = mode;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (height - 1) + width * pixel;
    code = WebPDecode(frame->fragment.bytes, frame->fragment.size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? LANCET_OK : fail_decode(code, error);
}

/* Draws the frame on the image, which is its canvas. */
static lancet_status draw_frame(lancet_image *image, const WebPIterator *frame,
                                const lancet_image_options *options, lancet_error *error)
{
    const size_t left = (size_t)frame->x_offset, top = (size_t)frame->y_offset;
    const size_t width = (size_t)frame->width, height = (size_t)frame->height;
    const bool partial = width != image->width || height != image->height;
    uint8_t *target = image->rgb + (top * image->width + left) * 3, *rgba = NULL;
    lancet_status status;

    image->about.had_alpha = frame->has_alpha || partial;
    if (partial) /* around the frame the canvas is transparent black */
        for (size_t i = 0; i < image->width * image->height; i++)
            for (size_t c = 0; c < 3; c++)
                image->rgb[3 * i + c] = options->blend ? options->background[c] : 0;
    if (!options->blend || !frame->has_alpha)
        return decode_frame(target, image->width * 3, MODE_RGB, frame, error);

    rgba = lancet_allocate(width * height, 4);
    if (!rgba)
        return lancet_fail_memory(error, "a picture");
    status = decode_frame(rgba, width * 4, MODE_RGBA, frame, error);
    for (size_t y = 0; status == LANCET_OK && y < height; y++)
        lancet_decode_blend(target + y * image->width * 3, rgba + y * width * 4, width, options);
    lancet_free(rgba);
    return status;
}

static lancet_status find_orientation(int *orientation, const WebPDemuxer *demuxer, lancet_error *error)
{
    lancet_status status = LANCET_OK;
    WebPChunkIterator chunk;

    if (!(WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & EXIF_FLAG))
        return LANCET_OK;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        status = lancet_exif_orientation(orientation, chunk.chunk.bytes, chunk.chunk.size, error);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    return status;
}

lancet_status lancet_webp_read(lancet_image **image, const lancet_source *source, lancet_error *error)
{
    const WebPData data = {source->bytes, source->length};
    WebPDemuxer *demuxer = NULL;
    WebPDemuxState state;
    WebPIterator frame;
    bool have_frame = false;
    lancet_status status;

    *image = NULL;
    memset(&frame, 0, sizeof frame);
    demuxer = WebPDemuxPartial(&data, &state);
    if (!demuxer || state != WEBP_DEMUX_DONE) {
        status =
            lancet_fail(error, LANCET_ERROR_INPUT, "damaged WebP: %s",
                        state == WEBP_DEMUX_PARSE_ERROR ? "its chunks contradict each other"
                                                        : "expected more data, found the end of the file");
        goto done;
    }
    status = lancet_decode_create(image, source, "WebP", WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                                  WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), error);
    if (status != LANCET_OK)
        goto done;
    have_frame = WebPDemuxGetFrame(demuxer, 1, &frame);
    if (!have_frame || frame.width < 1 || frame.height < 1 || frame.x_offset < 0 || frame.y_offset < 0 ||
        (size_t)frame.x_offset + (size_t)frame.width > (*image)->width ||
        (size_t)frame.y_offset + (size_t)frame.height > (*image)->height) {
        status = lancet_fail(error, LANCET_ERROR_INPUT,
                             "damaged WebP: expected a frame within its canvas, found none");
        goto done;
    }
    (*image)->about.frames = (int)WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT);
    status = find_orientation(&(*image)->about.orientation, demuxer, error);
    if (status == LANCET_OK)
        status = draw_frame(*image, &frame, source->options, error);
done:
    if (have_frame)
        WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    if (status != LANCET_OK)
        lancet_image_close(image);
    return status;
}
