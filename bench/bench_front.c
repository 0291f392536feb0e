/* What stands before and behind the towers, on one thread: a picture file to the first layer's input, a heat
 * map to a file, and reading words. Usage: bench_front [VOCABULARY] (default: the one of the seeded test
 * model). SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "photograph.h"

#include "clip/vision/pixels.h"
#include "lancet/image.h"
#include "lancet/text.h"

#include <stdio.h>
#include <stdlib.h>

#define WIDTH  PHOTOGRAPH_WIDTH
#define HEIGHT PHOTOGRAPH_HEIGHT
#define SIDE   224
#define TEXTS  10000

struct work {
    uint8_t *jpeg;
    size_t jpeg_length;
    lancet_picture picture, figure;
    lancet_feature_options options;
    float pixels[3 * SIDE * SIDE];
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

static void run_decode(void *context)
{
    struct work *work = context;
    lancet_image *image = NULL;

    check(lancet_image_open_memory(&image, work->jpeg, work->jpeg_length, "photograph", NULL, &work->error),
          &work->error);
    lancet_image_close(&image);
}

static void run_pixels(void *context)
{
    struct work *work = context;

    check(lancet_pixels_fill(work->pixels, &work->picture, &work->options, &work->error), &work->error);
}

static void run_chain(void *context)
{
    struct work *work = context;
    lancet_image *image = NULL;
    lancet_picture picture;

    check(lancet_image_open_memory(&image, work->jpeg, work->jpeg_length, "photograph", NULL, &work->error),
          &work->error);
    picture = lancet_image_picture(image);
    check(lancet_pixels_fill(work->pixels, &picture, &work->options, &work->error), &work->error);
    lancet_image_close(&image);
}

static lancet_image *make_figure(struct work *work)
{
    const lancet_legend legend = {.text = "a photo of a cat", .has_scores = true, .score_high = 1};
    lancet_image *overlay = NULL, *figure = NULL;
    lancet_picture pixels;

    check(lancet_overlay(&overlay, &work->picture, work->heat, NULL, &work->error), &work->error);
    pixels = lancet_image_picture(overlay);
    check(lancet_legend_add(&figure, &pixels, &legend, &work->error), &work->error);
    lancet_image_close(&overlay);
    return figure;
}

static void run_figure(void *context)
{
    lancet_image *figure = make_figure(context);

    lancet_image_close(&figure);
}

static void run_png(void *context)
{
    struct work *work = context;
    const lancet_png png = {.samples = work->figure.rgb,
                            .width = work->figure.width,
                            .height = work->figure.height,
                            .stride = work->figure.stride};
    uint8_t *bytes = NULL;
    size_t length;

    check(lancet_png_encode(&bytes, &length, &png, &work->error), &work->error);
    lancet_png_bytes_close(&bytes);
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

static void bench_pictures(struct work *work)
{
    uint8_t *rgb = photograph_make();
    lancet_image *figure;

    work->jpeg = photograph_jpeg(&work->jpeg_length);
    work->picture = (lancet_picture){rgb, WIDTH, HEIGHT, 0};
    /* CLIP's own. */
    work->options = (lancet_feature_options){.width = SIDE,
                                             .height = SIDE,
                                             .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                             .deviation = {0.26862954f, 0.26130258f, 0.27577711f}};
    for (size_t i = 0; i < WIDTH * HEIGHT; i++)
        work->heat[i] = (float)i / (WIDTH * HEIGHT);
    printf("a JPEG of %dx%d and %zu bytes, decoded           %8.2f ms\n", WIDTH, HEIGHT, work->jpeg_length,
           1e3 * bench_best(run_decode, work));
    printf("resized to %dx%d as Pillow does, normalised      %8.2f ms\n", SIDE, SIDE,
           1e3 * bench_best(run_pixels, work));
    printf("all of that: from the file to the first layer's input %5.2f ms\n",
           1e3 * bench_best(run_chain, work));
    printf("overlay and legend                                 %8.2f ms\n",
           1e3 * bench_best(run_figure, work));
    figure = make_figure(work);
    work->figure = lancet_image_picture(figure);
    printf("the figure as PNG                                  %8.2f ms\n", 1e3 * bench_best(run_png, work));
    lancet_image_close(&figure);
    free(work->jpeg);
    free(rgb);
}

int main(int argc, char **argv)
{
    static struct work work;

    bench_pictures(&work);
    check(lancet_vocabulary_open(&work.vocabulary, argc > 1 ? argv[1] : TINY_VOCABULARY, &work.error),
          &work.error);
    printf("tokens of 100,000 short texts                       %7.2f s  (%zu tokens in the vocabulary)\n",
           100000.0 / TEXTS * bench_best(run_words, &work), lancet_vocabulary_size(work.vocabulary));
    lancet_tokens_close(&work.tokens);
    lancet_vocabulary_close(&work.vocabulary);
    return 0;
}
