/* What is read off a model's tensors, its roles, and the files beside it. SPDX-License-Identifier: Apache-2.0
 */
#include "checkpoint/tiny_model.h"

#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_weights.h"

#define OPTIONS                                                                                              \
    &(lancet_model_options)                                                                                  \
    {                                                                                                        \
        .head_width = 2                                                                                      \
    }

static lancet_checkpoint *open_bytes(const lancet_buffer *bytes)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open_memory(&checkpoint, bytes->bytes, bytes->length, "tiny", &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return checkpoint;
}

/* The tensor holds the numbers of the one in the model, which start at `first` of its rows. */
static void check_role(const lancet_tensor *tensor, tiny_model *m, const char *name, size_t first)
{
    const lancet_tensor *expected = tiny_find(m, name);
    const size_t row = expected->count / expected->shape[0];
    float numbers[256];

    assert_true(tensor->count && tensor->count <= 256);
    assert_int_equal(tensor->rank, expected->rank);
    for (size_t i = 1; i < tensor->rank; i++)
        assert_int_equal(tensor->shape[i], expected->shape[i]);
    lancet_tensor_read(numbers, tensor, 0, tensor->count);
    assert_memory_equal(numbers, (const float *)expected->data + first * row,
                        tensor->count * sizeof *numbers);
}

static void check_block(const lancet_block_weights *block, tiny_model *m, const char *prefix, bool openai,
                        size_t width)
{
    const struct {
        const lancet_tensor *tensor;
        const char *openai, *hugging_face;
        size_t first;
    } roles[] = {
        {&block->ln_1_weight, "ln_1.weight", "layer_norm1.weight", 0},
        {&block->ln_1_bias, "ln_1.bias", "layer_norm1.bias", 0},
        {&block->ln_2_weight, "ln_2.weight", "layer_norm2.weight", 0},
        {&block->ln_2_bias, "ln_2.bias", "layer_norm2.bias", 0},
        {&block->qkv_weight[0], "attn.in_proj_weight", "self_attn.q_proj.weight", 0},
        {&block->qkv_weight[1], "attn.in_proj_weight", "self_attn.k_proj.weight", 1},
        {&block->qkv_weight[2], "attn.in_proj_weight", "self_attn.v_proj.weight", 2},
        {&block->qkv_bias[0], "attn.in_proj_bias", "self_attn.q_proj.bias", 0},
        {&block->qkv_bias[1], "attn.in_proj_bias", "self_attn.k_proj.bias", 1},
        {&block->qkv_bias[2], "attn.in_proj_bias", "self_attn.v_proj.bias", 2},
        {&block->out_weight, "attn.out_proj.weight", "self_attn.out_proj.weight", 0},
        {&block->out_bias, "attn.out_proj.bias", "self_attn.out_proj.bias", 0},
        {&block->expand_weight, "mlp.c_fc.weight", "mlp.fc1.weight", 0},
        {&block->expand_bias, "mlp.c_fc.bias", "mlp.fc1.bias", 0},
        {&block->contract_weight, "mlp.c_proj.weight", "mlp.fc2.weight", 0},
        {&block->contract_bias, "mlp.c_proj.bias", "mlp.fc2.bias", 0},
    };

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        char name[128];

        snprintf(name, sizeof name, "%s%s", prefix, openai ? roles[i].openai : roles[i].hugging_face);
        check_role(roles[i].tensor, m, name, openai ? roles[i].first * width : 0);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(block->qkv_weight[i].shape[0], width);
        assert_int_equal(block->qkv_bias[i].count, width);
    }
}

