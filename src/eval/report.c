/* Reports: put together. SPDX-License-Identifier: Apache-2.0 */
#include "eval/report.h"

#include "base/status.h"
#include "lancet/image.h"

#include <stdio.h>
#include <string.h>

lancet_status lancet_report_open(lancet_report **report, const char *title, lancet_error *error)
{
    *report = lancet_allocate_zero(1, sizeof **report);
    if (*report)
        (*report)->title = lancet_copy_text(title, strlen(title));
    if (*report && (*report)->title)
        return LANCET_OK;
    lancet_report_close(report);
    return lancet_fail_memory(error, "the report");
}

static char *copy(lancet_report *report, const char *text)
{
    char *made = lancet_copy_text(text, strlen(text));

    if (!made)
        report->failed = true;
    return made;
}

/* `items` with room for one more behind `count`, or NULL; the old ones stay where they were then. Small
 * lists: they grow by one. */
static void *grow(lancet_report *report, void *items, size_t count, size_t size)
{
    void *larger = lancet_allocate(count + 1, size);

    if (!larger) {
        report->failed = true;
        return NULL;
    }
    if (count)
        memcpy(larger, items, count * size);
    memset((char *)larger + count * size, 0, size);
    lancet_free(items);
    return larger;
}

static char *print(lancet_report *report, const char *format, va_list arguments)
{
    char text[1024];

    vsnprintf(text, sizeof text, format, arguments);
    return copy(report, text);
}

void lancet_report_setting(lancet_report *report, const char *key, const char *format, ...)
{
    char **keys = grow(report, report->keys, report->setting_count, sizeof *keys), **values;
    va_list arguments;

    if (!keys)
        return;
    report->keys = keys;
    values = grow(report, report->values, report->setting_count, sizeof *values);
    if (!values)
        return;
    report->values = values;
    va_start(arguments, format);
    keys[report->setting_count] = copy(report, key);
    values[report->setting_count++] = print(report, format, arguments);
    va_end(arguments);
}

void lancet_report_note(lancet_report *report, const char *format, ...)
{
    char **notes = grow(report, report->notes, report->note_count, sizeof *notes);
    va_list arguments;

    if (!notes)
        return;
    report->notes = notes;
    va_start(arguments, format);
    notes[report->note_count++] = print(report, format, arguments);
    va_end(arguments);
}

static lancet_cell_kind kind_of(char letter)
{
    return letter == 'c'   ? LANCET_CELL_COUNT
           : letter == 'n' ? LANCET_CELL_NUMBER
           : letter == 'f' ? LANCET_CELL_FIGURE
                           : LANCET_CELL_TEXT;
}

lancet_table *lancet_report_table(lancet_report *report, const char *name, const char *title,
                                  const char *const *columns, size_t column_count)
{
    lancet_table *tables = grow(report, report->tables, report->table_count, sizeof *tables), *table;

    if (!tables)
        return NULL;
    report->tables = tables;
    table = &tables[report->table_count++];
    table->name = copy(report, name);
    table->title = copy(report, title);
    table->columns = lancet_allocate_zero(column_count, sizeof *table->columns);
    table->kinds = lancet_allocate_zero(column_count, sizeof *table->kinds);
    table->digits = lancet_allocate_zero(column_count, sizeof *table->digits);
    if (!table->columns || !table->kinds || !table->digits) {
        report->failed = true;
        return NULL;
    }
    table->column_count = column_count;
    for (size_t i = 0; i < column_count; i++) {
        const char *colon = strrchr(columns[i], ':');

        table->columns[i] = lancet_copy_text(columns[i], (size_t)(colon - columns[i]));
        table->kinds[i] = kind_of(colon[1]);
        table->digits[i] = colon[1] && colon[2] ? colon[2] - '0' : 2;
        report->failed = report->failed || !table->columns[i];
    }
    return report->failed ? NULL : table;
}

lancet_cell *lancet_table_row(lancet_report *report, lancet_table *table)
{
    if (!table)
        return NULL;
    if (table->row_count == table->row_capacity) {
        const size_t capacity = table->row_capacity ? 2 * table->row_capacity : 16;
        lancet_cell *larger = lancet_allocate_zero(capacity * table->column_count, sizeof *larger);

        if (!larger) {
            report->failed = true;
            return NULL;
        }
        if (table->row_count)
            memcpy(larger, table->cells, table->row_count * table->column_count * sizeof *larger);
        lancet_free(table->cells);
        table->cells = larger;
        table->row_capacity = capacity;
    }
    return &table->cells[table->row_count++ * table->column_count];
}

