/* Commands over folders, lists and many pictures: what they find, what they call it, and how they go on after
 * they were killed. SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* wait4 */
#include "lancet/image.h"

#include "support/command.h"

#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define TINY  TESTS_FOLDER "/golden/tiny"
#define MODEL "-m", TINY "/model.safetensors"
#define WORDS "-t", "cat;dog;sky", "--templates", "none"
#define TEXTS "-t", "cat", "-t", "dog", "--templates", "none"
#define LOTS  120

/* The names that a tree is made of: what shells, JSON, CSV and lists trip over, names that could be those of
 * others' files, and bytes that are no UTF-8. In the order of their bytes. */
static const char *const odd[] = {"-dash.png",
                                  "2020/a \"quoted\" cat.png",
                                  "2020/cat-1.png",
                                  "2020/cat.png",
                                  "2020/june/cat.png",
                                  "2020/new\nline, comma.png",
                                  "2020/x/y/z/cat.png",
                                  "cat-1-dog.png",
                                  "cat.jpg",
                                  "cat.png",
                                  "na\xC3\xAFve.png",
                                  "raw\xFF\xFE.png"};
#define ODD (sizeof odd / sizeof *odd)

/* A small picture of its own for each number. */
static void make_picture(const char *path, size_t number)
{
    enum { WIDTH = 40, HEIGHT = 24 };
    uint8_t pixels[3 * WIDTH * HEIGHT];
    const lancet_png png = {
        .form = LANCET_PNG_RGB, .samples = pixels, .width = WIDTH - number % 3, .height = HEIGHT};
    uint32_t state = (uint32_t)number * 2654435761u + 1;
    lancet_error error;

    for (size_t i = 0; i < sizeof pixels; i++) {
        state = state * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(state >> 24);
    }
    if (lancet_png_write(path, &png, &error) != LANCET_OK)
        fail_msg("%s", error.message);
}

/* "folder/name" with the folders on the way made. */
static const char *path_made(const char *folder, const char *name)
{
    char path[TEST_PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    return path_of(folder, name);
}

static const char *make_tree(void)
{
    const char *tree = path_of(command_folder, "tree");

    for (size_t i = 0; i < ODD; i++)
        make_picture(path_made(tree, odd[i]), i);
    return tree;
}

static const char *make_lots(size_t count)
{
    const char *folder = path_of(command_folder, "lots");
    char name[40];

    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%03zu.png", i);
        make_picture(path_made(folder, name), i);
    }
    return folder;
}

/* All files below a folder with their bytes are the same, but for journals. */
static void assert_same_trees(const char *a, const char *b)
{
    char line[3 * TEST_PATH_SIZE];

    snprintf(line, sizeof line, "diff -r -x '.lancet-*' '%s' '%s' >&2", a, b);
    if (system(line) != 0)
        fail_msg("%s and %s differ", a, b);
}

static void remove_parts(const char *folder)
{
    char line[2 * TEST_PATH_SIZE];

    snprintf(line, sizeof line, "find '%s' -name '*.part' -delete", folder);
    assert_int_equal(system(line), 0);
}

static void assert_no_parts(const char *folder)
{
    char line[2 * TEST_PATH_SIZE];

    snprintf(line, sizeof line, "test -z \"$(find '%s' -name '*.part')\"", folder);
    if (system(line) != 0)
        fail_msg("%s: half a file was left", folder);
}

/* ---- Finding ------------------------------------------------------------------------------------------- */

/* A tree gives the same tree; every picture's files are those that it has alone. */
static void test_tree(void **state)
{
    const char *tree = make_tree(), *out = path_of(command_folder, "out"),
               *alone = path_of(command_folder, "alone");
    command_result result =
        command_run("explain", tree, "-r", MODEL, TEXTS, "--write", "overlay,npy", "-o", out);
    size_t compared = 0;

    (void)state;
    command_check(&result, 0);
    expect_text("many_tree.txt", result.out);
    command_close(&result);
    /* Not those whose names had to give way to another's. */
    for (size_t i = 0; i < ODD; i++) {
        const char *slash = strrchr(odd[i], '/'), *name = slash ? slash + 1 : odd[i];
        char stem[200], folder[200], file[420], single[420];

        snprintf(stem, sizeof stem, "%.*s", (int)(strrchr(name, '.') - name), name);
        snprintf(folder, sizeof folder, "%.*s", (int)(name - odd[i]), odd[i]);
        command_expect(0, "explain", MODEL, TEXTS, "--write", "overlay,npy", "-q", "-o", alone, "--",
                       path_of(tree, odd[i]));
        snprintf(file, sizeof file, "%s%s.scores.npy", folder, stem);
        snprintf(single, sizeof single, "%s.scores.npy", stem);
        if (!path_exists(path_of(out, file)) || strcmp(odd[i], "cat.png") == 0)
            continue;
        compared++;
        assert_true(files_equal(path_of(out, file), path_of(alone, single)));
        snprintf(file, sizeof file, "%s%s-2-dog.overlay.png", folder, stem);
        snprintf(single, sizeof single, "%s-2-dog.overlay.png", stem);
        assert_true(files_equal(path_of(out, file), path_of(alone, single)));
    }
    assert_true(compared >= ODD - 3);
}

