/* Lancet: CLIP and CLIP Surgery, natively. This header brings in all of the core library; pictures from files
 * and overlays are in lancet/image.h, a library of its own (liblancet-image), and so is what evaluates: data
 * sets, ground truth and metrics, and runs over many pictures (liblancet-eval: lancet/dataset.h, classes.h,
 * masks.h, metrics.h, stream.h).
 *
 * Three levels of effort:
 *   1. lancet/explain.h: one call, a picture and words in, heat maps out.
 *   2. lancet/model.h, session.h, labels.h, features.h, maps.h: handles, so that new words never re-run the
 * picture and new pictures never re-encode the words; windows.h for pictures larger than one pass takes.
 *   3. lancet_text_encode, lancet_pixels_prepare, lancet_tokens_walk, lancet_attention_rows: the inside.
 *
 * Every call that can fail returns a lancet_status and fills a lancet_error. The library never prints, exits
 * or aborts on its input.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_LANCET_H
#define LANCET_LANCET_H

#include "lancet/compare.h"
#include "lancet/convert.h"
#include "lancet/error.h"
#include "lancet/explain.h"
#include "lancet/features.h"
#include "lancet/labels.h"
#include "lancet/maps.h"
#include "lancet/methods.h"
#include "lancet/model.h"
#include "lancet/npy.h"
#include "lancet/picture.h"
#include "lancet/session.h"
#include "lancet/tasks.h"
#include "lancet/text.h"
#include "lancet/windows.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The library's version, "major.minor.patch". */
LANCET_API const char *lancet_version(void);

/** The instruction set the numeric kernels run with here: "scalar", "avx2", "avx512" or "avx512-bf16" (with
 * AVX512_BF16 and AVX512_VNNI). The environment variable LANCET_CPU, read once, may choose a lesser one. */
LANCET_API const char *lancet_instruction_set(void);

#ifdef __cplusplus
}
#endif
#endif
