/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "common.h"
#include "help.h"
#include "report.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64

/* ---- Did you mean -------------------------------------------------------------------------------------- */

/* How many letters must be put in, taken out, replaced or swapped with their neighbour to turn one word into
 * the other. Words of 31 letters at most; longer ones are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t table[33][33];
    const size_t m = strlen(a), n = strlen(b);

    if (m > 32 || n > 32)
        return SIZE_MAX;
    for (size_t i = 0; i <= m; i++)
        for (size_t k = 0; k <= n; k++) {
            size_t best;

            if (!i || !k) {
                table[i][k] = i + k;
                continue;
            }
            best = table[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            if (table[i - 1][k] + 1 < best)
                best = table[i - 1][k] + 1;
            if (table[i][k - 1] + 1 < best)
                best = table[i][k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                table[i - 2][k - 2] + 1 < best)
                best = table[i - 2][k - 2] + 1;
            table[i][k] = best;
        }
    return table[m][n];
}

const char *options_nearest(const char *word, const char *const *names, size_t count)
{
    const size_t length = strlen(word);
    const char *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        const bool begins = length >= 3 && strncmp(names[i], word, length) == 0;
        const size_t d = begins ? 0 : distance(word, names[i]);

        /* A third of the letters wrong is a slip; more is another word. */
        if (d < least && d <= (length < 3 ? 1 : length / 3 + (length % 3 == 2))) {
            least = d;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- Values -------------------------------------------------------------------------------------------- */

/* How the person wrote the option: "--side" or "-o". */
typedef struct spelling {
    char text[40];
} spelling;

static bool parse_number(double *value, const char *text, char **end)
{
    errno = 0;
    *value = strtod(text, end);
    return *end != text && isfinite(*value) && errno == 0 && strspn(text, " \t\n") == 0 &&
           !strpbrk(text, "xX");
}

static bool set_integer(int *value, const option *o, const spelling *as, const char *text)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < (long)o->low || number > (long)o->high) {
        report_usage("%s: expected a whole number from %ld to %ld, found '%s'", as->text, (long)o->low,
                     (long)o->high, text);
        return false;
    }
    *value = (int)number;
    return true;
}

static bool set_real(double *value, const option *o, const spelling *as, const char *text)
{
    char *end;

    if (parse_number(value, text, &end) && !*end && *value >= o->low && *value <= o->high)
        return true;
    report_usage("%s: expected a number from %.7g to %.7g, found '%s'", as->text, o->low, o->high, text);
    return false;
}

static bool set_triple(option_triple *triple, const option *o, const spelling *as, const char *text)
{
    const char *at = text;

    for (int i = 0; i < 3; i++) {
        double number;
        char *end;

        if (!parse_number(&number, at, &end) || number < o->low || number > o->high ||
            *end != (i < 2 ? ',' : '\0')) {
            report_usage("%s: expected three numbers from %.7g to %.7g with commas between, found '%s'",
                         as->text, o->low, o->high, text);
            return false;
        }
        triple->values[i] = (float)number;
        at = end + 1;
    }
    triple->given = true;
    return true;
}

/* Digits up to `end`, a number from low to high; false if it is none. */
static bool parse_side(int *value, const option *o, const char *text, const char *end)
{
    long number = 0;

    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9' || number > (long)o->high)
            return false;
        number = number * 10 + (*text - '0');
    }
    *value = (int)number;
    return number >= (long)o->low && number <= (long)o->high;
}

static bool set_size(option_size *size, const option *o, const spelling *as, const char *text)
{
    const char *cross = text + strcspn(text, "xX");

    if (*cross && parse_side(&size->width, o, text, cross) &&
        parse_side(&size->height, o, cross + 1, cross + 1 + strlen(cross + 1)))
        return true;
    report_usage("%s: expected WxH, as 640x480, each side from %ld to %ld, found '%s'", as->text,
                 (long)o->low, (long)o->high, text);
    return false;
}

/* "a, b or c" */
static void list_choices(char *list, size_t size, const char *const *choices)
{
    size_t length = 0;

    list[0] = '\0';
    for (size_t i = 0; choices[i] && length < size; i++)
        length += (size_t)snprintf(list + length, size - length, "%s%s",
                                   i == 0           ? ""
                                   : choices[i + 1] ? ", "
                                                    : " or ",
                                   choices[i]);
}

static int find_choice(const option *o, const char *text, size_t length)
{
    for (int i = 0; o->choices[i]; i++)
        if (strlen(o->choices[i]) == length && memcmp(o->choices[i], text, length) == 0)
            return i;
    return -1;
}

static bool set_choice(int *value, const option *o, const spelling *as, const char *text)
{
    const int choice = find_choice(o, text, strlen(text));
    char list[400];

    if (choice >= 0) {
        *value = choice;
        return true;
    }
    list_choices(list, sizeof list, o->choices);
    report_usage("%s: expected %s, found '%s'", as->text, list, text);
    return false;
}

static bool set_set(unsigned *value, const option *o, const spelling *as, const char *text)
{
    char list[400];

    *value = 0;
    for (const char *at = text;;) {
        const size_t length = strcspn(at, ",");
        const int choice = find_choice(o, at, length);

        if (choice < 0) {
            list_choices(list, sizeof list, o->choices);
            report_usage("%s: expected %s, or several with commas between, found '%.*s'", as->text, list,
                         (int)(length < 200 ? length : 200), at);
            return false;
        }
        *value |= 1u << choice;
        if (!at[length])
            return true;
        at += length + 1;
    }
}

