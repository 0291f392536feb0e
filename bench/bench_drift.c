/* What narrower numbers cost: a model converted to each weight type, and computed in each precision, and how
 * far pictures, words and maps then are from the original's. Prints rows of a Markdown table
 * (docs/conversion.md).
 *
 * Usage: bench_drift [MODEL [PICTURE...]] (default: the model that comes with Lancet, and the pictures of the
 * tests). The converted files go to $TMPDIR, one at a time. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include "lancet/image.h"
#include "lancet/lancet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PICTURES_MAX 64

static const char *const words[] = {"person", "cat", "dog", "car", "tree", "sky", "grass", "table"};
#define WORDS (sizeof words / sizeof *words)

/* Everything that is compared. */
struct outputs {
    lancet_labels *labels;
    lancet_features *features[PICTURES_MAX];
    lancet_maps *maps[PICTURES_MAX];
};

/* Of many distances the mean and the largest. */
struct figure {
    double sum, most;
    size_t count;
};

static lancet_error error;

static void check(lancet_status status)
{
    if (status != LANCET_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit((int)status);
    }
}

/* 1 - cosine of two vectors; what is below it is the rounding of this sum. */
static void add(struct figure *figure, const float *a, const float *b, size_t count)
{
    double product = 0, of_a = 0, of_b = 0, distance;

    for (size_t i = 0; i < count; i++) {
        product += (double)a[i] * (double)b[i];
        of_a += (double)a[i] * (double)a[i];
        of_b += (double)b[i] * (double)b[i];
    }
    distance = 1 - product / sqrt(of_a * of_b);
    distance = distance < 1e-13 ? 0 : distance;
    figure->sum += distance;
    figure->most = fmax(figure->most, distance);
    figure->count++;
}

static struct outputs run(lancet_model *model, const lancet_image *const *images, size_t count)
{
    struct outputs out = {0};
    lancet_session *session = NULL;

    check(lancet_session_open(&session, model, NULL, &error));
    check(lancet_labels_encode(&out.labels, session, words, WORDS, NULL, &error));
    for (size_t i = 0; i < count; i++) {
        const lancet_picture picture = lancet_image_picture(images[i]);

        check(lancet_features_encode(&out.features[i], session, &picture, NULL, &error));
        check(lancet_maps_compute(&out.maps[i], out.features[i], out.labels, NULL, &error));
    }
    lancet_session_close(&session);
    return out;
}

static void close_outputs(struct outputs *out, size_t count)
{
    lancet_labels_close(&out->labels);
    for (size_t i = 0; i < count; i++) {
        lancet_features_close(&out->features[i]);
        lancet_maps_close(&out->maps[i]);
    }
}

