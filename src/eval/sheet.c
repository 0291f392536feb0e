/* SPDX-License-Identifier: Apache-2.0 */
#include "eval/sheet.h"

#include "base/status.h"
#include "lancet/image.h"

#include <stdio.h>
#include <stdlib.h>

#define CELL_WIDTH 200
#define ROWS_MAX   (2 * LANCET_SHEET_SAMPLES)
#define COLUMNS    (1 + LANCET_SHEET_VARIANTS)

typedef struct sheet {
    lancet_run run; /* a copy, to encode pictures with */
    size_t rows, columns;
    lancet_image *images[ROWS_MAX * COLUMNS]; /* [rows, columns] */
    char captions[ROWS_MAX][160];
} sheet;

/* The best first; of equals the earlier one. */
static int compare(const void *left, const void *right)
{
    const lancet_graded *a = left, *b = right;

    if (a->grade != b->grade)
        return a->grade > b->grade ? -1 : 1;
    if (a->picture != b->picture)
        return a->picture < b->picture ? -1 : 1;
    return a->label < b->label ? -1 : a->label > b->label;
}

/* The label's pixels at the size of the cell, as heat. */
static lancet_status write_truth(float *heat, const lancet_truth *truth, size_t label, size_t width,
                                 size_t height, lancet_error *error)
{
    uint8_t *mask = lancet_allocate(truth->width * truth->height, sizeof *mask);
    lancet_status status =
        mask ? lancet_truth_mask(truth, label, mask, error) : lancet_fail_memory(error, "the contact sheet");

    for (size_t y = 0; y < height && status == LANCET_OK; y++)
        for (size_t x = 0; x < width; x++)
            heat[y * width + x] =
                mask[y * truth->height / height * truth->width + x * truth->width / width] == LANCET_TRUTH_ON;
    lancet_free(mask);
    return status;
}

static lancet_status fill_row(sheet *s, size_t row, const lancet_picture *picture,
                              const lancet_picture *small, const lancet_truth *truth, size_t label,
                              float *heat, lancet_error *error)
{
    lancet_image **cells = &s->images[row * s->columns];
    lancet_status status = write_truth(heat, truth, label, small->width, small->height, error);

    if (status == LANCET_OK)
        status = lancet_overlay(&cells[0], small, heat, NULL, error);
    for (size_t v = 0; v + 1 < s->columns && status == LANCET_OK; v++) {
        lancet_maps *maps = NULL;

        status = lancet_run_maps(&maps, &s->run, v, picture, error);
        if (status == LANCET_OK)
            status = lancet_maps_write(maps, label, small->width, small->height, heat, error);
        if (status == LANCET_OK)
            status = lancet_overlay(&cells[1 + v], small, heat, NULL, error);
        lancet_maps_close(&maps);
    }
    lancet_run_forget(&s->run);
    return status;
}

static lancet_status add_row(sheet *s, size_t row, const lancet_graded *sample, lancet_error *error)
{
    const lancet_image_options options = {.ignore_orientation = true};
    lancet_dataset *dataset = s->run.dataset;
    lancet_image *image = NULL, *small = NULL;
    lancet_truth *truth = NULL;
    lancet_picture whole, shown;
    float *heat = NULL;
    lancet_status status = lancet_dataset_truth(&truth, dataset, sample->picture, error);

    snprintf(s->captions[row], sizeof s->captions[row], "%.40s: %.40s, IoU %.1f",
             lancet_dataset_picture_id(dataset, sample->picture), lancet_run_class(&s->run, sample->label),
             100 * sample->grade);
    if (status == LANCET_OK)
        status =
            lancet_image_open(&image, lancet_dataset_picture_path(dataset, sample->picture), &options, error);
    if (status == LANCET_OK) {
        size_t height;

        whole = lancet_image_picture(image);
        height = whole.height * CELL_WIDTH / whole.width;
        status = lancet_image_resize(&small, &whole, CELL_WIDTH, height ? height : 1, error);
    }
    if (status == LANCET_OK) {
        shown = lancet_image_picture(small);
        heat = lancet_allocate(shown.width * shown.height, sizeof *heat);
        status = heat ? fill_row(s, row, &whole, &shown, truth, sample->label, heat, error)
                      : lancet_fail_memory(error, "the contact sheet");
    }
    lancet_free(heat);
    lancet_image_close(&small);
    lancet_image_close(&image);
    lancet_truth_close(&truth);
    return status;
}

static lancet_status draw(lancet_report *report, const sheet *s, lancet_error *error)
{
    const char *captions[ROWS_MAX], *titles[COLUMNS] = {"the label's pixels"};
    const lancet_sheet_options options = {.column_captions = titles,
                                          .row_captions = captions,
                                          .cell_width = CELL_WIDTH,
                                          .cell_height = CELL_WIDTH};
    lancet_picture cells[ROWS_MAX * COLUMNS], drawn;
    lancet_image *image = NULL;
    lancet_png png = {.form = LANCET_PNG_RGB, .level = 6};
    lancet_status status;

    for (size_t i = 0; i < s->rows; i++)
        captions[i] = s->captions[i];
    for (size_t v = 0; v + 1 < s->columns; v++)
        titles[1 + v] = s->run.evaluation->variants[v].name;
    for (size_t i = 0; i < s->rows * s->columns; i++)
        cells[i] = lancet_image_picture(s->images[i]);
    status = lancet_contact_sheet(&image, cells, s->rows, s->columns, &options, error);
    if (status == LANCET_OK) {
        drawn = lancet_image_picture(image);
        png.samples = drawn.rgb;
        png.width = drawn.width;
        png.height = drawn.height;
        png.stride = drawn.stride;
        status = lancet_png_encode(&report->sheet, &report->sheet_length, &png, error);
    }
    lancet_image_close(&image);
    return status;
}

lancet_status lancet_report_sheet(lancet_report *report, const lancet_run *run, lancet_graded *samples,
                                  size_t count, lancet_error *error)
{
    const size_t variants = run->evaluation->variant_count, half = count / 2;
    const size_t each = half < LANCET_SHEET_SAMPLES ? half : LANCET_SHEET_SAMPLES;
    sheet *s = lancet_allocate_zero(1, sizeof *s);
    lancet_status status = LANCET_OK;

    if (!s)
        return lancet_fail_memory(error, "the contact sheet");
    s->run = *run;
    s->rows = 2 * each;
    s->columns = 1 + (variants < LANCET_SHEET_VARIANTS ? variants : LANCET_SHEET_VARIANTS);
    if (count)
        qsort(samples, count, sizeof *samples, compare);
    for (size_t i = 0; i < s->rows && status == LANCET_OK; i++)
        status = add_row(s, i, &samples[i < each ? i : count - s->rows + i], error);
    if (status == LANCET_OK && s->rows)
        status = draw(report, s, error);
    for (size_t i = 0; i < s->rows * s->columns; i++)
        lancet_image_close(&s->images[i]);
    lancet_free(s);
    return status;
}
