/* The command `lancet`. SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "help.h"
#include "report.h"

#include "lancet/lancet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static const command *const commands[] = {
    &explain_command, &segment_command,  &recognise_command, &points_command,  &caption_command,
    &compare_command, &methods_command,  &classes_command,   &eval_command,    &features_command,
    &text_command,    &tokenize_command, &info_command,      &convert_command, &verify_command,
    &bench_command,   &pull_command,
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int report_unknown(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {"help"}, *nearest;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i + 1] = commands[i]->name;
    nearest = options_nearest(name, names, COMMAND_COUNT + 1);
    return nearest ? report_usage("unknown command '%s'; did you mean '%s'?", name, nearest)
                   : report_usage("unknown command '%s'", name);
}

static int help(int argc, char **argv)
{
    const command *about;

    if (argc == 0) {
        help_overview(stdout, commands, COMMAND_COUNT, true);
        return EXIT_DONE;
    }
    about = find_command(argv[0]);
    if (!about)
        return report_unknown(argv[0]);
    help_command(about, true);
    return EXIT_DONE;
}

/* --threads and --quiet may stand before the command's name as well. Returns how many arguments they take. */
static int count_leading(int argc, char **argv)
{
    int i = 0;

    while (i < argc) {
        if (strcmp(argv[i], "--quiet") == 0 || strcmp(argv[i], "-q") == 0 ||
            strncmp(argv[i], "--threads=", 10) == 0)
            i++;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            i += 2;
        else
            break;
    }
    return i;
}

static int dispatch(int argc, char **argv)
{
    const int leading = count_leading(argc, argv);
    const command *chosen;
    const char *name;

    if (leading == argc) {
        help_overview(stderr, commands, COMMAND_COUNT, false);
        return LANCET_ERROR_ARGUMENT;
    }
    name = argv[leading];
    if (strcmp(name, "--version") == 0) {
        printf("lancet %s\n", lancet_version());
        return EXIT_DONE;
    }
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0) {
        help_overview(stdout, commands, COMMAND_COUNT, name[1] == '-');
        return EXIT_DONE;
    }
    if (strcmp(name, "help") == 0)
        return help(argc - leading - 1, argv + leading + 1);
    if (name[0] == '-' && name[1])
        return report_usage("unknown option %s before the command", name);
    chosen = find_command(name);
    if (!chosen)
        return report_unknown(name);
    /* The command sees the leading options in the place of its name. */
    memmove(argv + 1, argv, (size_t)leading * sizeof *argv);
    return chosen->run(chosen, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    int status;

#ifdef __GLIBC__
    /* Left to itself, glibc learns from the first large picture to keep such blocks on its heap, where they
     * tear holes: blocks of a megabyte and more go back to the system as soon as they are freed. */
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    /* Smaller ones stay: handing every small picture's pages back and forth costs a fiftieth of the time. */
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
#endif
    status = dispatch(argc - 1, argv + 1);
    /* What was printed counts only once the system has taken it. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_DONE)
        status = report_problem(LANCET_ERROR_IO, "the output cannot be written: %s", strerror(errno));
    return status;
}
