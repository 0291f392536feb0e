/* How many heads a tower has. They leave no trace in any tensor, so somebody must say.
 * SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_settling.h"

#include <stdio.h>
#include <string.h>

/* Picture towers published with heads of other than 64 channels. Text towers have 64 throughout. */
static const struct {
    size_t width, head_width;
    const char *model;
} published[] = {
    {1280, 80, "ViT-H-14"}, {1408, 88, "ViT-g-14"}, {1664, 104, "ViT-bigG-14"}, {1792, 112, "ViT-e-14"}};

bool lancet_clip_has_defaults(const lancet_tower_settings *tower)
{
    return tower->present && strncmp(tower->model_type, "clip", 4) == 0;
}

/* Without a word from anyone: what is published at that width. A ResNet's pool, whatever its width, has 64 as
 * texts have. */
static size_t assume_head_width(lancet_clip_configuration *c, size_t width, bool vision)
{
    char note[160];

    for (size_t i = 0; vision && i < sizeof published / sizeof *published; i++)
        if (published[i].width == width) {
            snprintf(note, sizeof note,
                     "The picture tower's heads were assumed to be of %zu channels, as in open_clip's %s.",
                     published[i].head_width, published[i].model);
            lancet_clip_note(c, note);
            return published[i].head_width;
        }
    if (vision && width > 1024)
        lancet_clip_note(c, "The picture tower's heads were assumed to be of 64 channels, but towers of more "
                            "than 1024 often have others: the option head_width sets them.");
    return 64;
}

/* Whoever gave the number is named if it cannot be. */
lancet_status lancet_clip_settle_heads(const lancet_settling *s, bool vision)
{
    lancet_clip_configuration *c = s->configuration;
    const lancet_tower_settings *own = vision ? &s->files->own.vision : &s->files->own.text;
    const lancet_tower_settings *config = vision ? &s->files->config.vision : &s->files->config.text;
    const lancet_tower_settings *open_clip = vision ? &s->files->open_clip.vision : &s->files->open_clip.text;
    const size_t width = vision ? c->vision_width : c->text_width, default_heads = vision ? 12 : 8;
    const int text_option = s->options->text_head_width;
    const int option = !vision && text_option ? text_option : s->options->head_width;
    const char *path = lancet_checkpoint_path(s->checkpoint), *tower = vision ? "picture" : "text";
    const char *name = vision ? "head_width" : "text_head_width";
    const lancet_settings_keys *keys = lancet_clip_own_keys(s);
    const char *source = "published models";
    lancet_status status = LANCET_ERROR_UNSUPPORTED;
    size_t heads = 0, head_width = 0;
    char own_heads[64];

    if (option) {
        head_width = (size_t)option;
        source = "the option";
        status = LANCET_ERROR_ARGUMENT;
    } else if (own->heads) {
        heads = own->heads;
        snprintf(own_heads, sizeof own_heads, "%s.%s", vision ? keys->vision : keys->text, keys->heads);
        source = own_heads;
        status = LANCET_ERROR_INPUT;
    } else if (config->heads || (lancet_clip_has_defaults(config) && width % default_heads == 0)) {
        heads = config->heads ? config->heads : default_heads;
        source = "config.json";
        status = LANCET_ERROR_INPUT;
    } else if (open_clip->heads || open_clip->head_width ||
               (open_clip->present && !vision && width % 8 == 0)) {
        if (open_clip->head_width)
            head_width = open_clip->head_width;
        else
            heads = open_clip->heads ? open_clip->heads : 8; /* open_clip's own default */
        source = "open_clip_config.json";
        status = LANCET_ERROR_INPUT;
    } else if (open_clip->present) {
        head_width = 64; /* the same */
        source = "open_clip_config.json";
    } else {
        head_width = assume_head_width(c, width, vision && c->family == LANCET_FAMILY_VIT);
    }
    if (heads && width % heads != 0)
        return lancet_fail(s->error, status,
                           "%s: the %s tower's width %zu cannot be parted into %zu heads, as in %s", path,
                           tower, width, heads, source);
    if (!heads && width % head_width != 0)
        return lancet_fail(s->error, status,
                           "%s: the %s tower's width %zu is no multiple of the head width %zu, as in %s: the "
                           "option %s sets another",
                           path, tower, width, head_width, source, name);
    *(vision ? &c->vision_heads : &c->text_heads) = heads ? heads : width / head_width;
    return LANCET_OK;
}
