/* QuickGELU or GELU? No tensor tells, and the wrong one gives maps that only look right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_roles.h"
#include "checkpoint/clip_settling.h"
#include "checkpoint/show.h"

#include <stdio.h>
#include <string.h>

/* AUTO if the name is "". */
static lancet_status parse_activation(const lancet_settling *s, const char *name, const char *source,
                                      lancet_activation *activation)
{
    char shown[48];

    if (strcmp(name, "quick_gelu") == 0)
        *activation = LANCET_ACTIVATION_QUICK_GELU;
    else if (strcmp(name, "gelu") == 0)
        *activation = LANCET_ACTIVATION_GELU;
    else if (*name)
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: %s: expected the activation quick_gelu or gelu, found %s",
                           lancet_checkpoint_path(s->checkpoint), source,
                           lancet_show(shown, sizeof shown, name));
    else
        *activation = LANCET_ACTIVATION_AUTO;
    return LANCET_OK;
}

/* What config.json says of one tower; AUTO if nothing. */
static lancet_status config_activation(const lancet_settling *s, const lancet_tower_settings *tower,
                                       lancet_activation *activation)
{
    const char *name = tower->activation;

    if (!*name && lancet_clip_has_defaults(tower))
        name = "quick_gelu";
    return parse_activation(s, name, "config.json beside it: hidden_act", activation);
}

/* Hugging Face's file has one for each tower. */
static lancet_status read_config(const lancet_settling *s)
{
    lancet_clip_configuration *c = s->configuration;
    lancet_activation vision = LANCET_ACTIVATION_AUTO, text = LANCET_ACTIVATION_AUTO;
    lancet_status status = LANCET_OK;

    if (c->has_vision)
        status = config_activation(s, &s->files->config.vision, &vision);
    if (status == LANCET_OK && c->has_text)
        status = config_activation(s, &s->files->config.text, &text);
    if (status == LANCET_OK && vision && text && vision != text)
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: config.json beside it: towers with different activations are not supported",
                           lancet_checkpoint_path(s->checkpoint));
    c->activation = vision ? vision : text;
    return status;
}

/* OpenAI's convert_weights halves what multiplies and leaves the norms: hardly anybody else's files look so.
 */
static bool looks_converted(const lancet_checkpoint *checkpoint, const lancet_tower_names *names)
{
    static const struct {
        size_t role;
        lancet_dtype type;
    } traces[] = {{LANCET_ROLE_QKV_WEIGHT, LANCET_F16},
                  {LANCET_ROLE_QKV_BIAS, LANCET_F16},
                  {LANCET_ROLE_LN_1_WEIGHT, LANCET_F32}};

    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
        char name[LANCET_TENSOR_NAME_SIZE];
        const char *known = lancet_block_name(name, names, 0, &lancet_block_roles[traces[i].role]);
        const lancet_tensor *tensor = known ? lancet_checkpoint_find(checkpoint, known) : NULL;

        if (!tensor || tensor->dtype != traces[i].type)
            return false;
    }
    return true;
}

/* Words in the names that weights are published under, and what those weights were trained with. The first
 * that is found counts; AUTO: the word tells nothing, though a later one might seem to. None can be found in
 * a hexadecimal number, which is how caches name folders. */
static const struct {
    const char *word;
    lancet_activation activation;
} published[] = {
    {"quickgelu", LANCET_ACTIVATION_QUICK_GELU},
    {"v12altogether", LANCET_ACTIVATION_GELU},
    {"metaclipaltogether", LANCET_ACTIVATION_GELU},
    {"metaclip2", LANCET_ACTIVATION_AUTO},
    {"metaclip", LANCET_ACTIVATION_QUICK_GELU},
    {"vitl1439b", LANCET_ACTIVATION_GELU},
    {"dfn2b", LANCET_ACTIVATION_QUICK_GELU},
    {"dfn5b", LANCET_ACTIVATION_QUICK_GELU},
    {"laion2b", LANCET_ACTIVATION_GELU},
    {"laion5b", LANCET_ACTIVATION_GELU},
    {"datacomp", LANCET_ACTIVATION_GELU},
    {"commonpool", LANCET_ACTIVATION_GELU},
};

/* The file's name and three folders above it: a cache of Hugging Face's keeps the model's name that far up.
 * In small letters, without what parts words. */
