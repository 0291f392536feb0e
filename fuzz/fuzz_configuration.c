/* Any bytes as the configuration files beside weights, or as the one inside. The first byte says which, and
 * which tower is open. SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_settle.h"

#include "checkpoint/safetensors.h"
#include "checkpoint/settings_own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A checkpoint with both towers' first blocks and nothing in them: what it holds is in the configuration. */
static lancet_checkpoint *open_empty(void)
{
    static const lancet_tensor tensors[] = {
        {.name = "visual.transformer.resblocks.0.x", .rank = 1, .shape = {0}},
        {.name = "transformer.resblocks.0.x", .rank = 1, .shape = {0}},
    };
    static lancet_buffer bytes;
    lancet_checkpoint *checkpoint;

    if (!bytes.length && lancet_safetensors_print(&bytes, tensors, 2, NULL, NULL, 0, NULL) != LANCET_OK)
        abort();
    if (lancet_checkpoint_open_memory(&checkpoint, bytes.bytes, bytes.length, "fuzz", NULL) != LANCET_OK)
        abort();
    return checkpoint;
}

/* What was settled, written as Lancet writes it into a file, settles to the same. */
static void check_round_trip(const lancet_clip_configuration *c, const lancet_checkpoint *checkpoint)
{
    const lancet_model_options options = {0};
    lancet_clip_configuration again = *c;
    lancet_clip_files files = {0};
    lancet_buffer text = {0};

    lancet_settings_print(&text, c, &files.own.origin);
    again.vision_heads = again.text_heads = 0;
    again.activation = LANCET_ACTIVATION_AUTO;
    again.naming = LANCET_NAMING_OPENAI;
    if (text.failed ||
        lancet_settings_parse(&files.own, LANCET_SETTINGS_OWN, text.bytes, text.length, "fuzz", NULL) !=
            LANCET_OK ||
        lancet_clip_settle(&again, checkpoint, &files, &options, NULL) != LANCET_OK ||
        again.vision_heads != c->vision_heads || again.text_heads != c->text_heads ||
        again.activation != c->activation || again.layer_norm_epsilon != c->layer_norm_epsilon ||
        memcmp(again.mean, c->mean, sizeof c->mean) != 0 ||
        memcmp(again.deviation, c->deviation, sizeof c->deviation) != 0)
        abort();
    lancet_buffer_close(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const lancet_model_options options = {0};
    lancet_clip_configuration c = {.has_vision = true,
                                   .has_text = true,
                                   .embedding_width = 64,
                                   .image_side = 48,
                                   .patch_side = 8,
                                   .grid_side = 6,
                                   .vision_width = 128,
                                   .vision_blocks = 8,
                                   .vision_hidden = 512,
                                   .text_width = 64,
                                   .text_blocks = 3,
                                   .text_hidden = 256,
                                   .context_length = 77,
                                   .vocabulary_size = 49408};
    lancet_clip_files files = {0};
    lancet_checkpoint *checkpoint;
    lancet_settings *settings;
    lancet_error error;
    unsigned kind;

    if (!size)
        return 0;
    kind = data[0] & 3;
    settings = kind == LANCET_SETTINGS_HUGGING_FACE   ? &files.config
               : kind == LANCET_SETTINGS_PREPROCESSOR ? &files.preprocessor
               : kind == LANCET_SETTINGS_OPEN_CLIP    ? &files.open_clip
                                                      : &files.own;
    c.naming = kind >= LANCET_SETTINGS_OPEN_CLIP ? LANCET_NAMING_OPENAI : LANCET_NAMING_HUGGING_FACE;
    c.has_text = !(data[0] & 64);
    if (lancet_settings_parse(settings, (lancet_settings_kind)kind, (const char *)data + 1, size - 1, "fuzz",
                              &error) != LANCET_OK) {
        if (!strlen(error.message))
            abort();
        return 0;
    }
    checkpoint = open_empty();
    if (lancet_clip_settle(&c, checkpoint, &files, &options, &error) == LANCET_OK) {
        /* Whatever the files say, this much is sure afterwards. */
        if (!c.vision_heads || c.vision_width % c.vision_heads || c.activation == LANCET_ACTIVATION_AUTO ||
            !(c.layer_norm_epsilon > 0) || !isfinite(c.mean[0]) || !(c.deviation[2] > 0))
            abort();
        check_round_trip(&c, checkpoint);
    } else if (!strlen(error.message)) {
        abort();
    }
    lancet_checkpoint_close(&checkpoint);
    return 0;
}
