/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_settle.h"

#include "checkpoint/clip_roles.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct settling {
    lancet_clip_configuration *configuration;
    const lancet_checkpoint *checkpoint;
    lancet_clip_files *files;
    const lancet_model_options *options;
    lancet_error *error;
} settling;

void lancet_clip_note(lancet_clip_configuration *configuration, const char *sentence)
{
    const size_t used = strlen(configuration->missing), size = sizeof configuration->missing;

    if (used + strlen(sentence) + 2 <= size) /* a sentence that does not fit is left out whole */
        snprintf(configuration->missing + used, size - used, "%s%s", used ? " " : "", sentence);
}

/* Files may leave sizes out, but not contradict the tensors: then one of the two is of another model. */
static lancet_status check_size(const settling *s, const char *file, const char *section, const char *key,
                                size_t said, size_t actual)
{
    if (!said || said == actual)
        return LANCET_OK;
    return lancet_fail(s->error, LANCET_ERROR_INPUT,
                       "%s: %s%s%s%s%s: expected %zu as in the tensors, found %zu",
                       lancet_checkpoint_path(s->checkpoint), file, *file ? " beside it: " : "", section,
                       *section ? "." : "", key, actual, said);
}

/* What a tower's section calls its settings. */
typedef struct keys {
    const char *file; /* "": the weights' own */
    const char *vision, *text, *embedding, *width, *hidden, *blocks, *patch, *image, *context, *vocabulary;
    const char *heads, *activation; /* of the weights' own */
} keys;

static const keys hugging_face_keys = {.file = "config.json",
                                       .vision = "vision_config",
                                       .text = "text_config",
                                       .embedding = "projection_dim",
                                       .width = "hidden_size",
                                       .hidden = "intermediate_size",
                                       .blocks = "num_hidden_layers",
                                       .patch = "patch_size",
                                       .image = "image_size",
                                       .context = "max_position_embeddings",
                                       .vocabulary = "vocab_size"};
static const keys open_clip_keys = {.file = "open_clip_config.json",
                                    .vision = "vision_cfg",
                                    .text = "text_cfg",
                                    .embedding = "embed_dim",
                                    .width = "width",
                                    .hidden = "mlp_ratio",
                                    .blocks = "layers",
                                    .patch = "patch_size",
                                    .image = "image_size",
                                    .context = "context_length",
                                    .vocabulary = "vocab_size"};

static const keys gguf_keys = {.file = "",
                               .vision = "clip.vision",
                               .text = "clip.text",
                               .embedding = "projection_dim",
                               .width = "embedding_length",
                               .hidden = "feed_forward_length",
                               .blocks = "block_count",
                               .patch = "patch_size",
                               .image = "image_size",
                               .context = "context_length",
                               .vocabulary = "",
                               .heads = "attention.head_count",
                               .activation = "clip.use_gelu in the file"};
#define OWN LANCET_SETTINGS_OWN_KEY ": "
static const keys converted_keys = {.file = "",
                                    .vision = OWN "vision",
                                    .text = OWN "text",
                                    .embedding = OWN "embedding_width",
                                    .width = "width",
                                    .hidden = "hidden",
                                    .blocks = "blocks",
                                    .patch = "patch_side",
                                    .image = "image_side",
                                    .context = "context_length",
                                    .vocabulary = "vocabulary_size",
                                    .heads = "heads",
                                    .activation = LANCET_SETTINGS_OWN_KEY " in the file"};

static const keys *own_keys(const settling *s)
{
    return s->files->own.converted ? &converted_keys : &gguf_keys;
}

/* open_clip states a ratio and truncates the product, as int() does. */
static size_t said_hidden(const lancet_tower_settings *tower, size_t width)
{
    const double hidden = tower->hidden_ratio * (double)width;

    return hidden >= 1 && hidden < 1e9 ? (size_t)hidden : tower->hidden;
}

/* Hugging Face's sections of a tower often keep the library's default, whatever the model's; what is
 * converted from them repeats it. */
static size_t said_embedding(const lancet_tower_settings *tower)
{
    return tower->embedding_width == 512 ? 0 : tower->embedding_width;
}

