/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/clip_variants.h"

#include "checkpoint/show.h"

typedef struct giveaway {
    lancet_naming naming;
    bool vision, text; /* whom it concerns */
    const char *prefix, *what;
    const char *why; /* NULL: it is another architecture, and that is all */
} giveaway;

#define O   LANCET_NAMING_OPENAI, true, true
#define O_V LANCET_NAMING_OPENAI, true, false
#define O_T LANCET_NAMING_OPENAI, false, true
#define H   LANCET_NAMING_HUGGING_FACE, true, true
#define H_V LANCET_NAMING_HUGGING_FACE, true, false
#define H_T LANCET_NAMING_HUGGING_FACE, false, true

#define G   LANCET_NAMING_CLIP_CPP, true, true
#define G_V LANCET_NAMING_CLIP_CPP, true, false

#define NO_CLASS_TOKEN "it does not read a picture at a class token, as the method does"
#define NO_TRANSFORMER "the method works on a transformer's blocks"

/* The first line that fits is the message, so that the telling ones come first. */
static const giveaway giveaways[] = {
    {O, "text_decoder.", "a CoCa model", NO_CLASS_TOKEN},
    {O_T, "text.cls_emb", "a text tower with a class token, as in CoCa", NULL},
    {O_T, "cls_emb", "a text tower with a class token, as in CoCa", NULL},
    {O_V, "visual.attn_pool.", "a picture tower with attentional pooling", NO_CLASS_TOKEN},
    {O_V, "visual.trunk.attn_pool.", "a picture tower with attentional pooling, as in SigLIP",
     NO_CLASS_TOKEN},
    {O_V, "visual.trunk.stages.", "a convolutional picture tower, as in ConvNeXt or MobileCLIP-S",
     NO_TRANSFORMER},
    {O_V, "visual.trunk.patch_embed.backbone.",
     "a picture tower that starts with convolutions, as in MobileCLIP-B or ViTamin", NULL},
    {O_V, "visual.trunk.layers.", "a Swin picture tower", NULL},
    {O_V, "visual.trunk.blocks.0.attn.q_", "an EVA-CLIP picture tower", NULL},
    {O_V, "visual.trunk.", "a picture tower from timm", NULL},
    {O_V, "visual.blocks.", "an EVA-CLIP picture tower", NULL},
    {O_T, "text.proj.", "a text tower from Hugging Face's library", NULL},
    {O_T, "text.transformer.embeddings.", "a text tower from Hugging Face's library", NULL},
    {O_T, "text.transformer.encoder.", "a text tower from Hugging Face's library", NULL},
    {O_T, "text.transformer.shared.", "a text tower from Hugging Face's library", NULL},
    {O_T, "bert.", "a BERT text tower, as in Chinese-CLIP", NULL},
    {O_T, "positional_embedding_res", "a Long-CLIP text tower", NULL},
    {H, "logit_bias", "a SigLIP model", NO_CLASS_TOKEN},
    {H, "qformer.", "a BLIP-2 model", NULL},
    {H, "text_decoder.", "a BLIP model", NULL},
    {H, "text_encoder.", "a BLIP model", NULL},
    {H, "language_model.", "a picture tower in front of a language model", NULL},
    {H_V, "vision_model.head.", "a SigLIP picture tower", NO_CLASS_TOKEN},
    {H_V, "vision_model.embeddings.patch_embedding.bias", "a picture tower whose patch layer has a bias",
     NULL},
    {H_V, "vision_model.embeddings.convolution.", "an EfficientNet picture tower, as in ALIGN",
     NO_TRANSFORMER},
    {H_V, "vision_model.encoder.stages.", "a GroupViT picture tower", NULL},
    {H_T, "text_model.head.", "a SigLIP text tower", NULL},
    {H_T, "text_model.embeddings.word_embeddings", "a BERT text tower", NULL},
    {H_T, "text_model.roberta.", "a RoBERTa text tower", NULL},
    {G, "mm.", "a part of a language model (llama.cpp's mmproj)", NULL},
    {G, "resampler.", "a part of a language model (llama.cpp's mmproj)", NULL},
    {G_V, "v.patch_embd.bias", "a picture tower whose patch layer has a bias", NULL},
};

/* Files that hold no tower of CLIP's under any name that is read. */
static const struct {
    const char *prefix, *what;
} others[] = {
    {"image_encoder.model.", "a MobileCLIP model in Apple's own form"},
    {"image_encoder.", "a SAM model"},
    {"mask_decoder.", "a SAM model"},
    {"visual_encoder.", "a BLIP or ALBEF model"},
    {"clip.vision_model.", "a CLIPSeg model"},
    {"owlvit.", "an OWL-ViT model"},
    {"vision_tower.", "a language model that sees"},
    {"cond_stage_model.", "a Stable Diffusion checkpoint"},
    {"conditioner.", "a Stable Diffusion checkpoint"},
    {"model.diffusion_model.", "a diffusion model"},
    {"embeddings.token_embedding.", "a text tower without its projection, as in Stable Diffusion"},
    {"embeddings.class_embedding", "a picture tower without its projection"},
    {"embeddings.cls_token", "a vision transformer without words, such as DINO"},
    {"vit.embeddings.", "a vision transformer without words"},
    {"cls_token", "a vision transformer without words, such as DINO"},
};

lancet_status lancet_clip_check_variants(const lancet_clip_configuration *configuration,
                                         const lancet_checkpoint *checkpoint, lancet_error *error)
{
    const char *path = lancet_checkpoint_path(checkpoint);
    char shown[96];

    for (size_t i = 0; i < sizeof giveaways / sizeof *giveaways; i++) {
        const giveaway *g = &giveaways[i];
        const char *name = lancet_checkpoint_find_prefix(checkpoint, g->prefix);

        if (name && g->naming == configuration->naming &&
            ((g->vision && configuration->has_vision) || (g->text && configuration->has_text)))
            return lancet_fail(
                error, LANCET_ERROR_UNSUPPORTED, "%s: found %s (%s), which is not supported%s%s", path,
                g->what, lancet_show(shown, sizeof shown, name), g->why ? ": " : "", g->why ? g->why : "");
    }
    return LANCET_OK;
}

lancet_status lancet_clip_refuse_others(const lancet_checkpoint *checkpoint, lancet_error *error)
{
    const char *path = lancet_checkpoint_path(checkpoint);
    const size_t names = lancet_checkpoint_names(checkpoint);
    char shown[96];

    if (!names)
        return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a CLIP model, found no tensors at all",
                           path);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *name = lancet_checkpoint_find_prefix(checkpoint, others[i].prefix);

        if (name)
            return lancet_fail(error, LANCET_ERROR_INPUT, "%s: expected a CLIP model, found %s (%s)", path,
                               others[i].what, lancet_show(shown, sizeof shown, name));
    }
    return lancet_fail(error, LANCET_ERROR_INPUT,
                       "%s: expected a CLIP model (tensors such as visual.conv1.weight or "
                       "vision_model.embeddings.class_embedding), found %zu others, such as %s",
                       path, names, lancet_show(shown, sizeof shown, lancet_checkpoint_name(checkpoint, 0)));
}
