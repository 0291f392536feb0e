/* The command line itself: help, version, and every way of using it wrongly. SPDX-License-Identifier:
 * Apache-2.0 */
#include "lancet/lancet.h"

#include "support/command.h"

#include <jansson.h>

#define TINY TESTS_FOLDER "/golden/tiny"

static void test_version(void **state)
{
    command_result result = command_run("--version");
    char expected[100];

    (void)state;
    command_check(&result, 0);
    snprintf(expected, sizeof expected, "lancet %s\n", lancet_version());
    assert_string_equal(result.out, expected);
    assert_string_equal(result.err, "");
    command_close(&result);
}

static void test_help(void **state)
{
    static const char *const names[] = {"explain",  "segment", "recognise", "points", "caption",
                                        "features", "text",    "tokenize",  "info",   "convert",
                                        "verify",   "bench",   "pull",      "classes"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        command_result complete = command_run(names[i], "--help"), brief = command_run(names[i], "-h");
        command_result asked = command_run("help", names[i]);
        char file[40];

        command_check(&complete, 0);
        command_check(&brief, 0);
        command_check(&asked, 0);
        assert_string_equal(complete.err, "");
        snprintf(file, sizeof file, "help_%s.txt", names[i]);
        expect_text(file, complete.out);
        assert_string_equal(asked.out, complete.out);
        /* The short one is a part of it, and says where the rest is. */
        assert_true(strlen(brief.out) < strlen(complete.out));
        assert_null(strstr(brief.out, "Examples:"));
        assert_non_null(strstr(brief.out, "--help' says more"));
        command_close(&complete);
        command_close(&brief);
        command_close(&asked);
    }
}

/* The time is the machine's; that the numbers are there and hang together is ours. */
static void test_bench(void **state)
{
    command_result result = command_run("bench", "-m", TINY "/model.safetensors", "--repeat", "3", "--batch",
                                        "2", "--threads", "2", "--json", "--quiet");
    json_t *report;
    double share;

    (void)state;
    command_check(&result, 0);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "batch")), 2);
    assert_int_equal(json_integer_value(json_object_get(report, "threads")), 2);
    assert_int_equal(json_integer_value(json_object_get(report, "side")), 48);
    /* 8 blocks of width 64 over 37 tokens, patches of 8 pixels, 64 channels; two pictures. */
    assert_float_equal(
        json_number_value(json_object_get(report, "gflop")),
        2 * (2 * 36 * 64 * 192 + 8 * (24.0 * 37 * 64 * 64 + 4.0 * 37 * 37 * 64) + 2 * 37 * 64 * 64) / 1e9,
        1e-9);
    share = json_number_value(json_object_get(report, "share_of_peak"));
    assert_true(share > 0);
    assert_float_equal(share * json_number_value(json_object_get(report, "times_floor")), 1, 1e-6);
    assert_true(json_number_value(json_object_get(report, "milliseconds_least")) <=
                json_number_value(json_object_get(report, "milliseconds")));
    json_decref(report);
    command_close(&result);
    result = command_run("bench", "--shape", "ViT-X");
    command_check(&result, 2);
    assert_non_null(strstr(
        result.err, "expected ViT-B/32, ViT-B/16, ViT-L/14, ViT-L/14@336, RN50, RN101, RN50x4, RN50x16 or "
                    "RN50x64, found 'ViT-X'"));
    command_close(&result);
    /* A ResNet's convolutions count as sums written out, 10.73, beside the pool's products, 1.49. */
    result = command_run("bench", "--shape", "RN50", "--repeat", "1", "--json");
    command_check(&result, 0);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    assert_float_equal(json_number_value(json_object_get(report, "gflop")), 12.22, 0.01);
    json_decref(report);
    command_close(&result);
    result = command_run("bench", "--shape", "ViT-B/16", "-m", TINY "/model.safetensors");
    command_check(&result, 2);
    command_close(&result);
}

