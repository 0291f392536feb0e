/* Pictures: read from files, resized, coloured with heat maps, captioned, written as PNG.
 *
 * A library of its own (lancet-image): the core takes RGB bytes and never decodes a file. Nothing here
 * prints, and nothing is kept between calls, so different threads may do different things at the same time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_H
#define LANCET_IMAGE_H

#include "lancet/error.h"
#include "lancet/picture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Reading ---- */

/** Pixels that Lancet owns: 8-bit RGB, rows without gaps. Not changed after it is made; threads may share it.
 */
typedef struct lancet_image lancet_image;

/** How many pixels a file may have unless the options say otherwise: 2^29, which is 1.5 GiB of RGB. */
#define LANCET_IMAGE_PIXELS_MAX ((uint64_t)1 << 29)

/** How to read. All zero is the default: as Pillow's convert("RGB"), but with the EXIF orientation obeyed. */
typedef struct lancet_image_options {
    bool ignore_orientation; /**< true: the pixels as they are stored (what Pillow's Image.open gives) */
    bool blend;            /**< true: transparent pixels are laid on `background`. false: the alpha channel is
                                dropped and the colours stay as stored, as Pillow's convert("RGB") does */
    uint8_t background[3]; /**< with `blend`: R, G, B; zero is black */
    bool accept_damaged;   /**< true: a JPEG with damaged or missing data is taken as far as it decodes, the
                                rest is grey, and the result says `damaged`. false: it is an INPUT error */
    /** larger pictures are refused before memory is asked for; 0: LANCET_IMAGE_PIXELS_MAX */
    uint64_t pixels_max;
} lancet_image_options;

/** Where an image came from. Strings are constants. */
typedef struct lancet_image_about {
    const char *format;   /**< "JPEG", "PNG" or "WebP"; "" if Lancet made it (resized, drawn) */
    size_t stored_width;  /**< in the file, before any turning */
    size_t stored_height; /**< in the file, before any turning */
    int orientation; /**< EXIF orientation of the file, 1 to 8; 1 also if it has none or an impossible one */
    bool oriented;   /**< the pixels were mirrored or turned to undo `orientation` */
    bool had_alpha;  /**< the file has transparency (an alpha channel or a transparent colour) */
    int frames;      /**< pictures in the file; only the first was read. 1 unless it is an animated WebP */
    bool damaged;    /**< accept_damaged let through a file that is not whole */
    bool font_missing; /**< words were to be drawn and no font was found: the figure has none */
} lancet_image_about;

/** Reads the picture in the file `path`.
 *
 * The content decides on the format, never the name: JPEG (grey, YCbCr, RGB, CMYK, YCCK; baseline or
 * progressive; the same bytes as Pillow over libjpeg-turbo), PNG (every colour type and depth, interlaced or
 * not) and WebP (lossy, lossless; the first frame of an animation on its canvas). 16-bit samples keep their
 * high byte (Pillow does so for RGB; for 16-bit grey its convert("RGB") clips at 255, which is of no use, and
 * is not imitated). No colour management: ICC profiles and gamma are ignored, as Pillow does.
 *
 * options: NULL is the default. On success *image is the caller's (lancet_image_close). On failure *image is
 * NULL and `error` names the file. Errors: ARGUMENT, IO, INPUT (not a picture, cut short, damaged, more than
 * LANCET_PICTURE_SIDE_MAX pixels a side or options->pixels_max in all), UNSUPPORTED (a picture in another
 * format: GIF, BMP, TIFF, AVIF, HEIC, JPEG XL, ..., named in the message), MEMORY. */
LANCET_API lancet_status lancet_image_open(lancet_image **image, const char *path,
                                           const lancet_image_options *options, lancet_error *error);

/** The same from `length` bytes in memory, which are not kept. name: what to call them in messages; NULL:
 * "picture". */
LANCET_API lancet_status lancet_image_open_memory(lancet_image **image, const void *bytes, size_t length,
                                                  const char *name, const lancet_image_options *options,
                                                  lancet_error *error);

