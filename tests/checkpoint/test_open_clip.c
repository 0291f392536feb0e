/* What open_clip's files have that OpenAI's do not. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tiny_model.h"

#include "base/memory.h"
#include "checkpoint/clip_weights.h"

#define OPTIONS                                                                                              \
    &(lancet_model_options)                                                                                  \
    {                                                                                                        \
        .head_width = 2                                                                                      \
    }

/* CustomTextCLIP: "text." before every name of the text tower. */
static void set_text_apart(tiny_model *m)
{
    for (size_t i = 0; i < m->count; i++) {
        char name[96];

        if (strncmp(m->names[i], "visual.", 7) == 0 || strcmp(m->names[i], "logit_scale") == 0)
            continue;
        snprintf(name, sizeof name, "%s", m->names[i]);
        snprintf(m->names[i], sizeof m->names[i], "text.%.80s", name);
    }
}

/* The projection as a linear layer: [C, D] instead of [D, C]. */
static void set_linear_projection(tiny_model *m, const char *prefix, bool bias)
{
    char name[96], layer[96];
    lancet_tensor *weight;

    snprintf(name, sizeof name, "%stext_projection", prefix);
    snprintf(layer, sizeof layer, "%stext_projection.weight", prefix);
    tiny_rename(m, name, layer);
    weight = tiny_find(m, layer);
    weight->shape[0] = TINY_EMBEDDING;
    weight->shape[1] = TINY_TEXT_WIDTH;
    snprintf(layer, sizeof layer, "%stext_projection.bias", prefix);
    if (bias)
        TINY_ADD(m, layer, TINY_EMBEDDING);
}

static lancet_status read_text_tower(lancet_clip_configuration *c, lancet_text_weights *text, tiny_model *m,
                                     lancet_error *error)
{
    lancet_buffer bytes = tiny_print(m, NULL, NULL, 0);
    lancet_checkpoint *checkpoint;
    lancet_status status;

    *text = (lancet_text_weights){0};
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, bytes.bytes, bytes.length, "tiny", error),
                     LANCET_OK);
    status = lancet_clip_configuration_read(c, checkpoint, OPTIONS, error);
    if (status == LANCET_OK)
        status = lancet_text_weights_read(text, checkpoint, c, error);
    if (status == LANCET_OK) {
        const lancet_tensor *embedding =
            tiny_find(m, c->text_apart ? "text.token_embedding.weight" : "token_embedding.weight");
        float numbers[TINY_VOCABULARY * TINY_TEXT_WIDTH];

        lancet_tensor_read(numbers, &text->token_embedding, 0, text->token_embedding.count);
        assert_memory_equal(numbers, embedding->data, sizeof numbers);
        assert_int_equal(text->block_count, TINY_TEXT_BLOCKS);
        assert_int_equal(text->blocks[0].contract_weight.shape[1], TINY_TEXT_HIDDEN);
    }
    lancet_free(text->blocks); /* sizes and counts are still good; the numbers die with the checkpoint */
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
    return status;
}

static void test_text_tower_apart(void **state)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_text_weights text;
    lancet_error error = {0};

    (void)state;
    tiny_fill(&m, true);
    set_text_apart(&m);
    assert_int_equal(read_text_tower(&c, &text, &m, &error), LANCET_OK);
    assert_true(c.has_vision && c.has_text && c.text_apart);
    assert_int_equal(c.naming, LANCET_NAMING_OPENAI);
    assert_int_equal(c.text_blocks, TINY_TEXT_BLOCKS);
    assert_int_equal(c.vision_blocks, TINY_BLOCKS);
    assert_false(text.projection_transposed);
    assert_int_equal(text.projection_bias.count, 0);

    /* A tensor that is missing is named as it would be called in such a file. */
    tiny_rename(&m, "text.ln_final.bias", "other");
    assert_int_equal(read_text_tower(&c, &text, &m, &error), LANCET_ERROR_INPUT);
    assert_string_equal(error.message, "tiny: tensor text.ln_final.bias: expected [2], but it is missing");

    /* The text tower alone is a model too. */
    m = (tiny_model){0};
    tiny_add_text(&m, true);
    set_text_apart(&m);
    assert_int_equal(read_text_tower(&c, &text, &m, &error), LANCET_OK);
    assert_true(!c.has_vision && c.text_apart);
}

static void test_linear_projection(void **state)
{
    static const char *const prefixes[] = {"", "text."};
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_text_weights text;
    lancet_error error = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const char *prefix = prefixes[i / 2];
        const bool bias = i % 2;

        tiny_fill(&m, true);
        if (*prefix)
            set_text_apart(&m);
        set_linear_projection(&m, prefix, bias);
        assert_int_equal(read_text_tower(&c, &text, &m, &error), LANCET_OK);
        assert_true(c.text_apart == (*prefix != '\0'));
        assert_int_equal(c.embedding_width, TINY_EMBEDDING);
        assert_true(text.projection_transposed);
        assert_int_equal(text.projection.shape[0], TINY_EMBEDDING);
        assert_int_equal(text.projection.shape[1], TINY_TEXT_WIDTH);
        assert_int_equal(text.projection_bias.count, bias ? TINY_EMBEDDING : 0);
    }
}

