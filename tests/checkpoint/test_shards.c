/* Weights in several files under one index. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/tiny_model.h"

#include "checkpoint/clip_weights.h"
#include "checkpoint/shards.h"
#include "lancet/lancet.h"

#define INDEX "model.safetensors.index.json"

/* Writes tensors to parts 1 to `parts` in turn, so that neighbours are in different files, and their index.
 */
static void write_parts(const char *folder, const lancet_tensor *tensors, size_t count, size_t parts)
{
    lancet_buffer index = {0};
    lancet_error error;

    lancet_buffer_print(&index, "{\"metadata\":{\"total_size\":1},\"weight_map\":{");
    for (size_t part = 0; part < parts; part++) {
        lancet_tensor some[TINY_TENSORS];
        char name[64];
        size_t used = 0;

        snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", part + 1, parts);
        for (size_t i = part; i < count; i += parts) {
            some[used++] = tensors[i];
            lancet_buffer_print(&index, "%s\"%s\":\"%s\"", part || i ? "," : "", tensors[i].name, name);
        }
        assert_int_equal(lancet_safetensors_write(path_of(folder, name), some, used, NULL, NULL, 0, &error),
                         LANCET_OK);
    }
    lancet_buffer_print(&index, "}}\n");
    file_write(path_of(folder, INDEX), index.bytes, index.length);
    lancet_buffer_close(&index);
}

static void test_the_same_tensors_as_in_one_file(void **state)
{
    static tiny_model m;
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration c;
    lancet_vision_weights vision;
    lancet_text_weights text;
    lancet_error error;

    (void)state;
    for (size_t parts = 1; parts < 6; parts++) {
        char *folder = folder_make();

        tiny_fill(&m, parts % 2);
        write_parts(folder, m.tensors, m.count, parts);
        if (lancet_checkpoint_open(&checkpoint, path_of(folder, INDEX), &error) != LANCET_OK)
            fail_msg("%s", error.message);
        assert_int_equal(lancet_checkpoint_count(checkpoint), m.count);
        assert_string_equal(lancet_checkpoint_container(checkpoint), "safetensors");
        assert_int_equal(lancet_checkpoint_files(checkpoint), parts + 1);
        for (size_t i = 0; i < m.count; i++) {
            const lancet_tensor *tensor = lancet_checkpoint_find(checkpoint, m.names[i]);

            assert_non_null(tensor);
            assert_int_equal(tensor->count, m.tensors[i].count);
            assert_memory_equal(tensor->data, m.tensors[i].data, tensor->count * sizeof(float));
            /* Letting go of it changes nothing. */
            lancet_checkpoint_drop(checkpoint, tensor);
            assert_memory_equal(tensor->data, m.tensors[i].data, tensor->count * sizeof(float));
        }
        /* Part after part. */
        for (size_t i = 1; i < m.count; i++) {
            const size_t rows = (m.count + parts - 1) / parts;

            if (i < rows)
                assert_string_equal(lancet_checkpoint_tensor(checkpoint, i)->name, m.names[i * parts]);
        }
        const lancet_model_options options = {.head_width = 2};
        assert_int_equal(lancet_clip_configuration_read(&c, checkpoint, &options, &error), LANCET_OK);
        assert_int_equal(lancet_vision_weights_read(&vision, checkpoint, &c, &error), LANCET_OK);
        assert_int_equal(lancet_text_weights_read(&text, checkpoint, &c, &error), LANCET_OK);
        lancet_vision_weights_close(&vision);
        lancet_text_weights_close(&text);
        lancet_checkpoint_close(&checkpoint);
        folder_remove(folder);
    }
}