/* Without --recursive only what lies in the folder itself. */
static void test_flat(void **state)
{
    const char *tree = make_tree(), *out = path_of(command_folder, "out");
    command_result result = command_run("features", tree, MODEL, "-o", out, "--jsonl");
    size_t lines = 0;

    (void)state;
    command_check(&result, 0);
    for (const char *at = result.out; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 6);
    /* "cat" could be followed by "-1-dog", which another picture's files begin with. */
    assert_false(path_exists(path_of(out, "cat.features.npy")));
    assert_true(path_exists(path_of(out, "cat_2.features.npy")));
    assert_true(path_exists(path_of(out, "cat_3.features.npy")));
    assert_false(path_exists(path_of(out, "2020")));
    command_close(&result);
}

/* Lists in both forms, from a file and from stdin, with folders in them, name their files by the path. */
static void test_list(void **state)
{
    const char *tree = make_tree(), *out = path_of(command_folder, "out"),
               *list = path_of(command_folder, "list");
    const char *zeros = path_of(command_folder, "zeros");
    char text[4 * TEST_PATH_SIZE], inner[TEST_PATH_SIZE];
    command_result result;
    int length;

    (void)state;
    snprintf(text, sizeof text, "%s/./2020/cat.png\r\n\n%s/2020/june\n%s/cat-1-dog.png", tree, tree, tree);
    file_write_text(list, text);
    command_expect(0, "segment", "--list", list, MODEL, WORDS, "-q", "--write", "json", "-o", out);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"2020/cat", "2020/june/cat", "cat-1-dog"};

        snprintf(inner, sizeof inner, "%s/%s/%s.segments.json", out, tree + 1, names[i]);
        assert_true(path_exists(inner));
    }
    length =
        snprintf(text, sizeof text, "%s/2020/new\nline, comma.png%c%s/raw\xFF\xFE.png%c", tree, 0, tree, 0);
    file_write(zeros, text, (size_t)length);
    result = command_run_with(
        zeros, (const char *const[]){"recognise", "--list", "-", MODEL, WORDS, "--csv", "-q", NULL});
    command_check(&result, 0);
    snprintf(text, sizeof text, "\n\"%s/2020/new\nline, comma.png\",dog,", tree);
    assert_non_null(strstr(result.out, text));
    assert_non_null(strstr(result.out, "/raw\xEF\xBF\xBD")); /* JSON and what is made of it is UTF-8 */
    command_close(&result);
    file_write_text(list, "\n\r\n");
    command_expect_says(3, "expected a picture on each line", "segment", "--list", list, MODEL, WORDS);
    command_expect_says(5, "No such file", "segment", "--list", path_of(command_folder, "none"), MODEL,
                        WORDS);
    command_expect_says(2, "expected a picture", "segment", MODEL, WORDS);
}

/* Links that lead back up are not followed round and round. */
static void test_loops(void **state)
{
    const char *tree = make_tree(), *out = path_of(command_folder, "out");

    (void)state;
    assert_int_equal(symlink("..", path_of(tree, "2020/up")), 0);
    assert_int_equal(symlink(".", path_of(tree, "here")), 0);
    command_expect(0, "features", tree, "-r", MODEL, "-o", out, "-q");
    assert_false(path_exists(path_of(out, "here")));
    assert_false(path_exists(path_of(out, "2020/up")));
}

/* ---- Classes by name ----------------------------------------------------------------------------------- */

