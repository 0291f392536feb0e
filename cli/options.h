/* The command line: every option is a row of a table, from which it is parsed, checked and explained.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "texts.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum option_kind {
    OPTION_FLAG,    /* bool: becomes true */
    OPTION_TEXT,    /* const char *: the argument itself */
    OPTION_TEXTS,   /* texts: may be given again and again */
    OPTION_INTEGER, /* int, low to high */
    OPTION_REAL,    /* double, low to high */
    OPTION_CHOICE,  /* int: which of `choices` */
    OPTION_SET,     /* unsigned: a bit for each of `choices`, given as a list with commas */
    OPTION_TRIPLE,  /* option_triple: three numbers with commas, low to high each */
    OPTION_SIZE     /* option_size: WxH, whole numbers, low to high each */
} option_kind;

typedef struct option_triple {
    bool given;
    float values[3];
} option_triple;

typedef struct option_size {
    int width, height; /* 0: not given */
} option_size;

typedef struct option {
    const char *name; /* without the dashes */
    char letter;      /* 0: no short form */
    option_kind kind;
    size_t offset; /* of the value, in the group's struct */
    const char *argument, *help;
    double low, high;
    const char *const *choices; /* NULL-terminated */
} option;

/* Options that belong together, and whose values lie in one struct. */
typedef struct option_group {
    const char *title;
    const option *options;
    size_t count;
    size_t offset; /* of that struct, in the command's settings */
} option_group;

typedef struct command {
    const char *name, *summary;
    const char *usage;    /* lines of usage, without "Usage: " */
    const char *about;    /* what the long help says: paragraphs, each one line of source */
    const char *examples; /* printed as they stand */
    const option_group *groups;
    size_t group_count;
    int (*run)(const struct command *self, int argc, char **argv);
} command;

/** Parses argv[0..argc-1] (no command's name in it) into `settings`, which holds the defaults, and
 * `operands`.
 *
 * False if the command is to end now, with *status: the help was asked for, or there is a mistake, which has
 * been reported. */
bool options_parse(const command *c, void *settings, texts *operands, int argc, char **argv, int *status);

/** The nearest of `names` [count] to a mistyped `word`; NULL if none is near. */
const char *options_nearest(const char *word, const char *const *names, size_t count);

#endif
