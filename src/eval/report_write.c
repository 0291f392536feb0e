/* Reports: as text and as files. SPDX-License-Identifier: Apache-2.0 */
#include "eval/report.h"

#include "base/file.h"
#include "base/status.h"

#include <string.h>

lancet_status lancet_report_text(char **text, const lancet_report *report, lancet_report_form form,
                                 lancet_error *error)
{
    lancet_buffer made = {0};

    if (text)
        *text = NULL;
    if (!text || !report)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_report_text: %s is NULL",
                           text ? "report" : "text");
    if ((unsigned)form > LANCET_REPORT_JSON)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "form: expected a lancet_report_form, found %d",
                           (int)form);
    if (form == LANCET_REPORT_JSON)
        lancet_report_json(&made, report);
    else
        lancet_report_markdown(&made, report);
    if (made.failed) {
        lancet_buffer_close(&made);
        return lancet_fail_memory(error, "the report");
    }
    *text = made.bytes;
    return LANCET_OK;
}

void lancet_report_text_close(char **text)
{
    if (!text)
        return;
    lancet_free(*text);
    *text = NULL;
}

/* folder/name+ending; the text is emptied. */
static lancet_status write_file(const char *folder, const char *name, const char *ending, lancet_buffer *text,
                                lancet_error *error)
{
    lancet_buffer path = {0};
    lancet_status status;

    lancet_buffer_print(&path, "%s/%s%s", folder, name, ending);
    status = path.failed || text->failed ? lancet_fail_memory(error, "the report")
                                         : lancet_file_write(path.bytes, text->bytes, text->length, error);
    lancet_buffer_close(&path);
    lancet_buffer_clear(text);
    return status;
}

lancet_status lancet_report_write(const lancet_report *report, const char *folder, lancet_error *error)
{
    lancet_buffer text = {0};
    lancet_status status;

    if (!report || !folder)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_report_write: %s is NULL",
                           report ? "folder" : "report");
    lancet_report_markdown(&text, report);
    status = write_file(folder, "report", ".md", &text, error);
    lancet_report_json(&text, report);
    if (status == LANCET_OK)
        status = write_file(folder, "report", ".json", &text, error);
    lancet_buffer_clear(&text);
    for (size_t i = 0; i < report->table_count && status == LANCET_OK; i++) {
        lancet_table_csv(&text, &report->tables[i]);
        status = write_file(folder, report->tables[i].name, ".csv", &text, error);
    }
    for (size_t i = 0; i < report->plot_count && status == LANCET_OK; i++) {
        lancet_plot_svg(&text, &report->plots[i]);
        status = write_file(folder, report->plots[i].name, ".svg", &text, error);
    }
    if (status == LANCET_OK && report->sheet) {
        lancet_buffer_append(&text, report->sheet, report->sheet_length);
        status = write_file(folder, "samples", ".png", &text, error);
    }
    lancet_buffer_close(&text);
    return status;
}
