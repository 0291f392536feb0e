/* JPEG through libjpeg. SPDX-License-Identifier: Apache-2.0 */
#include "image/decode.h"

#include "base/memory.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* whose list of messages depends on what jpeglib.h says */

/* Honest progressive files have about ten scans; each one of a hostile file costs a whole pass. */
#define SCANS_MAX 500

/* All that must survive a jump out of the library lives here, not in local variables. */
typedef struct reader {
    struct jpeg_decompress_struct library;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    lancet_status status; /* why it escaped */
    char message[JMSG_LENGTH_MAX + 32];
    bool strict;  /* damaged data is an error */
    bool ended;   /* the bytes ran out; harmless if only the end marker is missing */
    bool damaged; /* some pixels are not what was stored */
    lancet_image *image;
    uint8_t *row; /* CMYK only: [width, 4] */
} reader;

static void escape(reader *r, lancet_status status)
{
    r->status = status;
    longjmp(r->escape, 1);
}

static lancet_status status_of(int code)
{
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return LANCET_ERROR_MEMORY;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
        return LANCET_ERROR_UNSUPPORTED;
    default:
        return LANCET_ERROR_INPUT;
    }
}

static void on_error(j_common_ptr library)
{
    reader *r = library->client_data;

    library->err->format_message(library, r->message);
    escape(r, status_of(library->err->msg_code));
}

/* The library's warnings. Most are about harmless oddities (stray bytes before a marker, a version number);
 * these mean that pixels are lost. */
static void on_message(j_common_ptr library, int level)
{
    reader *r = library->client_data;

    if (level >= 0)
        return;
    switch (library->err->msg_code) {
    case JWRN_JPEG_EOF:
        r->ended = true;
        return;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        r->damaged = true;
        if (r->strict) {
            library->err->format_message(library, r->message);
            escape(r, LANCET_ERROR_INPUT);
        }
        return;
    default:
        return;
    }
}

static void on_output(j_common_ptr library)
{
    (void)library; /* never to stderr */
}

static void on_progress(j_common_ptr library)
{
    reader *r = library->client_data;

    if (r->library.input_scan_number > SCANS_MAX) {
        snprintf(r->message, sizeof r->message, "more than %d scans", SCANS_MAX);
        escape(r, LANCET_ERROR_INPUT);
    }
}

static lancet_status find_orientation(reader *r, lancet_error *error)
{
    for (jpeg_saved_marker_ptr marker = r->library.marker_list; marker; marker = marker->next)
        if (marker->data_length > 6 && memcmp(marker->data, "Exif\0", 6) == 0)
            return lancet_exif_orientation(&r->image->about.orientation, marker->data, marker->data_length,
                                           error);
    return LANCET_OK;
}

/* Samples of CMYK files are stored inverted (Adobe's habit, which Pillow takes for granted): 255 is no ink.
 */
static void row_from_cmyk(uint8_t *rgb, const uint8_t *cmyk, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int key = cmyk[4 * i + 3];

        for (size_t c = 0; c < 3; c++) {
            const int value = key - lancet_byte_product(255u - cmyk[4 * i + c], (unsigned)key);

            rgb[3 * i + c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

/* Runs under setjmp: every failure of the library jumps out, ours return. */
static lancet_status read_pixels(reader *r, const lancet_source *source, lancet_error *error)
{
    struct jpeg_decompress_struct *library = &r->library;
    lancet_status status;

    jpeg_create_decompress(library);
    library->client_data = r;
    library->progress = &r->progress;
    jpeg_mem_src(library, source->bytes, (unsigned long)source->length);
    jpeg_save_markers(library, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(library, TRUE);
    if (library->num_components != 1 && library->num_components != 3 && library->num_components != 4)
        return lancet_fail(error, LANCET_ERROR_UNSUPPORTED,
                           "expected a JPEG of 1, 3 or 4 components, found %d", library->num_components);
    status =
        lancet_decode_create(&r->image, source, "JPEG", library->image_width, library->image_height, error);
    if (status != LANCET_OK)
        return status;
    status = find_orientation(r, error);
    if (status != LANCET_OK)
        return status;
    library->out_color_space = library->num_components == 4 ? JCS_CMYK : JCS_RGB;
    library->dct_method = JDCT_ISLOW;
    if (library->num_components == 4) {
        r->row = lancet_allocate(r->image->width, 4);
        if (!r->row)
            return lancet_fail_memory(error, "a row of a picture");
    }
    jpeg_start_decompress(library);
    if (r->ended && jpeg_has_multiple_scans(library)) {
        /* Scans are missing, perhaps no more than the end marker: there is no telling. */
        r->damaged = true;
        if (r->strict)
            return lancet_fail(error, LANCET_ERROR_INPUT,
                               "damaged JPEG: expected more scans, found the end of the file");
    }
    while (library->output_scanline < library->output_height) {
        uint8_t *target = r->image->rgb + library->output_scanline * r->image->width * 3;
        JSAMPROW rows[1] = {r->row ? r->row : target};

        jpeg_read_scanlines(library, rows, 1);
        if (r->row)
            row_from_cmyk(target, r->row, r->image->width);
    }
    r->image->about.damaged = r->damaged;
    return LANCET_OK; /* what follows the last row does not matter */
}

lancet_status lancet_jpeg_read(lancet_image **image, const lancet_source *source, lancet_error *error)
{
    lancet_status status;
    reader *r;

    *image = NULL;
    r = lancet_allocate_zero(1, sizeof *r);
    if (!r)
        return lancet_fail_memory(error, "a JPEG reader");
    r->strict = !source->options->accept_damaged;
    r->library.err = jpeg_std_error(&r->errors);
    r->library.client_data = r; /* jpeg_create_decompress keeps both */
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = on_output;
    r->progress.progress_monitor = on_progress;
    if (setjmp(r->escape) == 0)
        status = read_pixels(r, source, error);
    else if (r->status == LANCET_ERROR_MEMORY)
        status = lancet_fail_memory(error, "decoding a JPEG");
    else if (r->status == LANCET_ERROR_UNSUPPORTED)
        status = lancet_fail(error, r->status, "expected a common kind of JPEG, found: %s", r->message);
    else
        status = lancet_fail(error, r->status, "damaged JPEG: %s%s", r->message,
                             r->ended ? " (the file ends too early)" : "");
    jpeg_destroy_decompress(&r->library);
    if (status == LANCET_OK)
        *image = r->image;
    else
        lancet_image_close(&r->image);
    lancet_free(r->row);
    lancet_free(r);
    return status;
}
