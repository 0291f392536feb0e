/* Masks as runs, from COCO's three ways of writing them. SPDX-License-Identifier: Apache-2.0
 *
 * Pixels are counted down the columns, as COCO does: number x * height + y. */
#ifndef LANCET_EVAL_RUNS_H
#define LANCET_EVAL_RUNS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Pixels start .. end - 1 are on. */
typedef struct lancet_run {
    uint32_t start, end;
} lancet_run;

/** Runs in rising order that neither overlap nor touch, once lancet_runs_unite has been called. Zero is
 * empty.
 */
typedef struct lancet_runs {
    lancet_run *runs;
    size_t count, capacity;
} lancet_runs;

/** Appends; MEMORY is the only error. Empty runs are left out. */
lancet_status lancet_runs_append(lancet_runs *runs, size_t start, size_t end, lancet_error *error);

/** Sorts, and joins what overlaps or touches. */
void lancet_runs_unite(lancet_runs *runs);

/** How many pixels are on, of runs that are united. */
uint64_t lancet_runs_area(const lancet_runs *runs);

/** Keeps the memory for the next mask. */
void lancet_runs_clear(lancet_runs *runs);
void lancet_runs_close(lancet_runs *runs);

/** Sets the pixels of `mask` [height, width] that are on to `value`. */
void lancet_runs_paint(const lancet_runs *runs, uint8_t *mask, size_t width, size_t height, uint8_t value);

/** Run lengths as they come, off and on in turn, off first. Zero-initialise, then set `pixels`. */
typedef struct lancet_run_lengths {
    size_t pixels; /* width * height */
    size_t at;
    bool on;
} lancet_run_lengths;

/** The next length. Errors: INPUT (beyond the picture), MEMORY. */
lancet_status lancet_run_lengths_next(lancet_run_lengths *lengths, lancet_runs *runs, size_t length,
                                      lancet_error *error);

/** Errors: INPUT unless the lengths add up to the picture. */
lancet_status lancet_run_lengths_end(const lancet_run_lengths *lengths, lancet_error *error);

/** Appends the runs of a compressed string of `length` bytes. Errors: INPUT, MEMORY. */
lancet_status lancet_runs_decode(lancet_runs *runs, const char *text, size_t length, size_t width,
                                 size_t height, lancet_error *error);

/** The most steps along boundaries, in fifths of a pixel: of one polygon, or of all that a caller counts
 * together. */
#define LANCET_POLYGON_STEPS_MAX ((uint64_t)1 << 26)

/** A polygon being drawn, corner by corner. Zero-initialise, then set width and height, and steps to those
 * that other polygons took already. */
typedef struct lancet_polygon {
    size_t width, height;
    size_t corners;
    uint64_t steps;         /* along boundaries so far, also of the polygons before */
    int first_x, first_y;   /* the first corner, in fifths of a pixel */
    int corner_x, corner_y; /* the last corner */
    int x, y;               /* the last step */
    bool walking;           /* there is a last step */
    uint32_t *crossings;    /* where the boundary crosses the middle of a column, by pixel number */
    size_t count, capacity;
} lancet_polygon;

/** Errors: INPUT (a coordinate more than a picture's size beyond the picture, a boundary too long), MEMORY.
 */
lancet_status lancet_polygon_corner(lancet_polygon *polygon, double x, double y, lancet_error *error);

/** Closes the boundary, appends what is inside to `runs`, and makes `polygon` ready for the next one.
 * Errors: INPUT (fewer than three corners), MEMORY. */
lancet_status lancet_polygon_end(lancet_polygon *polygon, lancet_runs *runs, lancet_error *error);

void lancet_polygon_close(lancet_polygon *polygon);

#endif
