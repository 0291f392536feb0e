/* Label banks: encoding, what is lost, saving and opening, and files that only pretend.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "checkpoint/safetensors.h"
#include "clip/text/prompts.h"
#include "support/files.h"

#include <math.h>

static lancet_model *model;
static lancet_session *session;
static char *folder;

static int open_all(void **state)
{
    static lancet_error error;

    (void)state;
    folder = folder_make();
    return lancet_model_open(&model, TESTS_FOLDER "/golden/tiny/model.safetensors", NULL, &error) !=
               LANCET_OK ||
           lancet_session_open(&session, model, NULL, &error) != LANCET_OK;
}

static int close_all(void **state)
{
    (void)state;
    lancet_session_close(&session);
    lancet_model_close(&model);
    folder_remove(folder);
    return 0;
}

static lancet_labels *encode(const char *const *texts, size_t count, const lancet_label_options *options)
{
    lancet_labels *labels = NULL;
    lancet_error error;

    if (lancet_labels_encode(&labels, session, texts, count, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return labels;
}

static const char *const words[] = {"cat", "a red dog", "", "sky"};

static double length_of(const float *feature, size_t width)
{
    double squares = 0;

    for (size_t i = 0; i < width; i++)
        squares += (double)feature[i] * feature[i];
    return sqrt(squares);
}

/* normalise, mean over templates, normalise: written out with the bare text tower. */
static void test_the_ensemble_is_what_it_says(void **state)
{
    const lancet_templates *templates = lancet_templates_standard();
    const size_t count = lancet_templates_count(templates);
    lancet_labels *labels = encode(words, 4, NULL);
    const size_t width = lancet_labels_width(labels);
    float *features = malloc(count * width * sizeof *features);
    double *mean = malloc(width * sizeof *mean);
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_count(labels), 4);
    assert_int_equal(count, 85);
    for (size_t word = 0; word < 4; word++) {
        const float *found = lancet_labels_features(labels) + word * width;
        static char prompts[85][100];
        const char *texts[85];
        double squares = 0;

        for (size_t t = 0; t < count; t++) {
            lancet_templates_fill(prompts[t], sizeof prompts[t], templates, t, words[word]);
            texts[t] = prompts[t];
        }
        assert_int_equal(lancet_text_encode(features, session, texts, count, &error), LANCET_OK);
        memset(mean, 0, width * sizeof *mean);
        for (size_t t = 0; t < count; t++)
            for (size_t c = 0; c < width; c++)
                mean[c] += features[t * width + c] / length_of(features + t * width, width);
        for (size_t c = 0; c < width; c++)
            squares += mean[c] * mean[c];
        for (size_t c = 0; c < width; c++)
            assert_true(fabs(found[c] - mean[c] / sqrt(squares)) < 1e-6);
        assert_string_equal(lancet_labels_text(labels, word), words[word]);
        assert_null(lancet_labels_lost(labels, word));
    }
    assert_null(lancet_labels_text(labels, 4));
    assert_null(lancet_labels_empty(labels, false)); /* several labels: not needed */
    assert_non_null(lancet_labels_empty(labels, true));
    free(features);
    free(mean);
    lancet_labels_close(&labels);
}

static void test_one_label_brings_the_empty_string(void **state)
{
    lancet_labels *one = encode(words, 1, NULL), *several = encode(words, 4, NULL);
    const size_t width = lancet_labels_width(one);

    (void)state;
    /* The third word is the empty string itself. */
    for (size_t c = 0; c < width; c++)
        assert_true(fabsf(lancet_labels_empty(one, false)[c] -
                          lancet_labels_features(several)[2 * width + c]) < 1e-6f);
    lancet_labels_close(&one);
    lancet_labels_close(&several);
}

static void test_lost_words_are_shown(void **state)
{
    char text[1000] = "";
    const char *texts[] = {"sky", text};
    lancet_labels *labels;

    (void)state;
    for (int i = 0; i < 90; i++)
        strcat(text, "cat ");
    strcat(text, "zebra");
    labels = encode(texts, 2, &(lancet_label_options){.templates = lancet_templates_bare()});
    assert_null(lancet_labels_lost(labels, 0));
    assert_non_null(lancet_labels_lost(labels, 1));
    assert_non_null(strstr(lancet_labels_lost(labels, 1), "zebra"));
    assert_int_equal(strncmp(lancet_labels_lost(labels, 1), "cat ", 4), 0);
    lancet_labels_close(&labels);
}

