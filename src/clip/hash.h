/* Hashes of whole files. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_HASH_H
#define LANCET_CLIP_HASH_H

#include "checkpoint/checkpoint.h"
#include "lancet/model.h"

/* Of a checkpoint's files end to end, which is nearly always one file. */

/* Their pages leave the resident set once they are read, of which little else may be wanted. */

/** XXH3-128 as hexadecimal text: at the speed of memory, so that every result file can carry it. False if
 * memory is out. */
bool lancet_hash_fast(char hex[LANCET_HASH_SIZE], const lancet_checkpoint *checkpoint);

/** SHA-256 as hexadecimal text: what publishers of weights give. */
void lancet_hash_sha256(char hex[LANCET_SHA256_SIZE], const lancet_checkpoint *checkpoint);

#endif
