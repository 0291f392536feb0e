/* Any bytes as a vocabulary file. What follows the first zero byte, if there is one, is the file beside it
 * (vocab.json's merges.txt, or the other way round): no sound file of either kind contains a zero.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clip/text/vocabulary_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A vocabulary that was accepted has to work. */
static void use(const lancet_vocabulary *vocabulary)
{
    lancet_tokens tokens = {0};

    if (lancet_tokenize(&tokens, vocabulary, "a photo of the caf\u00E9's thin cat, <|endoftext|>", NULL) !=
        LANCET_OK)
        abort();
    for (size_t i = 0; i < tokens.count; i++) {
        if (!lancet_vocabulary_token(vocabulary, tokens.ids[i]))
            abort();
    }
    lancet_tokens_close(&tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool is_gzip = size >= 2 && data[0] == 0x1F && data[1] == 0x8B; /* which is full of zeros */
    const uint8_t *zero = size && !is_gzip ? memchr(data, 0, size) : NULL;
    const size_t length = zero ? (size_t)(zero - data) : size;
    const lancet_bytes file = {"file", size ? (const char *)data : "", length};
    const lancet_bytes beside = {"beside", zero ? (const char *)zero + 1 : "", zero ? size - length - 1 : 0};
    lancet_vocabulary *vocabulary;
    lancet_error error = {LANCET_OK, ""};
    const lancet_status status = lancet_vocabulary_read(&vocabulary, &file, zero ? &beside : NULL, &error);

    if ((status == LANCET_OK) != (vocabulary != NULL) || (status != LANCET_OK && !error.message[0]))
        abort();
    if (vocabulary)
        use(vocabulary);
    lancet_vocabulary_close(&vocabulary);
    return 0;
}
