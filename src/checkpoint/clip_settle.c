/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_settle.h"

#include "checkpoint/clip_resnet.h"
#include "checkpoint/clip_roles.h"
#include "checkpoint/clip_settling.h"
#include "checkpoint/settings_own.h"
#include "checkpoint/show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* CLIP's own tokenizer has as many tokens. */
#define CLIP_WORDS 49408

void lancet_clip_note(lancet_clip_configuration *configuration, const char *sentence)
{
    const size_t used = strlen(configuration->missing), size = sizeof configuration->missing;

    if (used + strlen(sentence) + 2 <= size) /* a sentence that does not fit is left out whole */
        snprintf(configuration->missing + used, size - used, "%s%s", used ? " " : "", sentence);
}

/* Files may leave sizes out, but not contradict the tensors: then one of the two is of another model. */
static lancet_status check_size(const lancet_settling *s, const char *file, const char *section,
                                const char *key, size_t said, size_t actual)
{
    if (!said || said == actual)
        return LANCET_OK;
    return lancet_fail(s->error, LANCET_ERROR_INPUT,
                       "%s: %s%s%s%s%s: expected %zu as in the tensors, found %zu",
                       lancet_checkpoint_path(s->checkpoint), file, *file ? " beside it: " : "", section,
                       *section ? "." : "", key, actual, said);
}

