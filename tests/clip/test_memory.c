/* Every allocation of opening, encoding and explaining made to fail once: a clean error each time, nothing
 * leaked (under AddressSanitizer), nothing left behind for the next call. SPDX-License-Identifier: Apache-2.0
 */
#include "lancet/lancet.h"

#include "base/memory.h"
#include "support/files.h"

static const char *const model_path = TESTS_FOLDER "/golden/tiny/model.safetensors";
static const char *const resnet_path = TESTS_FOLDER "/golden/tiny_rn/model.safetensors";
static uint8_t pixels[20 * 30 * 3];
static const lancet_picture picture = {pixels, 30, 20, 0};
static const lancet_explain_options options = {.session = {.threads = 2},
                                               .labels = {.redundant = LANCET_REDUNDANT_AUTO}};

/* Runs `call` with the n-th allocation failing, for every n from 1 until it gets through. A large job takes
 * thousands of allocations of a few kinds: beyond the first hundred, ever wider steps. */
static void fail_each(lancet_status (*call)(lancet_error *error))
{
    uint64_t n = 1;

    for (;; n += n < 200 ? 1 : n / 40) {
        lancet_error error = {0};

        lancet_memory_fail_at(n);
        const lancet_status status = call(&error);
        const uint64_t requests = lancet_memory_requests();

        lancet_memory_fail_at(0);
        if (requests < n) {
            assert_int_equal(status, LANCET_OK);
            break;
        }
        if (status != LANCET_ERROR_MEMORY)
            fail_msg("allocation %lu failed: expected out of memory, found status %d (%s)", (unsigned long)n,
                     status, error.message);
        assert_non_null(strstr(error.message, "out of memory"));
    }
    assert_true(n > 1);
}

static lancet_model *model;
static lancet_session *session;
static lancet_labels *labels;
static lancet_features *features;

static lancet_status open_call(lancet_error *error)
{
    lancet_model *opened = NULL;
    const lancet_status status = lancet_model_open(&opened, model_path, NULL, error);

    assert_true((status == LANCET_OK) == (opened != NULL));
    lancet_model_close(&opened);
    return status;
}

static lancet_status labels_call(lancet_error *error)
{
    const char *texts[] = {
        "cat", "a much longer text that has to be cut, a much longer text that has to be cut, a much "
               "longer text that has to be cut, a much longer text that has to be cut"};
    const lancet_label_options bare = {.templates = lancet_templates_bare(),
                                       .redundant = LANCET_REDUNDANT_EMPTY};
    lancet_labels *encoded = NULL;
    const lancet_status status = lancet_labels_encode(&encoded, session, texts, 2, &bare, error);

    assert_true((status == LANCET_OK) == (encoded != NULL));
    lancet_labels_close(&encoded);
    return status;
}

static lancet_status texts_call(lancet_error *error)
{
    const char *texts[] = {"a cat", "a dog", "a cat", "", "a cat on a table"};
    lancet_session *fresh = NULL;
    lancet_status status = lancet_session_open(&fresh, model, &options.session, error);
    float *encoded = calloc(5 * (size_t)lancet_model_describe(model)->embedding_width, sizeof *encoded);

    if (status == LANCET_OK)
        status = lancet_text_encode(encoded, fresh, texts, 5, error);
    free(encoded);
    lancet_session_close(&fresh);
    return status;
}

static lancet_status features_call(lancet_error *error)
{
    const lancet_picture pictures[] = {picture, picture};
    lancet_features *encoded[2] = {NULL, NULL};
    lancet_session *fresh = NULL;
    lancet_status status = lancet_session_open(&fresh, model, &options.session, error);

    if (status == LANCET_OK)
        status = lancet_features_encode_batch(encoded, fresh, pictures, 2,
                                              &(lancet_feature_options){.side = 64}, error);
    for (int i = 0; i < 2; i++) {
        assert_true((status == LANCET_OK) == (encoded[i] != NULL));
        lancet_features_close(&encoded[i]);
    }
    lancet_session_close(&fresh);
    return status;
}

static lancet_status maps_call(lancet_error *error)
{
    lancet_maps *maps = NULL;
    lancet_point points[64];
    float map[100];
    size_t count;
    lancet_status status = lancet_maps_compute(&maps, features, labels, NULL, error);

    if (status == LANCET_OK)
        status = lancet_maps_write(maps, 0, 10, 10, map, error);
    if (status == LANCET_OK)
        status = lancet_maps_points(maps, 0, 10, 10, -1, points, 64, &count, error);
    lancet_maps_close(&maps);
    return status;
}

static lancet_status explain_call(lancet_error *error)
{
    lancet_maps *maps = NULL;
    const lancet_status status =
        lancet_explain(&maps, model, &picture, (const char *[]){"cat"}, 1, &options, error);

    assert_true((status == LANCET_OK) == (maps != NULL));
    lancet_maps_close(&maps);
    return status;
}

static lancet_status save_call(lancet_error *error)
{
    const char *path = path_of("/tmp", "lancet-test-memory-bank.safetensors");
    lancet_labels *again = NULL;
    lancet_status status = lancet_labels_save(labels, path, error);

    if (status == LANCET_OK)
        status = lancet_labels_open(&again, path, error);
    lancet_labels_close(&again);
    unlink(path);
    return status;
}

