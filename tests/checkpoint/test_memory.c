/* Out of memory at each allocation in turn: a clean error, nothing lost. SPDX-License-Identifier: Apache-2.0
 */
#include "checkpoint/archive.h"
#include "checkpoint/gguf_file.h"

#include "checkpoint/clip_weights.h"

typedef lancet_status (*attempt)(const char *folder, lancet_error *error);

/* Opens the model and reads all of it, with every kind of file beside it. */
static lancet_status read_file(const char *path, lancet_error *error)
{
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration c;
    lancet_vision_weights vision = {0};
    lancet_text_weights text = {0};
    lancet_status status = lancet_checkpoint_open(&checkpoint, path, error);

    if (status == LANCET_OK)
        status = lancet_clip_configuration_read(&c, checkpoint, NULL, error);
    if (status == LANCET_OK)
        status = lancet_vision_weights_read(&vision, checkpoint, &c, error);
    if (status == LANCET_OK)
        status = lancet_text_weights_read(&text, checkpoint, &c, error);
    lancet_text_weights_close(&text);
    lancet_vision_weights_close(&vision);
    lancet_checkpoint_close(&checkpoint);
    return status;
}

static lancet_status read_model(const char *folder, lancet_error *error)
{
    return read_file(path_of(folder, "m.safetensors"), error);
}

static lancet_status read_archive(const char *folder, lancet_error *error)
{
    return read_file(path_of(folder, "m.pt"), error);
}

/* Tensors that are laid out anew. */
static lancet_status read_views(const char *folder, lancet_error *error)
{
    lancet_checkpoint *checkpoint;
    const lancet_status status =
        lancet_checkpoint_open(&checkpoint, TESTS_FOLDER "/checkpoint/archives/views.pt", error);

    (void)folder;
    lancet_checkpoint_close(&checkpoint);
    return status;
}

static lancet_status read_gguf(const char *folder, lancet_error *error)
{
    return read_file(path_of(folder, "m.gguf"), error);
}

/* Two parts and their index. */
static lancet_status read_index(const char *folder, lancet_error *error)
{
    return read_file(path_of(folder, "m.index.json"), error);
}

static void write_index(const char *folder, const tiny_model *m)
{
    lancet_buffer index = {0};
    lancet_error error;

    lancet_buffer_print(&index, "{\"weight_map\":{");
    for (size_t i = 0; i < m->count; i++)
        lancet_buffer_print(&index, "%s\"%s\":\"%s\"", i ? "," : "", m->names[i], i < 9 ? "m1" : "m2");
    lancet_buffer_print(&index, "}}");
    assert_int_equal(lancet_safetensors_write(path_of(folder, "m1"), m->tensors, 9, NULL, NULL, 0, &error),
                     LANCET_OK);
    assert_int_equal(
        lancet_safetensors_write(path_of(folder, "m2"), m->tensors + 9, m->count - 9, NULL, NULL, 0, &error),
        LANCET_OK);
    file_write(path_of(folder, "m.index.json"), index.bytes, index.length);
    lancet_buffer_close(&index);
}

static lancet_status write_model(const char *folder, lancet_error *error)
{
    static const char *const keys[] = {"k"}, *const values[] = {"v"};
    static tiny_model m;

    tiny_fill(&m, false);
    return lancet_safetensors_write(path_of(folder, "n.safetensors"), m.tensors, m.count, keys, values, 1,
                                    error);
}

static void write_gguf(const char *path)
{
    static tiny_model m;
    gguf_file file = {0};
    lancet_buffer bytes;

    tiny_fill(&m, false);
    gguf_add_head(&file, true, true);
    gguf_key_number(&file, "clip.vision.attention.head_count", GGUF_U32, 2);
    gguf_key_number(&file, "clip.text.attention.head_count", GGUF_U32, 1);
    gguf_add_tiny(&file, &m, 0);
    bytes = gguf_print(&file);
    file_write(path, bytes.bytes, bytes.length);
    lancet_buffer_close(&bytes);
}

static void fail_each(attempt try, const char *folder, uint64_t least)
{
    uint64_t n = 0;
    lancet_status status;

    do {
        lancet_error error = {0};

        lancet_memory_fail_at(++n);
        status = try(folder, &error);
        assert_true(n < 1000);
        if (status != LANCET_OK) {
            assert_int_equal(status, LANCET_ERROR_MEMORY);
            assert_int_equal(error.status, LANCET_ERROR_MEMORY);
            assert_non_null(strstr(error.message, "out of memory"));
        }
    } while (status != LANCET_OK);
    lancet_memory_fail_at(0);
    assert_true(n > least);
}

static void test_each_allocation_may_fail(void **state)
{
    static tiny_model m;
    char *folder = folder_make();
    lancet_error error;

    (void)state;
    for (int openai = 0; openai < 2; openai++) {
        tiny_fill(&m, openai);
        assert_int_equal(lancet_safetensors_write(path_of(folder, "m.safetensors"), m.tensors, m.count, NULL,
                                                  NULL, 0, &error),
                         LANCET_OK);
        file_write_text(path_of(folder, "config.json"),
                        "{\"vision_config\":{\"num_attention_heads\":2,\"hidden_act\":\"gelu\"},"
                        "\"text_config\":{\"num_attention_heads\":1,\"hidden_act\":\"gelu\"}}");
        file_write_text(path_of(folder, "preprocessor_config.json"), "{\"image_mean\":[0,0,0]}");
        file_write_text(path_of(folder, "open_clip_config.json"), "{\"preprocess_cfg\":{\"std\":[1,1,1]}}");
        fail_each(read_model, folder, 8);
        write_index(folder, &m);
        fail_each(read_index, folder, 16);
        for (int script = 0; script < 2; script++) {
            lancet_buffer bytes = archive_print(m.tensors, m.count, script);

            file_write(path_of(folder, "m.pt"), bytes.bytes, bytes.length);
            lancet_buffer_close(&bytes);
            fail_each(read_archive, folder, 16);
        }
    }
    fail_each(read_views, folder, 16);
    write_gguf(path_of(folder, "m.gguf"));
    fail_each(read_gguf, folder, 8);
    fail_each(write_model, folder, 4);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
