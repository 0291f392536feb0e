/* SPDX-License-Identifier: Apache-2.0 */
#include "clip/hash.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <xxhash.h>

static void print_hex(char *hex, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void lancet_hash_fast(char hex[LANCET_HASH_SIZE], const lancet_mapping *file)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, XXH3_128bits(file->bytes, file->length));
    print_hex(hex, canonical.digest, sizeof canonical.digest);
}

void lancet_hash_sha256(char hex[LANCET_SHA256_SIZE], const lancet_mapping *file)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;

    sha256_init(&context);
    sha256_update(&context, file->length, file->bytes);
    sha256_digest(&context, sizeof digest, digest);
    print_hex(hex, digest, sizeof digest);
}