/* A list of classes by its name is those classes, one by one on the command line. */
static void test_classes(void **state)
{
    const char *lots = make_lots(2);
    command_result result = command_run("classes", "cityscapes19", "--values"), named, given;

    (void)state;
    command_check(&result, 0);
    expect_text("many_classes.txt", result.out);
    command_close(&result);
    result = command_run("classes");
    command_check(&result, 0);
    expect_text("many_lists.txt", result.out);
    command_close(&result);
    command_expect_says(2, "expected a file or one of voc20", "classes", "no-such-list");
    command_expect_says(2, "expected a list", "classes", "--values");
    named = command_run("recognise", lots, MODEL, "--labels", "voc20", "--templates", "none", "--csv", "-q");
    given = command_run("recognise", lots, MODEL, "-t",
                        "airplane;bicycle;bird;boat;bottle;bus;car;cat;chair;cow;dining table;dog;horse",
                        "-t", "motorbike;person;potted plant;sheep;sofa;train;tv monitor", "--templates",
                        "none", "--csv", "-q");
    command_check(&named, 0);
    assert_string_equal(named.out, given.out);
    command_close(&named);
    command_close(&given);
    command_expect(0, "segment", lots, MODEL, "--labels", "cityscapes19", "--templates", "none", "-q", "-o",
                   path_of(command_folder, "out"));
    command_expect(0, "explain", lots, MODEL, "--labels", "voc20", "--templates", "none", "-q", "-o",
                   path_of(command_folder, "out"), "--write", "json");
    command_expect(0, "compare", path_of(lots, "000.png"), MODEL, "--labels", "voc20", "--templates", "none",
                   "--methods", "clip,surgery", "-q", "-o", path_of(command_folder, "out/sheet.png"));
}

/* ---- Broken pictures ----------------------------------------------------------------------------------- */

static void test_broken(void **state)
{
    const char *lots = make_lots(12), *out = path_of(command_folder, "out");
    command_result result;

    (void)state;
    file_write_text(path_of(lots, "003.png"), "no picture");
    assert_int_equal(truncate(path_of(lots, "007.png"), 100), 0);
    result = command_run("recognise", lots, MODEL, WORDS, "--jsonl", "-q", "--top", "1");
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "003.png: "));
    assert_non_null(strstr(result.err, "007.png: "));
    assert_non_null(strstr(result.out, "003.png\"},\"status\":3}"));
    assert_non_null(strstr(result.out, "011.png"));
    command_close(&result);
    result = command_run("segment", lots, MODEL, WORDS, "--on-broken", "stop", "-o", out);
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "003.png: "));
    assert_null(strstr(result.err, "007.png: "));
    assert_false(path_exists(path_of(out, "011.segments.json")));
    command_close(&result);
    /* Mended ones are done when the run is resumed, and only those. */
    command_expect(3, "segment", lots, MODEL, WORDS, "-q", "-o", out, "--resume");
    make_picture(path_of(lots, "003.png"), 3);
    make_picture(path_of(lots, "007.png"), 7);
    command_expect(0, "segment", lots, MODEL, WORDS, "-q", "-o", out, "--resume");
    command_expect(0, "segment", lots, MODEL, WORDS, "-q", "-o", path_of(command_folder, "whole"));
    assert_same_trees(out, path_of(command_folder, "whole"));
}

/* ---- The same bytes ------------------------------------------------------------------------------------ */

/* Together or one by one, whatever the threads: what is printed and what is written. */
static void test_same_as_one_by_one(void **state)
{
    static const char *const runs[][6] = {
        {"explain", "-t", "cat", "--write", "overlay,map16,npy,json"},
        {"segment", "-t", "cat;dog;sky", "--rle"},
        {"points", "-t", "cat + dog"},
        {"caption", "-t", "a cat and a dog"},
        {"features"},
    };
    const char *lots = make_lots(20);

    (void)state;
    for (size_t r = 0; r < sizeof runs / sizeof *runs; r++) {
        const char *const *a = runs[r];
        char out[TEST_PATH_SIZE], single[TEST_PATH_SIZE];

        snprintf(out, sizeof out, "%s/%s", command_folder, a[0]);
        snprintf(single, sizeof single, "%s/%s-single/", command_folder, a[0]);
        mkdir(single, 0777);
        for (size_t i = 0; i < 20; i++) {
            char name[TEST_PATH_SIZE];

            snprintf(name, sizeof name, "%s/%03zu.png", lots, i);
            command_expect(0, a[0], name, MODEL, "-q", "-o", single, "--threads", "1", a[1] ? a[1] : NULL,
                           a[2], a[3], a[4]);
        }
        command_expect(0, a[0], lots, MODEL, "-q", "-o", out, "--decoders", "3", a[1] ? a[1] : NULL, a[2],
                       a[3], a[4]);
        assert_same_trees(out, single);
    }
}

