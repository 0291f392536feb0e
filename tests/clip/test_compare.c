/* Two models held against each other. SPDX-License-Identifier: Apache-2.0 */
#include "clip/converted.h"

#include "base/memory.h"
#include "checkpoint/tiny_model.h"

#include <math.h>

static const lancet_model_options looked_at = {.head_width = 2, .towers = LANCET_TOWERS_NONE};
static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static lancet_model *write_and_open(const char *name, const tiny_model *m,
                                    const lancet_model_options *options)
{
    const char *path = path_of(folder, name);
    lancet_error error;

    if (lancet_safetensors_write(path, m->tensors, m->count, NULL, NULL, 0, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return model_opened(path, options);
}

static lancet_comparison *compare(const lancet_model *a, const lancet_model *b)
{
    lancet_comparison *comparison;
    lancet_error error;

    if (lancet_models_compare(&comparison, a, b, &error) != LANCET_OK)
        fail_msg("%s", error.message);
    return comparison;
}

static float *numbers_of(tiny_model *m, const char *name)
{
    return m->numbers + ((const float *)tiny_find(m, name)->data - m->numbers);
}

/* Numbers changed by known amounts, in order of how much that is of the whole. */
static void test_numbers(void **state)
{
    static tiny_model a, b;
    lancet_model *of_a, *of_b;
    lancet_comparison *comparison;
    const lancet_tensor_difference *t;
    double square = 0, product = 0, other = 0;
    float *matrix;

    (void)state;
    tiny_fill(&a, true);
    tiny_fill(&b, true);
    matrix = numbers_of(&b, "visual.proj");
    for (size_t i = 0; i < TINY_WIDTH * TINY_EMBEDDING; i++) {
        const double before = (double)matrix[i];

        square += before * before;
        matrix[i] += i == 3 ? -8 : i == 5 ? 6 : 0;
        product += before * (double)matrix[i];
        other += (double)matrix[i] * (double)matrix[i];
    }
    numbers_of(&b, "ln_final.bias")[1] += 0.25f;
    numbers_of(&b, "visual.ln_pre.bias")[0] = NAN;
    memset(numbers_of(&a, "ln_final.weight"), 0, TINY_TEXT_WIDTH * sizeof(float));
    memset(numbers_of(&a, "visual.ln_post.bias"), 0, TINY_WIDTH * sizeof(float));
    memset(numbers_of(&b, "visual.ln_post.bias"), 0, TINY_WIDTH * sizeof(float));
    of_a = write_and_open("a.safetensors", &a, &looked_at);
    of_b = write_and_open("b.safetensors", &b, &looked_at);
    comparison = compare(of_a, of_b);
    lancet_model_close(&of_a); /* it stands on its own */
    lancet_model_close(&of_b);
    assert_int_equal(lancet_comparison_count(comparison), a.count);
    t = lancet_comparison_tensor(comparison, 0);
    assert_string_equal(t->name, "ln_final.weight"); /* before it there was nothing */
    assert_true(isinf(t->relative) && t->cosine == 0 && !t->equal && isfinite(t->max_absolute));
    t = lancet_comparison_tensor(comparison, 1);
    assert_string_equal(t->name, "visual.ln_pre.bias");
    assert_true(isinf(t->relative) && isinf(t->max_absolute) && t->cosine == 0 && !t->equal);
    t = lancet_comparison_tensor(comparison, 2);
    assert_string_equal(t->name, "visual.proj");
    assert_true(t->comparable && !t->equal && t->max_absolute == 8);
    assert_true(fabs(t->relative - 10 / sqrt(square)) < 1e-12);
    assert_true(fabs(t->cosine - product / sqrt(square * other)) < 1e-12);
    assert_string_equal(t->a.type, "F32");
    assert_int_equal(t->b.rank, 2);
    assert_int_equal(t->b.shape[0], TINY_WIDTH);
    assert_int_equal(t->b.shape[1], TINY_EMBEDDING);
    t = lancet_comparison_tensor(comparison, 3);
    assert_string_equal(t->name, "ln_final.bias");
    assert_true(t->max_absolute == 0.25);
    for (size_t i = 4; i < a.count; i++) {
        t = lancet_comparison_tensor(comparison, i);
        assert_true(t->comparable && t->equal && t->relative == 0 && t->max_absolute == 0);
        assert_true(fabs(t->cosine - 1) < 1e-12);
    }
    assert_null(lancet_comparison_tensor(comparison, a.count));
    lancet_comparison_close(&comparison);
    assert_null(comparison);
}

/* What only one of them has, and what has another shape, comes first. */
static void test_tensors(void **state)
{
    static tiny_model a, b;
    const lancet_model_options text = {.head_width = 2, .towers = LANCET_TOWERS_TEXT};
    lancet_model *of_a, *of_b;
    lancet_comparison *comparison;
    const lancet_tensor_difference *t;

    (void)state;
    tiny_fill(&a, true);
    tiny_fill(&b, true);
    b.count--; /* the logit scale */
    tiny_find(&b, "token_embedding.weight")->shape[0] = TINY_VOCABULARY - 1;
    tiny_find(&b, "token_embedding.weight")->count -= TINY_TEXT_WIDTH;
    of_a = write_and_open("a.safetensors", &a, &text);
    of_b = write_and_open("b.safetensors", &b, &looked_at);
    comparison = compare(of_a, of_b);
    t = lancet_comparison_tensor(comparison, 0);
    assert_string_equal(t->name, "logit_scale");
    assert_true(t->a.type && !t->b.type && !t->comparable && t->a.rank == 0);
    t = lancet_comparison_tensor(comparison, 1);
    assert_true(!t->a.type && t->b.type && strncmp(t->name, "visual.", 7) == 0);
    for (size_t i = 0; (t = lancet_comparison_tensor(comparison, i)) && (!t->a.type || !t->b.type); i++)
        ;
    assert_string_equal(t->name, "token_embedding.weight");
    assert_false(t->comparable);
    assert_int_equal(t->a.shape[0] - t->b.shape[0], 1);
    lancet_comparison_close(&comparison);
    lancet_model_close(&of_a);
    lancet_model_close(&of_b);
}

/* Names and layouts make no difference. */
static void test_other_names(void **state)
{
    static tiny_model a, b;
    lancet_model *of_a, *of_b;
    lancet_comparison *comparison;

    (void)state;
    tiny_fill(&a, true);
    tiny_fill(&b, false);
    for (int k = 0; k < 2; k++) {
        const lancet_tensor *from = tiny_find(&a, k ? "text_projection" : "visual.proj");
        float *to = numbers_of(&b, k ? "text_projection.weight" : "visual_projection.weight");

        for (size_t r = 0; r < from->shape[0]; r++)
            for (size_t c = 0; c < from->shape[1]; c++)
                to[c * from->shape[0] + r] = ((const float *)from->data)[r * from->shape[1] + c];
    }
    of_a = write_and_open("a.safetensors", &a, &looked_at);
    of_b = write_and_open("b.safetensors", &b, &looked_at);
    comparison = compare(of_a, of_b);
    assert_int_equal(lancet_comparison_count(comparison), a.count);
    for (size_t i = 0; i < a.count; i++)
        assert_true(lancet_comparison_tensor(comparison, i)->equal);
    lancet_comparison_close(&comparison);
    lancet_model_close(&of_a);
    lancet_model_close(&of_b);
}

static void test_wrong_calls_and_no_memory(void **state)
{
    static tiny_model a;
    lancet_comparison *comparison = NULL;
    lancet_model *model;
    lancet_error error;
    lancet_status status;
    uint64_t n = 0;

    (void)state;
    tiny_fill(&a, true);
    model = write_and_open("a.safetensors", &a, &looked_at);
    assert_int_equal(lancet_models_compare(NULL, model, model, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_models_compare(&comparison, NULL, model, &error), LANCET_ERROR_ARGUMENT);
    assert_int_equal(lancet_models_compare(&comparison, model, NULL, NULL), LANCET_ERROR_ARGUMENT);
    assert_null(comparison);
    assert_int_equal(lancet_comparison_count(NULL), 0);
    assert_null(lancet_comparison_tensor(NULL, 0));
    lancet_comparison_close(&comparison);
    lancet_comparison_close(NULL);
    do {
        lancet_memory_fail_at(++n);
        status = lancet_models_compare(&comparison, model, model, &error);
        lancet_memory_fail_at(0);
        assert_true(status == LANCET_OK || status == LANCET_ERROR_MEMORY);
        assert_int_equal(status == LANCET_OK, comparison != NULL);
    } while (status != LANCET_OK);
    assert_true(n > a.count); /* one for each tensor at least */
    lancet_comparison_close(&comparison);
    lancet_model_close(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_wrong_calls_and_no_memory),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
