/* Reports: words of every kind come out as each form needs them. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "eval/report.h"

#include <jansson.h>
#include <math.h>

static lancet_report *make_report(void)
{
    static const char *const columns[] = {"name, \"quoted\":t", "figure:f", "number:n4", "count:c"};
    const double x[] = {0, 0.5, 1}, y[] = {10, NAN, 30};
    lancet_report *report = NULL;
    lancet_table *table;
    lancet_cell *row;

    assert_int_equal(lancet_report_open(&report, "A \"title\"", NULL), LANCET_OK);
    lancet_report_setting(report, "key", "%s", "a|b\n\x01\xFFz");
    lancet_report_note(report, "%d left", 3);
    table = lancet_report_table(report, "table", "Title", columns, 4);
    row = lancet_table_row(report, table);
    lancet_cell_text(report, row, 0, "a|b, \"c\"");
    lancet_cell_figure(row, 1, (lancet_figure){1.0 / 3, 0.25, 0.5});
    lancet_cell_number(row, 2, 0.1);
    lancet_cell_count(row, 3, 12345678901u);
    row = lancet_table_row(report, table);
    lancet_cell_figure(row, 1, (lancet_figure){NAN, 0, 0});
    lancet_plot_line(report, lancet_report_plot(report, "plot", "a < b & c", "x", "y"), "line", x, y, 3);
    assert_false(report->failed);
    return report;
}

static void test_json_reads_back(void **state)
{
    lancet_report *report = make_report();
    json_t *root, *first, *figure, *line;
    char *text = NULL;

    (void)state;
    assert_int_equal(lancet_report_text(&text, report, LANCET_REPORT_JSON, NULL), LANCET_OK);
    root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "title")), "A \"title\"");
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "settings"), "key")),
                        "a|b\n\x01\xEF\xBF\xBDz");
    first = json_array_get(json_object_get(json_object_get(root, "tables"), "table"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "name, \"quoted\"")), "a|b, \"c\"");
    figure = json_object_get(first, "figure");
    assert_true(json_real_value(json_object_get(figure, "value")) == 1.0 / 3);
    assert_true(json_real_value(json_object_get(figure, "high")) == 0.5);
    assert_true(json_integer_value(json_object_get(first, "count")) == 12345678901);
    assert_true(json_is_null(json_object_get(
        json_array_get(json_object_get(json_object_get(root, "tables"), "table"), 1), "figure")));
    line = json_array_get(json_object_get(json_object_get(root, "curves"), "plot"), 0);
    assert_true(json_is_null(json_array_get(json_object_get(line, "y"), 1)));
    json_decref(root);
    lancet_report_text_close(&text);
    lancet_report_close(&report);
}

static void test_csv_and_markdown(void **state)
{
    lancet_report *report = make_report();
    lancet_buffer csv = {0}, svg = {0};
    char *text = NULL;

    (void)state;
    lancet_table_csv(&csv, &report->tables[0]);
    assert_string_equal(csv.bytes,
                        "\"name, \"\"quoted\"\"\",figure,figure low,figure high,number,count\n"
                        "\"a|b, \"\"c\"\"\",0.33333333333333331,0.25,0.5,0.10000000000000001,12345678901\n"
                        ",,,,,\n");
    assert_int_equal(lancet_report_text(&text, report, LANCET_REPORT_MARKDOWN, NULL), LANCET_OK);
    assert_non_null(strstr(text, "| a\\|b, \"c\" | 0.33 (0.25 to 0.50) | 0.1000 | 12345678901 |\n"));
    lancet_plot_svg(&svg, &report->plots[0]);
    assert_non_null(strstr(svg.bytes, "a &#60; b &#38; c"));
    /* A gap where there is no number: two separate points, no line. */
    assert_null(strstr(strstr(svg.bytes, "<path"), "L"));
    lancet_buffer_close(&csv);
    lancet_buffer_close(&svg);
    lancet_report_text_close(&text);
    lancet_report_close(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_json_reads_back),
                                       cmocka_unit_test(test_csv_and_markdown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