/** Frees *image and sets it to NULL; NULL and a pointer to NULL are fine. */
LANCET_API void lancet_image_close(lancet_image **image);

/** The pixels, as every other call takes them; valid while the image lives. NULL gives an all-zero picture.
 */
LANCET_API lancet_picture lancet_image_picture(const lancet_image *image);

/** What is known of the image; valid while it lives. NULL gives NULL. */
LANCET_API const lancet_image_about *lancet_image_describe(const lancet_image *image);

/** *image = `picture` at width x height (1 to LANCET_PICTURE_SIDE_MAX each, LANCET_IMAGE_PIXELS_MAX in all),
 * bit for bit as Pillow's resize((width, height), BICUBIC); the aspect ratio is the caller's business. The
 * caller owns *image (NULL on failure). Errors: ARGUMENT, MEMORY. */
LANCET_API lancet_status lancet_image_resize(lancet_image **image, const lancet_picture *picture,
                                             size_t width, size_t height, lancet_error *error);

/** *width and *height = the size of the picture in the file `path` as it is stored, before any turning: read
 * off its first bytes, with nothing decoded. Errors: ARGUMENT, IO, INPUT, UNSUPPORTED, as lancet_image_open;
 * a file whose pixels are damaged is not found out. */
LANCET_API lancet_status lancet_image_measure(const char *path, size_t *width, size_t *height,
                                              lancet_error *error);

/** The numbers that a PNG stores, for label maps: there a palette or a grey level is a name, not a colour. */
typedef struct lancet_png_numbers {
    size_t width, height;
    /** [height, width]: the palette's entry or the grey level as it is stored (1 to 16 bits, not stretched);
     * of colours R + 256 G + 65536 B. An alpha channel is dropped */
    uint32_t *numbers;
    bool colour; /**< the numbers are of R, G, B */
} lancet_png_numbers;

/** Reads the PNG file `path`. pixels_max: larger ones are refused before memory is asked for; 0:
 * LANCET_IMAGE_PIXELS_MAX. On success numbers->numbers is the caller's (lancet_png_numbers_close), on failure
 * all is zero and `error` names the file. Errors: ARGUMENT, IO, INPUT (no PNG, damaged, too large),
 * UNSUPPORTED (colours of 16 bits), MEMORY. */
LANCET_API lancet_status lancet_png_numbers_open(lancet_png_numbers *numbers, const char *path,
                                                 uint64_t pixels_max, lancet_error *error);

/** Frees the numbers and sets all to zero; NULL and all zero are fine. */
LANCET_API void lancet_png_numbers_close(lancet_png_numbers *numbers);

/* ---- Colours and heat ---- */

typedef enum lancet_colours {
    LANCET_COLOURS_JET =
        0, /**< the same 256 colours as OpenCV's COLORMAP_JET, which the published figures use */
    LANCET_COLOURS_TURBO,   /**< the rainbow again, without jet's false edges */
    LANCET_COLOURS_VIRIDIS, /**< even in lightness, fit for colour-blind readers */
    LANCET_COLOURS_INFERNO, /**< even in lightness, from black */
    LANCET_COLOURS_GREY,    /**< black to white */
    LANCET_COLOURS_COUNT    /**< how many there are; not a map */
} lancet_colours;

/** 256 colours, R, G, B each, from cold to hot; constant. NULL for a number that is no map. */
LANCET_API const uint8_t *lancet_colours_table(lancet_colours colours);

/** "jet", "turbo", ...; NULL for a number that is no map. */
LANCET_API const char *lancet_colours_name(lancet_colours colours);

/** *colours = the map of that name. Errors: ARGUMENT (the message lists the names). */
LANCET_API lancet_status lancet_colours_find(lancet_colours *colours, const char *name, lancet_error *error);

typedef struct lancet_overlay_options {
    lancet_colours colours; /**< 0: jet */
    double heat_share;      /**< 0 < share <= 1 of the heat's colour, the rest is the picture; 0: 0.6 */
} lancet_overlay_options;