/* A file may name the towers that it holds. */
static lancet_status check_presence(const settling *s, bool vision)
{
    const lancet_tower_settings *tower = vision ? &s->files->own.vision : &s->files->own.text;
    const lancet_tower_names names = lancet_tower_names_of(s->configuration, vision);
    char prefix[LANCET_TENSOR_NAME_SIZE];
    const bool found =
        lancet_checkpoint_find_prefix(s->checkpoint, lancet_block_prefix(prefix, &names)) != NULL;

    if (found ? !tower->absent : !tower->present)
        return LANCET_OK;
    if (s->files->own.converted) /* names a tower that is there, and is silent on one that is not */
        return lancet_fail(s->error, LANCET_ERROR_INPUT,
                           "%s: %s: expected none as in the tensors, found the settings of one",
                           lancet_checkpoint_path(s->checkpoint),
                           vision ? converted_keys.vision : converted_keys.text);
    return lancet_fail(s->error, LANCET_ERROR_INPUT,
                       "%s: clip.has_%s_encoder: expected %s as in the tensors, found %s",
                       lancet_checkpoint_path(s->checkpoint), vision ? "vision" : "text",
                       found ? "true" : "false", found ? "false" : "true");
}

/* Sizes first, so that a file of another model is told as that and not by its heads. */
static lancet_status check_tower(const settling *s, const keys *k, const lancet_tower_settings *tower,
                                 bool vision)
{
    const lancet_clip_configuration *c = s->configuration;
    const char *section = vision ? k->vision : k->text;
    const size_t width = vision ? c->vision_width : c->text_width;
    lancet_status status;

    if (tower->refused[0])
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED, "%s: %s beside it: %s is not supported",
                           lancet_checkpoint_path(s->checkpoint), k->file, tower->refused);
    status = check_size(s, k->file, section, k->width, tower->width, width);
    if (status == LANCET_OK)
        status = check_size(s, k->file, section, k->embedding, said_embedding(tower), c->embedding_width);
    if (status == LANCET_OK)
        status = check_size(s, k->file, section, k->hidden, said_hidden(tower, width),
                            vision ? c->vision_hidden : c->text_hidden);
    if (status == LANCET_OK)
        status = check_size(s, k->file, section, k->blocks, tower->blocks,
                            vision ? c->vision_blocks : c->text_blocks);
    if (status == LANCET_OK && vision)
        status = check_size(s, k->file, section, k->patch, tower->patch_side, c->patch_side);
    /* A picture may be a few pixels wider than its whole patches. */
    if (status == LANCET_OK && vision && tower->image_side / c->patch_side != c->grid_side)
        status = check_size(s, k->file, section, k->image, tower->image_side, c->image_side);
    if (status == LANCET_OK && !vision)
        status = check_size(s, k->file, section, k->context, tower->context_length, c->context_length);
    if (status == LANCET_OK && !vision)
        status = check_size(s, k->file, section, k->vocabulary, tower->vocabulary_size, c->vocabulary_size);
    return status;
}

static lancet_status check_file(const settling *s, const keys *k, const lancet_settings *settings)
{
    lancet_status status = LANCET_OK;

    if (!settings->present)
        return LANCET_OK;
    if (settings->vision.present || settings->text.present)
        status = check_size(s, k->file, "", k->embedding, settings->embedding_width,
                            s->configuration->embedding_width);
    if (status == LANCET_OK && s->configuration->has_vision)
        status = check_tower(s, k, &settings->vision, true);
    if (status == LANCET_OK && s->configuration->has_text)
        status = check_tower(s, k, &settings->text, false);
    return status;
}

/* Hugging Face's library leaves out of a section what is at the class's default. That the section states its
 * model type shows that the library wrote it. */
static bool has_defaults(const lancet_tower_settings *tower)
{
    return tower->present && strncmp(tower->model_type, "clip", 4) == 0;
}

