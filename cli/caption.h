/* `lancet caption`: what its parts share. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CAPTION_H
#define CLI_CAPTION_H

#include "lancet/image.h"
#include "lancet/tasks.h"

#include <stdbool.h>

/** How many of the best tokens are marked, each in a colour of its own. */
#define CAPTION_MARKED 3

/** Red, yellow, blue, as in the paper's figure. */
extern const uint8_t caption_colours[CAPTION_MARKED][3];

/** A picture's caption with the rank of each token. */
typedef struct caption_tokens {
    const char *text; /* the caption as it was given */
    size_t count;
    char **shown;                   /* [count]: "[start]", "dog", "[end]" */
    const bool *ends_word;          /* [count]: a space stands after it */
    const lancet_token_rank *ranks; /* [count] */
    size_t best;                    /* whose map is shown */
} caption_tokens;

/** Writes a page that stands by itself: the overlay, the caption with its best tokens marked, all tokens in a
 * table. Returns a status; failures are reported. */
int caption_write_html(const char *path, const caption_tokens *tokens, const lancet_picture *overlay,
                       const char *picture_name, const char *note);

#endif
