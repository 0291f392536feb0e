/* A small model with its session, some labels and a picture of noise; every allocation of a call made to
 * fail; a reference in numpy. SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_EYE_H
#define TESTS_SUPPORT_EYE_H

#include "lancet/lancet.h"

#include "base/memory.h"
#include "support/arrays.h"

#define EYE_WIDTH  104
#define EYE_HEIGHT 72

static const char *const eye_texts[] = {"cat", "a red door", "sky", "tabby"};
#define EYE_TEXTS (sizeof eye_texts / sizeof *eye_texts)

/* What looks, and what for. */
static struct eye {
    lancet_model *model;
    lancet_session *session;
    lancet_labels *labels;
    lancet_picture picture;
    char *folder;
} eye;

static uint8_t eye_noise[EYE_HEIGHT * EYE_WIDTH * 3];

static inline uint32_t eye_draw(void)
{
    static uint32_t seed = 11;

    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* -1 to 1 */
static inline float eye_number(void)
{
    return (float)eye_draw() / 8388608.0f - 1;
}

static inline int eye_open(void **state)
{
    const lancet_label_options options = {.redundant = LANCET_REDUNDANT_EMPTY,
                                          .templates = lancet_templates_bare()};

    (void)state;
    for (size_t i = 0; i < sizeof eye_noise; i++)
        eye_noise[i] = (uint8_t)eye_draw();
    eye.picture = (lancet_picture){eye_noise, EYE_WIDTH, EYE_HEIGHT, 0};
    eye.folder = folder_make();
    if (lancet_model_open(&eye.model, TESTS_FOLDER "/golden/tiny/model.safetensors", NULL, NULL) !=
            LANCET_OK ||
        lancet_session_open(&eye.session, eye.model, &(lancet_session_options){2}, NULL) != LANCET_OK)
        return 1;
    return lancet_labels_encode(&eye.labels, eye.session, eye_texts, EYE_TEXTS, &options, NULL) != LANCET_OK;
}

static inline int eye_close(void **state)
{
    (void)state;
    lancet_labels_close(&eye.labels);
    lancet_session_close(&eye.session);
    lancet_model_close(&eye.model);
    folder_remove(eye.folder);
    return 0;
}

/** Runs `call` with the n-th allocation failing, for every n from 1 until it gets through; beyond the first
 * hundred in ever wider steps. */
static inline void eye_fail_each(lancet_status (*call)(lancet_error *error))
{
    uint64_t n = 1;

    for (;; n += n < 100 ? 1 : n / 20) {
        lancet_error error = {0};

        lancet_memory_fail_at(n);
        const lancet_status status = call(&error);
        const uint64_t requests = lancet_memory_requests();

        lancet_memory_fail_at(0);
        if (requests < n) {
            assert_int_equal(status, LANCET_OK);
            break;
        }
        if (status != LANCET_ERROR_MEMORY)
            fail_msg("allocation %lu failed: expected out of memory, found status %d (%s)", (unsigned long)n,
                     status, error.message);
    }
    assert_true(n > 1);
}

/** Writes an array into the folder, for the reference. */
static inline void eye_write(const char *name, const float *values, const size_t *shape, size_t rank)
{
    lancet_error error;

    if (lancet_npy_write(path_of(eye.folder, name), LANCET_NPY_FLOAT32, shape, rank, values, &error) !=
        LANCET_OK)
        fail_msg("%s", error.message);
}

/** Runs tests/tasks/tasks.py in the folder; skips the test where there is no numpy. */
static inline void eye_reference(const char *arguments)
{
    char command[2 * TEST_PATH_SIZE];

    if (!*LANCET_PYTHON || system("'" LANCET_PYTHON "' -c 'import numpy' >/dev/null 2>&1") != 0) {
        print_message("skipped: there is no python3 with numpy (Debian: python3-numpy)\n");
        skip();
    }
    snprintf(command, sizeof command, "cd '%s' && '%s' '%s/tasks/tasks.py' %s", eye.folder, LANCET_PYTHON,
             TESTS_FOLDER, arguments);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static inline lancet_npy eye_read(const char *name)
{
    return array_read(path_of(eye.folder, name));
}

#endif
