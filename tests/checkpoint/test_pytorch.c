/* PyTorch archives: every tensor as it was saved, whoever wrote the file. SPDX-License-Identifier: Apache-2.0
 */
#include "checkpoint/archive.h"
#include "checkpoint/tiny_model.h"

#include "checkpoint/clip_weights.h"

#define FOLDER TESTS_FOLDER "/checkpoint/archives"

static lancet_checkpoint *open_file(const char *name)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open(&checkpoint, path_of(FOLDER, name), &error) != LANCET_OK)
        fail_msg("%s", error.message);
    assert_string_equal(lancet_checkpoint_container(checkpoint), "PyTorch");
    return checkpoint;
}

static lancet_checkpoint *open_bytes(const lancet_buffer *bytes)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    if (lancet_checkpoint_open_memory(&checkpoint, bytes->bytes, bytes->length, "tiny.pt", &error) !=
        LANCET_OK)
        fail_msg("%s", error.message);
    return checkpoint;
}

/* Is it in the file itself? */
static bool is_view(const lancet_checkpoint *checkpoint, const lancet_tensor *tensor)
{
    const lancet_mapping *file = lancet_checkpoint_file(checkpoint, 0);
    const uint8_t *data = tensor->data;

    return data >= file->bytes && data + lancet_tensor_bytes(tensor) <= file->bytes + file->length;
}

/* The tensor is of that shape and type, and holds the numbers 1 + indices[i] / 4. */
static void check_floats(const lancet_checkpoint *checkpoint, const char *name, lancet_dtype dtype,
                         const char *shape, const int *indices, size_t count)
{
    const lancet_tensor *tensor = lancet_checkpoint_find(checkpoint, name);
    float numbers[64];
    char found[64];

    if (!tensor)
        fail_msg("no tensor %s", name);
    assert_string_equal(tensor->name, name);
    assert_int_equal(tensor->dtype, dtype);
    lancet_shape_print(found, sizeof found, tensor->shape, tensor->rank);
    assert_string_equal(found, shape);
    assert_int_equal(tensor->count, count);
    lancet_tensor_read(numbers, tensor, 0, count);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != (float)indices[i] * 0.25f + 1)
            fail_msg("%s: expected index %d at %zu, found %g", name, indices[i], i, (double)numbers[i]);
}

#define CHECK_FLOATS(checkpoint, name, dtype, shape, ...)                                                    \
    check_floats(checkpoint, name, dtype, shape, (const int[]){__VA_ARGS__},                                 \
                 sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* Each type, as each protocol writes it: make_archives.py. */
static void test_types(void **state)
{
    static const struct {
        const char *name, *type;
    } unreadable[] = {{"double", "F64"}, {"short", "I16"}, {"char", "I8"}, {"bool", "BOOL"}};
    static const int64_t longs[] = {1, 2, 3, 4, 5, 6};
    static const int32_t ints[] = {1, 2, 3, 4, 5, 6};
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6};

    (void)state;
    for (int protocol = 2; protocol <= 5; protocol++) {
        lancet_checkpoint *c;
        char name[32];

        snprintf(name, sizeof name, "types_%d.pt", protocol);
        c = open_file(name);
        assert_int_equal(lancet_checkpoint_names(c), 13);
        assert_int_equal(lancet_checkpoint_count(c), 9);
        CHECK_FLOATS(c, "float", LANCET_F32, "[2,3]", 0, 1, 2, 3, 4, 5);
        CHECK_FLOATS(c, "half", LANCET_F16, "[2,3]", 0, 1, 2, 3, 4, 5);
        CHECK_FLOATS(c, "bfloat16", LANCET_BF16, "[2,3]", 0, 1, 2, 3, 4, 5);
        CHECK_FLOATS(c, "parameter", LANCET_F16, "[4]", 0, 1, 2, 3);
        CHECK_FLOATS(c, "scalar", LANCET_F32, "[]", 0);
        assert_int_equal(lancet_checkpoint_find(c, "empty")->count, 0);
        assert_int_equal(lancet_checkpoint_find(c, "empty")->shape[1], 3);
        assert_int_equal(lancet_checkpoint_find(c, "long")->dtype, LANCET_I64);
        assert_memory_equal(lancet_checkpoint_find(c, "long")->data, longs, sizeof longs);
        assert_int_equal(lancet_checkpoint_find(c, "int")->dtype, LANCET_I32);
        assert_memory_equal(lancet_checkpoint_find(c, "int")->data, ints, sizeof ints);
        assert_int_equal(lancet_checkpoint_find(c, "byte")->dtype, LANCET_U8);
        assert_memory_equal(lancet_checkpoint_find(c, "byte")->data, bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
            assert_null(lancet_checkpoint_find(c, unreadable[i].name));
            assert_string_equal(lancet_checkpoint_unreadable(c, unreadable[i].name), unreadable[i].type);
        }
        for (size_t i = 0; i < lancet_checkpoint_count(c); i++)
            assert_true(is_view(c, lancet_checkpoint_tensor(c, i)));
        assert_false(lancet_checkpoint_is_torchscript(c));
        lancet_checkpoint_close(&c);
    }
}

