/* What stands before and behind the towers, on one thread: resizing, writing a figure, and reading words.
 * Usage: bench_front [VOCABULARY] (default: the one of the seeded test model). SPDX-License-Identifier:
 * Apache-2.0 */
#include "bench.h"

#include "image/resize.h"
#include "lancet/image.h"
#include "lancet/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WIDTH  500
#define HEIGHT 375
#define TEXTS  10000

struct work {
    lancet_picture picture;
    uint8_t small[224 * 224 * 3];
    float heat[WIDTH * HEIGHT];
    lancet_vocabulary *vocabulary;
    lancet_tokens tokens;
    lancet_error error;
};

static void check(lancet_status status, const lancet_error *error)
{
    if (status != LANCET_OK) {
        fprintf(stderr, "%s\n", error->message);
        exit((int)status);
    }
}

static void run_resize(void *context)
{
    struct work *work = context;

    check(lancet_resize_bicubic(work->small, 224, 224, &work->picture, &work->error), &work->error);
}

static void run_figure(void *context)
{
    struct work *work = context;
    const lancet_legend legend = {.text = "a photo of a cat", .has_scores = true, .score_high = 1};
    lancet_image *overlay = NULL, *figure = NULL;
    lancet_picture pixels;

    check(lancet_overlay(&overlay, &work->picture, work->heat, NULL, &work->error), &work->error);
    pixels = lancet_image_picture(overlay);
    check(lancet_legend_add(&figure, &pixels, &legend, &work->error), &work->error);
    lancet_image_close(&overlay);
    lancet_image_close(&figure);
}

static void run_words(void *context)
{
    struct work *work = context;
    char text[64];

    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "a photo of a %s cat, number %d.", i % 2 ? "small" : "large", i);
        check(lancet_tokenize(&work->tokens, work->vocabulary, text, &work->error), &work->error);
    }
}

int main(int argc, char **argv)
{
    static struct work work;
    static uint8_t pixels[WIDTH * HEIGHT * 3];

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 20);
    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        work.heat[i] = (float)i / (WIDTH * HEIGHT);
    work.picture = (lancet_picture){pixels, WIDTH, HEIGHT, 0};
    check(lancet_vocabulary_open(&work.vocabulary, argc > 1 ? argv[1] : TINY_VOCABULARY, &work.error),
          &work.error);
    printf("resize %dx%d to 224x224      %8.2f ms\n", WIDTH, HEIGHT, 1e3 * bench_best(run_resize, &work));
    printf("overlay and legend           %8.2f ms\n", 1e3 * bench_best(run_figure, &work));
    printf("tokens of 100,000 short texts %7.2f s  (%zu tokens in the vocabulary)\n",
           100000.0 / TEXTS * bench_best(run_words, &work), lancet_vocabulary_size(work.vocabulary));
    lancet_tokens_close(&work.tokens);
    lancet_vocabulary_close(&work.vocabulary);
    return 0;
}