static void check_all_roles(bool openai)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_vision_weights vision;
    lancet_text_weights text;
    lancet_error error;

    tiny_fill(&m, openai);
    lancet_buffer bytes = tiny_print(&m, NULL, NULL, 0);
    lancet_checkpoint *checkpoint = open_bytes(&bytes);
    if (lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error) != LANCET_OK ||
        lancet_vision_weights_read(&vision, checkpoint, &c, &error) != LANCET_OK ||
        lancet_text_weights_read(&text, checkpoint, &c, &error) != LANCET_OK)
        fail_msg("%s", error.message);

    assert_int_equal(c.naming, openai ? LANCET_NAMING_OPENAI : LANCET_NAMING_HUGGING_FACE);
    assert_true(c.has_vision && c.has_text);
    assert_int_equal(c.embedding_width, TINY_EMBEDDING);
    assert_int_equal(c.image_side, TINY_PATCH * TINY_GRID);
    assert_int_equal(c.patch_side, TINY_PATCH);
    assert_int_equal(c.grid_side, TINY_GRID);
    assert_int_equal(c.vision_width, TINY_WIDTH);
    assert_int_equal(c.vision_blocks, TINY_BLOCKS);
    assert_int_equal(c.vision_heads, TINY_WIDTH / 2);
    assert_int_equal(c.vision_hidden, TINY_HIDDEN);
    assert_int_equal(c.text_width, TINY_TEXT_WIDTH);
    assert_int_equal(c.text_blocks, TINY_TEXT_BLOCKS);
    assert_int_equal(c.text_heads, TINY_TEXT_WIDTH / 2);
    assert_int_equal(c.text_hidden, TINY_TEXT_HIDDEN);
    assert_int_equal(c.context_length, TINY_CONTEXT);
    assert_int_equal(c.vocabulary_size, TINY_VOCABULARY);
    assert_float_equal(c.logit_scale, 50, 1e-3);
    assert_false(c.logit_scale_assumed);
    assert_float_equal(c.layer_norm_epsilon, 1e-5, 1e-12);
    assert_float_equal(c.mean[1], 0.4578275, 1e-8);
    assert_float_equal(c.deviation[2], 0.27577711, 1e-8);

    check_role(&vision.class_embedding, &m,
               openai ? "visual.class_embedding" : "vision_model.embeddings.class_embedding", 0);
    check_role(&vision.positional_embedding, &m,
               openai ? "visual.positional_embedding" : "vision_model.embeddings.position_embedding.weight",
               0);
    check_role(&vision.patch_weight, &m,
               openai ? "visual.conv1.weight" : "vision_model.embeddings.patch_embedding.weight", 0);
    check_role(&vision.ln_pre_weight, &m,
               openai ? "visual.ln_pre.weight" : "vision_model.pre_layrnorm.weight", 0);
    check_role(&vision.ln_pre_bias, &m, openai ? "visual.ln_pre.bias" : "vision_model.pre_layrnorm.bias", 0);
    check_role(&vision.ln_post_weight, &m,
               openai ? "visual.ln_post.weight" : "vision_model.post_layernorm.weight", 0);
    check_role(&vision.ln_post_bias, &m, openai ? "visual.ln_post.bias" : "vision_model.post_layernorm.bias",
               0);
    check_role(&vision.projection, &m, openai ? "visual.proj" : "visual_projection.weight", 0);
    check_role(&text.token_embedding, &m,
               openai ? "token_embedding.weight" : "text_model.embeddings.token_embedding.weight", 0);
    check_role(&text.positional_embedding, &m,
               openai ? "positional_embedding" : "text_model.embeddings.position_embedding.weight", 0);
    check_role(&text.ln_final_weight, &m, openai ? "ln_final.weight" : "text_model.final_layer_norm.weight",
               0);
    check_role(&text.ln_final_bias, &m, openai ? "ln_final.bias" : "text_model.final_layer_norm.bias", 0);
    check_role(&text.projection, &m, openai ? "text_projection" : "text_projection.weight", 0);
    assert_int_equal(vision.projection_transposed, !openai);
    assert_int_equal(text.projection_transposed, !openai);
    assert_int_equal(vision.block_count, TINY_BLOCKS);
    assert_int_equal(text.block_count, TINY_TEXT_BLOCKS);
    for (size_t i = 0; i < TINY_BLOCKS; i++) {
        char prefix[64];

        snprintf(prefix, sizeof prefix, "%s.%zu.",
                 openai ? "visual.transformer.resblocks" : "vision_model.encoder.layers", i);
        check_block(&vision.blocks[i], &m, prefix, openai, TINY_WIDTH);
    }
    check_block(&text.blocks[0], &m, openai ? "transformer.resblocks.0." : "text_model.encoder.layers.0.",
                openai, TINY_TEXT_WIDTH);
    lancet_vision_weights_close(&vision);
    assert_null(vision.blocks);
    lancet_text_weights_close(&text);
    lancet_vision_weights_close(NULL);
    lancet_text_weights_close(NULL);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

