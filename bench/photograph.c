/* SPDX-License-Identifier: Apache-2.0 */
#include "photograph.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#define OCTAVES 8

/* A number in -1 to 1 that belongs to a place of a lattice. */
static float draw(uint32_t x, uint32_t y, uint32_t layer)
{
    uint32_t bits = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ layer * 0xC2B2AE3Du;

    bits = (bits ^ bits >> 15) * 0x2C1B3C6Du;
    bits = (bits ^ bits >> 12) * 0x297A2D39u;
    return (float)(bits ^ bits >> 15) / 2147483648.0f - 1;
}

/* Between the four places around it. */
static float blend(uint32_t x, uint32_t y, uint32_t cell, uint32_t layer)
{
    const uint32_t column = x / cell, row = y / cell;
    const float right = (float)(x % cell) / (float)cell, down = (float)(y % cell) / (float)cell;
    const float above = draw(column, row, layer) * (1 - right) + draw(column + 1, row, layer) * right;
    const float below = draw(column, row + 1, layer) * (1 - right) + draw(column + 1, row + 1, layer) * right;

    return above * (1 - down) + below * down;
}

static uint8_t clamp(float value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

uint8_t *photograph_make(void)
{
    uint8_t *rgb = malloc(PHOTOGRAPH_WIDTH * PHOTOGRAPH_HEIGHT * 3), *pixel = rgb;

    if (!rgb) {
        fprintf(stderr, "out of memory\n");
        exit(6);
    }
    for (uint32_t y = 0; y < PHOTOGRAPH_HEIGHT; y++)
        for (uint32_t x = 0; x < PHOTOGRAPH_WIDTH; x++, pixel += 3) {
            float light = 128, warm = 0;
            float strength = 80;

            for (uint32_t k = 0; k < OCTAVES; k++, strength *= 0.66f) {
                light += strength * blend(x, y, 128u >> k, k);
                warm += k < 4 ? strength * blend(x, y, 128u >> k, 100 + k) / 2 : 0;
            }
            pixel[0] = clamp(light + warm);
            pixel[1] = clamp(light);
            pixel[2] = clamp(light - warm);
        }
    return rgb;
}

uint8_t *photograph_jpeg(size_t *length)
{
    struct jpeg_compress_struct library = {0};
    struct jpeg_error_mgr errors;
    uint8_t *rgb = photograph_make();
    unsigned char *bytes = NULL;
    unsigned long count = 0;

    library.err = jpeg_std_error(&errors); /* which ends the program */
    jpeg_create_compress(&library);
    jpeg_mem_dest(&library, &bytes, &count);
    library.image_width = PHOTOGRAPH_WIDTH;
    library.image_height = PHOTOGRAPH_HEIGHT;
    library.input_components = 3;
    library.in_color_space = JCS_RGB;
    jpeg_set_defaults(&library);
    jpeg_set_quality(&library, 90, TRUE);
    jpeg_start_compress(&library, TRUE);
    while (library.next_scanline < PHOTOGRAPH_HEIGHT) {
        JSAMPROW row = rgb + 3 * PHOTOGRAPH_WIDTH * library.next_scanline;

        jpeg_write_scanlines(&library, &row, 1);
    }
    jpeg_finish_compress(&library);
    jpeg_destroy_compress(&library);
    free(rgb);
    *length = count;
    return bytes;
}
