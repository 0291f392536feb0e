/* Reading clip.cpp's GGUF files: tensors, keys, and what is decided from both. Files that must be refused are
 * in must_fail. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/gguf_file.h"

#include "checkpoint/clip_roles.h"
#include "checkpoint/clip_weights.h"

static lancet_checkpoint *open_bytes(const lancet_buffer *bytes)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open_memory(&checkpoint, bytes->bytes, bytes->length, "tiny", &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return checkpoint;
}

static lancet_checkpoint *open_file(gguf_file *file, lancet_buffer *bytes)
{
    *bytes = gguf_print(file);
    return open_bytes(bytes);
}

/* The tiny model with the keys that it needs and no more. */
static gguf_file begin_tiny(tiny_model *m, unsigned reversed)
{
    gguf_file file = {0};

    tiny_fill(m, false);
    gguf_add_head(&file, true, true);
    gguf_key_number(&file, "clip.vision.attention.head_count", GGUF_U32, 2);
    gguf_key_number(&file, "clip.text.attention.head_count", GGUF_U32, 1);
    gguf_add_tiny(&file, m, reversed);
    return file;
}

static void check_tensor(const lancet_tensor *tensor, tiny_model *m, const char *name)
{
    const lancet_tensor *expected = tiny_find(m, name);

    assert_int_equal(tensor->rank, expected->rank);
    assert_memory_equal(tensor->shape, expected->shape, tensor->rank * sizeof *tensor->shape);
    assert_memory_equal(tensor->data, expected->data, expected->count * sizeof(float));
}

static void check_block(const lancet_block_weights *block, tiny_model *m, const char *prefix)
{
    const struct {
        const lancet_tensor *tensor;
        const char *name;
    } roles[] = {
        {&block->ln_1_weight, "layer_norm1.weight"},
        {&block->ln_1_bias, "layer_norm1.bias"},
        {&block->ln_2_weight, "layer_norm2.weight"},
        {&block->ln_2_bias, "layer_norm2.bias"},
        {&block->qkv_weight[0], "self_attn.q_proj.weight"},
        {&block->qkv_weight[1], "self_attn.k_proj.weight"},
        {&block->qkv_weight[2], "self_attn.v_proj.weight"},
        {&block->qkv_bias[0], "self_attn.q_proj.bias"},
        {&block->qkv_bias[1], "self_attn.k_proj.bias"},
        {&block->qkv_bias[2], "self_attn.v_proj.bias"},
        {&block->out_weight, "self_attn.out_proj.weight"},
        {&block->out_bias, "self_attn.out_proj.bias"},
        {&block->expand_weight, "mlp.fc1.weight"},
        {&block->expand_bias, "mlp.fc1.bias"},
        {&block->contract_weight, "mlp.fc2.weight"},
        {&block->contract_bias, "mlp.fc2.bias"},
    };

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        char name[128];

        snprintf(name, sizeof name, "%s%s", prefix, roles[i].name);
        check_tensor(roles[i].tensor, m, name);
    }
}