/* One line for what is timed, and one for each that is asked for. */
static void test_bench_rounds(void **state)
{
    static const char *const arguments[] = {
        "bench", "-m", TINY "/model.safetensors", "--rounds", "--threads", "1", "--quiet", NULL};
    const char *input = path_of(command_folder, "rounds.txt");
    command_result result;
    const char *line;
    json_t *answers[4] = {NULL};

    (void)state;
    file_write_text(input, "run\npeak\nrun\n");
    result = command_run_with(input, arguments);
    command_check(&result, 0);
    line = result.out;
    for (size_t i = 0; i < 4; i++, line = strchr(line, '\n') + 1) {
        answers[i] = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        assert_non_null(answers[i]);
    }
    assert_string_equal(line, "");
    assert_int_equal(json_integer_value(json_object_get(answers[0], "threads")), 1);
    assert_true(json_number_value(json_object_get(answers[0], "gflop")) > 0);
    assert_true(json_number_value(json_object_get(answers[1], "milliseconds")) > 0);
    assert_true(json_number_value(json_object_get(answers[2], "peak_gflops")) > 0);
    assert_true(json_number_value(json_object_get(answers[3], "milliseconds")) > 0);
    for (size_t i = 0; i < 4; i++)
        json_decref(answers[i]);
    command_close(&result);
    file_write_text(input, "run\nstop\n");
    result = command_run_with(input, arguments);
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "stdin: expected run or peak, found 'stop'"));
    command_close(&result);
    result = command_run("bench", "-m", TINY "/model.safetensors", "--rounds", "--json");
    command_check(&result, 2);
    command_close(&result);
    result = command_run("bench", "-m", TINY "/model.safetensors", "--rounds", "--labels", "-");
    command_check(&result, 2);
    command_close(&result);
}

/* Distinct beginnings of the labels' prompts, one by one against all before them. */
static void count_positions(const char *const *labels, size_t count, size_t *read, size_t *distinct)
{
    enum { CONTEXT = 77, PROMPTS = 400 };
    static int32_t ids[PROMPTS][CONTEXT];
    static size_t lengths[PROMPTS];
    const lancet_templates *templates = lancet_templates_standard();
    lancet_vocabulary *vocabulary = NULL;
    lancet_tokens tokens = {0};
    size_t prompts = 0;
    char sentence[200];

    assert_int_equal(lancet_vocabulary_open(&vocabulary, TINY, NULL), LANCET_OK);
    *read = *distinct = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < lancet_templates_count(templates); t++, prompts++) {
            lancet_templates_fill(sentence, sizeof sentence, templates, t, labels[i]);
            assert_int_equal(lancet_tokenize(&tokens, vocabulary, sentence, NULL), LANCET_OK);
            lancet_tokens_context(ids[prompts], CONTEXT, NULL, &tokens, vocabulary, NULL);
            lengths[prompts] = tokens.count + 2;
            *read += lengths[prompts];
            for (size_t length = 1; length <= lengths[prompts]; length++) {
                bool seen = false;

                for (size_t k = 0; k < prompts; k++)
                    seen = seen ||
                           (lengths[k] >= length && memcmp(ids[k], ids[prompts], length * sizeof **ids) == 0);
                *distinct += !seen;
            }
        }
    lancet_tokens_close(&tokens);
    lancet_vocabulary_close(&vocabulary);
}

