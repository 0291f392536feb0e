/* A caption's tokens: every place of the text tower against numpy's, ranks, maps of a token.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/eye.h"

static const char *const captions[] = {
    "a photo of two cats, lying on a red sofa!",
    "",
    "cat",
    /* more than a context of 77 takes */
    "one two three four five six seven eight nine ten one two three four five six seven eight nine ten one "
    "two "
    "three four five six seven eight nine ten one two three four five six seven eight nine ten one two three "
    "four five six seven eight nine ten one two three four five six seven eight nine ten one two three four "
    "five six seven eight nine ten one two three four five six seven eight nine ten one two three four five",
};
#define CAPTIONS (sizeof captions / sizeof *captions)

static lancet_labels *tokens_of(const char *text)
{
    lancet_labels *tokens = NULL;
    lancet_error error;

    if (lancet_labels_encode_tokens(&tokens, eye.session, text, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return tokens;
}

static void test_against_numpy(void **state)
{
    (void)state;
    for (size_t k = 0; k < CAPTIONS; k++) {
        lancet_labels *tokens = tokens_of(captions[k]);
        const size_t width = lancet_labels_width(tokens), count = lancet_labels_count(tokens);
        lancet_vocabulary *vocabulary = NULL;
        lancet_tokens words = {0};
        int32_t ids[77];
        float numbers[77];
        lancet_npy reference;

        assert_int_equal(lancet_model_describe(eye.model)->context_length, 77);
        assert_int_equal(
            lancet_vocabulary_open(&vocabulary, lancet_model_describe(eye.model)->vocabulary, NULL),
            LANCET_OK);
        assert_int_equal(lancet_tokenize(&words, vocabulary, captions[k], NULL), LANCET_OK);
        assert_int_equal(lancet_tokens_context(ids, 77, NULL, &words, vocabulary, NULL), LANCET_OK);
        assert_int_equal(count, words.count + 2 < 77 ? words.count + 2 : 77);
        for (size_t i = 0; i < 77; i++)
            numbers[i] = (float)ids[i];
        for (size_t i = 0; i < count; i++)
            assert_string_equal(lancet_labels_text(tokens, i), lancet_vocabulary_token(vocabulary, ids[i]));
        eye_write("ids.npy", numbers, (const size_t[]){77}, 1);
        eye_reference("caption " TESTS_FOLDER "/golden/tiny/model.safetensors");
        reference = eye_read("features.npy");
        /* As for the golden vectors of the end token. */
        assert_true(array_difference(reference.values, lancet_labels_features(tokens), count * width) <=
                    2e-4);
        lancet_npy_close(&reference);
        lancet_tokens_close(&words);
        lancet_vocabulary_close(&vocabulary);
        lancet_labels_close(&tokens);
    }
}

/* The end token's feature is the text's own, the start token's that of every text; what was cut is told. */
static void test_ends(void **state)
{
    lancet_labels *tokens = tokens_of(captions[0]), *other = tokens_of(captions[2]), *whole = NULL;
    const size_t width = lancet_labels_width(tokens), last = lancet_labels_count(tokens) - 1;
    const lancet_label_options bare = {.templates = lancet_templates_bare()};

    (void)state;
    assert_int_equal(lancet_labels_encode(&whole, eye.session, captions, 1, &bare, NULL), LANCET_OK);
    assert_memory_equal(lancet_labels_features(tokens), lancet_labels_features(other), width * sizeof(float));
    for (size_t c = 0; c < width; c++) {
        assert_true(fabsf(lancet_labels_features(tokens)[last * width + c] -
                          lancet_labels_features(whole)[c]) <= 1e-6f);
        assert_true(fabsf(lancet_labels_empty(tokens, true)[c] - lancet_labels_empty(whole, true)[c]) <=
                    1e-6f);
    }
    assert_string_equal(lancet_labels_text(tokens, 0), "<|startoftext|>");
    assert_string_equal(lancet_labels_text(tokens, last), "<|endoftext|>");
    assert_null(lancet_labels_lost(tokens, 0));
    assert_null(lancet_labels_empty(tokens, false));
    lancet_labels_close(&other);
    other = tokens_of(captions[3]);
    assert_int_equal(lancet_labels_count(other), 77);
    assert_non_null(lancet_labels_lost(other, 0));
    assert_null(lancet_labels_lost(other, 1));
    lancet_labels_close(&tokens);
    lancet_labels_close(&other);
    lancet_labels_close(&whole);
}

/* Ranks are a permutation in the order of the cosines, which maps have as well. */
static void test_ranks(void **state)
{
    lancet_labels *tokens = tokens_of(captions[0]);
    const size_t count = lancet_labels_count(tokens);
    lancet_token_rank *ranks = calloc(count, sizeof *ranks);
    bool *seen = calloc(count, sizeof *seen);
    lancet_features *features = NULL;
    lancet_maps *maps = NULL;

    (void)state;
    assert_int_equal(lancet_features_encode(&features, eye.session, &eye.picture, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_caption_rank(ranks, features, tokens, NULL), LANCET_OK);
    assert_int_equal(lancet_maps_compute(&maps, features, tokens,
                                         &(lancet_map_options){.redundant = LANCET_REDUNDANT_NONE}, NULL),
                     LANCET_OK);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(ranks[i].rank, 1, count);
        assert_false(seen[ranks[i].rank - 1]);
        seen[ranks[i].rank - 1] = true;
        assert_true(fabsf(ranks[i].score - lancet_maps_class_scores(maps)[i]) <= 1e-6f);
        for (size_t k = 0; k < count; k++)
            assert_true(ranks[i].rank < ranks[k].rank ? ranks[i].score >= ranks[k].score : true);
    }
    lancet_maps_close(&maps);
    assert_int_equal(lancet_maps_compute(&maps, features, tokens,
                                         &(lancet_map_options){.redundant = LANCET_REDUNDANT_EMPTY_BARE},
                                         NULL),
                     LANCET_OK);
    lancet_maps_close(&maps);
    lancet_features_close(&features);
    lancet_labels_close(&tokens);
    free(ranks);
    free(seen);
}

static void test_ties(void **state)
{
    /* A text that stands there twice has one cosine. */
    const char *const same[] = {"cat", "dog", "cat"};
    const lancet_label_options bare = {.templates = lancet_templates_bare()};
    lancet_labels *labels = NULL;
    lancet_features *features = NULL;
    lancet_token_rank ranks[3];

    (void)state;
    assert_int_equal(lancet_labels_encode(&labels, eye.session, same, 3, &bare, NULL), LANCET_OK);
    assert_int_equal(lancet_features_encode(&features, eye.session, &eye.picture, NULL, NULL), LANCET_OK);
    assert_int_equal(lancet_caption_rank(ranks, features, labels, NULL), LANCET_OK);
    assert_true(ranks[0].score == ranks[2].score);
    assert_int_equal(ranks[2].rank, ranks[0].rank + 1);
    lancet_features_close(&features);
    lancet_labels_close(&labels);
}

static void test_wrong_use_is_named(void **state)
{
    lancet_labels *tokens = (lancet_labels *)1;
    lancet_token_rank ranks[EYE_TEXTS];
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_labels_encode_tokens(&tokens, eye.session, "\xFF", &error),
                     LANCET_ERROR_ARGUMENT);
    assert_null(tokens);
    assert_non_null(strstr(error.message, "UTF-8"));
    assert_int_equal(lancet_labels_encode_tokens(&tokens, eye.session, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode_tokens(&tokens, NULL, "a", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_labels_encode_tokens(NULL, eye.session, "a", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_caption_rank(ranks, NULL, eye.labels, &error), LANCET_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "features is NULL"));
    assert_int_equal(lancet_caption_rank(ranks, NULL, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_caption_rank(NULL, NULL, eye.labels, &error), LANCET_ERROR_ARGUMENT);
}

static lancet_status encode_call(lancet_error *error)
{
    lancet_labels *tokens = NULL;
    const lancet_status status = lancet_labels_encode_tokens(&tokens, eye.session, captions[3], error);

    assert_true((status == LANCET_OK) == (tokens != NULL));
    lancet_labels_close(&tokens);
    return status;
}

static lancet_features *features;

static lancet_status rank_call(lancet_error *error)
{
    lancet_token_rank ranks[EYE_TEXTS];

    return lancet_caption_rank(ranks, features, eye.labels, error);
}

static void test_memory(void **state)
{
    (void)state;
    eye_fail_each(encode_call);
    assert_int_equal(lancet_features_encode(&features, eye.session, &eye.picture, NULL, NULL), LANCET_OK);
    eye_fail_each(rank_call);
    lancet_features_close(&features);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_numpy),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_wrong_use_is_named),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests_name("caption", tests, eye_open, eye_close);
}
