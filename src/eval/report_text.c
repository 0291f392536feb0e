/* Reports as Markdown, JSON and CSV. SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "eval/report.h"

#include <string.h>

/* ---- Markdown: for people, rounded --------------------------------------------------------------------- */

static void put_words(lancet_buffer *text, const char *words)
{
    for (const char *at = words; *at; at++) {
        if (*at == '|')
            lancet_buffer_append(text, "\\", 1);
        lancet_buffer_append(text, *at == '\n' ? " " : at, 1);
    }
}

static void put_cell(lancet_buffer *text, const lancet_cell *cell, int digits)
{
    const lancet_figure *f = &cell->figure;

    switch (cell->kind) {
    case LANCET_CELL_TEXT:
        put_words(text, cell->text);
        break;
    case LANCET_CELL_COUNT:
        lancet_buffer_print(text, "%.0f", f->value);
        break;
    case LANCET_CELL_NUMBER:
        lancet_buffer_print(text, "%.*f", digits, f->value);
        break;
    case LANCET_CELL_FIGURE:
        lancet_buffer_print(text, "%.*f", digits, f->value);
        if (f->low != 0 || f->high != 0)
            lancet_buffer_print(text, " (%.*f to %.*f)", digits, f->low, digits, f->high);
        break;
    default:
        break;
    }
}

static void put_table(lancet_buffer *text, const lancet_table *table)
{
    lancet_buffer_print(text, "\n## %s\n\n|", table->title);
    for (size_t c = 0; c < table->column_count; c++) {
        lancet_buffer_print(text, " ");
        put_words(text, table->columns[c]);
        lancet_buffer_print(text, " |");
    }
    lancet_buffer_print(text, "\n|");
    for (size_t c = 0; c < table->column_count; c++)
        lancet_buffer_print(text, table->kinds[c] == LANCET_CELL_TEXT ? " --- |" : " ---: |");
    lancet_buffer_print(text, "\n");
    for (size_t r = 0; r < table->row_count; r++) {
        lancet_buffer_print(text, "|");
        for (size_t c = 0; c < table->column_count; c++) {
            lancet_buffer_print(text, " ");
            put_cell(text, &table->cells[r * table->column_count + c], table->digits[c]);
            lancet_buffer_print(text, " |");
        }
        lancet_buffer_print(text, "\n");
    }
}

void lancet_report_markdown(lancet_buffer *text, const lancet_report *report)
{
    lancet_buffer_print(text, "# %s\n", report->title);
    for (size_t i = 0; i < report->table_count; i++)
        put_table(text, &report->tables[i]);
    for (size_t i = 0; i < report->plot_count; i++)
        lancet_buffer_print(text, "\n![%s](%s.svg)\n", report->plots[i].title, report->plots[i].name);
    if (report->sheet)
        lancet_buffer_print(text, "\n![The best and the worst samples](samples.png)\n");
    if (report->note_count)
        lancet_buffer_print(text, "\n## Notes\n\n");
    for (size_t i = 0; i < report->note_count; i++)
        lancet_buffer_print(text, "- %s\n", report->notes[i]);
    lancet_buffer_print(text, "\n## Settings\n\n| setting | value |\n| --- | --- |\n");
    for (size_t i = 0; i < report->setting_count; i++) {
        lancet_buffer_print(text, "| %s | ", report->keys[i]);
        put_words(text, report->values[i]);
        lancet_buffer_print(text, " |\n");
    }
}

/* ---- JSON: everything, numbers that read back as they were --------------------------------------------- */

/* File names may hold any bytes; those that are not UTF-8 become U+FFFD. */
static void put_string(lancet_buffer *text, const char *words)
{
    const size_t length = strlen(words);
    size_t size;

    lancet_buffer_append(text, "\"", 1);
    for (size_t i = 0; i < length; i += size ? size : 1) {
        uint32_t point;

        size = lancet_utf8_read(&point, words + i, length - i);
        if (!size)
            lancet_buffer_print(text, "\xEF\xBF\xBD");
        else if (point == '"' || point == '\\')
            lancet_buffer_print(text, "\\%c", (int)point);
        else if (point < 0x20)
            lancet_buffer_print(text, "\\u%04x", (unsigned)point);
        else
            lancet_buffer_append(text, words + i, size);
    }
    lancet_buffer_append(text, "\"", 1);
}

static void put_number(lancet_buffer *text, double value)
{
    if (value - value == 0)
        lancet_buffer_print(text, "%.17g", value);
    else
        lancet_buffer_print(text, "null");
}

static void put_value(lancet_buffer *text, const lancet_cell *cell)
{
    switch (cell->kind) {
    case LANCET_CELL_TEXT:
        put_string(text, cell->text);
        break;
    case LANCET_CELL_COUNT:
        lancet_buffer_print(text, "%.0f", cell->figure.value);
        break;
    case LANCET_CELL_NUMBER:
        put_number(text, cell->figure.value);
        break;
    case LANCET_CELL_FIGURE:
        lancet_buffer_print(text, "{\"value\": ");
        put_number(text, cell->figure.value);
        lancet_buffer_print(text, ", \"low\": ");
        put_number(text, cell->figure.low);
        lancet_buffer_print(text, ", \"high\": ");
        put_number(text, cell->figure.high);
        lancet_buffer_print(text, "}");
        break;
    default:
        lancet_buffer_print(text, "null");
    }
}