static void test_bench_labels(void **state)
{
    static const char *const labels[] = {"cat", "red dog", "cat", "tree"};
    const char *path = path_of(command_folder, "labels.txt"), *empty = path_of(command_folder, "empty.txt");
    command_result result;
    size_t read, distinct;
    json_t *report;

    (void)state;
    file_write_text(path, "cat\nred dog\n\ncat\ntree\n");
    file_write_text(empty, "\n");
    result = command_run("bench", "-m", TINY "/model.safetensors", "--labels", path, "--repeat", "2",
                         "--json", "--quiet");
    command_check(&result, 0);
    report = json_loads(result.out, 0, NULL);
    assert_non_null(report);
    count_positions(labels, 4, &read, &distinct);
    assert_int_equal(json_integer_value(json_object_get(report, "labels")), 4);
    assert_int_equal(json_integer_value(json_object_get(report, "prompts")), 4 * 85);
    assert_int_equal(json_integer_value(json_object_get(report, "positions_padded")), 4 * 85 * 77);
    assert_int_equal(json_integer_value(json_object_get(report, "positions_read")), read);
    assert_int_equal(json_integer_value(json_object_get(report, "positions_distinct")), distinct);
    /* 2 blocks of width 64 over 77 tokens, 64 channels. */
    assert_float_equal(json_number_value(json_object_get(report, "padded_gflop")),
                       4 * 85 * (2 * (24.0 * 77 * 64 * 64 + 4.0 * 77 * 77 * 64) + 2.0 * 64 * 64) / 1e9, 1e-9);
    assert_true(json_number_value(json_object_get(report, "gflop")) <
                json_number_value(json_object_get(report, "padded_gflop")) * (double)distinct /
                    (4 * 85 * 77));
    assert_true(json_number_value(json_object_get(report, "share_of_padded_floor")) > 0);
    json_decref(report);
    command_close(&result);
    result =
        command_run("bench", "-m", TINY "/model.safetensors", "--labels", path, "--repeat", "1", "--quiet");
    command_check(&result, 0);
    assert_non_null(strstr(result.out, "26180 padded"));
    command_close(&result);
    result = command_run("bench", "--labels", empty);
    command_check(&result, 3);
    assert_non_null(strstr(result.err, "expected a text on each line, found none"));
    command_close(&result);
}

/* No line of any help is longer than a terminal is wide. */
static void test_help_width(void **state)
{
    static const char *const names[] = {"explain",  "segment", "recognise", "points", "caption",
                                        "features", "text",    "tokenize",  "info",   "convert",
                                        "verify",   "bench",   "pull",      "classes"};

    (void)state;
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        command_result result = i ? command_run(names[i - 1], "--help") : command_run("--help");

        for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > 79)
                fail_msg("longer than 79 columns: %s", line);
        command_close(&result);
    }
}

static void test_overview(void **state)
{
    command_result complete = command_run("--help"), brief = command_run("-h"), asked = command_run("help");

    (void)state;
    command_check(&complete, 0);
    command_check(&brief, 0);
    expect_text("help.txt", complete.out);
    assert_string_equal(asked.out, complete.out);
    assert_memory_equal(brief.out, complete.out, strlen(brief.out));
    command_close(&brief);
    command_close(&asked);
    /* Without any argument it is wrong usage, so stdout stays clean. */
    brief = command_run_with(NULL, (const char *const[]){NULL});
    command_check(&brief, 2);
    assert_string_equal(brief.out, "");
    assert_memory_equal(brief.err, complete.out, strlen(brief.err));
    command_close(&brief);
    command_close(&complete);
}