/* More sentences than one call of the tower takes: a label is the same, to the last bit, as alone. */
static void test_many_labels_in_several_batches(void **state)
{
    static char texts[150][16];
    static const size_t some[] = {0, 42, 95, 96, 97, 149}; /* 96: in both batches */
    const char *pointers[150];
    lancet_labels *all, *one;

    (void)state;
    for (int i = 0; i < 150; i++) {
        snprintf(texts[i], sizeof texts[i], "%.*scat %d", i % 5, "a a a ", i);
        pointers[i] = texts[i];
    }
    assert_true(150 * lancet_templates_count(lancet_templates_standard()) > LANCET_PROMPTS_AT_ONCE);
    all = encode(pointers, 150, NULL);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        one = encode(pointers + some[i], 1, NULL);
        assert_memory_equal(lancet_labels_features(all) + some[i] * lancet_labels_width(all),
                            lancet_labels_features(one), lancet_labels_width(all) * sizeof(float));
        assert_memory_equal(lancet_labels_empty(all, true), lancet_labels_empty(one, true),
                            lancet_labels_width(all) * sizeof(float));
        lancet_labels_close(&one);
    }
    lancet_labels_close(&all);
}

static void test_many_texts_in_several_batches(void **state)
{
    enum { COUNT = LANCET_PROMPTS_AT_ONCE + 30 };
    static char texts[COUNT][16];
    static const char *pointers[COUNT];
    const size_t width = (size_t)lancet_model_describe(model)->embedding_width;
    float *all = malloc(COUNT * width * sizeof *all), *one = malloc(width * sizeof *one);
    lancet_error error;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "a cat %d", i);
        pointers[i] = texts[i];
    }
    assert_int_equal(lancet_text_encode(all, session, pointers, COUNT, &error), LANCET_OK);
    for (size_t i = 0; i < COUNT; i += i + 100 < COUNT ? 100 : 1) {
        assert_int_equal(lancet_text_encode(one, session, pointers + i, 1, &error), LANCET_OK);
        assert_memory_equal(one, all + i * width, width * sizeof *one);
    }
    free(all);
    free(one);
}

/* The tower's calls: ever more prompts, and at last all of them. stop: at which call to say no; 0: never. */
struct progress {
    size_t calls, done, total, stop;
};

static bool note_progress(void *context, size_t done, size_t total)
{
    struct progress *progress = context;

    assert_true(done >= progress->done && done <= total);
    progress->done = done;
    progress->total = total;
    return ++progress->calls != progress->stop;
}

static void test_progress(void **state)
{
    static char texts[150][16];
    const char *pointers[150];
    struct progress progress = {0};
    const lancet_label_options options = {.progress = note_progress, .progress_context = &progress};
    lancet_labels *labels;

    (void)state;
    for (int i = 0; i < 150; i++) {
        snprintf(texts[i], sizeof texts[i], "cat %d", i);
        pointers[i] = texts[i];
    }
    labels = encode(pointers, 150, &options);
    assert_int_equal(progress.total, 150 * 85);
    assert_int_equal(progress.done, 150 * 85);
    assert_true(progress.calls > 10);
    lancet_labels_close(&labels);
}

static void test_progress_can_stop(void **state)
{
    struct progress progress = {.stop = 1};
    const lancet_label_options options = {.progress = note_progress, .progress_context = &progress};
    lancet_labels *labels = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_encode(&labels, session, words, 4, &options, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "stopped");
    assert_null(labels);
    assert_int_equal(progress.calls, 1);
    assert_true(progress.done > 0);
    assert_int_equal(progress.total, 340);
}