static void put_json_table(lancet_buffer *text, const lancet_table *table)
{
    lancet_buffer_print(text, "\n    ");
    put_string(text, table->name);
    lancet_buffer_print(text, ": [");
    for (size_t r = 0; r < table->row_count; r++) {
        lancet_buffer_print(text, "%s\n      {", r ? "," : "");
        for (size_t c = 0; c < table->column_count; c++) {
            if (c)
                lancet_buffer_print(text, ", ");
            put_string(text, table->columns[c]);
            lancet_buffer_print(text, ": ");
            put_value(text, &table->cells[r * table->column_count + c]);
        }
        lancet_buffer_print(text, "}");
    }
    lancet_buffer_print(text, "\n    ]");
}

static void put_numbers(lancet_buffer *text, const double *numbers, size_t count)
{
    lancet_buffer_print(text, "[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            lancet_buffer_print(text, ", ");
        put_number(text, numbers[i]);
    }
    lancet_buffer_print(text, "]");
}

static void put_json_plot(lancet_buffer *text, const lancet_plot *plot)
{
    lancet_buffer_print(text, "\n    ");
    put_string(text, plot->name);
    lancet_buffer_print(text, ": [");
    for (size_t i = 0; i < plot->series_count; i++) {
        lancet_buffer_print(text, "%s\n      {\"name\": ", i ? "," : "");
        put_string(text, plot->series[i].name);
        lancet_buffer_print(text, ", \"x\": ");
        put_numbers(text, plot->series[i].x, plot->series[i].count);
        lancet_buffer_print(text, ", \"y\": ");
        put_numbers(text, plot->series[i].y, plot->series[i].count);
        lancet_buffer_print(text, "}");
    }
    lancet_buffer_print(text, "\n    ]");
}

void lancet_report_json(lancet_buffer *text, const lancet_report *report)
{
    lancet_buffer_print(text, "{\n  \"title\": ");
    put_string(text, report->title);
    lancet_buffer_print(text, ",\n  \"settings\": {");
    for (size_t i = 0; i < report->setting_count; i++) {
        lancet_buffer_print(text, "%s\n    ", i ? "," : "");
        put_string(text, report->keys[i]);
        lancet_buffer_print(text, ": ");
        put_string(text, report->values[i]);
    }
    lancet_buffer_print(text, "\n  },\n  \"tables\": {");
    for (size_t i = 0; i < report->table_count; i++) {
        if (i)
            lancet_buffer_print(text, ",");
        put_json_table(text, &report->tables[i]);
    }
    lancet_buffer_print(text, "\n  },\n  \"curves\": {");
    for (size_t i = 0; i < report->plot_count; i++) {
        if (i)
            lancet_buffer_print(text, ",");
        put_json_plot(text, &report->plots[i]);
    }
    lancet_buffer_print(text, "\n  },\n  \"notes\": [");
    for (size_t i = 0; i < report->note_count; i++) {
        lancet_buffer_print(text, "%s\n    ", i ? "," : "");
        put_string(text, report->notes[i]);
    }
    lancet_buffer_print(text, "\n  ]\n}\n");
}

/* ---- CSV (RFC 4180): a figure takes three columns ------------------------------------------------------ */

static void put_field(lancet_buffer *text, const char *words)
{
    if (!strpbrk(words, ",\"\r\n")) {
        lancet_buffer_print(text, "%s", words);
        return;
    }
    lancet_buffer_append(text, "\"", 1);
    for (const char *at = words; *at; at++) {
        if (*at == '"')
            lancet_buffer_append(text, "\"", 1);
        lancet_buffer_append(text, at, 1);
    }
    lancet_buffer_append(text, "\"", 1);
}

static void put_csv_cell(lancet_buffer *text, const lancet_cell *cell, lancet_cell_kind kind)
{
    const lancet_figure *f = &cell->figure;

    if (cell->kind == LANCET_CELL_TEXT)
        put_field(text, cell->text);
    else if (cell->kind == LANCET_CELL_COUNT)
        lancet_buffer_print(text, "%.0f", f->value);
    else if (cell->kind == LANCET_CELL_NUMBER)
        lancet_buffer_print(text, "%.17g", f->value);
    else if (cell->kind == LANCET_CELL_FIGURE)
        lancet_buffer_print(text, "%.17g,%.17g,%.17g", f->value, f->low, f->high);
    else if (kind == LANCET_CELL_FIGURE)
        lancet_buffer_print(text, ",,");
}

void lancet_table_csv(lancet_buffer *text, const lancet_table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        if (c)
            lancet_buffer_print(text, ",");
        put_field(text, table->columns[c]);
        if (table->kinds[c] == LANCET_CELL_FIGURE)
            lancet_buffer_print(text, ",%s low,%s high", table->columns[c], table->columns[c]);
    }
    lancet_buffer_print(text, "\n");
    for (size_t r = 0; r < table->row_count; r++) {
        for (size_t c = 0; c < table->column_count; c++) {
            if (c)
                lancet_buffer_print(text, ",");
            put_csv_cell(text, &table->cells[r * table->column_count + c], table->kinds[c]);
        }
        lancet_buffer_print(text, "\n");
    }
}