/* Every wrong usage with what is said about it, in one text that a person can read through. */
static void test_usage(void **state)
{
    static const char *const cases[][12] = {
        {"explian"},
        {"frobnicate"},
        {"--frobnicate"},
        {"help", "explian"},
        {"explain"},
        {"explain", "a.jpg"},
        {"explain", "-t", "cat"},
        {"explain", "a.jpg", "-t"},
        {"explain", "a.jpg", "--label", "x"},
        {"explain", "a.jpg", "--surgery-lsat", "3"},
        {"explain", "a.jpg", "--qzx"},
        {"explain", "a.jpg", "-Z"},
        {"explain", "a.jpg", "--quiet=yes"},
        {"explain", "a.jpg", "-t", "cat", "--side", "abc"},
        {"explain", "a.jpg", "-t", "cat", "--side=0"},
        {"explain", "a.jpg", "-t", "cat", "--side", "12x"},
        {"explain", "a.jpg", "-t", "cat", "--side", "99999999999999999999"},
        {"explain", "a.jpg", "-t", "cat", "--side", ""},
        {"explain", "a.jpg", "-t", "cat", "--size", "48"},
        {"explain", "a.jpg", "-t", "cat", "--size", "48x"},
        {"explain", "a.jpg", "-t", "cat", "--size", "x48"},
        {"explain", "a.jpg", "-t", "cat", "--size", "48x-48"},
        {"explain", "a.jpg", "-t", "cat", "--size", "48x48x48"},
        {"explain", "a.jpg", "-t", "cat", "--size", "48x99999999999999999999"},
        {"explain", "a.jpg", "-t", "cat", "--size", "0x48"},
        {"explain", "a.jpg", "-t", "cat", "--size", "48x48", "--side", "48"},
        {"features", "a.jpg", "-o", "x.npy", "--short-side", "48", "--side", "48"},
        {"explain", "a.jpg", "-t", "cat", "--threads", "0"},
        {"explain", "a.jpg", "-t", "cat", "--tau", "nan"},
        {"explain", "a.jpg", "-t", "cat", "--tau", "0x10"},
        {"explain", "a.jpg", "-t", "cat", "--tau", "0"},
        {"explain", "a.jpg", "-t", "cat", "--threshold", "1.5"},
        {"explain", "a.jpg", "-t", "cat", "--mean", "0.5,0.5"},
        {"explain", "a.jpg", "-t", "cat", "--mean", "0.5,0.5,0.5,0.5"},
        {"explain", "a.jpg", "-t", "cat", "--std", "0,0,0"},
        {"explain", "a.jpg", "-t", "cat", "--write", "overlay,maps"},
        {"explain", "a.jpg", "-t", "cat", "--write", ""},
        {"explain", "a.jpg", "-t", "cat", "--redundant", "some"},
        {"explain", "a.jpg", "-t", "cat", "--path", "Surgery"},
        {"explain", "a.jpg", "-t", "cat", "--colours", "rainbow"},
        {"explain", "a.jpg", "-t", "cat", "--surgery-last", "2", "--surgery-start", "3"},
        {"explain", "a.jpg", "-t", "cat", "--labels", "bank.safetensors"},
        {"explain", "a.jpg", "--labels", "bank.safetensors", "--templates", "none"},
        {"features", "-o", "x.npy"},
        {"features", "a.jpg", "b.jpg", "-o", "x.npy"},
        {"features", "a.jpg"},
        {"features", "a.jpg", "-o", "x.npy", "--block", "0"},
        {"features", "a.jpg", "-o", "x.npy", "--stream", "both"},
        {"features", "a.jpg", "-o", "x.npy", "--block", "3", "--stream", "third"},
        {"features", "a.jpg", "-o", "x.npy", "--block", "3", "--stream", "surgery", "--path", "plain"},
        {"features", "a.jpg", "-o", "x.npy", "--block", "3", "--stream", "both", "--attention", "raw"},
        {"features", "a.jpg", "-o", "x.npy", "--attention", "all"},
        {"features", "a.jpg", "-o", "x.npy", "--class-row"},
        {"features", "a.jpg", "-o", "x.npy", "--mean-heads"},
        {"explain", "a.jpg", "-t", "cat", "--window", "0"},
        {"explain", "a.jpg", "-t", "cat", "--stride", "112"},
        {"explain", "a.jpg", "-t", "cat", "--window", "112", "--stride", "224"},
        {"segment", "-t", "cat"},
        {"segment", "a.jpg"},
        {"segment", "a.jpg", "-t", "cat", "--labels", "bank.safetensors"},
        {"segment", "a.jpg", "-t", "cat", "--crops", "4"},
        {"segment", "a.jpg", "-t", "cat", "--crops", "65x1"},
        {"segment", "a.jpg", "-t", "cat", "--crops", "4x2", "--window", "224"},
        {"segment", "a.jpg", "-t", "cat", "--crops", "4x2", "--short-side", "224"},
        {"segment", "a.jpg", "-t", "cat", "--background-by", "score"},
        {"segment", "a.jpg", "-t", "cat", "--stride", "112"},
        {"recognise", "-t", "cat"},
        {"recognise", "a.jpg"},
        {"recognise", "a.jpg", "-t", "cat", "--json", "--csv"},
        {"recognise", "a.jpg", "-t", "cat", "--present-by", "cosine"},
        {"points", "-t", "cat"},
        {"points", "a.jpg"},
        {"points", "a.jpg", "-t", " +"},
        {"points", "a.jpg", "-t", "cat", "--threshold", "2"},
        {"points", "a.jpg", "-t", "cat", "--method", "clib"},
        {"caption", "-t", "a cat"},
        {"caption", "a.jpg"},
        {"caption", "a.jpg", "-t", "a cat", "--write", "page"},
        {"text", "-o", "x.npy"},
        {"text", "cat"},
        {"text", "cat", "-o", "x.txt"},
        {"tokenize"},
        {"tokenize", "cat", "--json-lines", "x"},
        {"info", "a", "b", "c"},
        {"info", "a", "-m", "b"},
        {"convert"},
        {"convert", "a.safetensors"},
        {"convert", "a.safetensors", "b.safetensors", "c.safetensors"},
        {"convert", "a.safetensors", "b.pt"},
        {"convert", "a.safetensors", "b.safetensors", "--type", "int4"},
        {"convert", "a.safetensors", "b.safetensors", "-m", "c.safetensors"},
        {"verify"},
        {"verify", "a", "b"},
        {"pull"},
        {"pull", "ViT-B-61"},
        {"pull", "ViT-L"},
        {"pull", "frobnicate"},
        {"pull", "RN50", "--list"},
        {"pull", "RN50", "--base-url", "file:///models"},
    };
    char *all = calloc(1, 1 << 17);
    size_t length = 0;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        command_result result = command_run_with(NULL, cases[i]);

        command_check(&result, 2);
        assert_string_equal(result.out, "");
        length += (size_t)sprintf(all + length, "$ lancet");
        for (size_t k = 0; k < 12 && cases[i][k]; k++)
            length += (size_t)sprintf(all + length, *cases[i][k] ? " %s" : " ''", cases[i][k]);
        length += (size_t)sprintf(all + length, "\n%s\n", result.err);
        assert_true(length < 1 << 16);
        command_close(&result);
    }
    expect_text("usage.txt", all);
    free(all);
}

