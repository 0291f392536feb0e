/* Pictures side by side. SPDX-License-Identifier: Apache-2.0 */
#include "image/canvas.h"
#include "image/resize.h"

#include "base/memory.h"
#include "base/status.h"

#include <string.h>

#define CELL_LEAST   16
#define CELL_MOST    4096
#define CELL_DEFAULT 240
#define CELLS_MOST   1024 /* along one side */

/* Where things stand, in pixels. */
typedef struct layout {
    size_t rows, columns, cell_width, cell_height;
    size_t size, margin, gap;
    size_t title_height, head_height; /* rows of words above; 0: none */
    size_t side_width;                /* words on the left; 0: none */
    size_t width, height;
} layout;

static size_t clamped(size_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : value;
}

static size_t default_height(const lancet_picture *cells, size_t count, size_t cell_width)
{
    for (size_t i = 0; i < count; i++)
        if (cells[i].rgb)
            return clamped((cell_width * cells[i].height + cells[i].width / 2) / cells[i].width, CELL_LEAST,
                           CELL_MOST);
    return cell_width;
}

static layout layout_of(const lancet_picture *cells, size_t rows, size_t columns,
                        const lancet_sheet_options *options, lancet_font *font)
{
    const bool words = lancet_font_found(font);
    layout l = {.rows = rows, .columns = columns};

    l.cell_width = options->cell_width ? options->cell_width : CELL_DEFAULT;
    l.cell_height =
        options->cell_height ? options->cell_height : default_height(cells, rows * columns, l.cell_width);
    l.size = clamped(l.cell_width / 16, 13, 64);
    l.margin = l.size;
    l.gap = l.size / 2;
    if (words && options->title)
        l.title_height = l.size * 2;
    if (words && options->column_captions)
        l.head_height = l.size * 17 / 10;
    for (size_t r = 0; words && options->row_captions && r < rows; r++) {
        const char *caption = options->row_captions[r];
        const size_t most = l.cell_width,
                     width = caption ? lancet_text_width(font, caption, l.size, most) + l.gap : 0;

        l.side_width = width > most ? most : width > l.side_width ? width : l.side_width;
        if (l.side_width == most)
            break;
    }
    l.width = 2 * l.margin + l.side_width + columns * l.cell_width + (columns - 1) * l.gap;
    l.height = 2 * l.margin + l.title_height + l.head_height + rows * l.cell_height + (rows - 1) * l.gap;
    return l;
}

/* `picture` in the middle of its cell, as large as fits. */
static lancet_status draw_cell(lancet_image *image, const layout *l, size_t left, size_t top,
                               const lancet_picture *picture, lancet_error *error)
{
    size_t width = l->cell_width, height = (width * picture->height + picture->width / 2) / picture->width;
    lancet_image *scaled = NULL;
    lancet_picture shown;
    lancet_status status;

    if (height > l->cell_height) {
        height = l->cell_height;
        width = (height * picture->width + picture->height / 2) / picture->height;
    }
    width = clamped(width, 1, l->cell_width);
    height = clamped(height, 1, l->cell_height);
    status = lancet_image_resize(&scaled, picture, width, height, error);
    if (status != LANCET_OK)
        return status;
    shown = lancet_image_picture(scaled);
    lancet_canvas_place(image, left + (l->cell_width - width) / 2, top + (l->cell_height - height) / 2,
                        &shown);
    lancet_image_close(&scaled);
    return LANCET_OK;
}

