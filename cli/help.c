/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#define COLUMNS     79
#define HELP_COLUMN 30

static const char exit_statuses[] =
    "Exit status:\n"
    "  0  done\n"
    "  1  a check failed (lancet verify)\n"
    "  2  wrong usage: an option, or options that contradict each other\n"
    "  3  bad input: a file or text is not what it claims to be\n"
    "  4  unsupported: sound, but not something Lancet runs\n"
    "  5  input/output error: no such file, no permission, disk full, no network\n"
    "  6  out of memory\n";

static const char environment[] =
    "Environment:\n"
    "  LANCET_MODEL       the model to use where -m is not given\n"
    "  LANCET_VOCABULARY  the vocabulary, where none lies in or beside the model\n"
    "  LANCET_FONT        a font file for the words under overlays\n"
    "  LANCET_CPU         run lesser instructions than this processor has: scalar,\n"
    "                     avx2, avx512, avx512-bf16\n"
    "  XDG_DATA_HOME      its folder lancet/ is searched for models and vocabularies\n"
    "                     and takes those that are pulled (~/.local/share if it is\n"
    "                     not set)\n"
    "  https_proxy, http_proxy, no_proxy\n"
    "                     for 'lancet pull', the one command that uses the network\n";

/* Prints words up to the next line feed, broken into lines that begin at column `indent`; the first continues
 * a line that is at column `column` already. Returns what follows the line feed. */
static const char *print_wrapped(FILE *out, const char *text, size_t indent, size_t column)
{
    while (*text && *text != '\n') {
        const size_t length = strcspn(text, " \n");

        if (column + length > COLUMNS && column > indent) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        }
        fwrite(text, 1, length, out);
        column += length;
        text += length;
        if (*text == ' ') {
            text++;
            if (column < COLUMNS && *text != ' ') {
                const size_t next = strcspn(text, " \n");

                if (column + 1 + next <= COLUMNS) {
                    fputc(' ', out);
                    column++;
                } else {
                    fprintf(out, "\n%*s", (int)indent, "");
                    column = indent;
                }
            }
        }
    }
    fputc('\n', out);
    return *text ? text + 1 : text;
}

/* Paragraphs, a line of source each. A line that begins with a space stands as it is. */
static void print_about(const char *text)
{
    while (*text) {
        if (*text == ' ' || *text == '\n') {
            const size_t length = strcspn(text, "\n");

            printf("%.*s\n", (int)length, text);
            text += length + (text[length] == '\n');
        } else {
            text = print_wrapped(stdout, text, 0, 0);
        }
    }
}

static void print_option(const option *o)
{
    size_t column;

    column =
        o->letter ? (size_t)printf("  -%c, --%s", o->letter, o->name) : (size_t)printf("      --%s", o->name);
    if (o->argument)
        column += (size_t)printf(" %s", o->argument);
    if (column + 2 > HELP_COLUMN) {
        printf("\n");
        column = 0;
    }
    printf("%*s", (int)(HELP_COLUMN - column), "");
    print_wrapped(stdout, o->help, HELP_COLUMN, HELP_COLUMN);
}

static void print_usage(const char *usage)
{
    const char *label = "Usage: ";

    while (*usage) {
        const size_t length = strcspn(usage, "\n");

        printf("%s%.*s\n", label, (int)length, usage);
        usage += length + (usage[length] == '\n');
        label = "       ";
    }
}

void help_command(const command *c, bool complete)
{
    print_usage(c->usage);
    printf("\n");
    print_wrapped(stdout, c->summary, 0, 0);
    if (complete) {
        printf("\n");
        print_about(c->about);
    }
    for (size_t g = 0; g < c->group_count; g++) {
        printf("\n%s:\n", c->groups[g].title);
        for (size_t i = 0; i < c->groups[g].count; i++)
            print_option(&c->groups[g].options[i]);
    }
    printf("\n");
    if (complete)
        printf("Examples:\n%s\n%s", c->examples, exit_statuses);
    else
        printf("'lancet %s --help' says more and shows examples.\n", c->name);
}

void help_overview(FILE *out, const command *const *commands, size_t count, bool complete)
{
    fprintf(out, "Usage: lancet COMMAND [options]\n"
                 "       lancet help COMMAND\n"
                 "       lancet --version\n\n"
                 "Lancet runs CLIP models and shows what they see: heat maps for any words on any\n"
                 "picture, by CLIP Surgery.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "  %-10s ", commands[i]->name);
        print_wrapped(out, commands[i]->summary, 13, 13);
    }
    fprintf(out, "\nEvery command takes --threads N (default: all processors), --quiet, -h (short\n"
                 "help) and --help (all of it).\n");
    if (complete)
        fprintf(out, "\n%s\n%s", exit_statuses, environment);
}