/* Files that are not there, or not what they should be. */
static void test_files(void **state)
{
    const char *model = TINY "/model.safetensors", *picture = TINY "/images/scene.png";
    const char *text = path_of(command_folder, "text.txt"), *empty = path_of(command_folder, "empty.txt");

    (void)state;
    file_write_text(text, "not a model, not a picture\n");
    file_write_text(empty, "\n  \n");
    command_expect_says(5, "none.safetensors", "explain", picture, "-t", "cat", "-m", "none.safetensors");
    command_expect_says(3, "text.txt", "explain", picture, "-t", "cat", "-m", text);
    command_expect_says(5, "none.jpg", "explain", "none.jpg", "-t", "cat", "-m", model, "-o", command_folder);
    command_expect_says(3, "text.txt", "explain", text, "-t", "cat", "-m", model, "-o", command_folder);
    command_expect_says(5, "none.txt", "explain", picture, "--labels", "none.txt", "-m", model);
    command_expect_says(3, "expected a text on each line", "explain", picture, "--labels", empty, "-m",
                        model);
    command_expect_says(3, "expected pictures", "explain", TINY "/text", "-t", "cat", "-m", model);
    command_expect_says(5, "none.txt", "explain", picture, "-t", "cat", "--templates", "none.txt", "-m",
                        model);
    command_expect_says(5, "text.txt", "explain", picture, "-t", "cat", "-m", model, "-o",
                        path_of(command_folder, "text.txt/folder"));
    command_expect_says(5, "x.npy", "features", picture, "-m", model, "-o", "/nowhere/x.npy");
    command_expect_says(3, "text.txt", "features", text, "-m", model, "-o", path_of(command_folder, "x.npy"));
    command_expect_says(5, "none", "text", "cat", "-m", model, "--vocabulary", "none", "-o",
                        path_of(command_folder, "x.npy"));
    command_expect_says(3, "text.txt", "info", text);
    command_expect_says(5, "expected a folder, found nothing", "verify", "none");
    command_expect_says(5, "expected a folder, found a file", "verify", text);
    command_expect_says(5, "none.jsonl", "tokenize", "--json-lines", "none.jsonl", "-m", model);
    assert_false(path_exists(path_of(command_folder, "x.npy")));
}