/* Heads leave no trace in any tensor, so somebody must say; whoever it was is named if it cannot be. */
static lancet_status settle_heads(const settling *s, bool vision)
{
    lancet_clip_configuration *c = s->configuration;
    const lancet_tower_settings *own = vision ? &s->files->own.vision : &s->files->own.text;
    const lancet_tower_settings *config = vision ? &s->files->config.vision : &s->files->config.text;
    const lancet_tower_settings *open_clip = vision ? &s->files->open_clip.vision : &s->files->open_clip.text;
    const size_t width = vision ? c->vision_width : c->text_width, default_heads = vision ? 12 : 8;
    const char *path = lancet_checkpoint_path(s->checkpoint), *tower = vision ? "picture" : "text";
    const char *source = "each OpenAI model";
    lancet_status status = LANCET_ERROR_UNSUPPORTED;
    size_t heads = 0, head_width = 64;
    char own_heads[64];

    if (s->options->head_width) {
        head_width = (size_t)s->options->head_width;
        source = "the option head_width";
        status = LANCET_ERROR_ARGUMENT;
    } else if (own->heads) {
        heads = own->heads;
        snprintf(own_heads, sizeof own_heads, "%s.%s", vision ? own_keys(s)->vision : own_keys(s)->text,
                 own_keys(s)->heads);
        source = own_heads;
        status = LANCET_ERROR_INPUT;
    } else if (config->heads || (has_defaults(config) && width % default_heads == 0)) {
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
    } else if (width > 1024) {
        lancet_clip_note(
            c, "Attention heads of 64 channels were assumed, but models of this width often have others "
               "(80, 88, 104): the option head_width sets them.");
    }
    if (heads && width % heads != 0)
        return lancet_fail(s->error, status,
                           "%s: the %s tower's width %zu cannot be parted into %zu heads, as in %s", path,
                           tower, width, heads, source);
    if (!heads && width % head_width != 0)
        return lancet_fail(
            s->error, status,
            "%s: the %s tower's width %zu is no multiple of the head width %zu, as in %s: the option "
            "head_width sets another",
            path, tower, width, head_width, source);
    *(vision ? &c->vision_heads : &c->text_heads) = heads ? heads : width / head_width;
    return LANCET_OK;
}

/* AUTO if the name is "". */
static lancet_status parse_activation(const settling *s, const char *name, const char *source,
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
static lancet_status config_activation(const settling *s, const lancet_tower_settings *tower,
                                       lancet_activation *activation)
{
    const char *name = tower->activation;

    if (!*name && has_defaults(tower))
        name = "quick_gelu";
    return parse_activation(s, name, "config.json beside it: hidden_act", activation);
}

/* OpenAI's convert_weights halves what multiplies and leaves the norms: nobody else's files look so. */
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

/* Option, the weights' own file, Hugging Face's, open_clip's, the container's metadata, then the likeliest.
 */
static lancet_status settle_activation(const settling *s)
{
    lancet_clip_configuration *c = s->configuration;
    const lancet_settings *own = &s->files->own, *open_clip = &s->files->open_clip;
    const char *said = lancet_checkpoint_metadata(s->checkpoint, "activation");
    lancet_activation vision = LANCET_ACTIVATION_AUTO, text = LANCET_ACTIVATION_AUTO;
    const char *origin = "option";
    lancet_status status = LANCET_OK;

    c->activation = s->options->activation;
    if (c->activation == LANCET_ACTIVATION_AUTO && own->has_quick_gelu) {
        c->activation = own->quick_gelu ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU;
        origin = own->activation_assumed ? "assumed when it was converted" : own_keys(s)->activation;
    }
    if (c->activation == LANCET_ACTIVATION_AUTO) {
        if (c->has_vision)
            status = config_activation(s, &s->files->config.vision, &vision);
        if (status == LANCET_OK && c->has_text)
            status = config_activation(s, &s->files->config.text, &text);
        if (status != LANCET_OK)
            return status;
        if (vision && text && vision != text)
            return lancet_fail(
                s->error, LANCET_ERROR_UNSUPPORTED,
                "%s: config.json beside it: towers with different activations are not supported",
                lancet_checkpoint_path(s->checkpoint));
        c->activation = vision ? vision : text;
        origin = "config.json";
    }
    if (c->activation == LANCET_ACTIVATION_AUTO && (open_clip->vision.present || open_clip->text.present)) {
        c->activation = open_clip->quick_gelu ? LANCET_ACTIVATION_QUICK_GELU : LANCET_ACTIVATION_GELU;
        origin = "open_clip_config.json";
    }
    if (c->activation == LANCET_ACTIVATION_AUTO) {
        status = parse_activation(s, said ? said : "", "metadata", &c->activation);
        origin = "metadata";
    }
    if (c->activation == LANCET_ACTIVATION_AUTO) {
        const lancet_tower_names names = lancet_tower_names_of(c, c->has_vision);

        c->activation = LANCET_ACTIVATION_QUICK_GELU;
        origin = lancet_checkpoint_is_torchscript(s->checkpoint)
                     ? "assumed: a TorchScript archive, as OpenAI ships"
                 : looks_converted(s->checkpoint, &names)
                     ? "assumed: the tensors are of mixed types as in OpenAI's files"
                     : "assumed: no file says";
        lancet_clip_note(c, "The activation was assumed to be QuickGELU, as in OpenAI's models.");
    }
    snprintf(c->activation_origin, sizeof c->activation_origin, "%s", origin);
    return status;
}

/* One epsilon for both towers, as in every CLIP published; two would be another architecture. */
static lancet_status settle_epsilon(const settling *s)
{
    lancet_clip_configuration *c = s->configuration;
    const lancet_clip_files *f = s->files;
    double vision = f->config.vision.epsilon ? f->config.vision.epsilon : f->open_clip.vision.epsilon;
    double text = f->config.text.epsilon ? f->config.text.epsilon : f->open_clip.text.epsilon;

    vision = f->own.vision.epsilon > 0 ? f->own.vision.epsilon : vision;
    text = f->own.text.epsilon > 0 ? f->own.text.epsilon : text;
    vision = vision > 0 ? vision : 1e-5;
    text = text > 0 ? text : 1e-5;
    if (c->has_vision && c->has_text && (float)vision != (float)text)
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: towers with different layer norm epsilons (%g and %g) are not supported",
                           lancet_checkpoint_path(s->checkpoint), vision, text);
    c->layer_norm_epsilon = (float)(c->has_vision ? vision : text);
    if (!(c->layer_norm_epsilon > 0) || c->layer_norm_epsilon > 0.1f)
        return lancet_fail(s->error, LANCET_ERROR_INPUT,
                           "%s: expected a layer norm epsilon in 0..0.1, found %g",
                           lancet_checkpoint_path(s->checkpoint), c->has_vision ? vision : text);
    return LANCET_OK;
}

