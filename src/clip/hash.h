/* Hashes of whole files. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_HASH_H
#define LANCET_CLIP_HASH_H

#include "base/file.h"
#include "lancet/model.h"

/** XXH3-128 as hexadecimal text: at the speed of memory, so that every result file can carry it. */
void lancet_hash_fast(char hex[LANCET_HASH_SIZE], const lancet_mapping *file);

/** SHA-256 as hexadecimal text: what publishers of weights give. */
void lancet_hash_sha256(char hex[LANCET_SHA256_SIZE], const lancet_mapping *file);

#endif
