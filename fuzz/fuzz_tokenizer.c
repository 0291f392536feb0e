/* Any bytes as a text. SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clip/text/vocabulary_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few merges, so that there is something to do on common bytes. */
static const char merges[] =
    "#version: 0.2\ni n\nt h\na n</w>\nth e</w>\nin g</w>\na a\naa aa\nb a\n\u00C3 \u00A9</w>\n"
    "! !</w>\n; ;\na m\nam p\n";

static lancet_vocabulary *open_tiny(void)
{
    const lancet_bytes file = {"built in", merges, sizeof merges - 1};
    lancet_vocabulary *vocabulary;

    if (lancet_vocabulary_read(&vocabulary, &file, NULL, NULL) != LANCET_OK)
        abort();
    return vocabulary;
}

static void check(int sound)
{
    if (!sound)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lancet_vocabulary *vocabulary;
    static lancet_tokens tokens; /* used again and again, as a caller would */
    const char *text = size ? (const char *)data : "";
    lancet_tokens_loss loss;
    lancet_status status;
    int32_t ids[8];

    if (!vocabulary)
        vocabulary = open_tiny();
    status = lancet_tokenize_bytes(&tokens, vocabulary, text, size, NULL);
    if (lancet_utf8_check(text, size) < size)
        check(status == LANCET_ERROR_ARGUMENT);
    if (status != LANCET_OK) {
        check(tokens.count == 0);
        return 0;
    }
    check(strlen(tokens.text) == tokens.length &&
          lancet_utf8_check(tokens.text, tokens.length) == tokens.length);
    for (size_t i = 0; i < tokens.count; i++) {
        check(tokens.ids[i] >= 0 && (size_t)tokens.ids[i] < lancet_vocabulary_size(vocabulary));
        check(tokens.ends[i] > (i ? tokens.ends[i - 1] : 0) && tokens.ends[i] <= tokens.length);
    }
    check(lancet_tokens_context(ids, 8, &loss, &tokens, vocabulary, NULL) == LANCET_OK);
    check(loss.count == (tokens.count > 6 ? tokens.count - 6 : 0) && loss.offset <= tokens.length);
    return 0;
}
