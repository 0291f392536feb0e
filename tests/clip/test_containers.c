/* One model in every container: the same features, bit for bit. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "checkpoint/archive.h"

#include "checkpoint/checkpoint.h"

#define TINY TESTS_FOLDER "/golden/tiny"

/* What a model gives for one picture and two texts. */
typedef struct results {
    float *tokens, *words;
    size_t token_count, word_count;
} results;

static results compute(const lancet_model *model)
{
    static const char *const texts[] = {"a cat", "dog"};
    static uint8_t pixels[40 * 30 * 3];
    const lancet_picture picture = {.rgb = pixels, .width = 40, .height = 30};
    const size_t width = (size_t)lancet_model_describe(model)->embedding_width;
    lancet_session *session = NULL;
    lancet_features *features = NULL;
    lancet_error error;
    results r;

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i % 251);
    r.word_count = 2 * width;
    r.words = calloc(r.word_count, sizeof *r.words);
    if (lancet_session_open(&session, model, NULL, &error) != LANCET_OK ||
        lancet_features_encode(&features, session, &picture,
                               &(lancet_feature_options){.path = LANCET_PATH_SURGERY}, &error) != LANCET_OK ||
        lancet_text_encode(r.words, session, texts, 2, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    r.token_count =
        (1 + lancet_features_grid_height(features) * lancet_features_grid_width(features)) * width;
    r.tokens = calloc(r.token_count, sizeof *r.tokens);
    memcpy(r.tokens, lancet_features_tokens(features), r.token_count * sizeof *r.tokens);
    lancet_features_close(&features);
    lancet_session_close(&session);
    return r;
}

static void close_results(results *r)
{
    free(r->tokens);
    free(r->words);
}

/* Closes the model. */
static void check_same(lancet_model *model, const results *expected)
{
    results found = compute(model);

    assert_int_equal(found.token_count, expected->token_count);
    assert_memory_equal(found.tokens, expected->tokens, found.token_count * sizeof *found.tokens);
    assert_int_equal(found.word_count, expected->word_count);
    assert_memory_equal(found.words, expected->words, found.word_count * sizeof *found.words);
    close_results(&found);
    lancet_model_close(&model);
}

static lancet_model *open_model(const char *path, const char *vocabulary)
{
    const lancet_model_options options = {.vocabulary = vocabulary};
    lancet_model *model;
    lancet_error error;

    if (lancet_model_open(&model, path, &options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return model;
}

/* The small model that comes with the tests, packed as PyTorch would. */
static void test_tiny(void **state)
{
    const lancet_model_options options = {.vocabulary = TINY, .activation = LANCET_ACTIVATION_GELU};
    lancet_tensor tensors[512];
    lancet_checkpoint *checkpoint;
    lancet_model *model;
    lancet_error error;
    results expected;
    char *folder = folder_make();

    (void)state;
    assert_int_equal(lancet_checkpoint_open(&checkpoint, TINY "/model.safetensors", &error), LANCET_OK);
    assert_true(lancet_checkpoint_count(checkpoint) <= 512);
    for (size_t i = 0; i < lancet_checkpoint_count(checkpoint); i++)
        tensors[i] = *lancet_checkpoint_tensor(checkpoint, i);
    assert_int_equal(lancet_model_open(&model, TINY "/model.safetensors", &options, &error), LANCET_OK);
    expected = compute(model);
    lancet_model_close(&model);
    for (int script = 0; script < 2; script++) {
        lancet_buffer bytes = archive_print(tensors, lancet_checkpoint_count(checkpoint), script);
        const char *path = path_of(folder, script ? "script.pt" : "weights.bin");

        if (lancet_model_open_memory(&model, bytes.bytes, bytes.length, "m", &options, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_string_equal(lancet_model_describe(model)->container, "PyTorch");
        assert_string_equal(lancet_model_describe(model)->activation_origin, "option");
        check_same(model, &expected);
        file_write(path, bytes.bytes, bytes.length);
        assert_int_equal(lancet_model_open(&model, path, &options, &error), LANCET_OK);
        check_same(model, &expected);
        lancet_buffer_close(&bytes);
    }
    close_results(&expected);
    lancet_checkpoint_close(&checkpoint);
    folder_remove(folder);
}

static void check_golden(const char *folder, const char *const *containers, size_t count)
{
    const char *vocabulary = golden_needed("../vocabulary");
    lancet_model *model = open_model(path_of(folder, "model.safetensors"), vocabulary);
    results expected = compute(model);

    lancet_model_close(&model);
    for (size_t i = 0; i < count; i++)
        check_same(open_model(path_of(folder, containers[i]), vocabulary), &expected);
    close_results(&expected);
}

static void test_golden(void **state)
{
    static const char *const containers[] = {"containers/state_dict.pt", "containers/torchscript.pt",
                                             "containers/hf/model.safetensors"};

    (void)state;
    check_golden(golden_needed("vit_a"), containers, 3);
    check_golden(golden_needed("rn_a"), containers, 2); /* Hugging Face has no ResNets */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