static void test_every_role_under_openai_names(void **state)
{
    (void)state;
    check_all_roles(true);
}

static void test_every_role_under_hugging_face_names(void **state)
{
    (void)state;
    check_all_roles(false);
}

/* Opens the tiny model from a folder with the given files beside it (NULL: none). */
static lancet_status read_beside(lancet_clip_configuration *c, bool openai, const char *config,
                                 const char *preprocessor, const char *open_clip,
                                 const lancet_model_options *options, lancet_error *error)
{
    static const char *const names[] = {"config.json", "preprocessor_config.json", "open_clip_config.json"};
    const char *const texts[] = {config, preprocessor, open_clip};
    static tiny_model m;
    char *folder = folder_make();
    lancet_checkpoint *checkpoint;
    lancet_status status;

    tiny_fill(&m, openai);
    assert_int_equal(
        lancet_safetensors_write(path_of(folder, "m.safetensors"), m.tensors, m.count, NULL, NULL, 0, error),
        LANCET_OK);
    for (size_t i = 0; i < 3; i++)
        if (texts[i])
            file_write_text(path_of(folder, names[i]), texts[i]);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path_of(folder, "m.safetensors"), error), LANCET_OK);
    status = lancet_clip_configuration_read(c, checkpoint, options, error);
    lancet_checkpoint_close(&checkpoint);
    folder_remove(folder);
    return status;
}

#define CONFIG(vision, text)                                                                                 \
    "{\"model_type\":\"clip\",\"extra\":[{\"a\":null}],\"projection_dim\":3,\"vision_config\":{" vision      \
    "},\"text_config\":{" text "}}"

static void test_hugging_face_settings(void **state)
{
    lancet_clip_configuration c;
    lancet_error error = {0};

    (void)state;
    assert_int_equal(
        read_beside(&c, false,
                    CONFIG("\"hidden_size\":4,\"num_attention_heads\":4,\"hidden_act\":\"gelu\","
                           "\"layer_norm_eps\":1e-6,\"image_size\":5,\"patch_size\":2",
                           "\"num_attention_heads\":1,\"hidden_act\":\"gelu\",\"layer_norm_eps\":0.000001"),
                    "{\"image_mean\":[0.25,0.5,0.75],\"image_std\":[1,2,4]}", NULL, NULL, &error),
        LANCET_OK);
    assert_int_equal(c.vision_heads, 4);
    assert_int_equal(c.text_heads, 1);
    assert_int_equal(c.activation, LANCET_ACTIVATION_GELU);
    assert_string_equal(c.activation_origin, "config.json");
    assert_true(c.layer_norm_epsilon == 1e-6f);
    assert_true(c.mean[0] == 0.25f && c.mean[2] == 0.75f && c.deviation[2] == 4);
    assert_string_equal(c.missing, "");

    /* The option goes before the file. */
    assert_int_equal(
        read_beside(&c, false, CONFIG("\"num_attention_heads\":4,\"hidden_act\":\"gelu\"", ""), NULL, NULL,
                    &(lancet_model_options){.head_width = 1, .activation = LANCET_ACTIVATION_QUICK_GELU},
                    &error),
        LANCET_OK);
    assert_int_equal(c.vision_heads, 4);
    assert_int_equal(c.text_heads, 2);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_string_equal(c.activation_origin, "option");

    /* A section that the other library wrote leaves out its defaults. */
    assert_int_equal(read_beside(&c, false, CONFIG("\"model_type\":\"clip_vision_model\"", ""), NULL, NULL,
                                 OPTIONS, &error),
                     LANCET_OK);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_string_equal(c.activation_origin, "config.json");

    /* Towers that differ, where both are wanted and where one is. */
    const char *differ = CONFIG("\"hidden_act\":\"gelu\"", "\"hidden_act\":\"quick_gelu\"");
    assert_int_equal(read_beside(&c, false, differ, NULL, NULL, OPTIONS, &error), LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "different activations"));
    assert_int_equal(read_beside(&c, false, differ, NULL, NULL,
                                 &(lancet_model_options){.head_width = 2, .towers = LANCET_TOWERS_TEXT},
                                 &error),
                     LANCET_OK);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_false(c.has_vision);
    assert_int_equal(c.vision_width, 0);
    assert_int_equal(
        read_beside(&c, false, CONFIG("\"layer_norm_eps\":1e-6", ""), NULL, NULL, OPTIONS, &error),
        LANCET_ERROR_UNSUPPORTED);
}

