/* What is settled where no tensor tells: heads, activation, hidden widths, and settings that change nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tiny_model.h"

#include "checkpoint/clip_settle.h"

#define OPTIONS                                                                                              \
    &(lancet_model_options)                                                                                  \
    {                                                                                                        \
        .head_width = 2                                                                                      \
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_head_widths),
        cmocka_unit_test(test_hidden_widths),
        cmocka_unit_test(test_harmless_settings),
        cmocka_unit_test(test_what_training_did_to_pictures),
        cmocka_unit_test(test_activation_by_published_name),
        cmocka_unit_test(test_activation_of_laion400m),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
