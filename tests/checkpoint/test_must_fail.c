/* Files that must be refused, each with its own sentence. SPDX-License-Identifier: Apache-2.0 */
#include "support/files.h"

#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_weights.h"

#define FOLDER TESTS_FOLDER "/checkpoint/must_fail"

/* Everything that opening a model does with a checkpoint. */
static lancet_status read_all(const char *path, lancet_error *error)
{
    lancet_checkpoint *checkpoint;
    lancet_clip_configuration configuration;
    lancet_vision_weights vision;
    lancet_resnet_weights resnet;
    lancet_text_weights text;
    lancet_status status = lancet_checkpoint_open(&checkpoint, path, error);

    if (status != LANCET_OK) {
        assert_null(checkpoint);
        return status;
    }
    status = lancet_clip_configuration_read(&configuration, checkpoint, NULL, error);
    if (status == LANCET_OK && configuration.family == LANCET_FAMILY_RESNET) {
        status = lancet_resnet_weights_read(&resnet, checkpoint, &configuration, error);
        lancet_resnet_weights_close(&resnet);
    } else if (status == LANCET_OK && configuration.has_vision) {
        status = lancet_vision_weights_read(&vision, checkpoint, &configuration, error);
        lancet_vision_weights_close(&vision);
    }
    if (status == LANCET_OK && configuration.has_text) {
        status = lancet_text_weights_read(&text, checkpoint, &configuration, error);
        lancet_text_weights_close(&text);
    }
    lancet_checkpoint_close(&checkpoint);
    return status;
}

static void check_case(const char *name, int status, const char *piece)
{
    static const char *const names[] = {"model.safetensors", "model.gguf", "model.safetensors.index.json",
                                        "model-00002-of-00003.safetensors"};
    const char *folder = path_of(FOLDER, name), *path = NULL;
    lancet_error error = {0};
    lancet_status found;

    for (size_t i = 0; i < sizeof names / sizeof *names && (!path || !path_exists(path)); i++)
        path = path_of(folder, names[i]);
    found = read_all(path, &error);

    if (found != (lancet_status)status || error.status != found || !strstr(error.message, piece))
        fail_msg("%s: expected %d with \"%s\", found %d: %s", name, status, piece, (int)found, error.message);
    /* One sentence that begins with the file and is fit for a terminal. */
    assert_int_equal(strncmp(error.message, FOLDER, strlen(FOLDER)), 0);
    assert_true(strlen(error.message) < LANCET_ERROR_MESSAGE_SIZE - 1);
    for (const char *c = error.message; *c; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
}

static void test_each_file_is_refused_in_its_own_words(void **state)
{
    char *table = file_read(FOLDER "/table.tsv", NULL), *rest = table;
    size_t count = 0;

    (void)state;
    assert_non_null(table);
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL; count++) {
        char *fields = line;
        const char *name = strtok_r(fields, "\t", &fields), *status = strtok_r(fields, "\t", &fields);

        check_case(name, atoi(status), fields);
    }
    free(table);
    assert_true(count >= 370);
}

static void test_what_is_no_file(void **state)
{
    lancet_checkpoint *checkpoint;
    lancet_error error;

    (void)state;
    assert_int_equal(lancet_checkpoint_open(&checkpoint, FOLDER "/none.safetensors", &error),
                     LANCET_ERROR_IO);
    assert_null(checkpoint);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, FOLDER "/coca", &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "found a folder (model.safetensors is in it)"));
    assert_int_equal(lancet_checkpoint_open(&checkpoint, FOLDER, &error), LANCET_ERROR_INPUT);
    assert_non_null(strstr(error.message, "found a folder"));
    assert_int_equal(lancet_checkpoint_open(&checkpoint, "/dev/null", &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_checkpoint_open(&checkpoint, NULL, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_checkpoint_open(NULL, "x", &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, NULL, 9, NULL, &error),
                     LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, NULL, 0, NULL, &error), LANCET_ERROR_INPUT);
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, "", 0, NULL, NULL), LANCET_ERROR_INPUT);
    lancet_checkpoint_close(&checkpoint);
    lancet_checkpoint_close(NULL);
}

static void test_a_hostile_name_is_shown_safely(void **state)
{
    static const char table[] = "{\"a\\u001b[2J\\u009bx\\u007f\":{\"dtype\":\"F32\"}}";
    char file[8 + sizeof table] = {0};
    lancet_checkpoint *checkpoint;
    lancet_error error;

    (void)state;
    file[0] = sizeof table - 1;
    memcpy(file + 8, table, sizeof table);
    assert_int_equal(lancet_checkpoint_open_memory(&checkpoint, file, 8 + sizeof table - 1, "m", &error),
                     LANCET_ERROR_INPUT);
    assert_string_equal(error.message, "m: tensor a?[2J??x?: shape: missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_file_is_refused_in_its_own_words),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_a_hostile_name_is_shown_safely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