/* ---- Killed and resumed -------------------------------------------------------------------------------- */

#define RUN(lots, out)                                                                                       \
    "segment", lots, MODEL, WORDS, "--write", "segments,json", "-o", out, "--csv", "--threads", "1",         \
        "--resume"

static pid_t start(const char *lots, const char *out)
{
    const char *const arguments[] = {RUN(lots, out), NULL};
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        command_child(arguments, NULL);
    return child;
}

static long size_of(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? (long)about.st_size : 0;
}

static void sleep_microseconds(long n)
{
    nanosleep(&(struct timespec){0, n * 1000}, NULL);
}

/* Files that were there before the run went on. */
static size_t note_files(ino_t files[LOTS], const char *out)
{
    size_t count = 0;

    for (size_t i = 0; i < LOTS; i++) {
        struct stat about;
        char name[60];

        snprintf(name, sizeof name, "%03zu.segments.json", i);
        files[i] = stat(path_of(out, name), &about) == 0 ? about.st_ino : 0;
        count += files[i] != 0;
    }
    return count;
}

static void test_killed(void **state)
{
    const char *lots = make_lots(LOTS), *whole = path_of(command_folder, "whole"),
               *torn = path_of(command_folder, "torn");
    const char *journal = path_of(torn, ".lancet-segment/rank-0000.journal");
    uint32_t random = (uint32_t)time(NULL) * 2654435761u + (uint32_t)getpid();
    command_result once = command_run(RUN(lots, whole)), again;
    ino_t before[LOTS], after[LOTS];
    size_t done, redone = 0;
    long full;
    int killed = 0;

    (void)state;
    command_check(&once, 0);
    full = size_of(path_of(whole, ".lancet-segment/rank-0000.journal"));
    assert_true(full > 0);
    print_message("kills at random moments, seed %u\n", random);
    for (int round = 0; round < 10; round++) {
        const pid_t child = start(lots, torn);
        long aim;
        int status;

        random = random * 1664525u + 1013904223u;
        aim = size_of(journal) + 1 + (long)((random >> 8) % (uint32_t)(full / 11));
        while (size_of(journal) < aim && waitpid(child, &status, WNOHANG) == 0)
            sleep_microseconds(100);
        sleep_microseconds((long)((random >> 16) % 700));
        if (kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status))
            killed++;
    }
    assert_true(killed >= 8); /* on a busy machine one or the other may have got through */
    done = note_files(before, torn);
    again = command_run(RUN(lots, torn));
    command_check(&again, 0);
    assert_string_equal(again.out, once.out);
    note_files(after, torn);
    /* Written again is at most the picture that the last kill came in the middle of. */
    for (size_t i = 0; i < LOTS; i++)
        redone += before[i] && before[i] != after[i];
    assert_true(done > 0 && redone <= 1);
    remove_parts(torn); /* which nobody can take away who was killed */
    assert_same_trees(whole, torn);
    command_close(&once);
    command_close(&again);
}

/* What is gone is made again, what is new is done, and other settings are refused. */
static void test_resume(void **state)
{
    const char *lots = make_lots(10), *out = path_of(command_folder, "out");
    command_result result;
    ino_t before[LOTS], after[LOTS];

    (void)state;
    command_expect(0, RUN(lots, out));
    note_files(before, out);
    assert_int_equal(unlink(path_of(out, "004.segments.json")), 0);
    make_picture(path_of(lots, "5x.png"), 77);
    make_picture(path_of(lots, "006.png"), 78); /* another picture by the old name */
    result = command_run(RUN(lots, out));
    command_check(&result, 0);
    assert_non_null(strstr(result.out, "5x.png"));
    command_close(&result);
    note_files(after, out);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(before[i] == after[i], i != 4 && i != 6);
    assert_no_parts(out);
    command_expect_says(3, "of this run (\"--background: ", RUN(lots, out), "--background", "0.4");
    /* Without --resume it begins anew. */
    command_expect(0, "segment", lots, MODEL, WORDS, "-q", "-o", out, "--background", "0.4");
    command_expect_says(2, "--journal DIR", "recognise", lots, MODEL, WORDS, "--resume");
    command_expect(0, "recognise", lots, MODEL, WORDS, "--resume", "-q", "--journal",
                   path_of(command_folder, "journal"));
    assert_true(path_exists(path_of(command_folder, "journal/rank-0000.journal")));
}

