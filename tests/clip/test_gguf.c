/* One model in two containers gives the same bits: the golden models as they are, and as GGUF files put
 * together here. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/lancet.h"

#include "checkpoint/gguf_file.h"

#include "checkpoint/checkpoint.h"

#define GOLDEN TESTS_FOLDER "/golden"

static const char *const words[] = {"a cat on the grass", "tv monitor", ""};
enum { WORDS = sizeof words / sizeof *words, SIDE = 56 };

/* A tensor under clip.cpp's name: in its own type, or as floats. */
static void add(gguf_file *file, const char *name, const lancet_tensor *tensor, bool floats)
{
    static const uint32_t types[] = {
        [LANCET_F32] = GGUF_TENSOR_F32, [LANCET_F16] = GGUF_TENSOR_F16, [LANCET_BF16] = GGUF_TENSOR_BF16};
    float *numbers = malloc(tensor->count * sizeof *numbers);

    assert_non_null(numbers);
    lancet_tensor_read(numbers, tensor, 0, tensor->count);
    if (floats)
        gguf_tensor(file, name, tensor->rank, tensor->shape, GGUF_TENSOR_F32, numbers,
                    tensor->count * sizeof *numbers);
    else
        gguf_tensor(file, name, tensor->rank, tensor->shape, types[tensor->dtype], tensor->data,
                    lancet_tensor_bytes(tensor));
    free(numbers);
}

/* OpenAI's matrices [D,C] lie the other way round. */
static void add_transposed(gguf_file *file, const char *name, const lancet_tensor *tensor, bool floats)
{
    const size_t rows = tensor->shape[0], columns = tensor->shape[1], size = lancet_dtype_size(tensor->dtype);
    char *turned = malloc(rows * columns * size);
    lancet_tensor other = *tensor;

    assert_non_null(turned);
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++)
            memcpy(turned + (k * rows + i) * size, (const char *)tensor->data + (i * columns + k) * size,
                   size);
    other.shape[0] = columns;
    other.shape[1] = rows;
    other.data = turned;
    add(file, name, &other, floats);
    free(turned);
}

/* OpenAI's names as Hugging Face's, but for what is packed. */
static void add_openai(gguf_file *file, const lancet_tensor *tensor, bool floats)
{
    static const char *const pieces[][2] = {
        {"attn.out_proj", "attn_out"},
        {"ln_1", "ln1"},
        {"ln_2", "ln2"},
        {"mlp.c_fc", "ffn_down"},
        {"mlp.c_proj", "ffn_up"},
        {"class_embedding", "class_embd"},
        {"conv1", "patch_embd"},
        {"positional_embedding", "position_embd.weight"},
        {"ln_pre", "pre_ln"},
        {"ln_post", "post_ln"},
        {"ln_final", "post_ln"},
        {"token_embedding", "token_embd"},
        {"transformer.resblocks", "blk"},
    };
    const bool vision = strncmp(tensor->name, "visual.", 7) == 0;
    const char *packed = strstr(tensor->name, "attn.in_proj_");
    char name[128], copy[128];

    if (strcmp(tensor->name, "visual.proj") == 0 || strcmp(tensor->name, "text_projection") == 0) {
        add_transposed(file, vision ? "visual_projection.weight" : "text_projection.weight", tensor, floats);
        return;
    }
    snprintf(name, sizeof name, "%s.%s", vision ? "v" : "t", tensor->name + (vision ? 7 : 0));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const char *at = strstr(name, pieces[i][0]);

        if (!at)
            continue;
        snprintf(copy, sizeof copy, "%.*s%s%s", (int)(at - name), name, pieces[i][1],
                 at + strlen(pieces[i][0]));
        snprintf(name, sizeof name, "%s", copy);
    }
    for (size_t i = 0; packed && i < 3; i++) {
        const lancet_tensor part = lancet_tensor_rows(tensor, i * tensor->shape[0] / 3, tensor->shape[0] / 3);
        const char *at = strstr(name, "attn.in_proj_");

        snprintf(copy, sizeof copy, "%.*sattn_%c.%s", (int)(at - name), name, "qkv"[i], packed + 13);
        add(file, copy, &part, floats);
    }
    if (!packed && strcmp(tensor->name, "logit_scale") != 0)
        add(file, name, tensor, floats);
}