static void test_saved_and_opened(void **state)
{
    const char *path = path_of(folder, "bank.safetensors");
    const char *texts[] = {"cat", "\"quoted\" \\ caf\xC3\xA9 \xF0\x9F\x98\x80", "tab\there"};
    lancet_labels *labels = encode(texts, 3, &(lancet_label_options){.redundant = LANCET_REDUNDANT_EMPTY});
    lancet_labels *again = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_save(labels, path, &error), LANCET_OK);
    if (lancet_labels_open(&again, path, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_int_equal(lancet_labels_count(again), 3);
    assert_int_equal(lancet_labels_width(again), lancet_labels_width(labels));
    assert_memory_equal(lancet_labels_features(again), lancet_labels_features(labels),
                        3 * lancet_labels_width(labels) * sizeof(float));
    for (int bare = 0; bare < 2; bare++)
        assert_memory_equal(lancet_labels_empty(again, bare), lancet_labels_empty(labels, bare),
                            lancet_labels_width(labels) * sizeof(float));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(lancet_labels_text(again, i), texts[i]);
    assert_string_equal(lancet_labels_model_hash(again), lancet_model_describe(model)->hash);
    lancet_labels_close(&again);
    lancet_labels_close(&labels);
}

static void test_what_is_no_bank_is_refused(void **state)
{
    static float ones[4] = {1, 0, 0, 1}, wrong[4] = {1, 1, 0, 1}, nothing[4] = {NAN, 0, 0, 1};
    static const char hash[] = "0123456789abcdef0123456789abcdef";
    static const struct {
        const char *format, *hash, *texts, *templates;
        const float *values;
        const char *said;
    } cases[] = {
        {"lancet-labels-1", hash, "[\"a\",\"b\"]", "[\"{}\"]", ones, NULL},
        {"lancet-labels-9", hash, "[\"a\",\"b\"]", "[\"{}\"]", ones, "lancet-labels-1"},
        {"lancet-labels-1", "12", "[\"a\",\"b\"]", "[\"{}\"]", ones, "model_hash"},
        {"lancet-labels-1", hash, "[\"a\"]", "[\"{}\"]", ones, "expected F32 [1,2], found F32 [2,2]"},
        {"lancet-labels-1", hash, "[\"a\",3]", "[\"{}\"]", ones, "item 2: expected a string"},
        {"lancet-labels-1", hash, "{}", "[\"{}\"]", ones, "expected an array of strings"},
        {"lancet-labels-1", hash, "[\"a\",", "[\"{}\"]", ones, "expected an array of strings"},
        {"lancet-labels-1", hash, "[\"a\",\"b\"]", "7", ones, "templates"},
        {"lancet-labels-1", hash, "[\"a\",\"b\"]", "[\"{}\"]", wrong,
         "row 1: expected a feature of length 1"},
        {"lancet-labels-1", hash, "[\"a\",\"b\"]", "[\"{}\"]", nothing,
         "row 1: expected a feature of length 1"},
    };
    const char *path = path_of(folder, "false.safetensors");
    lancet_labels *labels = NULL;
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const keys[] = {"format", "model_hash", "texts", "templates"};
        const char *const values[] = {cases[i].format, cases[i].hash, cases[i].texts, cases[i].templates};
        const lancet_tensor tensor = {
            .name = "features", .rank = 2, .shape = {2, 2}, .count = 4, .data = cases[i].values};

        assert_int_equal(lancet_safetensors_write(path, &tensor, 1, keys, values, 4, &error), LANCET_OK);
        const lancet_status status = lancet_labels_open(&labels, path, &error);

        if (!cases[i].said) {
            assert_int_equal(status, LANCET_OK);
            lancet_labels_close(&labels);
            continue;
        }
        assert_int_equal(status, LANCET_ERROR_INPUT);
        assert_null(labels);
        if (!strstr(error.message, cases[i].said) || !strstr(error.message, "false.safetensors"))
            fail_msg("expected \"%s\" in \"%s\"", cases[i].said, error.message);
    }
    assert_int_equal(lancet_labels_open(&labels, TESTS_FOLDER "/golden/tiny/model.safetensors", &error),
                     LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "not a label bank"));
    assert_int_equal(lancet_labels_open(&labels, path_of(folder, "missing"), &error), LANCET_ERROR_IO);
}

