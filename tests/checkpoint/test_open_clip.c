/* What open_clip's files have that OpenAI's do not. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tiny_model.h"

#include "base/memory.h"
#include "checkpoint/clip_settle.h"
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

/* A configuration whose sizes are read, as lancet_clip_settle expects it; the checkpoint is empty. */
static lancet_status settle(lancet_clip_configuration *c, const char *open_clip, const char *preprocessor,
                            const lancet_model_options *options, lancet_error *error)
{
    static const char bytes[] = "\x02\0\0\0\0\0\0\0{}";
    static const lancet_model_options defaults;
    lancet_clip_files files = {0};
    lancet_checkpoint *checkpoint;
    lancet_status status = LANCET_OK;

    if (open_clip)
        status = lancet_settings_parse(&files.open_clip, LANCET_SETTINGS_OPEN_CLIP, open_clip,
                                       strlen(open_clip), "settings", error);
    if (status == LANCET_OK && preprocessor)
        status = lancet_settings_parse(&files.preprocessor, LANCET_SETTINGS_PREPROCESSOR, preprocessor,
                                       strlen(preprocessor), "settings", error);
    if (status != LANCET_OK)
        return status;
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, bytes, sizeof bytes - 1, "empty", error),
                     LANCET_OK);
    status = lancet_clip_settle(c, checkpoint, &files, options ? options : &defaults, error);
    lancet_checkpoint_close(&checkpoint);
    return status;
}

static lancet_clip_configuration sizes_of(size_t vision_width, size_t text_width)
{
    return (lancet_clip_configuration){
        .has_vision = true,
        .has_text = true,
        .embedding_width = 512,
        .image_side = 224,
        .patch_side = 14,
        .grid_side = 16,
        .vision_width = vision_width,
        .vision_blocks = 2,
        .vision_hidden = 4 * vision_width,
        .text_width = text_width,
        .text_blocks = 2,
        .text_hidden = 4 * text_width,
        .context_length = 77,
        .vocabulary_size = 49408,
    };
}

/* Widths, head widths and text widths are those of open_clip's own configuration files. */
static void test_published_head_widths(void **state)
{
    static const struct {
        const char *model;
        size_t width, heads, text_width, text_heads;
        const char *note;
    } models[] = {
        {"ViT-S-16", 384, 6, 384, 6, NULL},
        {"ViT-B-32", 768, 12, 512, 8, NULL},
        {"ViT-B-16-plus", 896, 14, 640, 10, NULL},
        {"ViT-L-14", 1024, 16, 768, 12, NULL},
        {"ViT-H-14", 1280, 16, 1024, 16,
         "heads were assumed to be of 80 channels, as in open_clip's ViT-H-14."},
        {"ViT-g-14", 1408, 16, 1024, 16, "of 88 channels, as in open_clip's ViT-g-14."},
        {"ViT-bigG-14", 1664, 16, 1280, 20, "of 104 channels, as in open_clip's ViT-bigG-14."},
        {"ViT-e-14", 1792, 16, 1280, 20, "of 112 channels, as in open_clip's ViT-e-14."},
        {"none", 1536, 24, 1280, 20, "of 64 channels, but towers of more than 1024 often have others"},
    };
    lancet_error error = {0};

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        lancet_clip_configuration c = sizes_of(models[i].width, models[i].text_width);

        assert_int_equal(settle(&c, NULL, NULL, NULL, &error), LANCET_OK);
        assert_int_equal(c.vision_heads, models[i].heads);
        assert_int_equal(c.text_heads, models[i].text_heads);
        if (models[i].note)
            assert_non_null(strstr(c.missing, models[i].note));
        else
            assert_null(strstr(c.missing, "heads"));
    }

    /* Whoever says it goes before the table, and nothing is assumed then. */
    lancet_clip_configuration c = sizes_of(1280, 1024);
    assert_int_equal(
        settle(&c, "{\"vision_cfg\":{\"head_width\":40},\"text_cfg\":{\"heads\":4}}", NULL, NULL, &error),
        LANCET_OK);
    assert_true(c.vision_heads == 32 && c.text_heads == 4);
    assert_string_equal(c.missing, "");
    c = sizes_of(1280, 1024);
    assert_int_equal(settle(&c, "{\"vision_cfg\":{},\"text_cfg\":{}}", NULL, NULL, &error), LANCET_OK);
    assert_true(c.vision_heads == 20 && c.text_heads == 8); /* open_clip's defaults */
    c = sizes_of(1280, 1024);
    assert_int_equal(
        settle(&c, NULL, NULL, &(lancet_model_options){.head_width = 160, .text_head_width = 128}, &error),
        LANCET_OK);
    assert_true(c.vision_heads == 8 && c.text_heads == 8);
    c = sizes_of(1280, 1024);
    assert_int_equal(settle(&c, NULL, NULL, &(lancet_model_options){.head_width = 80}, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_string_equal(error.message, "empty: the text tower's width 1024 is no multiple of the head width "
                                       "80, as in the option: the option text_head_width sets another");
}

/* The widths of ViT-g, bigG and e times their ratios, truncated as open_clip does. */
static void test_hidden_widths(void **state)
{
    static const struct {
        size_t width, hidden;
        const char *ratio;
    } towers[] = {
        {1408, 6144, "4.3637"}, {1664, 8192, "4.9231"}, {1792, 15360, "8.5715"}, {1152, 4304, "3.7362"}};
    lancet_error error = {0};

    (void)state;
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        lancet_clip_configuration c = sizes_of(towers[i].width, 512);
        char text[96];

        snprintf(text, sizeof text, "{\"vision_cfg\":{\"mlp_ratio\":%s,\"head_width\":16}}", towers[i].ratio);
        c.vision_hidden = towers[i].hidden;
        assert_int_equal(settle(&c, text, NULL, NULL, &error), LANCET_OK);
        c.vision_hidden++;
        assert_int_equal(settle(&c, text, NULL, NULL, &error), LANCET_ERROR_INPUT);
        assert_non_null(strstr(error.message, "vision_cfg.mlp_ratio"));
    }
}

