/* Any bytes as a picture file, read in the ways that the options allow. SPDX-License-Identifier: Apache-2.0
 */
#include "lancet/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static uint32_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0xFFFFFFFFu;

    for (size_t i = 0; i < length; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ 0xEDB88320u : sum >> 1;
    }
    return ~sum;
}

/* Makes the checksums of a PNG right, which chance would never do: what lies behind them is to be tested. */
static void repair_png(uint8_t *bytes, size_t length)
{
    size_t at = 8;

    if (length < 8 || memcmp(bytes, "\x89PNG", 4) != 0)
        return;
    while (length - at >= 12) {
        const size_t size = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                            (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        uint32_t sum;

        if (size > length - at - 12)
            return;
        sum = checksum(bytes + at + 4, size + 4);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + size + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const lancet_image_options ways[] = {
        {.pixels_max = 1 << 16},
        {.pixels_max = 1 << 16, .blend = true, .background = {255, 128, 0}, .accept_damaged = true},
    };
    uint8_t *copy = malloc(length ? length : 1); /* so that reading past the end is seen */

    if (!copy)
        return 0;
    for (size_t i = 0; i < length; i++)
        copy[i] = bytes[i];
    if (length % 2)
        repair_png(copy, length);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        lancet_image *image = NULL;
        lancet_error error;

        if (lancet_image_open_memory(&image, copy, length, NULL, &ways[i], &error) == LANCET_OK) {
            const lancet_picture picture = lancet_image_picture(image);
            volatile uint8_t last = picture.rgb[picture.width * picture.height * 3 - 1];

            (void)last;
        }
        lancet_image_close(&image);
    }
    free(copy);
    return 0;
}