static void draw_words(lancet_image *image, const layout *l, const lancet_sheet_options *options,
                       lancet_font *font)
{
    const size_t left = l->margin + l->side_width, top = l->margin + l->title_height + l->head_height;
    lancet_text_place place = {.colour = lancet_ink};

    if (l->title_height) {
        place.left = l->margin;
        place.width = l->width - 2 * l->margin;
        place.size = l->size * 6 / 5;
        place.baseline = l->margin + l->size;
        lancet_text_draw(image, font, options->title, &place);
    }
    place.size = l->size;
    place.align = LANCET_ALIGN_CENTRE;
    place.width = l->cell_width;
    place.baseline = top - l->size * 6 / 10;
    for (size_t c = 0; l->head_height && c < l->columns; c++) {
        place.left = left + c * (l->cell_width + l->gap);
        if (options->column_captions[c])
            lancet_text_draw(image, font, options->column_captions[c], &place);
    }
    place.align = LANCET_ALIGN_RIGHT;
    place.left = l->margin;
    place.width = l->side_width > l->gap ? l->side_width - l->gap : 0;
    for (size_t r = 0; l->side_width && r < l->rows; r++) {
        const char *caption = options->row_captions[r];
        const size_t middle = top + r * (l->cell_height + l->gap) + l->cell_height / 2 + l->size / 3;

        if (!caption)
            continue;
        place.baseline = middle;
        if (lancet_text_break(font, caption, l->size, place.width) == strlen(caption)) {
            lancet_text_draw(image, font, caption, &place);
        } else {
            place.baseline -= l->size * 5 / 8;
            lancet_text_draw_two(image, font, caption, &place, l->size * 5 / 4);
        }
    }
}

static lancet_status check(const lancet_picture *cells, size_t rows, size_t columns,
                           const lancet_sheet_options *options, lancet_error *error)
{
    lancet_status status;

    if (!cells)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "sheet: expected pictures, found NULL");
    if (rows < 1 || columns < 1 || rows > CELLS_MOST || columns > CELLS_MOST)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "sheet: expected 1 to %d rows and columns, found %zu and %zu", CELLS_MOST, rows,
                           columns);
    if ((options->cell_width && (options->cell_width < CELL_LEAST || options->cell_width > CELL_MOST)) ||
        (options->cell_height && (options->cell_height < CELL_LEAST || options->cell_height > CELL_MOST)))
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "sheet: expected cells of %d to %d pixels a side, found %zu x %zu", CELL_LEAST,
                           CELL_MOST, options->cell_width, options->cell_height);
    status = lancet_text_check(options->title, "sheet: title", error);
    for (size_t i = 0; status == LANCET_OK && i < rows * columns; i++)
        if (cells[i].rgb)
            status = lancet_picture_check(&cells[i], "sheet", error);
    for (size_t c = 0; status == LANCET_OK && options->column_captions && c < columns; c++)
        status = lancet_text_check(options->column_captions[c], "sheet: column caption", error);
    for (size_t r = 0; status == LANCET_OK && options->row_captions && r < rows; r++)
        status = lancet_text_check(options->row_captions[r], "sheet: row caption", error);
    return status;
}

static lancet_status compose(lancet_image **image, const lancet_picture *cells, size_t rows, size_t columns,
                             const lancet_sheet_options *options, lancet_font *font, lancet_error *error)
{
    const bool wants_words = options->title || options->column_captions || options->row_captions;
    const layout l = layout_of(cells, rows, columns, options, font);
    lancet_status status = lancet_image_create(image, l.width, l.height, error);

    if (status != LANCET_OK)
        return status;
    (*image)->about.font_missing = wants_words && !lancet_font_found(font);
    lancet_canvas_fill(*image, 0, 0, l.width, l.height, lancet_paper);
    draw_words(*image, &l, options, font);
    for (size_t i = 0; status == LANCET_OK && i < rows * columns; i++)
        if (cells[i].rgb)
            status =
                draw_cell(*image, &l, l.margin + l.side_width + i % columns * (l.cell_width + l.gap),
                          l.margin + l.title_height + l.head_height + i / columns * (l.cell_height + l.gap),
                          &cells[i], error);
    if (status == LANCET_OK && lancet_font_failed(font))
        status = lancet_fail_memory(error, "drawing words");
    return status;
}

lancet_status lancet_contact_sheet(lancet_image **image, const lancet_picture *cells, size_t rows,
                                   size_t columns, const lancet_sheet_options *options, lancet_error *error)
{
    static const lancet_sheet_options defaults;
    lancet_font *font = NULL;
    lancet_status status;

    if (!image)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT,
                           "sheet: expected a place for the result, found NULL");
    *image = NULL;
    options = options ? options : &defaults;
    status = check(cells, rows, columns, options, error);
    if (status == LANCET_OK)
        status = lancet_font_open(&font, options->font, error);
    if (status == LANCET_OK)
        status = compose(image, cells, rows, columns, options, font, error);
    lancet_font_close(&font);
    if (status != LANCET_OK)
        lancet_image_close(image);
    return status;
}
