/* `lancet eval` as a user runs it: the figures against numpy, and the same bytes whatever happens on the way.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/command.h"

#include "lancet/image.h"

#include <signal.h>
#include <time.h>

#define MODEL    "-m", TESTS_FOLDER "/golden/tiny/model.safetensors"
#define PICTURES 60
#define MANY     2000
#define KILLED   "400" /* pictures of the run that is killed */

static void sleep_microseconds(long count)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000 * count}, NULL);
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const uint8_t colours[4][3] = {{200, 30, 30}, {30, 200, 30}, {30, 30, 200}, {200, 200, 30}};

static void paint(uint8_t *rgb, uint8_t *mask, size_t width, size_t height, uint64_t *state)
{
    for (size_t i = 0; i < width * height; i++)
        for (size_t k = 0; k < 3; k++)
            rgb[3 * i + k] = (uint8_t)(90 + (random_next(state) >> 20) % 50);
    memset(mask, 0, width * height);
    for (uint64_t count = (random_next(state) >> 20) % 4; count > 0; count--) {
        const size_t class = (size_t)((random_next(state) >> 20) % 4),
                     side = 5 + (random_next(state) >> 20) % 15;
        const size_t left = (random_next(state) >> 20) % (width - 6),
                     top = (random_next(state) >> 20) % (height - 6);

        for (size_t y = top; y < top + side && y < height; y++)
            for (size_t x = left; x < left + side && x < width; x++) {
                memcpy(rgb + 3 * (y * width + x), colours[class], 3);
                mask[y * width + x] = (uint8_t)(class + 1);
            }
    }
    memset(mask + width * ((random_next(state) >> 20) % height), 255, width); /* a row that nobody labelled */
}

static void write_png(const char *path, lancet_png_form form, const uint8_t *samples, size_t width,
                      size_t height)
{
    const lancet_png png = {.form = form, .samples = samples, .width = width, .height = height};
    lancet_error error;

    if (lancet_png_write(path, &png, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

/* Rectangles of four colours on noise, as a folder of pictures and one of masks. */
static const char *make_set(const char *name, size_t count, bool raw)
{
    const char *set = path_of(command_folder, name);
    uint64_t state = 88172645463325252u;

    mkdir(set, 0777);
    mkdir(path_of(set, "images"), 0777);
    mkdir(path_of(set, "masks"), 0777);
    mkdir(path_of(command_folder, "truth"), 0777);
    file_write_text(path_of(set, "classes.txt"), "red\ngreen\nblue\nyellow, gold\n");
    for (size_t i = 0; i < count; i++) {
        const size_t width = 20 + (random_next(&state) >> 20) % 28,
                     height = 20 + (random_next(&state) >> 20) % 28;
        uint8_t rgb[48 * 48 * 3], mask[48 * 48];
        char file[64];

        paint(rgb, mask, width, height, &state);
        snprintf(file, sizeof file, "images/p%04zu.png", i);
        write_png(path_of(set, file), LANCET_PNG_RGB, rgb, width, height);
        snprintf(file, sizeof file, "masks/p%04zu.png", i);
        write_png(path_of(set, file), LANCET_PNG_GREY, mask, width, height);
        snprintf(file, sizeof file, "truth/p%04zu.%zux%zu", i, height, width);
        if (raw)
            file_write(path_of(command_folder, file), mask, width * height);
    }
    return set;
}

static int set_up(void **state)
{
    command_set_up(state);
    make_set("set", PICTURES, true);
    make_set("many", MANY, false);
    return 0;
}

#define SET  path_of(command_folder, "set")
#define LOTS path_of(command_folder, "many")

static const char *out_of(const char *name)
{
    mkdir(path_of(command_folder, "out"), 0777);
    return path_of(path_of(command_folder, "out"), name);
}

static void test_figures_are_numpys(void **state)
{
    char line[2 * TEST_PATH_SIZE];

    (void)state;
    if (!*LANCET_PYTHON || system("'" LANCET_PYTHON "' -c 'import numpy' >/dev/null 2>&1") != 0) {
        print_message("skipped: no python3 with numpy\n");
        skip();
    }
    command_expect(0, "eval", "explainability", "-d", SET, MODEL, "-q", "--table", "3", "-o",
                   out_of("explainability"));
    command_expect(0, "eval", "segmentation", "-d", SET, MODEL, "-q", "--methods", "clip,architecture",
                   "--side", "48", "-o", out_of("segmentation"));
    command_expect(0, "eval", "multi-label", "-d", SET, MODEL, "-q", "-o", out_of("multi-label"));
    command_expect(0, "eval", "points", "-d", SET, MODEL, "-q", "-o", out_of("points"));
    command_expect(0, "eval", "fsr", "-d", SET, MODEL, "-q", "-o", out_of("fsr"));
    command_expect(0, "eval", "label-l1", "-d", SET, MODEL, "-q", "-o", out_of("label-l1"));
    snprintf(line, sizeof line, "'%s' -B '%s/eval/protocols.py' '%s' '%s' '%s'", LANCET_PYTHON, TESTS_FOLDER,
             LANCET_COMMAND, TESTS_FOLDER "/golden/tiny/model.safetensors", command_folder);
    assert_int_equal(system(line), 0);
}

static void reports_equal(const char *a, const char *b)
{
    static const char *const files[] = {"report.json", "report.md", "summary.csv", "thresholds.svg",
                                        "samples.png"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!files_equal(path_of(a, files[i]), path_of(b, files[i])))
            fail_msg("%s and %s differ in %s", a, b, files[i]);
}

#define EXPLAIN "eval", "explainability", MODEL, "-q", "--methods", "clip,surgery"

static void test_threads_and_journals_change_nothing(void **state)
{
    (void)state;
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("plain"), "--no-journal", "--threads", "1");
    assert_false(path_exists(path_of(out_of("plain"), "journal")));
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("two"), "--threads", "2", "--decoders", "7");
    reports_equal(out_of("plain"), out_of("two"));
    /* Again, from the journal alone. */
    remove(path_of(out_of("two"), "report.json"));
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("two"));
    reports_equal(out_of("plain"), out_of("two"));
    /* A part first, then all. */
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("part"), "--limit", "17");
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("part"));
    reports_equal(out_of("plain"), out_of("part"));
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("limit-1"), "--limit", "17");
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("part"), "--limit", "17");
    reports_equal(out_of("limit-1"), out_of("part"));
}