/* What sha256sum and the like give for all files end to end, in the order of their names. */
static void test_hashes_are_of_all_files(void **state)
{
    char *folder = folder_make(), command[3 * TEST_PATH_SIZE], expected[LANCET_SHA256_SIZE] = "",
         found[LANCET_SHA256_SIZE];
    lancet_checkpoint *whole;
    lancet_model *model[2] = {NULL, NULL};
    lancet_tensor tensors[TINY_TENSORS];
    const lancet_model_description *about;
    lancet_error error;
    size_t count;
    FILE *pipe;

    (void)state;
    assert_int_equal(
        lancet_checkpoint_open(&whole, TESTS_FOLDER "/golden/tiny_odd/model.safetensors", &error), LANCET_OK);
    count = lancet_checkpoint_count(whole);
    assert_true(count <= TINY_TENSORS);
    for (size_t i = 0; i < count; i++)
        tensors[i] = *lancet_checkpoint_tensor(whole, i);
    write_parts(folder, tensors, count, 3);
    lancet_checkpoint_close(&whole);
    for (size_t i = 0; i < 2; i++) {
        if (lancet_model_open(&model[i], path_of(folder, INDEX), NULL, &error) != LANCET_OK)
            fail_msg("%s", error.message);
        about = lancet_model_describe(model[i]);
        assert_string_equal(about->hash, lancet_model_describe(model[0])->hash);
        assert_int_equal(lancet_model_sha256(model[i], found, &error), LANCET_OK);
    }
    snprintf(command, sizeof command, "cd '%s' && cat %s model-*.safetensors | sha256sum", folder, INDEX);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fread(expected, 1, sizeof expected - 1, pipe), sizeof expected - 1);
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(found, expected);
    lancet_model_close(&model[0]);
    /* Another byte in any of them is another model. */
    for (size_t part = 1; part <= 3; part++) {
        char name[64];
        char *bytes;
        size_t length;

        snprintf(name, sizeof name, "model-%05zu-of-00003.safetensors", part);
        bytes = file_read(path_of(folder, name), &length);
        bytes[length - 1] ^= 1;
        file_write(path_of(folder, name), bytes, length);
        assert_int_equal(lancet_model_open(&model[0], path_of(folder, INDEX), NULL, &error), LANCET_OK);
        assert_string_not_equal(lancet_model_describe(model[0])->hash, about->hash);
        lancet_model_close(&model[0]);
        bytes[length - 1] ^= 1;
        file_write(path_of(folder, name), bytes, length);
        free(bytes);
    }
    lancet_model_close(&model[1]);
    folder_remove(folder);
}

static void test_names_of_parts(void **state)
{
    static const struct {
        const char *path, *piece; /* NULL: no part */
    } names[] = {
        {"a/model-00001-of-00002.safetensors",
         "found part 1 of 2: the index beside it (model.safetensors.index"},
        {"pytorch_model-00010-of-00012.bin",
         "part 10 of 12: the index beside it (pytorch_model.bin.index.json)"},
        {"model-00001-of-00001.safetensors", NULL},
        {"one-of-2.safetensors", NULL},
        {"-1-of-2.safetensors", "part 1 of 2"},
        {"1-of-2.safetensors", NULL},
        {"model-1-of-2", NULL},
        {"model-1-of-.bin", NULL},
        {"model-of-2.bin", NULL},
        {"-of-", NULL},
        {"", NULL},
        {"a-1-of-2.b/model.safetensors", NULL},
        {"m-1-of-99999999999999999999999.bin", "part 1 of "},
    };
    lancet_error error;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const lancet_status status = lancet_shards_refuse_part(names[i].path, &error);

        assert_int_equal(status, names[i].piece ? LANCET_ERROR_INPUT : LANCET_OK);
        if (names[i].piece)
            assert_non_null(strstr(error.message, names[i].piece));
    }
}

static void test_no_index_from_memory(void **state)
{
    static const char index[] = "{\"weight_map\":{\"a\":\"b\"}}";
    lancet_checkpoint *checkpoint;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, index, sizeof index - 1, "m", &error),
                     LANCET_ERROR_UNSUPPORTED);
    assert_string_equal(error.message, "m: expected a model, found an index: from memory there are no files "
                                       "beside it");
    assert_null(checkpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_tensors_as_in_one_file),
        cmocka_unit_test(test_hashes_are_of_all_files),
        cmocka_unit_test(test_names_of_parts),
        cmocka_unit_test(test_no_index_from_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