/* Views of one storage: those that are dense stay where they are, the others are laid out anew. */
static void test_views(void **state)
{
    static const char *const dense[] = {"whole", "again", "part", "last", "none", "any_stride"};
    lancet_checkpoint *c = open_file("views.pt");
    size_t views = 0;

    (void)state;
    CHECK_FLOATS(c, "whole", LANCET_F32, "[24]", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                 18, 19, 20, 21, 22, 23);
    CHECK_FLOATS(c, "again", LANCET_F32, "[2,3,4]", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
                 17, 18, 19, 20, 21, 22, 23);
    CHECK_FLOATS(c, "part", LANCET_F32, "[2,3]", 5, 6, 7, 8, 9, 10);
    CHECK_FLOATS(c, "last", LANCET_F32, "[1]", 23);
    CHECK_FLOATS(c, "transposed", LANCET_F32, "[4,3]", 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11);
    CHECK_FLOATS(c, "permuted", LANCET_F32, "[4,2,3]", 0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14,
                 18, 22, 3, 7, 11, 15, 19, 23);
    CHECK_FLOATS(c, "stepped", LANCET_F32, "[4]", 0, 7, 14, 21);
    CHECK_FLOATS(c, "column", LANCET_F32, "[4,2]", 2, 3, 8, 9, 14, 15, 20, 21);
    CHECK_FLOATS(c, "repeated", LANCET_F32, "[3,2]", 4, 5, 4, 5, 4, 5);
    CHECK_FLOATS(c, "any_stride", LANCET_F32, "[1,3,1]", 3, 4, 5);
    CHECK_FLOATS(c, "halves", LANCET_F16, "[3,2]", 0, 3, 1, 4, 2, 5);
    assert_memory_equal(lancet_checkpoint_find(c, "long")->data, ((const int64_t[]){1, 3, 2, 4}), 32);
    assert_string_equal(lancet_checkpoint_unreadable(c, "double"), "F64");
    assert_ptr_equal(lancet_checkpoint_find(c, "whole")->data, lancet_checkpoint_find(c, "again")->data);
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++)
        assert_true(is_view(c, lancet_checkpoint_find(c, dense[i])));
    for (size_t i = 0; i < lancet_checkpoint_count(c); i++) {
        const lancet_tensor *tensor = lancet_checkpoint_tensor(c, i);

        views += is_view(c, tensor);
        lancet_checkpoint_drop(c, tensor); /* does nothing to those that are not in the file */
    }
    assert_int_equal(views, 6);
    CHECK_FLOATS(c, "transposed", LANCET_F32, "[4,3]", 0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11);
    lancet_checkpoint_close(&c);
}