/* Every setting that is known to change nothing, or nothing that the tensors do not tell. */
static void test_harmless_settings(void **state)
{
    static const char everything[] =
        "{\"model_cfg\":{\"embed_dim\":512,\"custom_text\":true,\"init_logit_bias\":-10,"
        "\"nonscalar_logit_scale\":true,\"quick_gelu\":true,\"multimodal_cfg\":null,"
        "\"vision_cfg\":{\"image_size\":[224,224],\"layers\":2,\"width\":768,\"head_width\":64,"
        "\"patch_size\":14,\"mlp_ratio\":4.0,\"ls_init_value\":null,\"patch_dropout\":0.5,"
        "\"attentional_pool\":false,\"attn_pooler_queries\":256,\"attn_pooler_heads\":8,\"no_ln_pre\":false,"
        "\"pos_embed_type\":\"sin_cos_2d\",\"final_ln_after_pool\":true,\"pool_type\":\"tok\","
        "\"output_tokens\":true,\"act_kwargs\":{},\"norm_kwargs\":{},\"block_type\":\"custom\","
        "\"qk_norm\":false,\"scaled_cosine_attn\":false,\"scale_heads\":false,\"scale_attn_inner\":false,"
        "\"scale_attn\":false,\"scale_fc\":false,\"timm_model_name\":null,\"timm_pool\":\"avg\","
        "\"timm_model_pretrained\":false,\"global_average_pool\":false,\"input_patchnorm\":false},"
        "\"text_cfg\":{\"context_length\":77,\"vocab_size\":49408,\"width\":512,\"heads\":8,\"layers\":2,"
        "\"hf_tokenizer_name\":\"openai/clip-vit-large-patch14\",\"tokenizer_kwargs\":null,"
        "\"hf_model_name\":null,\"hf_proj_type\":\"mlp\",\"embed_cls\":false,\"pad_id\":0,\"eos_id\":2,"
        "\"no_causal_mask\":false,\"final_ln_after_pool\":true,\"pool_type\":\"argmax\",\"proj_bias\":true,"
        "\"proj_type\":\"linear\",\"output_tokens\":true,\"mlp_ratio\":4}},"
        "\"preprocess_cfg\":{\"size\":224,\"mode\":\"RGB\",\"mean\":[0.5,0.5,0.5],\"std\":[0.25,0.5,1],"
        "\"interpolation\":\"bicubic\",\"resize_mode\":\"shortest\",\"fill_color\":0}}";
    lancet_clip_configuration c = sizes_of(768, 512);
    lancet_error error = {0};

    (void)state;
    if (settle(&c, everything, NULL, NULL, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_string_equal(c.missing, "");
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_true(c.mean[1] == 0.5f && c.deviation[0] == 0.25f);
}

static void test_what_training_did_to_pictures(void **state)
{
    static const char other[] =
        "{\"vision_cfg\":{},\"preprocess_cfg\":{\"interpolation\":\"bilinear\",\"resize_mode\":\"longest\"}}";
    lancet_clip_configuration c = sizes_of(768, 512);
    lancet_error error = {0};

    (void)state;
    assert_int_equal(settle(&c, "{\"vision_cfg\":{}}", NULL, NULL, &error), LANCET_OK);
    assert_string_equal(c.missing, "");
    assert_int_equal(settle(&c, other, NULL, NULL, &error), LANCET_OK);
    assert_string_equal(c.missing,
                        "Training resized its pictures by bilinear interpolation, Lancet does by bicubic. "
                        "Training padded its pictures to squares, Lancet resizes them to one.");
    c = sizes_of(768, 512);
    assert_int_equal(settle(&c, "{\"vision_cfg\":{}}", "{\"resample\":2}", NULL, &error), LANCET_OK);
    assert_non_null(strstr(c.missing, "by bilinear interpolation"));
    c = sizes_of(768, 512);
    c.naming = LANCET_NAMING_HUGGING_FACE;
    assert_int_equal(settle(&c, "{\"vision_cfg\":{}}", "{\"resample\":3}", NULL, &error), LANCET_OK);
    assert_string_equal(c.missing, "");
}

/* Where no file says it, the name that weights are published under does. The activations are those of
 * open_clip's table of pretrained models. */
static void test_activation_by_published_name(void **state)
{
    static const struct {
        const char *folder, *file;
        const char *word; /* NULL: nothing is learned */
        lancet_activation activation;
    } places[] = {
        {"models--laion--CLIP-ViT-B-32-laion2B-s34B-b79K/snapshots/39bdeca", "open_clip_model.safetensors",
         "laion2b", LANCET_ACTIVATION_GELU},
        {"models", "ViT-B-32-quickgelu.safetensors", "quickgelu", LANCET_ACTIVATION_QUICK_GELU},
        {"CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "m.safetensors", "datacomp", LANCET_ACTIVATION_GELU},
        {"CommonPool.M", "m.safetensors", "commonpool", LANCET_ACTIVATION_GELU},
        {"metaclip", "b16_400m.safetensors", "metaclip", LANCET_ACTIVATION_QUICK_GELU},
        {"m", "h14_v1.2_altogether.safetensors", "v12altogether", LANCET_ACTIVATION_GELU},
        {"DFN2B-CLIP-ViT-L-14", "m.safetensors", "dfn2b", LANCET_ACTIVATION_QUICK_GELU},
        {"DFN2B-CLIP-ViT-L-14-39B", "m.safetensors", "vitl1439b", LANCET_ACTIVATION_GELU},
        {"DFN5B-CLIP-ViT-H-14", "m.safetensors", "dfn5b", LANCET_ACTIVATION_QUICK_GELU},
        {"m", "vit_b_16-laion400m_e32-55e67d44.safetensors", "laion400m", LANCET_ACTIVATION_GELU},
        {"laion2b/a/b/c", "m.safetensors", NULL, LANCET_ACTIVATION_QUICK_GELU}, /* too far up */
        {"metaclip2/laion2b", "m.safetensors", NULL, LANCET_ACTIVATION_QUICK_GELU},
        {"39b", "m.safetensors", NULL, LANCET_ACTIVATION_QUICK_GELU},
    };
    static tiny_model m;
    lancet_clip_configuration c;
    lancet_checkpoint *checkpoint;
    lancet_error error = {0};

    (void)state;
    tiny_fill(&m, true);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *folder = folder_make(), command[TEST_PATH_SIZE + 128];
        const char *path = path_of(path_of(folder, places[i].folder), places[i].file);

        snprintf(command, sizeof command, "mkdir -p '%s'", path_of(folder, places[i].folder));
        assert_int_equal(system(command), 0);
        assert_int_equal(lancet_safetensors_write(path, m.tensors, m.count, NULL, NULL, 0, &error),
                         LANCET_OK);
        assert_int_equal(lancet_checkpoint_open(&checkpoint, path, &error), LANCET_OK);
        assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, OPTIONS, &error), LANCET_OK);
        assert_int_equal(c.activation, places[i].activation);
        /* Never more than an assumption, so that a person is told. */
        assert_int_equal(strncmp(c.activation_origin, "assumed", 7), 0);
        assert_non_null(strstr(c.missing, "activation was assumed"));
        if (places[i].word)
            assert_non_null(strstr(c.activation_origin, places[i].word));
        else
            assert_string_equal(c.activation_origin, "assumed: no file says");
        lancet_checkpoint_close(&checkpoint);
        folder_remove(folder);
    }
}