/* The model of a golden folder as a GGUF file, with keys for what config.json says there. */
static lancet_buffer convert(const char *folder, bool openai, bool floats)
{
    lancet_checkpoint *checkpoint;
    gguf_file file = {0};
    lancet_error error;

    assert_int_equal(lancet_checkpoint_open(&checkpoint, path_of(folder, "model.safetensors"), &error),
                     LANCET_OK);
    gguf_add_head(&file, true, true);
    if (!openai) {
        gguf_key_number(&file, "clip.use_gelu", GGUF_BOOL, 1);
        gguf_key_number(&file, "clip.vision.attention.head_count", GGUF_U32, 4);
        gguf_key_number(&file, "clip.text.attention.head_count", GGUF_U32, 2);
        gguf_key_float(&file, "clip.vision.attention.layer_norm_epsilon", 1e-3f);
        gguf_key_float(&file, "clip.text.attention.layer_norm_epsilon", 1e-3f);
    }
    for (size_t i = 0; i < lancet_checkpoint_count(checkpoint); i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(checkpoint, i);
        char name[128];

        if (openai)
            add_openai(&file, tensor, floats);
        else if (gguf_name(name, sizeof name, tensor->name))
            add(&file, name, tensor, floats);
    }
    lancet_checkpoint_close(&checkpoint);
    return gguf_print(&file);
}

typedef struct results {
    float *tokens, *texts;
    size_t token_count, width;
} results;

/* Features of a picture, with the position embedding interpolated, and of words. Takes over the model. */
static results compute(lancet_model *model)
{
    static uint8_t pixels[40 * 50 * 3];
    const lancet_picture picture = {pixels, 50, 40, 150};
    const lancet_feature_options options = {.side = SIDE};
    lancet_session *session = NULL;
    lancet_features *features = NULL;
    results r = {.width = (size_t)lancet_model_describe(model)->embedding_width};
    lancet_error error;

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i / 7 + 31 * i);
    assert_int_equal(lancet_session_open(&session, model, NULL, &error), LANCET_OK);
    if (lancet_features_encode(&features, session, &picture, &options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    r.token_count = 1 + lancet_features_grid_height(features) * lancet_features_grid_width(features);
    r.tokens = malloc(r.token_count * r.width * sizeof *r.tokens);
    r.texts = malloc(WORDS * r.width * sizeof *r.texts);
    assert_true(r.tokens && r.texts);
    memcpy(r.tokens, lancet_features_tokens(features), r.token_count * r.width * sizeof *r.tokens);
    if (lancet_text_encode(r.texts, session, words, WORDS, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    lancet_features_close(&features);
    lancet_session_close(&session);
    lancet_model_close(&model);
    return r;
}

static void check_same_bits(const char *folder, bool openai, bool floats)
{
    const lancet_model_options options = {.vocabulary = folder};
    lancet_buffer bytes = convert(folder, openai, floats);
    lancet_model *model = NULL;
    results expected, found;
    lancet_error error;

    if (lancet_model_open(&model, path_of(folder, "model.safetensors"), NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    expected = compute(model);
    if (lancet_model_open_memory(&model, bytes.bytes, bytes.length, "gguf", &options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_string_equal(lancet_model_describe(model)->container, "GGUF");
    assert_string_equal(lancet_model_describe(model)->naming, "clip.cpp");
    assert_int_equal(strncmp(lancet_model_describe(model)->data_types, "F32", 3), 0);
    assert_int_equal(strchr(lancet_model_describe(model)->data_types, ',') == NULL, floats);
    found = compute(model);
    assert_int_equal(found.token_count, expected.token_count);
    assert_int_equal(found.width, expected.width);
    assert_memory_equal(found.tokens, expected.tokens, found.token_count * found.width * sizeof(float));
    assert_memory_equal(found.texts, expected.texts, WORDS * found.width * sizeof(float));
    free(expected.tokens);
    free(expected.texts);
    free(found.tokens);
    free(found.texts);
    lancet_buffer_close(&bytes);
}

static void test_floats(void **state)
{
    (void)state;
    check_same_bits(GOLDEN "/tiny", true, true);
    check_same_bits(GOLDEN "/tiny_hf", false, true);
}

static void test_the_types_of_the_file(void **state)
{
    (void)state;
    check_same_bits(GOLDEN "/tiny", true, false);
    check_same_bits(GOLDEN "/tiny_hf", false, false);
}

/* Quantised types are named in the description. */
static void test_description(void **state)
{
    lancet_model *model = NULL;
    const lancet_model_description *about;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_model_open(&model, GOLDEN "/tiny_gguf/q5_0.gguf", NULL, &error), LANCET_OK);
    about = lancet_model_describe(model);
    assert_string_equal(about->data_types, "F32 x 57, F16 x 1, Q5_0 x 35");
    assert_string_equal(about->activation_origin, "clip.use_gelu in the file");
    assert_true(about->logit_scale_assumed);
    assert_string_equal(about->missing, "The file holds no logit_scale: 100 was assumed.");
    assert_string_equal(about->vocabulary, GOLDEN "/tiny_gguf/vocab.json");
    lancet_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_the_types_of_the_file),
        cmocka_unit_test(test_description),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