static bool set_value(const option *o, void *value, const spelling *as, const char *text, int *status)
{
    bool good = true;

    *status = LANCET_ERROR_ARGUMENT;
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)value = true;
        break;
    case OPTION_TEXT:
        *(const char **)value = text;
        break;
    case OPTION_TEXTS:
        good = texts_add(value, text);
        if (!good)
            *status = report_memory();
        break;
    case OPTION_INTEGER:
        good = set_integer(value, o, as, text);
        break;
    case OPTION_REAL:
        good = set_real(value, o, as, text);
        break;
    case OPTION_CHOICE:
        good = set_choice(value, o, as, text);
        break;
    case OPTION_SET:
        good = set_set(value, o, as, text);
        break;
    case OPTION_TRIPLE:
        good = set_triple(value, o, as, text);
        break;
    case OPTION_SIZE:
        good = set_size(value, o, as, text);
        break;
    }
    return good;
}

/* ---- The line ------------------------------------------------------------------------------------------ */

/* The option of that long name (its first `length` bytes) or, if name is NULL, of that letter; *value is
 * where its value goes. */
static const option *find_option(const command *c, void *settings, const char *name, size_t length,
                                 char letter, void **value)
{
    for (size_t g = 0; g < c->group_count; g++) {
        const option_group *group = &c->groups[g];

        for (size_t i = 0; i < group->count; i++) {
            const option *o = &group->options[i];

            if (name ? strlen(o->name) == length && memcmp(o->name, name, length) == 0
                     : o->letter == letter) {
                *value = (char *)settings + group->offset + o->offset;
                return o;
            }
        }
    }
    return NULL;
}

static void report_unknown(const command *c, const char *argument, size_t length)
{
    const char *names[NAMES_MAX] = {"help"};
    const char *nearest;
    char word[40];
    size_t count = 1;

    for (size_t g = 0; g < c->group_count; g++)
        for (size_t i = 0; i < c->groups[g].count && count < NAMES_MAX; i++)
            names[count++] = c->groups[g].options[i].name;
    snprintf(word, sizeof word, "%.*s", (int)(length < 39 ? length : 39), argument + 2);
    nearest = options_nearest(word, names, count);
    if (nearest)
        report_usage("unknown option --%s; did you mean --%s?", word, nearest);
    else
        report_usage("unknown option --%s", word);
}

typedef struct line {
    const command *command;
    void *settings;
    int argc;
    char **argv;
    int next; /* argument to be looked at next */
    int *status;
} line;

static bool take_value(line *l, const option *o, void *value, const spelling *as, const char *attached)
{
    const char *text = attached ? attached : "";

    if (o->kind == OPTION_FLAG && attached) {
        *l->status = report_usage("%s takes no value, found '%s'", as->text, attached);
        return false;
    }
    if (o->kind != OPTION_FLAG && !attached) {
        if (l->next == l->argc) {
            *l->status = report_usage("%s: expected %s after it, found nothing", as->text, o->argument);
            return false;
        }
        text = l->argv[l->next++];
    }
    return set_value(o, value, as, text, l->status);
}

/* "--name", "--name=value" */
static bool parse_long(line *l, const char *argument)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    const size_t length = equals ? (size_t)(equals - name) : strlen(name);
    spelling as;
    void *value;
    const option *o;

    if (length == 4 && memcmp(name, "help", 4) == 0) {
        help_command(l->command, true);
        *l->status = EXIT_DONE;
        return false;
    }
    o = find_option(l->command, l->settings, name, length, 0, &value);
    if (!o) {
        report_unknown(l->command, argument, length);
        *l->status = LANCET_ERROR_ARGUMENT;
        return false;
    }
    snprintf(as.text, sizeof as.text, "--%s", o->name);
    return take_value(l, o, value, &as, equals ? equals + 1 : NULL);
}

/* "-x", "-xyz" of flags, "-ovalue" */
static bool parse_short(line *l, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        spelling as = {{'-', *at, '\0'}};
        void *value;
        const option *o;

        if (*at == 'h') {
            help_command(l->command, false);
            *l->status = EXIT_DONE;
            return false;
        }
        o = find_option(l->command, l->settings, NULL, 0, *at, &value);
        if (!o) {
            *l->status = report_usage("unknown option -%c", *at);
            return false;
        }
        if (o->kind != OPTION_FLAG)
            return take_value(l, o, value, &as, at[1] ? at + 1 : NULL);
        if (!take_value(l, o, value, &as, NULL))
            return false;
    }
    return true;
}

bool options_parse(const command *c, void *settings, texts *operands, int argc, char **argv, int *status)
{
    line l = {c, settings, argc, argv, 0, status};
    bool options_over = false;

    report_as(c->name, false);
    while (l.next < argc) {
        const char *argument = argv[l.next++];

        if (options_over || argument[0] != '-' || !argument[1]) {
            if (!texts_add(operands, argument)) {
                *status = report_memory();
                return false;
            }
        } else if (strcmp(argument, "--") == 0) {
            options_over = true;
        } else if (!(argument[1] == '-' ? parse_long(&l, argument) : parse_short(&l, argument))) {
            return false;
        }
    }
    return true;
}