/* The golden folder whose numbers tests/cli/test_verify.c checks. */
static void test_golden_folder(void **state)
{
    const char *path = TESTS_FOLDER "/golden/tiny_open_clip/open_clip_model.safetensors";
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration c;
    lancet_text_weights text;
    lancet_error error = {0};

    (void)state;
    if (lancet_checkpoint_open(&checkpoint, path, &error) != LANCET_OK ||
        lancet_clip_configuration_read(&c, checkpoint, NULL, &error) != LANCET_OK ||
        lancet_text_weights_read(&text, checkpoint, &c, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_true(c.text_apart && c.has_vision && c.has_text);
    assert_true(c.vision_heads == 4 && c.text_heads == 4);
    assert_int_equal(c.vision_hidden, 384);
    assert_int_equal(c.text_hidden, 256);
    assert_int_equal(c.activation, LANCET_ACTIVATION_GELU);
    assert_string_equal(c.activation_origin, "open_clip_config.json");
    assert_true(c.layer_norm_epsilon == 1e-4f);
    assert_true(c.mean[0] == 0.5f && c.deviation[2] == 0.5f);
    assert_string_equal(c.missing, "");
    assert_int_equal(text.projection_bias.count, 48);
    lancet_text_weights_close(&text);
    lancet_checkpoint_close(&checkpoint);
}

/* A bias of a sigmoid's logits changes no cosine and no map. */
static void test_logit_bias_is_passed_over(void **state)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_text_weights text;
    lancet_error error = {0};

    (void)state;
    tiny_fill(&m, true);
    set_text_apart(&m);
    TINY_ADD(&m, "logit_bias", 1);
    assert_int_equal(read_text_tower(&c, &text, &m, &error), LANCET_OK);
}

static void test_text_beside_timm(void **state)
{
    const lancet_model_options options = {.head_width = 2, .towers = LANCET_TOWERS_TEXT};
    static tiny_model m;
    char *folder = folder_make();
    const char *path = path_of(folder, "m.safetensors");
    lancet_clip_configuration c;
    lancet_checkpoint *checkpoint;
    lancet_error error = {0};

    (void)state;
    m = (tiny_model){0};
    tiny_add_text(&m, true);
    set_text_apart(&m);
    TINY_ADD(&m, "visual.trunk.cls_token", 1);
    assert_int_equal(lancet_safetensors_write(path, m.tensors, m.count, NULL, NULL, 0, &error), LANCET_OK);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path, &error), LANCET_OK);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, &options, &error),
                     LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "without open_clip_config.json beside the file"));
    file_write_text(path_of(folder, "open_clip_config.json"),
                    "{\"model_cfg\":{\"vision_cfg\":{\"timm_model_name\":\"vit_base_mci_224\"},"
                    "\"text_cfg\":{\"heads\":1,\"no_causal_mask\":false}}}");
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, &options, &error), LANCET_OK);
    assert_true(!c.has_vision && c.text_apart);
    lancet_checkpoint_close(&checkpoint);
    folder_remove(folder);
}

/* What training puts around a model, in whatever order. */
static void test_wrappers(void **state)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_text_weights text;
    lancet_error error = {0};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static const char *const wrappers[] = {"_orig_mod.", "module._orig_mod.", "model."};

        tiny_fill(&m, true);
        set_text_apart(&m);
        for (size_t k = 0; k < m.count; k++) {
            char name[96];

            snprintf(name, sizeof name, "%s", m.names[k]);
            snprintf(m.names[k], sizeof m.names[k], "%s%.70s", wrappers[i], name);
        }
        lancet_buffer bytes = tiny_print(&m, NULL, NULL, 0);
        lancet_checkpoint *checkpoint;

        assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, bytes.bytes, bytes.length, "m", &error),
                         LANCET_OK);
        assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
        assert_int_equal(lancet_text_weights_read(&text, checkpoint, &c, &error), LANCET_OK);
        assert_true(c.text_apart);
        lancet_text_weights_close(&text);
        lancet_checkpoint_close(&checkpoint);
        lancet_buffer_close(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_tower_apart), cmocka_unit_test(test_linear_projection),
        cmocka_unit_test(test_golden_folder),    cmocka_unit_test(test_logit_bias_is_passed_over),
        cmocka_unit_test(test_text_beside_timm), cmocka_unit_test(test_wrappers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