/* The weights out of what training loops save: nothing of the optimizer's, no "module.". */
static void test_training(void **state)
{
    lancet_checkpoint *c;

    (void)state;
    for (int protocol = 2; protocol <= 5; protocol++) {
        char name[32];

        snprintf(name, sizeof name, "training_%d.pt", protocol);
        c = open_file(name);
        assert_int_equal(lancet_checkpoint_names(c), 2);
        CHECK_FLOATS(c, "a", LANCET_F32, "[2]", 0, 1);
        CHECK_FLOATS(c, "b", LANCET_F16, "[2]", 0, 1);
        lancet_checkpoint_close(&c);
    }
    c = open_file("nested.pt");
    assert_int_equal(lancet_checkpoint_names(c), 1);
    CHECK_FLOATS(c, "a", LANCET_F32, "[2]", 0, 1);
    lancet_checkpoint_close(&c);
}

/* Names are the way to the tensor through the modules. */
static void test_torchscript(void **state)
{
    static const int64_t resolution = 224;
    lancet_checkpoint *c = open_file("script.pt");

    (void)state;
    assert_true(lancet_checkpoint_is_torchscript(c));
    assert_int_equal(lancet_checkpoint_names(c), 5);
    CHECK_FLOATS(c, "logit_scale", LANCET_F32, "[]", 14);
    CHECK_FLOATS(c, "visual.ln_pre.weight", LANCET_F16, "[3]", 0, 1, 2);
    CHECK_FLOATS(c, "same.weight", LANCET_F16, "[3]", 0, 1, 2); /* one module under two names */
    CHECK_FLOATS(c, "visual.0.bias", LANCET_F16, "[2]", 1, 2);
    assert_memory_equal(lancet_checkpoint_find(c, "input_resolution")->data, &resolution, 8);
    lancet_checkpoint_close(&c);
}

/* What PyTorch itself wrote: make_torch_archives.py. */
static void test_pytorchs_own(void **state)
{
    static const char *const files[] = {"torch_state_dict_2.pt", "torch_state_dict_4.pt", "torch_training.pt",
                                        "torch_traced.pt", "torch_scripted.pt"};
    lancet_checkpoint *c;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        c = open_file(files[i]);
        assert_int_equal(lancet_checkpoint_names(c), 10);
        CHECK_FLOATS(c, "blocks.0.linear.weight", LANCET_F16, "[2,3]", 0, 1, 2, 3, 4, 5);
        CHECK_FLOATS(c, "blocks.0.linear.bias", LANCET_F16, "[2]", 0, 1);
        CHECK_FLOATS(c, "turned", LANCET_F32, "[2,3]", 0, 2, 4, 1, 3, 5);
        CHECK_FLOATS(c, "scale", LANCET_F32, "[]", 14);
        CHECK_FLOATS(c, "norm.weight", LANCET_F32, "[2]", 0, 0);
        assert_int_equal(*(const int64_t *)lancet_checkpoint_find(c, "resolution")->data, 224);
        assert_int_equal(lancet_checkpoint_is_torchscript(c), i >= 3);
        lancet_checkpoint_close(&c);
    }
    c = open_file("torch_types.pt");
    CHECK_FLOATS(c, "brain", LANCET_BF16, "[4]", 0, 1, 2, 3);
    CHECK_FLOATS(c, "negative", LANCET_F32, "[3]", 1, 1, 1);
    assert_string_equal(lancet_checkpoint_unreadable(c, "bytes"), "F8_E4M3");
    lancet_checkpoint_close(&c);
}

static void check_same(const lancet_checkpoint *c, const lancet_tensor *expected)
{
    const lancet_tensor *found = lancet_checkpoint_find(c, expected->name);

    if (!found)
        fail_msg("no tensor %s", expected->name);
    assert_int_equal(found->dtype, expected->dtype);
    assert_int_equal(found->rank, expected->rank);
    assert_memory_equal(found->shape, expected->shape, sizeof found->shape);
    assert_memory_equal(found->data, expected->data, lancet_tensor_bytes(expected));
    assert_true(is_view(c, found));
}