static void test_open_clip_settings(void **state)
{
    lancet_clip_configuration c;
    lancet_error error = {0};

    (void)state;
    assert_int_equal(
        read_beside(&c, true, NULL, NULL,
                    "{\"model_cfg\":{\"embed_dim\":3,\"vision_cfg\":{\"head_width\":1,\"layers\":2,"
                    "\"mlp_ratio\":1.5,\"norm_kwargs\":{\"eps\":1e-5},\"act_kwargs\":{},"
                    "\"timm_model_name\":null,\"pool_type\":\"tok\"},\"text_cfg\":{\"heads\":2}},"
                    "\"preprocess_cfg\":{\"mean\":[0.5,0.5,0.5],\"std\":[0.5,0.5,0.5]}}",
                    NULL, &error),
        LANCET_OK);
    assert_int_equal(c.vision_heads, 4);
    assert_int_equal(c.text_heads, 2);
    assert_int_equal(c.activation, LANCET_ACTIVATION_GELU); /* open_clip's default */
    assert_string_equal(c.activation_origin, "open_clip_config.json");
    assert_true(c.mean[0] == 0.5f && c.deviation[1] == 0.5f);

    /* The bare form, as in open_clip's own folder of models; config.json of another model is passed over. */
    assert_int_equal(
        read_beside(&c, true, "{\"model_type\":\"bert\",\"hidden_size\":768}", NULL,
                    "{\"quick_gelu\":true,\"vision_cfg\":{\"head_width\":2,\"image_size\":[4,4]},"
                    "\"text_cfg\":{\"heads\":1}}",
                    NULL, &error),
        LANCET_OK);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_int_equal(c.vision_heads, 2);
}

static void test_what_is_assumed_is_said(void **state)
{
    static const char *const keys[] = {"activation"}, *const values[] = {"gelu"}, *const wrong[] = {"tanh"};
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes;
    lancet_error error = {0};

    (void)state;
    tiny_fill(&m, true);
    m.count--; /* logit_scale, the last */
    bytes = tiny_print(&m, NULL, NULL, 0);
    checkpoint = open_bytes(&bytes);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_int_equal(strncmp(c.activation_origin, "assumed", 7), 0);
    assert_non_null(strstr(c.missing, "assumed to be QuickGELU"));
    assert_non_null(strstr(c.missing, "assumed to be QuickGELU"));
    assert_non_null(strstr(c.missing, "no logit_scale: 100 was assumed."));
    assert_true(c.logit_scale_assumed && c.logit_scale == 100);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);

    bytes = tiny_print(&m, keys, values, 1);
    checkpoint = open_bytes(&bytes);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
    assert_int_equal(c.activation, LANCET_ACTIVATION_GELU);
    assert_string_equal(c.activation_origin, "metadata");
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);

    bytes = tiny_print(&m, keys, wrong, 1);
    checkpoint = open_bytes(&bytes);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error),
                     LANCET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "found tanh"));
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

