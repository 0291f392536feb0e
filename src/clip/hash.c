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

/* Bytes that are read before their pages may go. */
#define SLICE ((size_t)4 << 20)

/* Every byte of every file, in order. */
static void walk(const lancet_checkpoint *checkpoint,
                 void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
    for (size_t i = 0; i < lancet_checkpoint_files(checkpoint); i++) {
        const lancet_mapping *file = lancet_checkpoint_file(checkpoint, i);

        for (size_t at = 0; at < file->length; at += SLICE) {
            const size_t length = file->length - at < SLICE ? file->length - at : SLICE;

            take(context, file->bytes + at, length);
            if (lancet_checkpoint_is_file(checkpoint))
                lancet_mapping_drop(file, file->bytes + at, length);
        }
    }
}

static void take_fast(void *context, const uint8_t *bytes, size_t length)
{
    XXH3_128bits_update(context, bytes, length);
}

static void take_sha256(void *context, const uint8_t *bytes, size_t length)
{
    sha256_update(context, length, bytes);
}

bool lancet_hash_fast(char hex[LANCET_HASH_SIZE], const lancet_checkpoint *checkpoint)
{
    XXH3_state_t *state = XXH3_createState();
    XXH128_canonical_t canonical;

    if (!state)
        return false;
    XXH3_128bits_reset(state);
    walk(checkpoint, take_fast, state);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    print_hex(hex, canonical.digest, sizeof canonical.digest);
    return true;
}

void lancet_hash_sha256(char hex[LANCET_SHA256_SIZE], const lancet_checkpoint *checkpoint)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;

    sha256_init(&context);
    walk(checkpoint, take_sha256, &context);
    sha256_digest(&context, sizeof digest, digest);
    print_hex(hex, digest, sizeof digest);
}