/* A conversion, and the converted file opened: scales, configuration and vocabulary inside. */
static lancet_status convert_call(lancet_error *error)
{
    const char *path = path_of("/tmp", "lancet-test-memory-model.safetensors");
    lancet_model *opened = NULL;
    lancet_status status = lancet_model_convert(
        NULL, model, path, &(lancet_convert_options){.type = LANCET_WEIGHTS_INT8}, error);

    assert_true((status == LANCET_OK) == path_exists(path));
    if (status == LANCET_OK)
        status =
            lancet_model_open(&opened, path, &(lancet_model_options){.towers = LANCET_TOWERS_NONE}, error);
    lancet_model_close(&opened);
    unlink(path);
    return status;
}

static int visit(void *context, int block, size_t tokens, size_t width, const float *original,
                 const float *surgery)
{
    (void)context, (void)block, (void)tokens, (void)width, (void)original, (void)surgery;
    return 0;
}

static lancet_status walk_call(lancet_error *error)
{
    return lancet_tokens_walk(session, &picture, &(lancet_feature_options){.side = 64}, visit, NULL, NULL,
                              error);
}

static lancet_status attention_call(lancet_error *error)
{
    static float rows[65 * 65];

    return lancet_attention_rows(rows, session, &picture, &(lancet_feature_options){.side = 64}, NULL, error);
}

static lancet_status slide_call(lancet_error *error)
{
    const lancet_window_options windows = {.side = 16};
    lancet_maps *maps = NULL;
    const lancet_status status = lancet_maps_slide(
        &maps, session, &picture, labels, &(lancet_feature_options){.side = 24}, &windows, NULL, error);

    assert_true((status == LANCET_OK) == (maps != NULL));
    lancet_maps_close(&maps);
    return status;
}

static lancet_status resnet_open_call(lancet_error *error)
{
    lancet_model *opened = NULL;
    const lancet_status status = lancet_model_open(&opened, resnet_path, NULL, error);

    assert_true((status == LANCET_OK) == (opened != NULL));
    lancet_model_close(&opened);
    return status;
}

static lancet_model *resnet;

/* A size that interpolates the position embedding, and the attention beside the features. */
static lancet_status resnet_call(lancet_error *error)
{
    const lancet_feature_options sizes = {.width = 96, .height = 64, .pool_attention = LANCET_POOL_VV_NORM8};
    static float rows[3 * 7 * 7];
    lancet_features *encoded = NULL;
    lancet_session *fresh = NULL;
    lancet_status status = lancet_session_open(&fresh, resnet, &options.session, error);

    if (status == LANCET_OK)
        status = lancet_features_encode(&encoded, fresh, &picture, &sizes, error);
    assert_true((status == LANCET_OK) == (encoded != NULL));
    if (status == LANCET_OK)
        status = lancet_attention_rows(rows, fresh, &picture, &sizes, NULL, error);
    if (status == LANCET_OK)
        status = lancet_tokens_walk(fresh, &picture, &sizes, visit, NULL, NULL, error);
    lancet_features_close(&encoded);
    lancet_session_close(&fresh);
    return status;
}

static void test_open(void **state)
{
    (void)state;
    fail_each(open_call);
}

static void test_resnet(void **state)
{
    lancet_error error;

    (void)state;
    fail_each(resnet_open_call);
    assert_int_equal(lancet_model_open(&resnet, resnet_path, NULL, &error), LANCET_OK);
    fail_each(resnet_call);
    lancet_model_close(&resnet);
}

static void test_labels(void **state)
{
    (void)state;
    fail_each(labels_call);
}

static void test_texts(void **state)
{
    (void)state;
    fail_each(texts_call);
}

static void test_features(void **state)
{
    (void)state;
    fail_each(features_call);
}

static void test_maps(void **state)
{
    (void)state;
    fail_each(maps_call);
}

static void test_explain(void **state)
{
    (void)state;
    fail_each(explain_call);
}

static void test_bank(void **state)
{
    (void)state;
    fail_each(save_call);
}

static void test_convert(void **state)
{
    (void)state;
    fail_each(convert_call);
}

static void test_walk(void **state)
{
    (void)state;
    fail_each(walk_call);
}

static void test_attention(void **state)
{
    (void)state;
    fail_each(attention_call);
}

static void test_slide(void **state)
{
    (void)state;
    fail_each(slide_call);
}

static int open_all(void **state)
{
    lancet_error error = {0};
    const lancet_label_options bare = {.templates = lancet_templates_bare()};

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 31);
    if (lancet_model_open(&model, model_path, NULL, &error) != LANCET_OK ||
        lancet_session_open(&session, model, &options.session, &error) != LANCET_OK ||
        lancet_labels_encode(&labels, session, (const char *[]){"cat"}, 1, &bare, &error) != LANCET_OK ||
        lancet_features_encode(&features, session, &picture, NULL, &error) != LANCET_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lancet_features_close(&features);
    lancet_labels_close(&labels);
    lancet_session_close(&session);
    lancet_model_close(&model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),    cmocka_unit_test(test_labels),    cmocka_unit_test(test_features),
        cmocka_unit_test(test_maps),    cmocka_unit_test(test_explain),   cmocka_unit_test(test_bank),
        cmocka_unit_test(test_walk),    cmocka_unit_test(test_attention), cmocka_unit_test(test_slide),
        cmocka_unit_test(test_convert), cmocka_unit_test(test_texts),     cmocka_unit_test(test_resnet),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