/* A whole model, either way, opened from memory: its configuration, and where the activation comes from. */
static void test_whole_model(void **state)
{
    static tiny_model m;
    static const char *const extras[] = {"input_resolution", "context_length", "vocab_size"};
    static const int64_t number = 2;
    const lancet_model_options options = {.head_width = 2};

    (void)state;
    tiny_fill(&m, true);
    for (size_t i = 0; i < 3; i++)
        m.tensors[m.count++] =
            (lancet_tensor){.name = extras[i], .dtype = LANCET_I64, .count = 1, .data = &number};
    for (int script = 0; script < 2; script++) {
        lancet_buffer bytes = archive_print(m.tensors, m.count, script);
        lancet_checkpoint *c = open_bytes(&bytes);
        lancet_clip_configuration configuration;
        lancet_vision_weights vision = {0};
        lancet_text_weights text = {0};
        lancet_error error;

        assert_int_equal(lancet_checkpoint_names(c), m.count);
        assert_false(lancet_checkpoint_is_file(c));
        for (size_t i = 0; i < m.count; i++)
            check_same(c, &m.tensors[i]);
        if (lancet_clip_configuration_read(&configuration, c, &options, &error) != LANCET_OK ||
            lancet_vision_weights_read(&vision, c, &configuration, &error) != LANCET_OK ||
            lancet_text_weights_read(&text, c, &configuration, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_int_equal(configuration.activation, LANCET_ACTIVATION_QUICK_GELU);
        assert_string_equal(configuration.activation_origin,
                            script ? "assumed: a TorchScript archive, as OpenAI ships"
                                   : "assumed: no file says");
        lancet_vision_weights_close(&vision);
        lancet_text_weights_close(&text);
        lancet_checkpoint_close(&c);
        lancet_buffer_close(&bytes);
    }
}

/* Every way to cut a file short is found out. */
static void test_every_cut_is_refused(void **state)
{
    static const char *const files[] = {"script.pt", "views.pt", "torch_state_dict_2.pt"};
    lancet_error error;

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        size_t length;
        char *bytes = file_read(path_of(FOLDER, files[f]), &length);

        for (size_t cut = 0; cut < length; cut++) {
            lancet_checkpoint *checkpoint;
            char *copy = malloc(cut ? cut : 1); /* so that a sanitizer sees every step beyond the end */

            memcpy(copy, bytes, cut);
            assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, copy, cut, NULL, &error),
                             LANCET_ERROR_INPUT);
            assert_null(checkpoint);
            free(copy);
        }
        free(bytes);
    }
}

/* The published code's models in each container hold the same bytes. */
static void test_golden(void **state)
{
    static const char *const sets[] = {"vit_a", "rn_a"}, *const files[] = {"state_dict.pt", "torchscript.pt"};

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        const char *folder = golden_needed(sets[s]);
        lancet_checkpoint *expected, *found;
        lancet_error error;

        assert_int_equal(lancet_checkpoint_open(&expected, path_of(folder, "model.safetensors"), &error),
                         LANCET_OK);
        for (size_t f = 0; f < 2; f++) {
            if (lancet_checkpoint_open(&found, path_of(path_of(folder, "containers"), files[f]), &error) !=
                LANCET_OK)
                fail_msg("%s", error.message);
            assert_int_equal(lancet_checkpoint_is_torchscript(found), f);
            assert_int_equal(lancet_checkpoint_names(found), lancet_checkpoint_names(expected));
            for (size_t i = 0; i < lancet_checkpoint_count(expected); i++)
                check_same(found, lancet_checkpoint_tensor(expected, i));
            lancet_checkpoint_close(&found);
        }
        lancet_checkpoint_close(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_torchscript),
        cmocka_unit_test(test_pytorchs_own),
        cmocka_unit_test(test_whole_model),
        cmocka_unit_test(test_every_cut_is_refused),
        cmocka_unit_test(test_golden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
