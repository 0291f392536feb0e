/* Drawing on an image: areas, pictures, words. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_IMAGE_CANVAS_H
#define LANCET_IMAGE_CANVAS_H

#include "image/pixels.h"

/** What figures are made of. */
extern const uint8_t lancet_paper[3], lancet_ink[3], lancet_quiet_ink[3], lancet_line[3];

/** Fills the part of the rectangle that lies on the image. */
void lancet_canvas_fill(lancet_image *image, size_t left, size_t top, size_t width, size_t height,
                        const uint8_t colour[3]);

/** Copies the part of `picture` that fits at (left, top). */
void lancet_canvas_place(lancet_image *image, size_t left, size_t top, const lancet_picture *picture);

/** A bar that runs through the colours from left to right. */
void lancet_canvas_bar(lancet_image *image, size_t left, size_t top, size_t width, size_t height,
                       const uint8_t *table);

/** The fonts that were found, opened as they are needed. For one thread. */
typedef struct lancet_font lancet_font;

/** Looks for fonts: `path` (NULL: none asked for), $LANCET_FONT, the usual places. Finding none is no error.
 * Errors: ARGUMENT (`path` is no usable font), MEMORY. */
lancet_status lancet_font_open(lancet_font **font, const char *path, lancet_error *error);
void lancet_font_close(lancet_font **font);

bool lancet_font_found(const lancet_font *font);

/** True once memory ran out under the font's hands: what was drawn or measured since is not to be trusted. */
bool lancet_font_failed(const lancet_font *font);

/** Width in pixels of `text` (UTF-8) in letters of `size` pixels; counting stops beyond `most`. */
size_t lancet_text_width(lancet_font *font, const char *text, size_t size, size_t most);

/** How many bytes of `text` the first of several lines of `width` pixels takes: all if they fit, else up to a
 * space where there is one, else as much as fits (at least one character). */
size_t lancet_text_break(lancet_font *font, const char *text, size_t size, size_t width);

typedef enum lancet_align { LANCET_ALIGN_LEFT, LANCET_ALIGN_CENTRE, LANCET_ALIGN_RIGHT } lancet_align;

/** Where and how words are drawn: between `left` and `left + width`, on `baseline`. */
typedef struct lancet_text_place {
    size_t left, width, baseline, size;
    lancet_align align;
    const uint8_t *colour;
} lancet_text_place;

/** Draws `text` (UTF-8), cut with an ellipsis if it is wider than the place. Draws nothing without a font. */
void lancet_text_draw(lancet_image *image, lancet_font *font, const char *text,
                      const lancet_text_place *place);

/** The same in two lines, `spacing` apart, the second of which may be cut. */
void lancet_text_draw_two(lancet_image *image, lancet_font *font, const char *text,
                          const lancet_text_place *place, size_t spacing);

/** ARGUMENT unless `text` is NULL or UTF-8. */
lancet_status lancet_text_check(const char *text, const char *what, lancet_error *error);

/** How a picture stands above a strip of words. */
typedef struct lancet_figure {
    size_t factor;        /* the picture is enlarged by this */
    size_t width, height; /* of the place for the picture; it stands in the middle */
} lancet_figure;

/** ARGUMENT unless the picture is one and the least width (0: the default) in range. */
lancet_status lancet_figure_check(const lancet_picture *picture, size_t width_least, const char *what,
                                  lancet_error *error);

/** A narrow picture is enlarged by a whole factor. */
lancet_figure lancet_figure_of(const lancet_picture *picture, size_t width_least);

/** The picture above an empty strip of that height. Errors: ARGUMENT, MEMORY. */
lancet_status lancet_figure_begin(lancet_image **image, const lancet_picture *picture,
                                  const lancet_figure *figure, size_t strip_height, lancet_error *error);

/** Whether the words came out. Errors: MEMORY. */
lancet_status lancet_figure_end(lancet_image *image, const lancet_font *font, lancet_error *error);

#endif