static const lancet_settings_keys hugging_face_keys = {.file = "config.json",
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
static const lancet_settings_keys open_clip_keys = {.file = "open_clip_config.json",
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

static const lancet_settings_keys gguf_keys = {.file = "",
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
static const lancet_settings_keys converted_keys = {.file = "",
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

const lancet_settings_keys *lancet_clip_own_keys(const lancet_settling *s)
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
static lancet_status check_presence(const lancet_settling *s, bool vision)
{
    const lancet_tower_settings *tower = vision ? &s->files->own.vision : &s->files->own.text;
    const lancet_tower_names names = lancet_tower_names_of(s->configuration, vision);
    char prefix[LANCET_TENSOR_NAME_SIZE];
    const bool found =
        lancet_checkpoint_find_prefix(s->checkpoint, lancet_block_prefix(prefix, &names)) != NULL ||
        (vision && lancet_clip_is_resnet(s->checkpoint));

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

/* open_clip names CLIP's own tokenizer too, in models that were packed for another library; its number of
 * words tells it from others. */
static lancet_status check_tokenizer(const lancet_settling *s, const lancet_settings_keys *k,
                                     const lancet_tower_settings *tower)
{
    lancet_clip_configuration *c = s->configuration;
    char shown[sizeof tower->tokenizer];

    if (tower->tokenizer[0] && c->vocabulary_size != CLIP_WORDS)
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: %s beside it: %s.hf_tokenizer_name is %s, with %zu tokens: another tokenizer "
                           "than CLIP's is not supported",
                           lancet_checkpoint_path(s->checkpoint), k->file, k->text,
                           lancet_show(shown, sizeof shown, tower->tokenizer), c->vocabulary_size);
    /* 2 is what the library wrote for years; there it stands for the highest id, which is the end token. */
    if (tower->end_token && tower->end_token != 2 + 1)
        c->end_token = tower->end_token;
    return LANCET_OK;
}

/* Sizes first, so that a file of another model is told as that and not by its heads. */
static lancet_status check_tower(const lancet_settling *s, const lancet_settings_keys *k,
                                 const lancet_tower_settings *tower, bool vision)
{
    const lancet_clip_configuration *c = s->configuration;
    const char *section = vision ? k->vision : k->text;
    const bool resnet = vision && c->family == LANCET_FAMILY_RESNET;
    /* A ResNet's settings name the width of its stem; it has no blocks with a hidden layer. */
    const size_t width = resnet ? c->stem_width : vision ? c->vision_width : c->text_width;
    lancet_status status;

    if (tower->refused[0])
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED, "%s: %s beside it: %s, which is not supported",
                           lancet_checkpoint_path(s->checkpoint), k->file, tower->refused);
    status = check_size(s, k->file, section, k->width, tower->width, width);
    if (status == LANCET_OK)
        status = check_size(s, k->file, section, k->embedding, said_embedding(tower), c->embedding_width);
    if (status == LANCET_OK && !resnet)
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
    if (status == LANCET_OK && !vision)
        status = check_tokenizer(s, k, tower);
    return status;
}

static lancet_status check_file(const lancet_settling *s, const lancet_settings_keys *k,
                                const lancet_settings *settings)
{
    lancet_status status = LANCET_OK;

    if (!settings->present)
        return LANCET_OK;
    if (settings->multimodal && s->configuration->has_text)
        return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                           "%s: %s beside it: multimodal_cfg: a CoCa model, which is not supported",
                           lancet_checkpoint_path(s->checkpoint), k->file);
    if (settings->vision.present || settings->text.present)
        status = check_size(s, k->file, "", k->embedding, settings->embedding_width,
                            s->configuration->embedding_width);
    if (status == LANCET_OK && s->configuration->has_vision)
        status = check_tower(s, k, &settings->vision, true);
    if (status == LANCET_OK && s->configuration->has_text)
        status = check_tower(s, k, &settings->text, false);
    return status;
}

/* One epsilon for both towers, as in every CLIP published; two would be another architecture. */
static lancet_status settle_epsilon(const lancet_settling *s)
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

/* What training did to its pictures and Lancet does not. Cropping is no part of it: the method shows the
 * whole picture. */
static void settle_training(const lancet_settling *s, const char *interpolation, const char *resize_mode)
{
    char note[160], shown[16];

    if (!s->configuration->has_vision)
        return;
    if (*interpolation && strcmp(interpolation, "bicubic") != 0) {
        snprintf(note, sizeof note,
                 "Training resized its pictures by %s interpolation, Lancet does by bicubic.",
                 lancet_show(shown, sizeof shown, interpolation));
        lancet_clip_note(s->configuration, note);
    }
    if (strcmp(resize_mode, "longest") == 0)
        lancet_clip_note(s->configuration,
                         "Training padded its pictures to squares, Lancet resizes them to one.");
}

/* Without a word from any file: the constants of OpenAI's training pictures. */
static void settle_pixels(const lancet_settling *s)
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

    settle_training(s, first->interpolation[0] ? first->interpolation : second->interpolation,
                    first->resize_mode[0] ? first->resize_mode : second->resize_mode);
    memcpy(c->mean, first->has_mean ? first->mean : second->has_mean ? second->mean : mean, sizeof mean);
    memcpy(c->deviation,
           first->has_deviation    ? first->deviation
           : second->has_deviation ? second->deviation
                                   : deviation,
           sizeof deviation);
}

/* Text towers beside a tower from timm are of several kinds, which no tensor tells apart. */
static lancet_status check_company(const lancet_settling *s)
{
    if (!s->configuration->has_text || s->files->open_clip.text.present ||
        !lancet_checkpoint_find_prefix(s->checkpoint, "visual.trunk."))
        return LANCET_OK;
    return lancet_fail(s->error, LANCET_ERROR_UNSUPPORTED,
                       "%s: a text tower beside a picture tower from timm is not supported without "
                       "open_clip_config.json beside the file: only that tells whether it looks ahead",
                       lancet_checkpoint_path(s->checkpoint));
}

/* Is config.json about a CLIP model at all? */
static lancet_status check_model_type(const lancet_settling *s)
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
    const lancet_settling s = {configuration, checkpoint, files, options, error};
    lancet_status status = check_model_type(&s);

    if (status == LANCET_OK)
        status = check_company(&s);
    if (status == LANCET_OK)
        status = check_presence(&s, true);
    if (status == LANCET_OK)
        status = check_presence(&s, false);
    if (status == LANCET_OK)
        status = check_file(&s, lancet_clip_own_keys(&s), &files->own);
    if (status == LANCET_OK)
        status = check_file(&s, &hugging_face_keys, &files->config);
    if (status == LANCET_OK)
        status = check_file(&s, &open_clip_keys, &files->open_clip);
    if (status == LANCET_OK && configuration->has_vision)
        status = lancet_clip_settle_heads(&s, true);
    if (status == LANCET_OK && configuration->has_text)
        status = lancet_clip_settle_heads(&s, false);
    if (status == LANCET_OK)
        status = lancet_clip_settle_activation(&s);
    if (status == LANCET_OK)
        status = settle_epsilon(&s);
    settle_pixels(&s);
    return status;
}