/* The same data with the one and with the other: ViT-B-32 alone is of the older kind. */
static void test_activation_of_laion400m(void **state)
{
    static const char bytes[] = "\x02\0\0\0\0\0\0\0{}";
    const lancet_model_options options = {0};
    char *folder = folder_make();
    const char *path = path_of(folder, "laion400m_e31.safetensors");
    lancet_clip_files files = {0};
    lancet_checkpoint *checkpoint;
    lancet_error error = {0};

    (void)state;
    file_write(path, bytes, sizeof bytes - 1);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path, &error), LANCET_OK);
    for (size_t patch = 14; patch <= 32; patch += 2) {
        lancet_clip_configuration c = sizes_of(patch == 14 ? 1024 : 768, 512);

        c.patch_side = patch;
        assert_int_equal(lancet_clip_settle(&c, checkpoint, &files, &options, &error), LANCET_OK);
        assert_int_equal(c.activation, patch == 32 ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU);
    }
    lancet_checkpoint_close(&checkpoint);
    folder_remove(folder);
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
        cmocka_unit_test(test_text_tower_apart),
        cmocka_unit_test(test_linear_projection),
        cmocka_unit_test(test_golden_folder),
        cmocka_unit_test(test_published_head_widths),
        cmocka_unit_test(test_hidden_widths),
        cmocka_unit_test(test_harmless_settings),
        cmocka_unit_test(test_what_training_did_to_pictures),
        cmocka_unit_test(test_activation_by_published_name),
        cmocka_unit_test(test_activation_of_laion400m),
        cmocka_unit_test(test_logit_bias_is_passed_over),
        cmocka_unit_test(test_text_beside_timm),
        cmocka_unit_test(test_wrappers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
