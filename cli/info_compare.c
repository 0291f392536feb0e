/* `lancet info A B`: how two model files differ. SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TENSORS_SHOWN 10

/* A setting of both models as text: everything that decides what a model computes, besides its numbers. */
typedef struct setting {
    const char *name;
    char a[80], b[80];
} setting;

#define SETTINGS 16

static void put_number(setting *s, const char *name, double a, double b)
{
    s->name = name;
    snprintf(s->a, sizeof s->a, "%.9g", a);
    snprintf(s->b, sizeof s->b, "%.9g", b);
}

static void put_triple(setting *s, const char *name, const float *a, const float *b)
{
    s->name = name;
    snprintf(s->a, sizeof s->a, "%.9g, %.9g, %.9g", (double)a[0], (double)a[1], (double)a[2]);
    snprintf(s->b, sizeof s->b, "%.9g, %.9g, %.9g", (double)b[0], (double)b[1], (double)b[2]);
}

static void put_text(setting *s, const char *name, const char *a, const char *b)
{
    s->name = name;
    snprintf(s->a, sizeof s->a, "%s", a);
    snprintf(s->b, sizeof s->b, "%s", b);
}

static size_t list_settings(setting s[SETTINGS], const lancet_model_description *a,
                            const lancet_model_description *b)
{
    size_t n = 0;

    put_text(&s[n++], "family", a->family, b->family);
    put_number(&s[n++], "embedding_width", a->embedding_width, b->embedding_width);
    put_number(&s[n++], "image_side", a->image_side, b->image_side);
    put_number(&s[n++], "patch_side", a->patch_side, b->patch_side);
    put_number(&s[n++], "vision_width", a->vision_width, b->vision_width);
    put_number(&s[n++], "vision_blocks", a->vision_blocks, b->vision_blocks);
    put_number(&s[n++], "vision_heads", a->vision_heads, b->vision_heads);
    put_number(&s[n++], "text_width", a->text_width, b->text_width);
    put_number(&s[n++], "text_blocks", a->text_blocks, b->text_blocks);
    put_number(&s[n++], "text_heads", a->text_heads, b->text_heads);
    put_number(&s[n++], "context_length", a->context_length, b->context_length);
    put_text(&s[n++], "activation", activation_names[a->activation], activation_names[b->activation]);
    put_number(&s[n++], "layer_norm_epsilon", (double)a->layer_norm_epsilon, (double)b->layer_norm_epsilon);
    put_triple(&s[n++], "mean", a->mean, b->mean);
    put_triple(&s[n++], "std", a->deviation, b->deviation);
    return n;
}

/* Of two vocabularies. */
typedef struct words {
    size_t a, b;   /* tokens; 0: there is none */
    size_t differ; /* ids that both have and that show as different tokens */
    int32_t first; /* of these */
} words;

static words compare_words(const lancet_vocabulary *a, const lancet_vocabulary *b)
{
    words w = {a ? lancet_vocabulary_size(a) : 0, b ? lancet_vocabulary_size(b) : 0, 0, -1};

    for (size_t id = 0; id < w.a && id < w.b; id++)
        if (strcmp(lancet_vocabulary_token(a, (int32_t)id), lancet_vocabulary_token(b, (int32_t)id)) != 0) {
            w.first = w.differ ? w.first : (int32_t)id;
            w.differ++;
        }
    return w;
}

/* How many tensors there are of each kind. */
typedef struct counts {
    size_t only_a, only_b, reshaped, equal, different;
} counts;

static counts count_tensors(const lancet_comparison *comparison)
{
    counts c = {0};

    for (size_t i = 0; i < lancet_comparison_count(comparison); i++) {
        const lancet_tensor_difference *t = lancet_comparison_tensor(comparison, i);

        if (!t->b.type)
            c.only_a++;
        else if (!t->a.type)
            c.only_b++;
        else if (!t->comparable)
            c.reshaped++;
        else if (t->equal)
            c.equal++;
        else
            c.different++;
    }
    return c;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static json_t *json_place(const lancet_tensor_place *place)
{
    json_t *object, *shape;
    bool good;

    if (!place->type)
        return json_null();
    object = json_object();
    shape = json_array();
    good = object && shape;
    for (int i = 0; i < place->rank; i++)
        json_add(&good, shape, json_count(place->shape[i]));
    json_put(&good, object, "type", json_words(place->type));
    json_put(&good, object, "shape", json_incref(shape));
    json_decref(shape);
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *json_difference(const lancet_tensor_difference *t)
{
    json_t *object = json_object();
    bool good = object != NULL;

    json_put(&good, object, "name", json_words(t->name));
    json_put(&good, object, "a", json_place(&t->a));
    json_put(&good, object, "b", json_place(&t->b));
    if (t->comparable) {
        json_put(&good, object, "equal", json_boolean(t->equal));
        json_put(&good, object, "max_absolute", json_number(t->max_absolute));
        json_put(&good, object, "relative", json_number(t->relative));
        json_put(&good, object, "cosine", json_number(t->cosine));
    }
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *json_side(const lancet_model *model, size_t tokens)
{
    const lancet_model_description *about = lancet_model_describe(model);
    json_t *object = json_model(model);
    bool good = object != NULL;

    json_put(&good, object, "container", json_words(about->container));
    json_put(&good, object, "naming", json_words(about->naming));
    json_put(&good, object, "data_types", json_words(about->data_types));
    json_put(&good, object, "file_bytes", json_integer((json_int_t)about->file_bytes));
    json_put(&good, object, "tokens", json_count(tokens));
    if (!good) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int print_json(const lancet_model *a, const lancet_model *b, const setting *settings, size_t count,
                      const words *w, const lancet_comparison *comparison)
{
    json_t *object = json_object(), *differing = json_object(), *tensors = json_array();
    bool good = object && differing && tensors;
    int status;

    json_put(&good, object, "lancet", json_words(lancet_version()));
    json_put(&good, object, "a", json_side(a, w->a));
    json_put(&good, object, "b", json_side(b, w->b));
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].a, settings[i].b) != 0)
            json_put(&good, differing, settings[i].name, json_pack("[s, s]", settings[i].a, settings[i].b));
    json_put(&good, object, "configuration", json_incref(differing));
    json_put(&good, object, "tokens_that_differ", json_count(w->differ));
    for (size_t i = 0; good && i < lancet_comparison_count(comparison); i++)
        json_add(&good, tensors, json_difference(lancet_comparison_tensor(comparison, i)));
    json_put(&good, object, "tensors", json_incref(tensors));
    status = good ? json_print(object) : report_memory();
    json_decref(object);
    json_decref(differing);
    json_decref(tensors);
    return status;
}

/* ---- Table --------------------------------------------------------------------------------------------- */

static void print_side(const char *name, const lancet_model_description *m)
{
    printf("%-12s %s\n", name, m->path);
    printf("             %s names, in %s: %s, %" PRIu64 " bytes\n", m->naming, m->container, m->data_types,
           m->file_bytes);
}

static void print_settings(const setting *settings, size_t count)
{
    bool any = false;

    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].a, settings[i].b) != 0) {
            printf("%-12s %s: %s in a, %s in b\n", any ? "" : "differ", settings[i].name, settings[i].a,
                   settings[i].b);
            any = true;
        }
    if (!any)
        printf("configured   the same\n");
}