/* Opens the file, reads all of it, and compares every weight with the tiny model's. */
static void check_whole_model(gguf_file *file, tiny_model *m)
{
    lancet_clip_configuration c;
    lancet_vision_weights vision;
    lancet_text_weights text;
    lancet_buffer bytes;
    lancet_checkpoint *checkpoint = open_file(file, &bytes);
    lancet_error error;

    if (lancet_clip_configuration_read(&c, checkpoint, NULL, &error) != LANCET_OK ||
        lancet_vision_weights_read(&vision, checkpoint, &c, &error) != LANCET_OK ||
        lancet_text_weights_read(&text, checkpoint, &c, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_int_equal(c.naming, LANCET_NAMING_CLIP_CPP);
    assert_string_equal(lancet_checkpoint_container(checkpoint), "GGUF");
    assert_true(c.has_vision && c.has_text);
    assert_int_equal(c.vision_hidden, TINY_HIDDEN);
    assert_int_equal(c.text_hidden, TINY_TEXT_HIDDEN);
    assert_int_equal(c.image_side, TINY_PATCH * TINY_GRID);
    assert_int_equal(c.embedding_width, TINY_EMBEDDING);
    check_tensor(&vision.class_embedding, m, "vision_model.embeddings.class_embedding");
    check_tensor(&vision.positional_embedding, m, "vision_model.embeddings.position_embedding.weight");
    check_tensor(&vision.patch_weight, m, "vision_model.embeddings.patch_embedding.weight");
    check_tensor(&vision.ln_pre_weight, m, "vision_model.pre_layrnorm.weight");
    check_tensor(&vision.ln_pre_bias, m, "vision_model.pre_layrnorm.bias");
    check_tensor(&vision.ln_post_weight, m, "vision_model.post_layernorm.weight");
    check_tensor(&vision.ln_post_bias, m, "vision_model.post_layernorm.bias");
    check_tensor(&vision.projection, m, "visual_projection.weight");
    assert_true(vision.projection_transposed);
    check_tensor(&text.token_embedding, m, "text_model.embeddings.token_embedding.weight");
    check_tensor(&text.positional_embedding, m, "text_model.embeddings.position_embedding.weight");
    check_tensor(&text.ln_final_weight, m, "text_model.final_layer_norm.weight");
    check_tensor(&text.ln_final_bias, m, "text_model.final_layer_norm.bias");
    check_tensor(&text.projection, m, "text_projection.weight");
    assert_true(text.projection_transposed);
    assert_int_equal(vision.block_count, TINY_BLOCKS);
    assert_int_equal(text.block_count, TINY_TEXT_BLOCKS);
    check_block(&vision.blocks[0], m, "vision_model.encoder.layers.0.");
    check_block(&vision.blocks[1], m, "vision_model.encoder.layers.1.");
    check_block(&text.blocks[0], m, "text_model.encoder.layers.0.");
    lancet_vision_weights_close(&vision);
    lancet_text_weights_close(&text);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

static void test_every_role(void **state)
{
    static tiny_model m;
    gguf_file file = begin_tiny(&m, 0);

    (void)state;
    check_whole_model(&file, &m);
    file = begin_tiny(&m, 0);
    file.version = 2;
    check_whole_model(&file, &m);
}

/* Names of the two layers change places in some blocks: which is which is told by their shapes. */
static void test_feed_forward_by_shape(void **state)
{
    static tiny_model m;

    (void)state;
    for (unsigned reversed = 1; reversed < 8; reversed++) {
        gguf_file file = begin_tiny(&m, reversed);

        check_whole_model(&file, &m);
    }
}

/* Where both are square, nothing but the name tells: it means what clip.cpp means. */
static void test_square_feed_forward(void **state)
{
    static const float numbers[16];
    static const size_t square[] = {4, 4};
    const lancet_tower_names names = {LANCET_NAMING_CLIP_CPP, true, ""};
    gguf_file file = {0};
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes;

    (void)state;
    gguf_add_head(&file, true, false);
    gguf_tensor(&file, "v.blk.0.ffn_down.weight", 2, square, GGUF_TENSOR_F32, numbers, sizeof numbers);
    gguf_tensor(&file, "v.blk.0.ffn_up.weight", 2, square, GGUF_TENSOR_F32, numbers, sizeof numbers);
    checkpoint = open_file(&file, &bytes);
    for (size_t role = 0; role < LANCET_BLOCK_ROLES; role++)
        assert_ptr_equal(lancet_block_filed(checkpoint, &names, 0, role, 4), &lancet_block_roles[role]);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

/* The configuration of a file with these keys before the tiny model's tensors. */
static lancet_clip_configuration configure(gguf_file *file, tiny_model *m,
                                           const lancet_model_options *options)
{
    lancet_clip_configuration c;
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes;
    lancet_error error;

    gguf_add_tiny(file, m, 0);
    checkpoint = open_file(file, &bytes);
    if (lancet_clip_configuration_read(&c, checkpoint, options, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
    return c;
}

static void test_keys_say_what_no_tensor_does(void **state)
{
    static const float mean[] = {0.5f, 0.25f, -1}, deviation[] = {0.5f, 2, 1};
    static const lancet_model_options other = {.activation = LANCET_ACTIVATION_QUICK_GELU, .head_width = 1};
    static tiny_model m;
    lancet_clip_configuration c;

    (void)state;
    tiny_fill(&m, false);
    for (int gelu = 0; gelu < 4; gelu++) {
        gguf_file file = {0};

        gguf_add_head(&file, true, true);
        gguf_key_number(&file, "clip.use_gelu", GGUF_BOOL, gelu % 2);
        gguf_key_number(&file, "clip.vision.attention.head_count", GGUF_U8, 4);
        gguf_key_number(&file, "clip.text.attention.head_count", GGUF_I64, 2);
        gguf_key_float(&file, "clip.vision.attention.layer_norm_epsilon", 1e-3f);
        gguf_key_float(&file, "clip.text.attention.layer_norm_epsilon", 1e-3f);
        gguf_key_triple(&file, "clip.vision.image_mean", mean);
        gguf_key_triple(&file, "clip.vision.image_std", deviation);
        c = configure(&file, &m, gelu < 2 ? NULL : &other);
        /* The caller's word stands above the file's. */
        assert_int_equal(c.activation, gelu == 1 ? LANCET_ACTIVATION_GELU : LANCET_ACTIVATION_QUICK_GELU);
        assert_string_equal(c.activation_origin, gelu < 2 ? "clip.use_gelu in the file" : "option");
        assert_int_equal(c.vision_heads, 4);
        assert_int_equal(c.text_heads, 2);
        assert_true(c.layer_norm_epsilon == 1e-3f);
        assert_memory_equal(c.mean, mean, sizeof mean);
        assert_memory_equal(c.deviation, deviation, sizeof deviation);
        assert_true(c.logit_scale == 100 && c.logit_scale_assumed);
        assert_string_equal(c.missing, "The file holds no logit_scale: 100 was assumed.");
    }
}

/* Without the keys the likeliest is assumed, and said. */
static void test_keys_left_out(void **state)
{
    static const lancet_model_options options = {.head_width = 2};
    static tiny_model m;
    lancet_clip_configuration c;
    gguf_file file = {0};

    (void)state;
    tiny_fill(&m, false);
    gguf_key_text(&file, "general.architecture", "clip");
    c = configure(&file, &m, &options);
    assert_int_equal(c.activation, LANCET_ACTIVATION_QUICK_GELU);
    assert_string_equal(c.activation_origin, "assumed: no file says");
    assert_non_null(strstr(c.missing, "QuickGELU"));
    assert_int_equal(c.vision_heads, 2);
    assert_true(c.layer_norm_epsilon == 1e-5f);
    assert_true(c.mean[0] == 0.48145466f && c.deviation[2] == 0.27577711f);
}

/* Every size that is right passes; and Hugging Face's default of 512 is no statement about the model. */
static void test_sizes_that_agree(void **state)
{
    static const struct {
        const char *name;
        uint64_t value;
    } sizes[] = {
        {"clip.vision.embedding_length", TINY_WIDTH},
        {"clip.vision.feed_forward_length", TINY_HIDDEN},
        {"clip.vision.block_count", TINY_BLOCKS},
        {"clip.vision.projection_dim", TINY_EMBEDDING},
        {"clip.vision.patch_size", TINY_PATCH},
        {"clip.vision.image_size", TINY_PATCH * TINY_GRID + 1}, /* its last column fills no patch */
        {"clip.text.embedding_length", TINY_TEXT_WIDTH},
        {"clip.text.feed_forward_length", TINY_TEXT_HIDDEN},
        {"clip.text.block_count", TINY_TEXT_BLOCKS},
        {"clip.text.projection_dim", 512},
        {"clip.text.context_length", TINY_CONTEXT},
        {"clip.vision.attention.head_count", 2},
        {"clip.text.attention.head_count", 1},
    };
    static tiny_model m;
    gguf_file file = {0};
    lancet_clip_configuration c;

    (void)state;
    tiny_fill(&m, false);
    gguf_add_head(&file, true, true);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        gguf_key_number(&file, sizes[i].name, i % 2 ? GGUF_U32 : GGUF_U64, sizes[i].value);
    c = configure(&file, &m, NULL);
    assert_int_equal(c.embedding_width, TINY_EMBEDDING);
    assert_int_equal(c.text_heads, 1);
}

/* Values of every type, lists of each, and long keys are passed over. */
static void test_unknown_keys(void **state)
{
    static tiny_model m;
    gguf_file file = {0};
    static char long_key[65536];

    (void)state;
    memset(long_key, 'k', sizeof long_key - 1);
    tiny_fill(&m, false);
    for (uint32_t type = GGUF_U8; type <= GGUF_F64; type++) {
        char name[32];

        snprintf(name, sizeof name, "some.value.%u", type);
        if (type == GGUF_STRING)
            gguf_key_text(&file, name, "\xFF is not looked into");
        else if (type != GGUF_LIST)
            gguf_key_number(&file, name, type, 1);
        snprintf(name, sizeof name, "some.list.%u", type);
        if (type == GGUF_LIST)
            continue;
        gguf_key_list(&file, name, type, 3);
        for (int i = 0; i < 3; i++)
            if (type == GGUF_STRING)
                gguf_put_text(&file.keys, i ? "word" : "");
            else
                gguf_put(&file.keys, 1, (const size_t[]){1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}[type]);
    }
    gguf_key_text(&file, long_key, "");
    gguf_key_list(&file, "tokenizer.ggml.tokens", GGUF_STRING, 0);
    gguf_add_head(&file, true, true);
    gguf_key_number(&file, "clip.vision.attention.head_count", GGUF_U32, 2);
    gguf_key_number(&file, "clip.text.attention.head_count", GGUF_U32, 1);
    gguf_add_tiny(&file, &m, 0);
    check_whole_model(&file, &m);
}

/* One tower alone, and one of two. */
static void test_towers(void **state)
{
    static tiny_model m;
    lancet_error error;

    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        const lancet_model_options towers[] = {{.head_width = 2, .towers = LANCET_TOWERS_VISION},
                                               {.head_width = 2, .towers = LANCET_TOWERS_TEXT},
                                               {.head_width = 2}};

        tiny_fill(&m, false);
        for (int which = 0; which < 3; which++) {
            lancet_clip_configuration c;
            lancet_checkpoint *checkpoint;
            lancet_buffer bytes;
            lancet_status status;
            gguf_file file = {0};

            gguf_add_head(&file, true, !alone);
            if (alone)
                for (size_t i = 0; i < m.count; i++)
                    if (strncmp(m.names[i], "text_", 5) == 0)
                        snprintf(m.names[i], sizeof m.names[i], "text_model.position_ids");
            gguf_add_tiny(&file, &m, 0);
            checkpoint = open_file(&file, &bytes);
            status = lancet_clip_configuration_read(&c, checkpoint, &towers[which], &error);
            assert_int_equal(status, alone && which == 1 ? LANCET_ERROR_INPUT : LANCET_OK);
            if (status == LANCET_OK) {
                assert_int_equal(c.has_vision, which != 1);
                assert_int_equal(c.has_text, which != 0 && !alone);
                assert_int_equal(strstr(c.missing, "no text tower") != NULL, alone && which == 2);
            }
            lancet_checkpoint_close(&checkpoint);
            lancet_buffer_close(&bytes);
        }
    }
}

/* Shapes come with the last side first; quantised and unreadable tensors; alignment; empty tensors. */
static void test_table(void **state)
{
    static const size_t two[] = {3, 64}, empty[] = {0, 5}, k[] = {1, 256};
    uint8_t blocks[6 * 34], k_block[144] = {0};
    const uint16_t halves[] = {0x3C00, 0xC000};
    const uint16_t brains[] = {0x3F80, 0xC000};
    gguf_file file = {.alignment = 64};
    lancet_checkpoint *checkpoint;
    const lancet_tensor *tensor;
    lancet_buffer bytes;
    float numbers[3 * 64];

    (void)state;
    memset(blocks, 0, sizeof blocks);
    for (int i = 0; i < 6; i++)
        blocks[34 * i + 1] = 0x3C; /* a scale of 1 */
    blocks[34 * 5 + 2 + 31] = 0xFE;
    gguf_key_text(&file, "general.architecture", "clip");
    gguf_key_number(&file, "general.alignment", GGUF_U32, 64);
    gguf_key_number(&file, "general.quantization_version", GGUF_U32, 2);
    gguf_tensor(&file, "q", 2, two, GGUF_TENSOR_Q8_0, blocks, sizeof blocks);
    gguf_tensor(&file, "none", 2, empty, GGUF_TENSOR_F32, NULL, 0);
    gguf_tensor(&file, "half", 1, (const size_t[]){2}, GGUF_TENSOR_F16, halves, sizeof halves);
    gguf_tensor(&file, "k", 2, k, GGUF_TENSOR_Q4_K, k_block, sizeof k_block);
    gguf_tensor(&file, "brain", 0, NULL, GGUF_TENSOR_BF16, brains, 2);
    checkpoint = open_file(&file, &bytes);
    tensor = lancet_checkpoint_find(checkpoint, "q");
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, LANCET_Q8_0);
    assert_int_equal(tensor->shape[0], 3);
    assert_int_equal(tensor->shape[1], 64);
    assert_int_equal(((const char *)tensor->data - bytes.bytes) % 64, 0);
    lancet_tensor_read(numbers, tensor, 0, tensor->count);
    assert_true(numbers[191] == -2 && numbers[190] == 0 && numbers[0] == 0);
    tensor = lancet_checkpoint_find(checkpoint, "half");
    lancet_tensor_read(numbers, tensor, 0, 2);
    assert_true(numbers[0] == 1 && numbers[1] == -2);
    tensor = lancet_checkpoint_find(checkpoint, "brain");
    assert_int_equal(tensor->rank, 0);
    lancet_tensor_read(numbers, tensor, 0, 1);
    assert_true(numbers[0] == 1);
    assert_int_equal(lancet_checkpoint_find(checkpoint, "none")->count, 0);
    assert_null(lancet_checkpoint_find(checkpoint, "k"));
    assert_string_equal(lancet_checkpoint_unreadable(checkpoint, "k"), "Q4_K");
    assert_int_equal(lancet_checkpoint_count(checkpoint), 4);
    assert_int_equal(lancet_checkpoint_names(checkpoint), 5);
    assert_null(lancet_checkpoint_metadata(checkpoint, "general.architecture"));
    assert_string_equal(lancet_checkpoint_settings(checkpoint)->model_type, "clip");
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
}

/* The last tensor may end the file, or be filled up as the others are. */
static void test_the_end_of_a_file(void **state)
{
    static const float one[] = {1};
    gguf_file file = {0};
    lancet_buffer bytes;
    lancet_error error;

    (void)state;
    gguf_key_text(&file, "general.architecture", "clip");
    gguf_tensor(&file, "a", 1, (const size_t[]){1}, GGUF_TENSOR_F32, one, sizeof one);
    bytes = gguf_print(&file);
    for (size_t cut = 0; cut <= 28; cut++) {
        lancet_checkpoint *checkpoint;

        assert_int_equal(
            lancet_checkpoint_open_memory(&checkpoint, bytes.bytes, bytes.length - cut, "m", &error),
            LANCET_OK);
        lancet_checkpoint_close(&checkpoint);
    }
    lancet_buffer_close(&bytes);
}

/* A file that is cut anywhere is refused; in memory of just that length, so that a sanitizer sees more. */
static void test_every_cut(void **state)
{
    static tiny_model m;
    gguf_file file = begin_tiny(&m, 0);
    lancet_buffer bytes = gguf_print(&file);

    (void)state;
    for (size_t length = 0; length + 32 <= bytes.length; length++) {
        char *cut = malloc(length + !length);
        lancet_checkpoint *checkpoint;
        lancet_error error = {0};

        assert_non_null(cut);
        memcpy(cut, bytes.bytes, length);
        assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, cut, length, "m", &error),
                         LANCET_ERROR_INPUT);
        assert_null(checkpoint);
        assert_int_equal(strncmp(error.message, "m: ", 3), 0);
        free(cut);
    }
    lancet_buffer_close(&bytes);
}

/* Keys and names may be as long as the format allows, and no longer. */
static void test_a_key_that_is_too_long(void **state)
{
    static char key[65537];
    gguf_file file = {0};
    lancet_checkpoint *checkpoint;
    lancet_buffer bytes;
    lancet_error error;

    (void)state;
    memset(key, 'k', sizeof key - 1);
    gguf_key_text(&file, key, "");
    bytes = gguf_print(&file);
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, bytes.bytes, bytes.length, "m", &error),
                     LANCET_ERROR_INPUT);
    assert_string_equal(error.message, "m: key 1: a text that is too long at byte 24");
    lancet_buffer_close(&bytes);
}