/** *image = the heat's colours mixed over `picture`, at the picture's size.
 *
 * heat: [height, width] floats of the picture's size, 0 (cold) to 1 (hot); values outside are clamped, NaN
 * is cold. As in the published demonstration: colour number (int)(255 * heat), then (1 - share) * picture +
 * share * colour in double precision, both cut to whole numbers, not rounded. The caller owns *image (NULL on
 * failure). Errors: ARGUMENT, MEMORY. */
LANCET_API lancet_status lancet_overlay(lancet_image **image, const lancet_picture *picture,
                                        const float *heat, const lancet_overlay_options *options,
                                        lancet_error *error);

/** *image = segments' colours mixed over `picture`, at the picture's size, with a white line of a pixel where
 * one segment ends and another begins.
 *
 * segments: [height, width] of the picture's size, numbers of colours in `palette` [palette_count, 3] (R, G,
 * B). A pixel with a number beyond it keeps the picture's own colour. options: as in lancet_overlay, but
 * there is no colour map; NULL is the default. The caller owns *image (NULL on failure). Errors: ARGUMENT,
 * MEMORY. */
LANCET_API lancet_status lancet_overlay_segments(lancet_image **image, const lancet_picture *picture,
                                                 const uint16_t *segments, const uint8_t *palette,
                                                 size_t palette_count, const lancet_overlay_options *options,
                                                 lancet_error *error);

/** A place on a picture. */
typedef struct lancet_mark {
    int x, y; /**< pixels; a mark beyond the border is cut off */
    uint8_t colour[3];
} lancet_mark;

/** *image = `picture` with a disc of its colour, ringed in white, at each of `marks` [count], the later ones
 * above; about a hundredth of the longer side in radius. The caller owns *image (NULL on failure). Errors:
 * ARGUMENT, MEMORY. */
LANCET_API lancet_status lancet_marks_draw(lancet_image **image, const lancet_picture *picture,
                                           const lancet_mark *marks, size_t count, lancet_error *error);

/* ---- Figures with words ---- */

/** What stands under the picture. Words are UTF-8; what does not fit ends in an ellipsis. All zero: the
 * colour bar alone. */
typedef struct lancet_legend {
    const char *text; /**< the words that the map explains, in two lines if need be; NULL: none */
    /** a second, quieter line (method, model, "random weights: means nothing"); NULL: none */
    const char *note;
    bool has_scores;        /**< score_low and score_high are shown */
    double score_low;       /**< raw score where the map is 0 */
    double score_high;      /**< raw score where the map is 1 */
    lancet_colours colours; /**< of the bar; use the overlay's */
    size_t width_least;     /**< a narrower picture is enlarged by a whole factor to reach it; 0: 320; at most
                               4096 */
    const char *font; /**< a font file to try first; NULL: $LANCET_FONT, then the usual places of DejaVu, Noto
                         and Liberation. A character that one font lacks is taken from the next that has it */
} lancet_legend;

/** *image = `picture` with a strip below it: the text, the range of scores, a colour bar from 0 to 1, the
 * note.
 *
 * A picture that is at least width_least wide keeps its pixels; a smaller one is enlarged (bicubic). Where
 * no font at all is found the strip has the colour bar only, and lancet_image_describe(*image)->font_missing
 * is true: that is no error. The caller owns *image (NULL on failure). Errors: ARGUMENT (also words that are
 * not UTF-8, a font file that was asked for in `font` and cannot be used), MEMORY. */
LANCET_API lancet_status lancet_legend_add(lancet_image **image, const lancet_picture *picture,
                                           const lancet_legend *legend, lancet_error *error);

/** What a colour stands for. */
typedef struct lancet_key_entry {
    const char *text; /**< UTF-8 */
    uint8_t colour[3];
} lancet_key_entry;

/** What stands under a picture of segments. All zero: nothing. */
typedef struct lancet_key {
    const lancet_key_entry *entries; /**< [count], at most 1024 */
    size_t count;
    const char *note;   /**< a last, quieter line; NULL: none */
    size_t width_least; /**< as in lancet_legend */
    const char *font;   /**< as in lancet_legend */
} lancet_key;