static void test_one_tower_alone(void **state)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_checkpoint *checkpoint;
    lancet_text_weights text;
    lancet_buffer bytes;
    lancet_error error = {0};

    (void)state;
    for (int vision = 0; vision < 2; vision++) {
        m = (tiny_model){0};
        if (vision)
            tiny_add_vision(&m, true);
        else
            tiny_add_text(&m, true);
        bytes = tiny_print(&m, NULL, NULL, 0);
        checkpoint = open_bytes(&bytes);
        assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
        assert_true(c.has_vision == vision && c.has_text == !vision);
        assert_int_equal(c.embedding_width, TINY_EMBEDDING);
        assert_non_null(strstr(c.missing, vision ? "no text tower" : "no picture tower"));
        if (vision)
            assert_int_equal(lancet_text_weights_read(&text, checkpoint, &c, &error), LANCET_ERROR_ARGUMENT);
        assert_int_equal(
            lancet_clip_configuration_read(
                &c, checkpoint,
                &(lancet_model_options){.towers = vision ? LANCET_TOWERS_TEXT : LANCET_TOWERS_VISION},
                &error),
            LANCET_ERROR_INPUT);
        assert_non_null(
            strstr(error.message, vision ? "found a picture tower alone" : "found a text tower alone"));
        lancet_checkpoint_close(&checkpoint);
        lancet_buffer_close(&bytes);
    }
}

static void test_options_out_of_range(void **state)
{
    static tiny_model m;
    const lancet_model_options wrong[] = {{.activation = (lancet_activation)3},
                                          {.towers = (lancet_towers)4},
                                          {.head_width = -1},
                                          {.head_width = 3},
                                          {.head_width = 4}}; /* the text tower's width is 2 */
    lancet_clip_configuration c;
    lancet_error error;

    (void)state;
    tiny_fill(&m, true);
    lancet_buffer bytes = tiny_print(&m, NULL, NULL, 0);
    lancet_checkpoint *checkpoint = open_bytes(&bytes);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error.status = LANCET_OK;
        assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, &wrong[i], &error),
                         LANCET_ERROR_ARGUMENT);
        assert_int_equal(error.status, LANCET_ERROR_ARGUMENT);
    }
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

/* Tensors that are in many files and change nothing are passed over, whatever their type. */
static void test_harmless_extras(void **state)
{
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_vision_weights vision;
    lancet_error error = {0};

    (void)state;
    tiny_fill(&m, false);
    TINY_ADD(&m, "vision_model.embeddings.position_ids", 1, 5);
    TINY_ADD(&m, "vision_model.encoder.layers.0.counter", 1)->dtype = LANCET_I32;
    TINY_ADD(&m, "input_resolution", 1);
    lancet_buffer bytes = tiny_print(&m, NULL, NULL, 0);
    lancet_checkpoint *checkpoint = open_bytes(&bytes);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
    assert_int_equal(lancet_vision_weights_read(&vision, checkpoint, &c, &error), LANCET_OK);
    lancet_vision_weights_close(&vision);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

/* The golden sets, and ours beside the tests. */
static void read_set(const char *path, lancet_clip_configuration *c, lancet_error *error)
{
    lancet_checkpoint *checkpoint;
    lancet_vision_weights vision;
    lancet_text_weights text;

    if (lancet_checkpoint_open(&checkpoint, path, error) != LANCET_OK ||
        lancet_clip_configuration_read(c, checkpoint, NULL, error) != LANCET_OK ||
        lancet_vision_weights_read(&vision, checkpoint, c, error) != LANCET_OK ||
        lancet_text_weights_read(&text, checkpoint, c, error) != LANCET_OK)
        fail_msg("%s", error->message);
    lancet_checkpoint_drop(checkpoint, &vision.patch_weight);
    lancet_vision_weights_close(&vision);
    lancet_text_weights_close(&text);
    lancet_checkpoint_close(&checkpoint);
}

static void test_golden_vit(void **state)
{
    lancet_clip_configuration c[2];
    lancet_error error = {0};

    (void)state;
    read_set(path_of(golden_needed("vit_a"), "model.safetensors"), &c[0], &error);
    read_set(path_of(golden_needed("vit_a"), "containers/hf/model.safetensors"), &c[1], &error);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(c[i].naming, i);
        assert_int_equal(c[i].embedding_width, 64);
        assert_int_equal(c[i].image_side, 48);
        assert_int_equal(c[i].patch_side, 8);
        assert_int_equal(c[i].vision_width, 128);
        assert_int_equal(c[i].vision_blocks, 8);
        assert_int_equal(c[i].vision_heads, 2);
        assert_int_equal(c[i].text_heads, 1);
        assert_int_equal(c[i].text_blocks, 3);
        assert_int_equal(c[i].vocabulary_size, 49408);
        assert_int_equal(c[i].context_length, 77);
        assert_int_equal(c[i].activation, LANCET_ACTIVATION_QUICK_GELU);
    }
    assert_string_equal(c[1].missing, "");
}

