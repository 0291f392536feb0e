/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "progress.h"

#include <stdarg.h>
#include <stdio.h>

static const char *speaker;
static bool silent;

void report_as(const char *command, bool quiet)
{
    speaker = command;
    silent = quiet;
}

/* Messages quote names and texts that strangers chose; control characters in them must not reach a terminal.
 */
static void print_harmless(const char *text)
{
    for (; *text; text++)
        fputc(((unsigned char)*text < ' ' && *text != '\n') || *text == 0x7F ? '?' : *text, stderr);
}

static void say(const char *kind, const char *format, va_list arguments)
{
    char text[4096];

    progress_clear(); /* a message must not begin in the middle of the bar */
    vsnprintf(text, sizeof text, format, arguments);
    fprintf(stderr, speaker ? "lancet %s: %s" : "lancet%s: %s", speaker ? speaker : "", kind);
    print_harmless(text);
    fputc('\n', stderr);
}

int report_problem(int status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
    return status;
}

int report_error(const lancet_error *error)
{
    return report_problem(error->status, "%s", error->message);
}

int report_usage(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'lancet%s%s --help'.\n", speaker ? " " : "", speaker ? speaker : "");
    return LANCET_ERROR_ARGUMENT;
}

int report_memory(void)
{
    return report_problem(LANCET_ERROR_MEMORY, "out of memory");
}

void report_note(const char *format, ...)
{
    va_list arguments;

    if (silent)
        return;
    va_start(arguments, format);
    say("note: ", format, arguments);
    va_end(arguments);
}