/* Without a word from any file: the constants of OpenAI's training pictures. */
static void settle_pixels(const settling *s)
{
    static const float mean[] = {0.48145466f, 0.4578275f, 0.40821073f};
    static const float deviation[] = {0.26862954f, 0.26130258f, 0.27577711f};
    lancet_clip_configuration *c = s->configuration;
    const bool openai = c->naming == LANCET_NAMING_OPENAI;
    /* Each naming's own file goes first; weights that speak for themselves have none beside them. */
    const lancet_settings *first = s->files->own.present ? &s->files->own
                                   : openai              ? &s->files->open_clip
                                                         : &s->files->preprocessor;
    const lancet_settings *second = openai ? &s->files->preprocessor : &s->files->open_clip;

    memcpy(c->mean, first->has_mean ? first->mean : second->has_mean ? second->mean : mean, sizeof mean);
    memcpy(c->deviation,
           first->has_deviation    ? first->deviation
           : second->has_deviation ? second->deviation
                                   : deviation,
           sizeof deviation);
}

/* Is config.json about a CLIP model at all? */
static lancet_status check_model_type(const settling *s)
{
    lancet_settings *config = &s->files->config;
    char shown[48];

    if (!config->model_type[0] || strcmp(config->model_type, "clip") == 0 ||
        strcmp(config->model_type, "clip_vision_model") == 0 ||
        strcmp(config->model_type, "clip_text_model") == 0)
        return LANCET_OK;
    if (s->configuration->naming == LANCET_NAMING_HUGGING_FACE)
        return lancet_fail(
            s->error, LANCET_ERROR_UNSUPPORTED,
            "%s: config.json beside it: expected model_type clip, found %s, which is not supported",
            lancet_checkpoint_path(s->checkpoint), lancet_show(shown, sizeof shown, config->model_type));
    *config = (lancet_settings){0}; /* it is about something else in the folder */
    return LANCET_OK;
}

lancet_status lancet_clip_settle(lancet_clip_configuration *configuration,
                                 const lancet_checkpoint *checkpoint, lancet_clip_files *files,
                                 const lancet_model_options *options, lancet_error *error)
{
    const settling s = {configuration, checkpoint, files, options, error};
    lancet_status status = check_model_type(&s);

    if (status == LANCET_OK)
        status = check_presence(&s, true);
    if (status == LANCET_OK)
        status = check_presence(&s, false);
    if (status == LANCET_OK)
        status = check_file(&s, own_keys(&s), &files->own);
    if (status == LANCET_OK)
        status = check_file(&s, &hugging_face_keys, &files->config);
    if (status == LANCET_OK)
        status = check_file(&s, &open_clip_keys, &files->open_clip);
    if (status == LANCET_OK && configuration->has_vision)
        status = settle_heads(&s, true);
    if (status == LANCET_OK && configuration->has_text)
        status = settle_heads(&s, false);
    if (status == LANCET_OK)
        status = settle_activation(&s);
    if (status == LANCET_OK)
        status = settle_epsilon(&s);
    settle_pixels(&s);
    return status;
}
