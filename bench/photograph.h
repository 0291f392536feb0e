/* A picture like a photograph, made up, so that the benchmarks need no file: a JPEG takes as long to decode
 * as its contents are busy, and noise or plain colours would say nothing. SPDX-License-Identifier: Apache-2.0
 */
#ifndef BENCH_PHOTOGRAPH_H
#define BENCH_PHOTOGRAPH_H

#include <stddef.h>
#include <stdint.h>

#define PHOTOGRAPH_WIDTH  500
#define PHOTOGRAPH_HEIGHT 375

/** Pixels [height, width, 3], by free(): light and colour at every scale, the finer the fainter. */
uint8_t *photograph_make(void);

/** The same as a JPEG file of `*length` bytes, by free(): quality 90, colours at half the resolution. */
uint8_t *photograph_jpeg(size_t *length);

#endif