/** *image = `picture` with a strip below it: each entry's colour with its text, row after row in columns, and
 * the note. Sizes, fonts, ownership and errors: as for lancet_legend_add; ARGUMENT also for too many entries.
 */
LANCET_API lancet_status lancet_key_add(lancet_image **image, const lancet_picture *picture,
                                        const lancet_key *key, lancet_error *error);

typedef struct lancet_sheet_options {
    const char *title;                  /**< above everything; NULL: none */
    const char *const *column_captions; /**< [columns], above the cells; NULL: none; entries may be NULL */
    const char *const *row_captions;    /**< [rows], left of the cells; NULL: none; entries may be NULL */
    size_t cell_width;                  /**< pixels, 16 to 4096; 0: 240 */
    size_t cell_height; /**< pixels, 16 to 4096; 0: cell_width times the first picture's shape */
    const char *font;   /**< as in lancet_legend */
} lancet_sheet_options;

/** *image = a sheet of pictures, `rows` x `columns` (1 to 1024 each), for comparing them.
 *
 * cells: [rows * columns], row after row; a cell whose `rgb` is NULL stays empty. Each picture is scaled to
 * fit its cell with its shape kept. The caller owns *image (NULL on failure); font_missing as for
 * lancet_legend_add. Errors: ARGUMENT (also a sheet beyond LANCET_PICTURE_SIDE_MAX or
 * LANCET_IMAGE_PIXELS_MAX), MEMORY. */
LANCET_API lancet_status lancet_contact_sheet(lancet_image **image, const lancet_picture *cells, size_t rows,
                                              size_t columns, const lancet_sheet_options *options,
                                              lancet_error *error);

/* ---- Writing ---- */

typedef enum lancet_png_form {
    LANCET_PNG_RGB = 0, /**< uint8_t [height, width, 3] */
    LANCET_PNG_GREY,    /**< uint8_t [height, width] */
    LANCET_PNG_GREY16,  /**< uint16_t [height, width] in the machine's byte order, 2-byte aligned */
    LANCET_PNG_PALETTE  /**< uint8_t [height, width], numbers of colours in `palette` */
} lancet_png_form;

/** One line of metadata: keyword of 1 to 79 printable Latin-1 characters ("Comment", "lancet:model") and a
 * value in UTF-8. Pure ASCII values are written as tEXt, others as iTXt. */
typedef struct lancet_png_text {
    const char *keyword;
    const char *value;
} lancet_png_text;

/** What to write; the memory stays the caller's. */
typedef struct lancet_png {
    lancet_png_form form;
    const void *samples;          /**< from the top left, row after row */
    size_t width;                 /**< 1 to LANCET_PICTURE_SIDE_MAX */
    size_t height;                /**< 1 to LANCET_PICTURE_SIDE_MAX */
    size_t stride;                /**< bytes from one row to the next; 0: rows without gaps */
    const uint8_t *palette;       /**< PALETTE only: [palette_count, 3], R, G, B */
    size_t palette_count;         /**< PALETTE only: 1 to 256; every sample must be below it */
    const lancet_png_text *texts; /**< [text_count]; NULL if none */
    size_t text_count;
    int level; /**< zlib level, 1 (fast) to 9 (small); 0: 2. Same input, same bytes, for one version of zlib
                */
} lancet_png;

/** The PNG file as bytes. On success *bytes, of *length, is the caller's (lancet_png_bytes_close); on failure
 * it is NULL. Errors: ARGUMENT (a NULL, a range, a sample beyond the palette, a keyword or value that PNG
 * cannot hold), MEMORY. */
LANCET_API lancet_status lancet_png_encode(uint8_t **bytes, size_t *length, const lancet_png *png,
                                           lancet_error *error);

/** Frees *bytes and sets it to NULL; NULL and a pointer to NULL are fine. */
LANCET_API void lancet_png_bytes_close(uint8_t **bytes);

/** Writes the PNG file `path` as a whole: a reader sees the old file or the new one, never half of either.
 * Errors: as lancet_png_encode, and IO. */
LANCET_API lancet_status lancet_png_write(const char *path, const lancet_png *png, lancet_error *error);

#ifdef __cplusplus
}
#endif
#endif
