/* Comparing two models. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/compare.h"

#include "base/memory.h"
#include "checkpoint/clip_parts.h"
#include "clip/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers that are compared at a time, unless a row has more. */
#define CHUNK ((size_t)1 << 18)

struct lancet_comparison {
    lancet_tensor_difference *tensors; /* [count] */
    char (*names)[LANCET_TENSOR_NAME_SIZE];
    size_t count;
};

/* The tensors of one model, sorted by name. */
typedef struct side {
    const lancet_model *model;
    lancet_clip_part *parts;
    size_t count;
} side;

static int compare_parts(const void *left, const void *right)
{
    const lancet_clip_part *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static lancet_status open_side(side *s, const lancet_model *model, lancet_error *error)
{
    const lancet_status status =
        lancet_clip_parts_list(&s->parts, &s->count, model->checkpoint, &model->configuration, error);

    s->model = model;
    if (status == LANCET_OK && s->count)
        qsort(s->parts, s->count, sizeof *s->parts, compare_parts);
    return status;
}

static void place(lancet_tensor_place *to, const lancet_clip_part *part)
{
    to->type = lancet_dtype_name(part->sources[0].dtype);
    to->rank = (int)part->rank;
    memcpy(to->shape, part->shape, part->rank * sizeof *to->shape);
}

typedef struct sums {
    double difference, a, b, product, largest;
    bool finite, equal;
} sums;

static void add_numbers(sums *s, const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double x = (double)a[i], y = (double)b[i], difference = y - x;

        s->finite = s->finite && isfinite(a[i]) && isfinite(b[i]);
        s->equal = s->equal && a[i] == b[i];
        s->difference += difference * difference;
        s->a += x * x;
        s->b += y * y;
        s->product += x * y;
        s->largest = fmax(s->largest, fabs(difference));
    }
}

static void conclude(lancet_tensor_difference *to, const sums *s)
{
    to->equal = s->equal;
    if (!s->finite) {
        to->max_absolute = to->relative = INFINITY;
        return;
    }
    to->max_absolute = s->largest;
    to->relative = s->difference > 0 ? sqrt(s->difference / s->a) : 0;
    to->cosine = s->a > 0 && s->b > 0 ? s->product / (sqrt(s->a) * sqrt(s->b)) : s->a == s->b;
}

/* Both hold the tensor: do their numbers agree? */
static lancet_status compare_numbers(lancet_tensor_difference *to, const side *a,
                                     const lancet_clip_part *of_a, const side *b,
                                     const lancet_clip_part *of_b, lancet_error *error)
{
    const size_t rows = CHUNK / of_a->row ? CHUNK / of_a->row : 1;
    const size_t room = rows < of_a->rows ? rows : of_a->rows;
    float *numbers = lancet_allocate(2 * room, of_a->row * sizeof *numbers);
    sums s = {.finite = true, .equal = true};

    if (!numbers)
        return lancet_fail_memory(error, "a comparison");
    for (size_t first = 0; first < of_a->rows; first += rows) {
        const size_t taken = of_a->rows - first < rows ? of_a->rows - first : rows;
        float *others = numbers + taken * of_a->row;

        lancet_clip_part_read(numbers, of_a, first, taken);
        lancet_clip_part_read(others, of_b, first, taken);
        add_numbers(&s, numbers, others, taken * of_a->row);
    }
    lancet_free(numbers);
    lancet_clip_part_drop(of_a, a->model->checkpoint);
    lancet_clip_part_drop(of_b, b->model->checkpoint);
    to->comparable = true;
    conclude(to, &s);
    return LANCET_OK;
}

/* Missing, then of another shape, then by how far the numbers are apart; by name where that is the same. */
static int compare_worst_first(const void *left, const void *right)
{
    const lancet_tensor_difference *a = left, *b = right;
    const bool a_alone = !a->a.type || !a->b.type, b_alone = !b->a.type || !b->b.type;

    if (a_alone != b_alone)
        return a_alone ? -1 : 1;
    if (a->comparable != b->comparable)
        return a->comparable ? 1 : -1;
    if (a->relative != b->relative)
        return a->relative > b->relative ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* Two sorted lists, walked side by side. */
static lancet_status compare_all(lancet_comparison *comparison, const side *a, const side *b,
                                 lancet_error *error)
{
    size_t i = 0, k = 0;

    while (i < a->count || k < b->count) {
        const int order = i == a->count ? 1 : k == b->count ? -1 : strcmp(a->parts[i].name, b->parts[k].name);
        const lancet_clip_part *of_a = order <= 0 ? &a->parts[i++] : NULL;
        const lancet_clip_part *of_b = order >= 0 ? &b->parts[k++] : NULL;
        lancet_tensor_difference *to = &comparison->tensors[comparison->count];
        lancet_status status = LANCET_OK;

        memcpy(comparison->names[comparison->count], (of_a ? of_a : of_b)->name, LANCET_TENSOR_NAME_SIZE);
        to->name = comparison->names[comparison->count++];
        if (of_a)
            place(&to->a, of_a);
        if (of_b)
            place(&to->b, of_b);
        if (of_a && of_b && of_a->rank == of_b->rank &&
            memcmp(of_a->shape, of_b->shape, of_a->rank * sizeof *of_a->shape) == 0)
            status = compare_numbers(to, a, of_a, b, of_b, error);
        if (status != LANCET_OK)
            return status;
    }
    return LANCET_OK;
}

lancet_status lancet_models_compare(lancet_comparison **result, const lancet_model *a, const lancet_model *b,
                                    lancet_error *error)
{
    lancet_comparison *comparison = NULL;
    side of_a = {0}, of_b = {0};
    lancet_status status;

    if (!result || !a || !b)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_models_compare: %s is NULL",
                           result ? "a model" : "comparison");
    *result = NULL;
    status = open_side(&of_a, a, error);
    if (status == LANCET_OK)
        status = open_side(&of_b, b, error);
    if (status != LANCET_OK)
        goto done;
    comparison = lancet_allocate_zero(1, sizeof *comparison);
    if (comparison) {
        comparison->tensors = lancet_allocate_zero(of_a.count + of_b.count, sizeof *comparison->tensors);
        comparison->names = lancet_allocate(of_a.count + of_b.count, sizeof *comparison->names);
    }
    if (!comparison || !comparison->tensors || !comparison->names) {
        status = lancet_fail_memory(error, "a comparison");
        goto done;
    }
    status = compare_all(comparison, &of_a, &of_b, error);
    if (status == LANCET_OK && comparison->count)
        qsort(comparison->tensors, comparison->count, sizeof *comparison->tensors, compare_worst_first);
    if (status == LANCET_OK) {
        *result = comparison;
        comparison = NULL;
    }
done:
    lancet_comparison_close(&comparison);
    lancet_free(of_a.parts);
    lancet_free(of_b.parts);
    return status;
}

void lancet_comparison_close(lancet_comparison **comparison)
{
    if (!comparison || !*comparison)
        return;
    lancet_free((*comparison)->tensors);
    lancet_free((*comparison)->names);
    lancet_free(*comparison);
    *comparison = NULL;
}

size_t lancet_comparison_count(const lancet_comparison *comparison)
{
    return comparison ? comparison->count : 0;
}

const lancet_tensor_difference *lancet_comparison_tensor(const lancet_comparison *comparison, size_t index)
{
    return index < lancet_comparison_count(comparison) ? &comparison->tensors[index] : NULL;
}