/* A row: class tokens, patches, words, and maps of 0 to 1 over the grid. */
static void print_row(const char *type, const lancet_conversion *done, const struct outputs *exact,
                      const struct outputs *found, size_t count)
{
    struct figure classes = {0}, patches = {0}, texts = {0}, maps = {0};
    double weights = 0, furthest = 0;

    for (size_t i = 0; i < done->type_count; i++)
        weights = fmax(weights, done->types[i].max_error);
    for (size_t t = 0; t < WORDS; t++) {
        const size_t width = lancet_labels_width(exact->labels);

        add(&texts, lancet_labels_features(exact->labels) + t * width,
            lancet_labels_features(found->labels) + t * width, width);
    }
    for (size_t i = 0; i < count; i++) {
        const size_t width = lancet_features_width(exact->features[i]);
        const size_t high = lancet_features_grid_height(exact->features[i]);
        const size_t wide = lancet_features_grid_width(exact->features[i]), grid = high * wide;
        const float *of_exact = lancet_features_tokens(exact->features[i]);
        const float *of_found = lancet_features_tokens(found->features[i]);
        float *a = malloc(2 * grid * sizeof *a), *b = a + grid;

        if (!a)
            exit(LANCET_ERROR_MEMORY);
        for (size_t k = 0; k <= grid; k++)
            add(k ? &patches : &classes, of_exact + k * width, of_found + k * width, width);
        for (size_t t = 0; t < WORDS; t++) {
            check(lancet_maps_write(exact->maps[i], t, wide, high, a, &error));
            check(lancet_maps_write(found->maps[i], t, wide, high, b, &error));
            add(&maps, a, b, grid);
            for (size_t k = 0; k < grid; k++)
                furthest = fmax(furthest, fabs((double)a[k] - (double)b[k]));
        }
        free(a);
    }
    printf("| %s | ", type);
    if (done->bytes)
        printf("%.1f MB | %.2g", (double)done->bytes / 1e6, weights);
    else
        printf("|");
    printf(" | %.1g | %.1g, %.1g | %.1g | %.1g, %.1g | %.2g |\n", classes.most,
           patches.sum / (double)patches.count, patches.most, texts.most, maps.sum / (double)maps.count,
           maps.most, furthest);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const types[] = {"fp32", "fp16", "bf16", "int8"};
    static const char *const test_pictures[] = {TESTS_GOLDEN "/tiny/images/scene.png",
                                                TESTS_GOLDEN "/tiny/images/shapes.jpg"};
    const char *path = argc > 1 ? argv[1] : MODEL_IN_THE_BOX;
    const char *const *pictures = argc > 2 ? (const char *const *)argv + 2 : test_pictures;
    const size_t count = argc > 2 ? (size_t)argc - 2 : sizeof test_pictures / sizeof *test_pictures;
    const char *folder = getenv("TMPDIR");
    lancet_image *images[PICTURES_MAX] = {0};
    lancet_model *model = NULL;
    struct outputs exact;
    char out[512];

    if (count > PICTURES_MAX) {
        fprintf(stderr, "expected at most %d pictures, found %zu\n", PICTURES_MAX, count);
        return LANCET_ERROR_ARGUMENT;
    }
    snprintf(out, sizeof out, "%s/lancet-drift-%ld.safetensors", folder && *folder ? folder : "/tmp",
             (long)getpid());
    for (size_t i = 0; i < count; i++)
        check(lancet_image_open(&images[i], pictures[i], NULL, &error));
    check(lancet_model_open(&model, path, NULL, &error));
    exact = run(model, (const lancet_image *const *)images, count);
    printf("%s: %s, %zu pictures, %zu words\n\n", path, lancet_model_describe(model)->data_types, count,
           (size_t)WORDS);
    printf("| type | file | weights | class token | patches | words | maps | largest |\n"
           "|---|---|---|---|---|---|---|---|\n");
    lancet_model_close(&model);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const lancet_convert_options options = {.type = (lancet_weight_type)i};
        lancet_conversion done;
        struct outputs found;

        check(lancet_model_open(&model, path, &(lancet_model_options){.towers = LANCET_TOWERS_NONE}, &error));
        check(lancet_model_convert(&done, model, out, &options, &error));
        lancet_model_close(&model);
        check(lancet_model_open(&model, out, NULL, &error));
        found = run(model, (const lancet_image *const *)images, count);
        print_row(types[i], &done, &exact, &found, count);
        close_outputs(&found, count);
        lancet_model_close(&model);
        unlink(out);
    }
    for (int precision = LANCET_PRECISION_BFLOAT16; precision <= LANCET_PRECISION_INT8; precision++) {
        static const char *const names[] = {"", "computed in bf16", "computed in int8"};
        const lancet_conversion nothing = {0};
        struct outputs found;

        check(lancet_model_open(&model, path,
                                &(lancet_model_options){.precision = (lancet_precision)precision}, &error));
        found = run(model, (const lancet_image *const *)images, count);
        print_row(names[precision], &nothing, &exact, &found, count);
        close_outputs(&found, count);
        lancet_model_close(&model);
    }
    close_outputs(&exact, count);
    for (size_t i = 0; i < count; i++)
        lancet_image_close(&images[i]);
    return 0;
}
