/* Reports: settings, tables and curves, put together by a protocol and written in several forms.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_REPORT_H
#define LANCET_EVAL_REPORT_H

#include "base/memory.h"
#include "lancet/eval.h"

#include <stdarg.h>

typedef enum lancet_cell_kind {
    LANCET_CELL_EMPTY = 0,
    LANCET_CELL_TEXT,
    LANCET_CELL_COUNT,  /* a whole number */
    LANCET_CELL_NUMBER, /* NaN is written as empty */
    LANCET_CELL_FIGURE  /* with its interval */
} lancet_cell_kind;

typedef struct lancet_cell {
    lancet_cell_kind kind;
    char *text;
    lancet_figure figure; /* NUMBER and COUNT: `value` */
} lancet_cell;

typedef struct lancet_table {
    char *name;  /* of its CSV file, without the ending */
    char *title; /* above it in Markdown */
    char **columns;
    lancet_cell_kind *kinds; /* of the cells below, EMPTY ones aside */
    int *digits;             /* behind the point in Markdown */
    size_t column_count;
    lancet_cell *cells; /* [row_count, column_count] */
    size_t row_count, row_capacity;
} lancet_table;

typedef struct lancet_series {
    char *name;
    double *x, *y; /* [count] */
    size_t count;
} lancet_series;

typedef struct lancet_plot {
    char *name; /* of its SVG file, without the ending */
    char *title, *x_title, *y_title;
    lancet_series *series;
    size_t series_count;
} lancet_plot;

struct lancet_report {
    char *title;
    char **keys, **values; /* [setting_count]: what the figures depend on */
    size_t setting_count;
    char **notes; /* sentences below the tables */
    size_t note_count;
    lancet_table *tables;
    size_t table_count;
    lancet_plot *plots;
    size_t plot_count;
    uint8_t *sheet; /* [sheet_length] a PNG file; NULL: none */
    size_t sheet_length;
    bool failed; /* memory was out; whoever is done checks once */
};

/** Errors: MEMORY. */
lancet_status lancet_report_open(lancet_report **report, const char *title, lancet_error *error);

void lancet_report_setting(lancet_report *report, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void lancet_report_note(lancet_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A table without rows; columns: "name:kind" with kind t, c, n or f (text, count, number, figure), and a
 * digit behind it for how many a reader wants to see behind the point, if not 2. NULL if memory is out; every
 * call below takes that. Valid until the next table begins. */
lancet_table *lancet_report_table(lancet_report *report, const char *name, const char *title,
                                  const char *const *columns, size_t column_count);

/** A row of empty cells; its first cell, or NULL. */
lancet_cell *lancet_table_row(lancet_report *report, lancet_table *table);

/** Fill cells; a cell that is NULL is passed over, so that a failed row needs no check. */
void lancet_cell_text(lancet_report *report, lancet_cell *row, size_t column, const char *text);
void lancet_cell_count(lancet_cell *row, size_t column, uint64_t count);
void lancet_cell_number(lancet_cell *row, size_t column, double value);
void lancet_cell_figure(lancet_cell *row, size_t column, lancet_figure figure);

/** A plot without lines, or NULL; valid until the next plot begins. */
lancet_plot *lancet_report_plot(lancet_report *report, const char *name, const char *title,
                                const char *x_title, const char *y_title);

/** Adds a line; x, y: [count], copied. */
void lancet_plot_line(lancet_report *report, lancet_plot *plot, const char *name, const double *x,
                      const double *y, size_t count);

/** The forms, each in a file of its own. */
void lancet_report_markdown(lancet_buffer *text, const lancet_report *report);
void lancet_report_json(lancet_buffer *text, const lancet_report *report);
void lancet_table_csv(lancet_buffer *text, const lancet_table *table);
void lancet_plot_svg(lancet_buffer *text, const lancet_plot *plot);

#endif