static void fold_path(char *folded, size_t size, const char *path)
{
    const char *start = path + strlen(path);
    size_t used = 0;

    for (int folders = 4; start > path && (start[-1] != '/' || --folders > 0);)
        start--;
    for (; *start && used + 1 < size; start++) {
        const char c = *start;

        if (c >= 'A' && c <= 'Z')
            folded[used++] = (char)(c - 'A' + 'a');
        else if (c != '-' && c != '_' && c != '.')
            folded[used++] = c;
    }
    folded[used] = '\0';
}

static const char *find_published(const lancet_settling *s, lancet_activation *activation)
{
    char folded[512];

    *activation = LANCET_ACTIVATION_AUTO;
    if (!lancet_checkpoint_is_file(s->checkpoint))
        return NULL;
    fold_path(folded, sizeof folded, lancet_checkpoint_path(s->checkpoint));
    /* The same data, once with one and once with the other. */
    if (strstr(folded, "laion400m") && !strstr(folded, "quickgelu") && s->configuration->has_vision) {
        const bool quick = s->configuration->vision_width == 768 && s->configuration->patch_side == 32;

        *activation = quick ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU;
        return "laion400m";
    }
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (strstr(folded, published[i].word)) {
            *activation = published[i].activation;
            return published[i].word;
        }
    return NULL;
}

/* The likeliest, said as what it is. */
static void assume_activation(const lancet_settling *s)
{
    lancet_clip_configuration *c = s->configuration;
    const bool resnet = c->has_vision && c->family == LANCET_FAMILY_RESNET;
    const lancet_tower_names names = lancet_tower_names_of(c, c->has_vision && !resnet);
    lancet_activation named;
    const char *word = find_published(s, &named);
    char *origin = c->activation_origin, note[160];
    const size_t size = sizeof c->activation_origin;

    c->activation = LANCET_ACTIVATION_QUICK_GELU;
    if (resnet && !c->has_text) {
        snprintf(origin, size, "not used: a ResNet has ReLU only");
        return;
    }
    snprintf(note, sizeof note, "The activation was assumed to be QuickGELU, as in OpenAI's models.");
    if (lancet_checkpoint_is_torchscript(s->checkpoint)) {
        snprintf(origin, size, "assumed: a TorchScript archive, as OpenAI ships");
    } else if (looks_converted(s->checkpoint, &names)) {
        snprintf(origin, size, "assumed: the tensors are of mixed types as in OpenAI's files");
    } else if (named) {
        c->activation = named;
        snprintf(origin, size, "assumed: models published as %s have it", word);
        snprintf(note, sizeof note, "The activation was assumed to be %s, as in models published as %s.",
                 named == LANCET_ACTIVATION_GELU ? "GELU" : "QuickGELU", word);
    } else {
        snprintf(origin, size, "assumed: no file says");
    }
    lancet_clip_note(c, note);
}

/* Option, the weights' own file, Hugging Face's, open_clip's, the container's metadata, then the likeliest.
 */
lancet_status lancet_clip_settle_activation(const lancet_settling *s)
{
    lancet_clip_configuration *c = s->configuration;
    const lancet_settings *own = &s->files->own, *open_clip = &s->files->open_clip;
    const char *said = lancet_checkpoint_metadata(s->checkpoint, "activation");
    const char *origin = "option";
    lancet_status status = LANCET_OK;

    c->activation = s->options->activation;
    if (c->activation == LANCET_ACTIVATION_AUTO && own->has_quick_gelu) {
        c->activation = own->quick_gelu ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU;
        origin =
            own->activation_assumed ? "assumed when it was converted" : lancet_clip_own_keys(s)->activation;
    }
    if (c->activation == LANCET_ACTIVATION_AUTO) {
        status = read_config(s);
        origin = "config.json";
    }
    if (status == LANCET_OK && c->activation == LANCET_ACTIVATION_AUTO &&
        (open_clip->vision.present || open_clip->text.present)) {
        c->activation = open_clip->quick_gelu ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU;
        origin = "open_clip_config.json";
    }
    if (status == LANCET_OK && c->activation == LANCET_ACTIVATION_AUTO) {
        status = parse_activation(s, said ? said : "", "metadata", &c->activation);
        origin = "metadata";
    }
    if (status != LANCET_OK)
        return status;
    if (c->activation == LANCET_ACTIVATION_AUTO)
        assume_activation(s);
    else
        snprintf(c->activation_origin, sizeof c->activation_origin, "%s", origin);
    return LANCET_OK;
}