void lancet_cell_text(lancet_report *report, lancet_cell *row, size_t column, const char *text)
{
    if (row)
        row[column] = (lancet_cell){.kind = LANCET_CELL_TEXT, .text = copy(report, text)};
}

void lancet_cell_count(lancet_cell *row, size_t column, uint64_t count)
{
    if (row)
        row[column] = (lancet_cell){.kind = LANCET_CELL_COUNT, .figure = {.value = (double)count}};
}

void lancet_cell_number(lancet_cell *row, size_t column, double value)
{
    if (row && value == value)
        row[column] = (lancet_cell){.kind = LANCET_CELL_NUMBER, .figure = {.value = value}};
}

void lancet_cell_figure(lancet_cell *row, size_t column, lancet_figure figure)
{
    if (row && figure.value == figure.value)
        row[column] = (lancet_cell){.kind = LANCET_CELL_FIGURE, .figure = figure};
}

lancet_plot *lancet_report_plot(lancet_report *report, const char *name, const char *title,
                                const char *x_title, const char *y_title)
{
    lancet_plot *plots = grow(report, report->plots, report->plot_count, sizeof *plots), *plot;

    if (!plots)
        return NULL;
    report->plots = plots;
    plot = &plots[report->plot_count++];
    plot->name = copy(report, name);
    plot->title = copy(report, title);
    plot->x_title = copy(report, x_title);
    plot->y_title = copy(report, y_title);
    return report->failed ? NULL : plot;
}

static double *copy_numbers(lancet_report *report, const double *numbers, size_t count)
{
    double *made = lancet_allocate(count, sizeof *made);

    if (made)
        memcpy(made, numbers, count * sizeof *made);
    else
        report->failed = true;
    return made;
}

void lancet_plot_line(lancet_report *report, lancet_plot *plot, const char *name, const double *x,
                      const double *y, size_t count)
{
    lancet_series *series = plot ? grow(report, plot->series, plot->series_count, sizeof *series) : NULL;

    if (!series)
        return;
    plot->series = series;
    series += plot->series_count++;
    series->name = copy(report, name);
    series->x = copy_numbers(report, x, count);
    series->y = copy_numbers(report, y, count);
    series->count = series->x && series->y ? count : 0;
}

static void close_table(lancet_table *table)
{
    for (size_t i = 0; i < table->row_count * table->column_count; i++)
        lancet_free(table->cells[i].text);
    for (size_t i = 0; i < table->column_count; i++)
        lancet_free(table->columns[i]);
    lancet_free(table->name);
    lancet_free(table->title);
    lancet_free(table->columns);
    lancet_free(table->kinds);
    lancet_free(table->digits);
    lancet_free(table->cells);
}

static void close_plot(lancet_plot *plot)
{
    for (size_t i = 0; i < plot->series_count; i++) {
        lancet_free(plot->series[i].name);
        lancet_free(plot->series[i].x);
        lancet_free(plot->series[i].y);
    }
    lancet_free(plot->name);
    lancet_free(plot->title);
    lancet_free(plot->x_title);
    lancet_free(plot->y_title);
    lancet_free(plot->series);
}

void lancet_report_close(lancet_report **report)
{
    lancet_report *r = report ? *report : NULL;

    if (!r)
        return;
    for (size_t i = 0; i < r->setting_count; i++) {
        lancet_free(r->keys[i]);
        lancet_free(r->values[i]);
    }
    for (size_t i = 0; i < r->note_count; i++)
        lancet_free(r->notes[i]);
    for (size_t i = 0; i < r->table_count; i++)
        close_table(&r->tables[i]);
    for (size_t i = 0; i < r->plot_count; i++)
        close_plot(&r->plots[i]);
    lancet_png_bytes_close(&r->sheet);
    lancet_free(r->title);
    lancet_free(r->keys);
    lancet_free(r->values);
    lancet_free(r->notes);
    lancet_free(r->tables);
    lancet_free(r->plots);
    lancet_free(r);
    *report = NULL;
}
