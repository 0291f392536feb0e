/* Segments over a picture, and what their colours stand for. SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/status.h"

#define ENTRIES_MOST 1024

/* ---- Overlay ------------------------------------------------------------------------------------------- */

/* Whether the pixel to the right or the one below belongs to another segment. */
static bool at_border(const uint16_t *segments, size_t x, size_t y, const lancet_picture *picture)
{
    const uint16_t *at = segments + y * picture->width + x;

    return (x + 1 < picture->width && at[1] != *at) || (y + 1 < picture->height && at[picture->width] != *at);
}

lancet_status lancet_overlay_segments(lancet_image **image, const lancet_picture *picture,
                                      const uint16_t *segments, const uint8_t *palette, size_t palette_count,
                                      const lancet_overlay_options *options, lancet_error *error)
{
    const double share = options && options->heat_share != 0 ? options->heat_share : 0.6;
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "segments: expected a place for the result, found NULL");
    *image = NULL;
    status = lancet_picture_check(picture, "segments", error);
    if (status != LANCET_OK)
        return status;
    if (!segments || (!palette && palette_count))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "segments: expected %s, found NULL",
                           segments ? "a palette" : "segments");
    if (!(share > 0 && share <= 1))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "segments: expected a share in (0, 1], found %g",
                           share);
    status = lancet_image_create(image, picture->width, picture->height, error);
    if (status != LANCET_OK)
        return status;
    for (size_t y = 0; y < picture->height; y++) {
        const uint8_t *in = lancet_picture_row(picture, y);
        uint8_t *out = (*image)->rgb + y * picture->width * 3;

        for (size_t x = 0; x < picture->width; x++, in += 3, out += 3) {
            const uint16_t label = segments[y * picture->width + x];
            const bool border = at_border(segments, x, y, picture);

            for (size_t c = 0; c < 3; c++)
                out[c] = border ? 255
                         : label < palette_count
                             ? (uint8_t)(in[c] * (1 - share) + palette[3 * label + c] * share)
                             : in[c];
        }
    }
    return LANCET_OK;
}

/* ---- Key ----------------------------------------------------------------------------------------------- */

/* Entries stand in rows of `columns`, each `cell` pixels wide: a square of the colour, then the text. */
typedef struct layout {
    size_t size, margin, square, line; /* letters; left and right; the colour's side; from row to row */
    size_t columns, cell;
    size_t note_baseline; /* from the strip's top; 0: there is none */
    size_t height;
} layout;

static layout layout_of(size_t width, const lancet_key *key, lancet_font *font)
{
    const bool words = lancet_font_found(font);
    size_t at, widest = 0;
    layout l = {0};

    l.size = width / 42;
    l.size = l.size < 13 ? 13 : l.size > 48 ? 48 : l.size;
    l.margin = l.size * 4 / 5;
    l.square = l.size;
    l.line = l.size * 8 / 5;
    for (size_t i = 0; i < key->count; i++) {
        const size_t text = lancet_text_width(font, key->entries[i].text, l.size, width);

        widest = text > widest ? text : widest;
    }
    l.cell = l.square + l.size / 2 + (words ? widest + l.size : 0);
    if (l.cell > width - 2 * l.margin)
        l.cell = width - 2 * l.margin;
    l.columns = (width - 2 * l.margin) / l.cell;
    if (l.columns > key->count)
        l.columns = key->count ? key->count : 1;
    at = l.margin * 3 / 4 + (key->count + l.columns - 1) / l.columns * l.line;
    if (words && key->note && *key->note) {
        l.note_baseline = at + l.size * 4 / 5;
        at = l.note_baseline + l.size / 4;
    }
    l.height = at + l.margin / 2;
    return l;
}

static void draw_key(lancet_image *image, lancet_font *font, const lancet_key *key, const layout *l,
                     size_t top)
{
    for (size_t i = 0; i < key->count; i++) {
        const size_t left = l->margin + i % l->columns * l->cell,
                     line = top + l->margin * 3 / 4 + i / l->columns * l->line;
        const size_t words = l->square + l->size / 2;
        const lancet_text_place place = {left + words,
                                         l->cell > words ? l->cell - words : 1,
                                         line + l->size * 17 / 20,
                                         l->size,
                                         LANCET_ALIGN_LEFT,
                                         lancet_ink};

        /* An edge, so that light colours are seen on the paper. */
        lancet_canvas_fill(image, left, line, l->square, l->square, lancet_quiet_ink);
        lancet_canvas_fill(image, left + 1, line + 1, l->square - 2, l->square - 2, key->entries[i].colour);
        lancet_text_draw(image, font, key->entries[i].text, &place);
    }
    if (l->note_baseline) {
        const lancet_text_place place = {l->margin,
                                         image->width - 2 * l->margin,
                                         top + l->note_baseline,
                                         l->size * 4 / 5,
                                         LANCET_ALIGN_LEFT,
                                         lancet_quiet_ink};

        lancet_text_draw(image, font, key->note, &place);
    }
}

static lancet_status check_key(const lancet_picture *picture, const lancet_key *key, lancet_error *error)
{
    lancet_status status = lancet_figure_check(picture, key->width_least, "key", error);

    if (status == LANCET_OK && key->count > ENTRIES_MOST)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "key: expected at most %d entries, found %zu",
                           ENTRIES_MOST, key->count);
    if (status == LANCET_OK && key->count && !key->entries)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "key: expected entries, found NULL");
    for (size_t i = 0; i < key->count && status == LANCET_OK; i++)
        status = key->entries[i].text
                     ? lancet_text_check(key->entries[i].text, "key", error)
                     : lancet_fail(error, LANCET_ERROR_ARGUMENT, "key: expected a text, found NULL");
    return status == LANCET_OK ? lancet_text_check(key->note, "key", error) : status;
}

lancet_status lancet_key_add(lancet_image **image, const lancet_picture *picture, const lancet_key *key,
                             lancet_error *error)
{
    static const lancet_key defaults;
    lancet_font *font = NULL;
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "key: expected a place for the result, found NULL");
    *image = NULL;
    key = key ? key : &defaults;
    status = check_key(picture, key, error);
    if (status == LANCET_OK)
        status = lancet_font_open(&font, key->font, error);
    if (status == LANCET_OK) {
        const lancet_figure figure = lancet_figure_of(picture, key->width_least);
        const layout l = layout_of(figure.width, key, font);

        status = lancet_figure_begin(image, picture, &figure, l.height, error);
        if (status == LANCET_OK) {
            draw_key(*image, font, key, &l, figure.height);
            status = lancet_figure_end(*image, font, error);
        }
    }
    lancet_font_close(&font);
    if (status != LANCET_OK)
        lancet_image_close(image);
    return status;
}