/* Where the model comes from without -m, and that it is said. */
static void test_model_choice(void **state)
{
    static const char *const others[] = {"b.safetensors", "b.pt", "pytorch_model.bin", "b.gguf"};
    const char *picture = TINY "/images/scene.png", *x = path_of(command_folder, "x.npy");
    command_result result;

    (void)state;
    result = command_run("features", picture, "-o", x);
    if (!strstr(result.err, "came with Lancet")) {
        command_check(&result, 2);
        expect_text("no_model.txt", result.err);
    }
    command_close(&result);
    command_environment = (const char *const[]){"LANCET_MODEL=" TINY "/model.safetensors", NULL};
    command_expect(0, "features", picture, "-o", x);
    result = command_run("features", picture, "-o", x);
    expect_text("model_from_environment.txt", result.err);
    command_close(&result);
    result = command_run("features", picture, "-o", x, "--quiet");
    assert_string_equal(result.err, "");
    command_close(&result);
    command_environment = NULL;

    /* In the user's data folder: the only one, or model.safetensors. */
    assert_int_equal(mkdir(path_of(command_folder, "home"), 0777), 0);
    assert_int_equal(mkdir(path_of(command_folder, "home/data"), 0777), 0);
    assert_int_equal(mkdir(path_of(command_folder, "home/data/lancet"), 0777), 0);
    assert_int_equal(
        symlink(TINY "/model.safetensors", path_of(command_folder, "home/data/lancet/a.safetensors")), 0);
    result = command_run("features", picture, "-o", x);
    command_check(&result, 0);
    assert_non_null(strstr(result.err, "a.safetensors (the user's data folder)"));
    command_close(&result);
    file_write_text(path_of(command_folder, "home/data/lancet/notes.txt"), "no model");
    for (size_t i = 0; i < 4; i++) {
        const char *other = path_of(path_of(command_folder, "home/data/lancet"), others[i]);

        assert_int_equal(symlink(TINY "/model.safetensors", other), 0);
        command_expect_says(2, "holds 2 models", "features", picture, "-o", x);
        assert_int_equal(unlink(other), 0);
    }
    assert_int_equal(
        symlink(TINY "/model.safetensors", path_of(command_folder, "home/data/lancet/model.safetensors")), 0);
    result = command_run("features", picture, "-o", x);
    command_check(&result, 0);
    assert_non_null(strstr(result.err, "/model.safetensors (the user's data folder)"));
    command_close(&result);
}

/* Every model that has a name. */
static void test_models(void **state)
{
    command_result result = command_run("pull", "--list");

    (void)state;
    command_check(&result, 0);
    assert_string_equal(result.err, "");
    expect_text("pull_list.txt", result.out);
    for (char *line = strtok(result.out, "\n"); line; line = strtok(NULL, "\n"))
        if (strlen(line) > 79 && !strstr(line, command_folder))
            fail_msg("longer than 79 columns: %s", line);
    command_close(&result);
    result = command_run("pull", "--list", "--json");
    command_check(&result, 0);
    expect_text("pull_list.json", result.out);
    command_close(&result);
}

static void test_leading_options(void **state)
{
    command_result result;

    (void)state;
    result = command_run("--quiet", "--threads", "1", "tokenize", "-m", TINY "/model.safetensors", "cat");
    command_check(&result, 0);
    command_close(&result);
    command_expect_says(2, "--threads: expected a whole number from 1 to 256, found '0'", "--threads=0",
                        "tokenize", "a");
}

/* A full disk, or whatever else takes no more output, is noticed. */
static void test_output_full(void **state)
{
    const int full = open("/dev/full", O_WRONLY);
    char command[2 * TEST_PATH_SIZE];

    (void)state;
    if (full < 0)
        skip();
    close(full);
    snprintf(command, sizeof command, "'%s' help >/dev/full 2>'%s'", LANCET_COMMAND,
             path_of(command_folder, "err"));
    assert_int_equal(WEXITSTATUS(system(command)), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),         cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_width),      cmocka_unit_test(test_bench),
        cmocka_unit_test(test_bench_rounds),    cmocka_unit_test(test_bench_labels),
        cmocka_unit_test(test_overview),        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_files),           cmocka_unit_test(test_model_choice),
        cmocka_unit_test(test_leading_options), cmocka_unit_test(test_output_full),
        cmocka_unit_test(test_models),
    };

    return cmocka_run_group_tests_name("command", tests, command_set_up, command_tear_down);
}