/* How far the run has come. */
static long journal_size(const char *journal)
{
    struct stat about;

    return stat(path_of(journal, "rank-0000.journal"), &about) == 0 ? (long)about.st_size : 0;
}

static pid_t start(const char *output)
{
    const char *const arguments[] = {EXPLAIN,   "-d",   LOTS,        "-o", output,
                                     "--limit", KILLED, "--threads", "1",  NULL};
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        command_child(arguments, NULL);
    return child;
}

static void test_killed_ten_times(void **state)
{
    const char *whole = out_of("whole"), *torn = out_of("torn"), *journal = path_of(torn, "journal");
    uint64_t random = (uint64_t)time(NULL) * 2654435761u + (uint64_t)getpid();
    long full;
    int killed = 0;

    (void)state;
    command_expect(0, EXPLAIN, "-d", LOTS, "-o", whole, "--limit", KILLED, "--threads", "1");
    full = journal_size(path_of(whole, "journal"));
    print_message("kills at random moments, seed %llu\n", (unsigned long long)random);
    for (int round = 0; round < 10; round++) {
        const pid_t child = start(torn);
        const long before = journal_size(journal);
        /* Anywhere in the eleventh of the way that follows, so that all ten lie within the run. */
        const long aim = before + 1 + (long)(random_next(&random) % (uint64_t)(full / 11));
        int status;

        while (journal_size(journal) < aim && waitpid(child, &status, WNOHANG) == 0)
            sleep_microseconds(100);
        sleep_microseconds((long)(random_next(&random) % 700));
        if (kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
            killed++;
    }
    assert_true(killed >= 8); /* on a busy machine one or the other may have got through */
    command_expect(0, EXPLAIN, "-d", LOTS, "-o", torn, "--limit", KILLED);
    reports_equal(whole, torn);
    assert_int_equal(journal_size(journal), full);
}

static void test_torn_end(void **state)
{
    const char *output = out_of("tail"), *file = path_of(output, "journal/rank-0000.journal");
    size_t length;
    char *bytes;

    (void)state;
    command_expect(0, EXPLAIN, "-d", SET, "-o", out_of("sound"));
    command_expect(0, EXPLAIN, "-d", SET, "-o", output);
    bytes = file_read(file, &length);
    bytes[length / 2] ^= 1;
    file_write(file, bytes, length - 5);
    free(bytes);
    command_expect(0, EXPLAIN, "-d", SET, "-o", output);
    reports_equal(out_of("sound"), output);
}

static void test_other_settings_are_refused(void **state)
{
    const char *output = out_of("refused");

    (void)state;
    command_expect(0, EXPLAIN, "-d", SET, "-o", output);
    command_expect_says(3, "of this run (\"variant 2: surgery: ", EXPLAIN, "-d", SET, "-o", output, "--tau",
                        "3");
    command_expect_says(3, "of another one (\"protocol: explainability, version 1\")", "eval", "points",
                        MODEL, "-d", SET, "-o", output);
    command_expect_says(3, "data set: layout folder", EXPLAIN, "-d", LOTS, "-o", output);
    /* What only the totals depend on goes with the same journal. */
    command_expect(0, EXPLAIN, "-d", SET, "-o", output, "--threshold", "otsu", "--average", "sample",
                   "--seed", "5");
}

static void test_broken_pictures(void **state)
{
    const char *set = make_set("broken", 9, false), *output = out_of("broken");
    command_result result;
    char *text;

    (void)state;
    file_write_text(path_of(set, "images/p0004.png"), "\x89PNG\r\n\x1a\n, but no more");
    command_expect_says(3, "p0004.png", EXPLAIN, "-d", set, "-o", output);
    result = command_run(EXPLAIN, "-d", set, "-o", output, "--skip-broken");
    command_check(&result, 0);
    command_close(&result);
    text = file_read(path_of(output, "report.md"), NULL);
    assert_non_null(text);
    if (!strstr(text, "p0004"))
        fail_msg("%s", text);
    assert_non_null(strstr(text, "| pictures | 8 |"));
    free(text);
    command_expect_says(3, "p0004.png", EXPLAIN, "-d", set, "-o", output);
}

static void test_usage(void **state)
{
    (void)state;
    command_expect_says(2, "expected one protocol", "eval", "-d", SET);
    command_expect_says(2, "found 'explain'", "eval", "explain", "-d", SET);
    command_expect_says(2, "--data DIR", "eval", "explainability");
    command_expect_says(2, "depth=A..B", "eval", "explainability", "-d", SET, MODEL, "-q", "--sweep",
                        "depth=3-5");
    command_expect_says(2, "--threshold", "eval", "explainability", "-d", SET, "--threshold", "0.123");
    command_expect_says(2, "there is no 'surgary'", "eval", "explainability", "-d", SET, MODEL, "-q",
                        "--method", "surgary");
    command_expect_says(2, "contradict", "eval", "explainability", "-d", SET, "--no-journal", "--journal",
                        "x");
}

static void test_sweeps_and_tables(void **state)
{
    char *text;

    (void)state;
    command_expect(0, "eval", "explainability", MODEL, "-q", "-d", SET, "--limit", "8", "--sweep",
                   "depth=1..8", "-o", out_of("depth"));
    command_expect(0, "eval", "explainability", MODEL, "-q", "-d", SET, "--limit", "8", "--sweep",
                   "tau=1..10", "-o", out_of("tau"));
    command_expect(0, "eval", "explainability", MODEL, "-q", "-d", SET, "--limit", "8", "--table", "4", "-o",
                   out_of("table-4"));
    command_expect(0, "eval", "affinity", MODEL, "-q", "-d", SET, "--limit", "8", "-o", out_of("affinity"));
    text = file_read(path_of(out_of("table-4"), "summary.csv"), NULL);
    assert_non_null(text);
    assert_non_null(strstr(text, "\nmulti-dual-own,"));
    assert_non_null(strstr(text, "\nmulti-dual-ffn-own,"));
    free(text);
    text = file_read(path_of(out_of("tau"), "summary.csv"), NULL);
    assert_non_null(strstr(text, "\n\"surgery, tau 10\","));
    free(text);
    text = file_read(path_of(out_of("affinity"), "affinity.svg"), NULL);
    assert_non_null(text);
    assert_non_null(strstr(text, "</svg>"));
    free(text);
}

/* The most memory of its own that a run was seen to have, in KiB; pages of files, such as the journal's, come
 * and go as the system likes. */
static long peak_of(const char *limit, const char *output)
{
    const char *const arguments[] = {EXPLAIN,          "-d",        LOTS, "-o", output, "--limit", limit,
                                     "--no-bootstrap", "--threads", "1",  NULL};
    pid_t child = fork();
    char path[64], *text;
    long peak = 0;
    int status = 0;

    assert_true(child >= 0);
    if (child == 0)
        command_child(arguments, NULL);
    snprintf(path, sizeof path, "/proc/%ld/status", (long)child);
    while (waitpid(child, &status, WNOHANG) == 0) {
        const char *line = NULL;

        text = file_read(path, NULL);
        line = text ? strstr(text, "RssAnon:") : NULL;
        if (line)
            peak = atol(line + 8) > peak ? atol(line + 8) : peak;
        free(text);
        sleep_microseconds(3000);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return peak;
}

/* AddressSanitizer keeps what was freed for a while, so that nothing can be said about the peak. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS_WHAT_WAS_FREED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_WHAT_WAS_FREED true
#endif
#endif
#ifndef KEEPS_WHAT_WAS_FREED
#define KEEPS_WHAT_WAS_FREED false
#endif

static void test_memory_does_not_grow_with_pictures(void **state)
{
    long few, many;

    (void)state;
    if (KEEPS_WHAT_WAS_FREED) {
        print_message("skipped: under AddressSanitizer\n");
        skip();
    }
    few = peak_of("40", out_of("few"));
    many = peak_of("2000", out_of("all"));
    print_message("peak of 40 pictures %ld KiB, of 2000 %ld KiB\n", few, many);
    /* At the end 64 bytes for each sample, of which there are some 3000. A picture that was kept would be 4
     * KiB of pixels, as much again of mask and map, and 20 KiB of features. */
    assert_true(many - few < 4096);
}

static void test_processes(void **state)
{
    const char *two = out_of("mpi"), *one = out_of("alone");
    char line[4 * TEST_PATH_SIZE];

    (void)state;
    if (!*LANCET_MPIRUN) {
        print_message("skipped: built without MPI\n");
        skip();
    }
    command_expect(0, EXPLAIN, "-d", SET, "-o", one);
    for (int count = 2; count <= 3; count++) {
        /* Three go on where two were; the second time round there is nothing left to do. */
        snprintf(line, sizeof line,
                 "ASAN_OPTIONS=detect_leaks=0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 '%s' "
                 "--oversubscribe -n %d '%s' eval "
                 "explainability -m '%s' -q --methods clip,surgery --threads 1 -d '%s' -o '%s' %s",
                 LANCET_MPIRUN, count, LANCET_COMMAND, TESTS_FOLDER "/golden/tiny/model.safetensors", SET,
                 two, count == 2 ? "--limit 33" : "");
        assert_int_equal(system(line), 0);
        assert_true(path_exists(path_of(two, "journal/rank-0001.journal")));
    }
    reports_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_figures_are_numpys),
        cmocka_unit_test(test_threads_and_journals_change_nothing),
        cmocka_unit_test(test_killed_ten_times),
        cmocka_unit_test(test_torn_end),
        cmocka_unit_test(test_other_settings_are_refused),
        cmocka_unit_test(test_broken_pictures),
        cmocka_unit_test(test_sweeps_and_tables),
        cmocka_unit_test(test_memory_does_not_grow_with_pictures),
        cmocka_unit_test(test_processes),
    };

    return cmocka_run_group_tests(tests, set_up, command_tear_down);
}