static void print_words(const words *w, const lancet_vocabulary *a, const lancet_vocabulary *b)
{
    printf("vocabulary   ");
    if (!w->a || !w->b)
        printf("%s\n", w->a || w->b ? w->a ? "none found for b" : "none found for a" : "none found");
    else if (w->a != w->b)
        printf("%zu tokens in a, %zu in b, of which %zu differ\n", w->a, w->b, w->differ);
    else if (w->differ)
        printf("%zu of %zu tokens differ, the first being %d: \"%s\" in a, \"%s\" in b\n", w->differ, w->a,
               (int)w->first, lancet_vocabulary_token(a, w->first), lancet_vocabulary_token(b, w->first));
    else
        printf("the same tokens\n");
}

/* "[768,3,16,16]" */
static void print_shape(char *text, size_t size, const lancet_tensor_place *place)
{
    size_t used = (size_t)snprintf(text, size, "[");

    for (int i = 0; i < place->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, i ? ",%zu" : "%zu", place->shape[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
}

static void print_tensor(const lancet_tensor_difference *t)
{
    char a[100], b[100];

    print_shape(a, sizeof a, &t->a);
    print_shape(b, sizeof b, &t->b);
    if (!t->b.type)
        printf("  only in a  %s %s %s\n", t->name, t->a.type, a);
    else if (!t->a.type)
        printf("  only in b  %s %s %s\n", t->name, t->b.type, b);
    else if (!t->comparable)
        printf("  reshaped   %s %s in a, %s in b\n", t->name, a, b);
    else
        printf("  %-9.2g  %-9.2g  %-11.9g  %s (%s, %s)\n", t->relative, t->max_absolute, t->cosine, t->name,
               t->a.type, t->b.type);
}

static void print_tensors(const lancet_comparison *comparison)
{
    const counts c = count_tensors(comparison);
    const size_t wrong = c.only_a + c.only_b + c.reshaped + c.different;
    size_t shown = 0;
    bool headed = false;

    printf(
        "tensors      %zu the same, %zu of other numbers, %zu of another shape, %zu only in a, %zu only in "
        "b\n",
        c.equal, c.different, c.reshaped, c.only_a, c.only_b);
    if (!wrong)
        return;
    for (; shown < wrong && shown < TENSORS_SHOWN; shown++) {
        const lancet_tensor_difference *t = lancet_comparison_tensor(comparison, shown);

        if (t->comparable && !headed)
            printf("\n  relative   largest    cosine       worst first (type in a, in b)\n");
        headed = headed || t->comparable;
        print_tensor(t);
    }
    if (shown < wrong)
        printf("  and %zu more; --json lists all\n", wrong - shown);
}

int info_compare(const lancet_model *a, const lancet_model *b, bool json)
{
    const lancet_vocabulary *of_a = lancet_model_vocabulary(a), *of_b = lancet_model_vocabulary(b);
    const lancet_model_description *about_a = lancet_model_describe(a), *about_b = lancet_model_describe(b);
    const words w = compare_words(of_a, of_b);
    lancet_comparison *comparison = NULL;
    setting settings[SETTINGS];
    const size_t count = list_settings(settings, about_a, about_b);
    lancet_error error;
    int status = EXIT_DONE;

    if (lancet_models_compare(&comparison, a, b, &error) != LANCET_OK)
        return report_error(&error);
    if (json) {
        status = print_json(a, b, settings, count, &w, comparison);
    } else {
        print_side("a", about_a);
        print_side("b", about_b);
        print_settings(settings, count);
        print_words(&w, of_a, of_b);
        print_tensors(comparison);
    }
    lancet_comparison_close(&comparison);
    return status;
}
