/* Running the command and keeping what it said; expected texts as committed files.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_COMMAND_H
#define TESTS_SUPPORT_COMMAND_H

#include "support/files.h"

#include <fcntl.h>
#include <sys/wait.h>

typedef struct command_result {
    int status; /* the exit status; 128 + n after signal n */
    char *out, *err;
    size_t out_length;
} command_result;

/** Where a run's files go: the test's own folder, which also stands for the user's home. */
static char *command_folder;

/** What a run may see of the environment besides the user's home: "NAME=value" entries, or NULL. */
static const char *const *command_environment;

static inline int command_set_up(void **state)
{
    (void)state;
    command_folder = folder_make();
    return 0;
}

static inline int command_tear_down(void **state)
{
    (void)state;
    folder_remove(command_folder);
    return 0;
}

/* "NAME=value" */
static inline void set_environment(const char *entry)
{
    const char *equals = strchr(entry, '=');
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)(equals - entry), entry);
    setenv(name, equals + 1, 1);
}

static inline void command_child(const char *const *arguments, const char *input)
{
    const char *argv[64] = {"lancet"};
    size_t count = 1;

    for (size_t i = 0; arguments[i] && count < 63; i++)
        argv[count++] = arguments[i];
    /* Nothing of the machine's own set-up may choose a model or a vocabulary. */
    setenv("LANCET_MODEL", "", 1); /* not the one in the box either */
    unsetenv("LANCET_VOCABULARY");
    setenv("XDG_DATA_HOME", path_of(command_folder, "home/data"), 1);
    setenv("HOME", path_of(command_folder, "home"), 1);
    for (size_t i = 0; command_environment && command_environment[i]; i++)
        set_environment(command_environment[i]);
    if (!freopen(input ? input : "/dev/null", "r", stdin) ||
        !freopen(path_of(command_folder, "stdout"), "w", stdout) ||
        !freopen(path_of(command_folder, "stderr"), "w", stderr))
        _exit(126);
    alarm(500);
    execv(LANCET_COMMAND, (char *const *)argv);
    _exit(127);
}

/** Runs `lancet` with NULL-terminated arguments; stdin is the file `input`, or empty if that is NULL. */
static inline command_result command_run_with(const char *input, const char *const *arguments)
{
    command_result result = {0};
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        command_child(arguments, input);
    assert_int_equal(waitpid(child, &status, 0), child);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = file_read(path_of(command_folder, "stdout"), &result.out_length);
    result.err = file_read(path_of(command_folder, "stderr"), NULL);
    assert_non_null(result.out);
    assert_non_null(result.err);
    return result;
}

#define command_run(...) command_run_with(NULL, (const char *const[]){__VA_ARGS__, NULL})

static inline void command_close(command_result *result)
{
    free(result->out);
    free(result->err);
    *result = (command_result){0};
}

/** Fails unless the run ended with `status`; shows what it said. */
static inline void command_check(const command_result *result, int status)
{
    if (result->status != status)
        fail_msg("expected status %d, found %d\n%s%s", status, result->status, result->out, result->err);
}

/** The same, for runs of which nothing else is wanted. */
#define command_expect(status, ...)                                                                          \
    do {                                                                                                     \
        command_result expected_result = command_run(__VA_ARGS__);                                           \
        command_check(&expected_result, status);                                                             \
        command_close(&expected_result);                                                                     \
    } while (0)

/** The same, for runs that fail: stderr has to hold `says`, stdout nothing. */
#define command_expect_says(status, says, ...)                                                               \
    do {                                                                                                     \
        command_result expected_result = command_run(__VA_ARGS__);                                           \
        command_check(&expected_result, status);                                                             \
        if (!strstr(expected_result.err, says))                                                              \
            fail_msg("expected \"%s\", found: %s", says, expected_result.err);                               \
        assert_string_equal(expected_result.out, "");                                                        \
        command_close(&expected_result);                                                                     \
    } while (0)

/** A copy of `text` with every `what` replaced; free() it. */
static inline char *text_replace(const char *text, const char *what, const char *by)
{
    const size_t length = strlen(what);
    size_t count = 0;
    char *result, *out;

    for (const char *at = text; (at = strstr(at, what)); at += length)
        count++;
    result = out = malloc(strlen(text) + count * strlen(by) + 1);
    for (const char *next; (next = strstr(text, what)); text = next + length) {
        memcpy(out, text, (size_t)(next - text));
        out += next - text;
        memcpy(out, by, strlen(by));
        out += strlen(by);
    }
    strcpy(out, text);
    return result;
}

/** Compares with the committed text tests/cli/expected/`name`, where the test's folder is written FOLDER and
 * the tests' own TESTS. With LANCET_BLESS=1 in the environment the file is written instead. */
static inline void expect_text(const char *name, const char *text)
{
    char *without_folder = text_replace(text, command_folder, "FOLDER");
    char *found = text_replace(without_folder, TESTS_FOLDER, "TESTS");
    const char *path = path_of(TESTS_FOLDER "/cli/expected", name), *bless = getenv("LANCET_BLESS");
    char *expected;

    if (bless && *bless == '1')
        file_write_text(path, found);
    expected = file_read(path, NULL);
    if (!expected)
        fail_msg("%s is missing (LANCET_BLESS=1 writes it)", path);
    if (strcmp(expected, found) != 0)
        fail_msg("%s differs (LANCET_BLESS=1 takes the new text)\n--- expected\n%s\n--- found\n%s", name,
                 expected, found);
    free(expected);
    free(found);
    free(without_folder);
}

#endif