static void test_golden_open_clip(void **state)
{
    lancet_clip_configuration c;
    lancet_error error = {0};

    (void)state;
    read_set(path_of(golden_needed("open_clip_a"), "open_clip_model.safetensors"), &c, &error);
    assert_int_equal(c.vision_width, 160);
    assert_int_equal(c.vision_heads, 2);
    assert_int_equal(c.text_heads, 3);
    assert_int_equal(c.activation, LANCET_ACTIVATION_GELU);
    assert_true(c.mean[0] == 0.5f && c.deviation[2] == 0.5f);
    assert_string_equal(c.missing, "");
}

static void test_golden_resnet(void **state)
{
    const char *path = path_of(golden_needed("rn_a"), "model.safetensors");
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration c;
    lancet_resnet_weights weights;
    lancet_error error = {0};

    (void)state;
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path, &error), LANCET_OK);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, NULL, &error), LANCET_OK);
    assert_int_equal(c.family, LANCET_FAMILY_RESNET);
    assert_int_equal(c.stem_width, 16);
    assert_int_equal(c.vision_width, 512);
    assert_int_equal(c.vision_heads, 8);
    assert_int_equal(c.vision_blocks, 5);
    for (size_t i = 0; i < LANCET_RESNET_STAGES; i++)
        assert_int_equal(c.stage_blocks[i], i == 1 ? 2 : 1);
    assert_int_equal(c.image_side, 128);
    assert_int_equal(c.patch_side, 32);
    assert_int_equal(c.grid_side, 4);
    assert_int_equal(c.embedding_width, 64);
    assert_int_equal(c.text_blocks, 2);
    assert_string_equal(c.activation_origin, "assumed: the tensors are of mixed types as in OpenAI's files");
    assert_int_equal(lancet_resnet_weights_read(&weights, checkpoint, &c, &error), LANCET_OK);
    assert_int_equal(weights.block_count, 5);
    assert_string_equal(weights.blocks[1].shortcut.norm.variance.name,
                        "visual.layer2.0.downsample.1.running_var");
    assert_int_equal(weights.blocks[2].shortcut.weight.count, 0);
    assert_string_equal(weights.blocks[4].expand.weight.name, "visual.layer4.0.conv3.weight");
    assert_string_equal(weights.out_bias.name, "visual.attnpool.c_proj.bias");
    lancet_resnet_weights_close(&weights);
    assert_null(weights.blocks);
    lancet_resnet_weights_close(NULL);
    /* Alone it has nothing to assume; and its text tower is like any other. */
    assert_int_equal(lancet_clip_configuration_read(
                         &c, checkpoint, &(lancet_model_options){.towers = LANCET_TOWERS_VISION}, &error),
                     LANCET_OK);
    assert_string_equal(c.missing, "");
    assert_int_equal(lancet_clip_configuration_read(
                         &c, checkpoint, &(lancet_model_options){.towers = LANCET_TOWERS_TEXT}, &error),
                     LANCET_OK);
    assert_int_equal(c.family, LANCET_FAMILY_VIT);
    assert_int_equal(c.text_blocks, 2);
    assert_int_equal(c.vision_width, 0);
    lancet_checkpoint_close(&checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_role_under_openai_names),
        cmocka_unit_test(test_every_role_under_hugging_face_names),
        cmocka_unit_test(test_hugging_face_settings),
        cmocka_unit_test(test_open_clip_settings),
        cmocka_unit_test(test_what_is_assumed_is_said),
        cmocka_unit_test(test_one_tower_alone),
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_harmless_extras),
        cmocka_unit_test(test_golden_vit),
        cmocka_unit_test(test_golden_open_clip),
        cmocka_unit_test(test_golden_resnet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