/* A journal that somebody writes is not taken from them. */
static void test_two_at_a_time(void **state)
{
    const char *lots = make_lots(LOTS), *out = path_of(command_folder, "out");
    const char *journal = path_of(out, ".lancet-segment/rank-0000.journal");
    const pid_t first = start(lots, out);
    int status = 0;

    (void)state;
    while (size_of(journal) == 0 && waitpid(first, &status, WNOHANG) == 0)
        sleep_microseconds(100);
    kill(first, SIGSTOP);
    command_expect_says(2, "another process is writing it", RUN(lots, out));
    command_expect_says(2, "another process is writing it", "segment", lots, MODEL, WORDS, "-q", "-o", out);
    kill(first, SIGKILL);
    waitpid(first, &status, 0);
    command_expect(0, RUN(lots, out));
}

static void test_processes(void **state)
{
    const char *lots = make_lots(31), *one = path_of(command_folder, "one"),
               *two = path_of(command_folder, "two");
    char line[6 * TEST_PATH_SIZE];
    command_result result;
    char *printed;

    (void)state;
    if (!*LANCET_MPIRUN) {
        print_message("skipped: built without MPI\n");
        skip();
    }
    file_write_text(path_of(lots, "013.png"), "no picture");
    result = command_run(RUN(lots, one));
    command_check(&result, 3);
    for (int count = 2; count <= 3; count++) {
        snprintf(line, sizeof line,
                 "ASAN_OPTIONS=detect_leaks=0 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 '%s' "
                 "--oversubscribe -n %d '%s' segment '%s' -m " TINY "/model.safetensors -t 'cat;dog;sky' "
                 "--templates none --write segments,json -o '%s' --csv --threads 1 --resume > '%s' 2> '%s'",
                 LANCET_MPIRUN, count, LANCET_COMMAND, lots, two, path_of(command_folder, "printed"),
                 path_of(command_folder, "said"));
        assert_int_not_equal(system(line), 0); /* the broken one is told */
        printed = file_read(path_of(command_folder, "printed"), NULL);
        assert_string_equal(printed, result.out);
        free(printed);
        assert_true(path_exists(path_of(two, ".lancet-segment/rank-0001.journal")));
    }
    assert_same_trees(one, two);
    command_close(&result);
}

/* ---- Memory -------------------------------------------------------------------------------------------- */

/* KiB at the most while so many of the same pictures were done. */
static long peak_of(const char *lots, size_t times)
{
    const char *list = path_of(command_folder, "list"), *out = path_of(command_folder, "out");
    const char *const arguments[] = {"features", "--list", list,        MODEL, "-q",
                                     "-o",       out,      "--threads", "1",   NULL};
    FILE *file = fopen(list, "w");
    struct rusage usage;
    pid_t child;
    int status;

    for (size_t t = 0; t < times; t++)
        for (size_t i = 0; i < LOTS; i++)
            fprintf(file, "%s/%03zu.png\n", lots, i);
    fclose(file);
    child = fork();
    if (child == 0)
        command_child(arguments, NULL);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return usage.ru_maxrss;
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

/* Twenty times as many pictures take their names more and nothing else: 2,280 pictures of 3 KB of pixels and
 * 70 KB of features are 160 MiB, their names and the table that keeps them apart 2. */
static void test_memory(void **state)
{
    const char *lots = make_lots(LOTS);
    long few, many;

    (void)state;
    if (KEEPS_WHAT_WAS_FREED) {
        print_message("skipped: under AddressSanitizer\n");
        skip();
    }
    few = peak_of(lots, 1);
    many = peak_of(lots, 20);
    print_message("peak of %d pictures %ld KiB, of %d %ld KiB\n", LOTS, few, 20 * LOTS, many);
    assert_true(many - few < 6144);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_flat, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_list, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_loops, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_classes, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_broken, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_same_as_one_by_one, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_killed, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_resume, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_two_at_a_time, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_processes, command_set_up, command_tear_down),
        cmocka_unit_test_setup_teardown(test_memory, command_set_up, command_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
