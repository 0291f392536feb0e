/* A picture with its legend. SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* All lengths of the strip follow from the size of its letters. */
typedef struct strip {
    size_t size, margin;          /* letters; left and right */
    size_t text_size, small_size; /* of the words, of the rest */
    size_t text_baseline;         /* from the strip's top, as all that follows */
    size_t second_line;           /* by how much it is lower; 0: there is none */
    size_t bar_top;
    size_t bar_height, tick, label_baseline, note_baseline;
    size_t height;
} strip;

static strip strip_of(size_t width, const lancet_legend *legend, lancet_font *font)
{
    const bool words = lancet_font_found(font), text = words && legend->text && *legend->text,
               note = words && legend->note && *legend->note;
    size_t at;
    strip s = {0};

    s.size = width / 42;
    s.size = s.size < 15 ? 15 : s.size > 72 ? 72 : s.size;
    s.margin = s.size * 4 / 5;
    s.text_size = s.size + s.size / 12;
    s.small_size = s.size * 4 / 5;
    at = s.margin * 3 / 4;
    if (text) {
        s.text_baseline = at + s.text_size * 4 / 5;
        at = s.text_baseline + s.size * 6 / 10;
        if (lancet_text_break(font, legend->text, s.text_size, width - 2 * s.margin) < strlen(legend->text))
            s.second_line = s.text_size * 5 / 4;
        at += s.second_line;
    }
    s.bar_top = at;
    s.bar_height = s.size * 3 / 4;
    s.tick = s.size / 4;
    at += s.bar_height + s.tick;
    if (words) {
        s.label_baseline = at + s.size / 6 + s.small_size * 3 / 4;
        at = s.label_baseline + s.small_size / 4;
    }
    if (note) {
        s.note_baseline = at + s.size / 2 + s.small_size * 3 / 4;
        at = s.note_baseline + s.small_size / 4;
    }
    s.height = at + s.margin * 4 / 5;
    return s;
}

/* "0  (score -0.0123)"; the minus sign as wide as a plus. */
static void print_score(char *out, size_t size, double score, bool high)
{
    char number[48], *minus;

    snprintf(number, sizeof number - 4, "%.4g", score);
    minus = number[0] == '-' ? number : NULL;
    if (minus)
        snprintf(out, size, high ? "(score \xE2\x88\x92%s)  1" : "0  (score \xE2\x88\x92%s)", minus + 1);
    else
        snprintf(out, size, high ? "(score %s)  1" : "0  (score %s)", number);
}

static void draw_labels(lancet_image *image, lancet_font *font, const lancet_legend *legend, const strip *s,
                        size_t baseline)
{
    const size_t width = image->width - 2 * s->margin;
    lancet_text_place place = {s->margin,         width,           baseline, s->small_size,
                               LANCET_ALIGN_LEFT, lancet_quiet_ink};
    char low[64] = "0", high[64] = "1";
    size_t used;

    if (legend->has_scores) {
        print_score(low, sizeof low, legend->score_low, false);
        print_score(high, sizeof high, legend->score_high, true);
    }
    lancet_text_draw(image, font, low, &place);
    used = lancet_text_width(font, low, s->small_size, width) +
           lancet_text_width(font, high, s->small_size, width);
    place.align = LANCET_ALIGN_CENTRE;
    if (used + 4 * s->size < width)
        lancet_text_draw(image, font, "0.5", &place);
    place.align = LANCET_ALIGN_RIGHT;
    lancet_text_draw(image, font, high, &place);
}

static void draw_strip(lancet_image *image, lancet_font *font, const lancet_legend *legend, const strip *s,
                       size_t top)
{
    const size_t width = image->width - 2 * s->margin, line = s->size / 15;
    lancet_text_place place = {s->margin, width, 0, 0, LANCET_ALIGN_LEFT, lancet_ink};

    lancet_canvas_bar(image, s->margin, top + s->bar_top, width, s->bar_height,
                      lancet_colours_table(legend->colours));
    for (size_t i = 0; i <= 4; i++) /* 0, 0.25, ..., 1 */
        lancet_canvas_fill(image, s->margin + i * (width - line) / 4, top + s->bar_top + s->bar_height, line,
                           i % 2 ? s->tick / 2 : s->tick, lancet_quiet_ink);
    if (!s->label_baseline)
        return;
    draw_labels(image, font, legend, s, top + s->label_baseline);
    if (s->text_baseline) {
        place.baseline = top + s->text_baseline;
        place.size = s->text_size;
        if (s->second_line)
            lancet_text_draw_two(image, font, legend->text, &place, s->second_line);
        else
            lancet_text_draw(image, font, legend->text, &place);
    }
    if (s->note_baseline) {
        place.baseline = top + s->note_baseline;
        place.size = s->small_size;
        place.colour = lancet_quiet_ink;
        lancet_text_draw(image, font, legend->note, &place);
    }
}

static lancet_status check(const lancet_picture *picture, const lancet_legend *legend, lancet_error *error)
{
    lancet_status status = lancet_figure_check(picture, legend->width_least, "legend", error);

    if (status == LANCET_OK)
        status = lancet_text_check(legend->text, "legend", error);
    if (status == LANCET_OK)
        status = lancet_text_check(legend->note, "legend", error);
    if (status != LANCET_OK)
        return status;
    if (!lancet_colours_table(legend->colours))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "legend: expected a colour map from 0 to %d, found %d", LANCET_COLOURS_COUNT - 1,
                           (int)legend->colours);
    return LANCET_OK;
}

static lancet_status compose(lancet_image **image, const lancet_picture *picture, lancet_font *font,
                             const lancet_legend *legend, lancet_error *error)
{
    const lancet_figure figure = lancet_figure_of(picture, legend->width_least);
    const strip s = strip_of(figure.width, legend, font);
    lancet_status status = lancet_figure_begin(image, picture, &figure, s.height, error);

    if (status == LANCET_OK) {
        draw_strip(*image, font, legend, &s, figure.height);
        status = lancet_figure_end(*image, font, error);
    }
    return status;
}

lancet_status lancet_legend_add(lancet_image **image, const lancet_picture *picture,
                                const lancet_legend *legend, lancet_error *error)
{
    static const lancet_legend defaults;
    lancet_font *font = NULL;
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "legend: expected a place for the result, found NULL");
    *image = NULL;
    legend = legend ? legend : &defaults;
    status = check(picture, legend, error);
    if (status == LANCET_OK)
        status = lancet_font_open(&font, legend->font, error);
    if (status == LANCET_OK)
        status = compose(image, picture, font, legend, error);
    lancet_font_close(&font);
    if (status != LANCET_OK)
        lancet_image_close(image);
    return status;
}