/* A GGUF file speaks for itself: what lies beside it is of another file. */
static void test_nothing_beside_is_read(void **state)
{
    static tiny_model m;
    gguf_file file = begin_tiny(&m, 0);
    lancet_buffer bytes = gguf_print(&file);
    char *folder = folder_make();
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration c;
    lancet_error error;

    (void)state;
    file_write(path_of(folder, "m.gguf"), bytes.bytes, bytes.length);
    file_write_text(path_of(folder, "config.json"), "{\"vision_config\":{\"hidden_size\":768}}");
    file_write_text(path_of(folder, "preprocessor_config.json"), "not JSON");
    file_write_text(path_of(folder, "open_clip_config.json"), "{\"model_cfg\":7}");
    assert_int_equal(lancet_checkpoint_open(&checkpoint, path_of(folder, "m.gguf"), &error), LANCET_OK);
    assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, NULL, &error), LANCET_OK);
    assert_true(c.mean[0] == 0.48145466f);
    lancet_checkpoint_close(&checkpoint);
    lancet_buffer_close(&bytes);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_role),
        cmocka_unit_test(test_feed_forward_by_shape),
        cmocka_unit_test(test_square_feed_forward),
        cmocka_unit_test(test_keys_say_what_no_tensor_does),
        cmocka_unit_test(test_keys_left_out),
        cmocka_unit_test(test_sizes_that_agree),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_towers),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_the_end_of_a_file),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_a_key_that_is_too_long),
        cmocka_unit_test(test_nothing_beside_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