static void test_wrong_calls_are_named(void **state)
{
    lancet_labels *labels = NULL;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_encode(&labels, session, NULL, 1, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode(&labels, session, words, 0, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode(&labels, session, (const char *[]){"a", NULL}, 2, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode(&labels, session, (const char *[]){"a\xFF"}, 1, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode(&labels, NULL, words, 1, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode(NULL, session, words, 1, NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_null(labels);
    assert_int_equal(lancet_labels_count(NULL), 0);
    assert_null(lancet_labels_features(NULL));
}

/* A text is read at the end token. Hugging Face's files may name another than the vocabulary has; 2 is what
 * they said for years and means the highest id of a text. */
static void test_the_end_token_has_to_be_the_vocabularys(void **state)
{
    static const char *const files[] = {"model.safetensors", "vocab.json", "merges.txt"};
    const struct {
        const char *id;
        lancet_status status;
    } cases[] = {{"2", LANCET_OK},
                 {"1513", LANCET_OK},
                 {"null", LANCET_OK},
                 {"1512", LANCET_ERROR_UNSUPPORTED},
                 {"0", LANCET_ERROR_UNSUPPORTED},
                 {"49407", LANCET_ERROR_UNSUPPORTED}};
    const char *from = TESTS_FOLDER "/golden/tiny_hf";
    char *config = file_read(path_of(from, "config.json"), NULL);
    char *place = strstr(config, "\"eos_token_id\": 2");
    char *copy = folder_make();

    (void)state;
    assert_non_null(place);
    for (size_t i = 0; i < 3; i++) {
        size_t length;
        char *bytes = file_read(path_of(from, files[i]), &length);

        assert_non_null(bytes);
        file_write(path_of(copy, files[i]), bytes, length);
        free(bytes);
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lancet_model *other = NULL;
        lancet_session *others = NULL;
        lancet_error error = {0};
        float feature[64];
        char changed[4096];

        snprintf(changed, sizeof changed, "%.*s\"eos_token_id\": %s%s", (int)(place - config), config,
                 cases[i].id, place + strlen("\"eos_token_id\": 2"));
        file_write_text(path_of(copy, "config.json"), changed);
        assert_int_equal(lancet_model_open(&other, path_of(copy, "model.safetensors"), NULL, &error),
                         LANCET_OK);
        assert_int_equal(lancet_session_open(&others, other, NULL, &error), LANCET_OK);
        assert_int_equal(lancet_text_encode(feature, others, words, 1, &error), cases[i].status);
        if (cases[i].status != LANCET_OK)
            assert_non_null(
                strstr(error.message, "text_config.eos_token_id: expected 1513, the end token of"));
        lancet_session_close(&others);
        lancet_model_close(&other);
    }
    free(config);
    folder_remove(copy);
}

/* 49,408 rows of which a vocabulary fills 1,514: the numbers would be of other words. */
static void test_another_tokenizers_embedding(void **state)
{
    const lancet_model_options options = {.vocabulary = TESTS_FOLDER "/golden/tiny"};
    lancet_model *other = NULL;
    lancet_session *others = NULL;
    lancet_error error = {0};
    float feature[80];

    (void)state;
    assert_int_equal(lancet_model_open(&other,
                                       path_of(golden_needed("open_clip_a"), "open_clip_model.safetensors"),
                                       &options, &error),
                     LANCET_OK);
    assert_int_equal(lancet_session_open(&others, other, NULL, &error), LANCET_OK);
    assert_int_equal(lancet_text_encode(feature, others, words, 1, &error), LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "its embedding is of 49408 tokens, of which"));
    lancet_session_close(&others);
    lancet_model_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_ensemble_is_what_it_says),
        cmocka_unit_test(test_one_label_brings_the_empty_string),
        cmocka_unit_test(test_lost_words_are_shown),
        cmocka_unit_test(test_many_labels_in_several_batches),
        cmocka_unit_test(test_many_texts_in_several_batches),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_progress_can_stop),
        cmocka_unit_test(test_saved_and_opened),
        cmocka_unit_test(test_what_is_no_bank_is_refused),
        cmocka_unit_test(test_wrong_calls_are_named),
        cmocka_unit_test(test_the_end_token_has_to_be_the_vocabularys),
        cmocka_unit_test(test_another_tokenizers_embedding),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
