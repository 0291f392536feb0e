# SPDX-License-Identifier: Apache-2.0
"""Cases of make_must_fail.py: what open_clip and libraries around it call CLIP, and Lancet does not run."""

INPUT, UNSUPPORTED = 3, 4


def variants(fail, small, text, apart):
    """Other models, as far as the names of their tensors tell. `small`, `text` and `apart` are CLIP's picture tower, its
    text tower, and the same under CustomTextCLIP's names; fail(name, status, piece, tensors) writes a case."""
    trunk = {"visual.trunk." + name: ("F16", [1]) for name in ("cls_token", "pos_embed", "patch_embed.proj.weight")}

    def tell(name, piece, *names):
        fail(name, UNSUPPORTED, piece, {other: ("F16", [1]) for other in names})

    tell("siglip", "found a SigLIP model (logit_bias), which is not supported: it does not read a picture at a class",
         "logit_bias", "vision_model.embeddings.patch_embedding.bias", "text_model.head.weight")
    tell("siglip_vision", "found a SigLIP picture tower (vision_model.head.probe)", "vision_model.head.probe")
    tell("siglip_timm", "with attentional pooling, as in SigLIP (visual.trunk.attn_pool.latent)", *trunk,
         "visual.trunk.attn_pool.latent", "logit_bias")
    fail("coca", UNSUPPORTED, "found a CoCa model", {**small, "text_decoder.ln_final.weight": ("F16", [1])})
    fail("text_class_token", UNSUPPORTED, "a text tower with a class token",
         {**apart, "text.cls_emb": ("F16", [4])})
    tell("timm", "from timm", *trunk)
    tell("convnext", "a convolutional picture tower, as in ConvNeXt", "visual.trunk.stages.0.blocks.0.gamma")
    tell("mobileclip_b", "that starts with convolutions, as in MobileCLIP-B", *trunk,
         "visual.trunk.patch_embed.backbone.0.conv.weight")
    tell("swin", "a Swin picture tower", "visual.trunk.layers.0.blocks.0.norm1.weight")
    tell("eva", "an EVA-CLIP picture tower", *trunk, "visual.trunk.blocks.0.attn.q_proj.weight")
    tell("eva_own", "an EVA-CLIP picture tower (visual.blocks.0", "visual.blocks.0.attn.q_bias", "visual.cls_token")
    fail("bert", UNSUPPORTED, "a BERT text tower, as in Chinese-CLIP (bert.embeddings.word_embeddings.weight)",
         {"text_projection": ("F16", [4, 2]), "bert.embeddings.word_embeddings.weight": ("F16", [3, 4])})
    tell("chinese_clip", "a BERT text tower (text_model.embeddings.word_embeddings.weight)",
         "text_model.embeddings.word_embeddings.weight", "text_projection.weight")
    tell("align", "an EfficientNet picture tower, as in ALIGN", "vision_model.embeddings.convolution.weight")
    tell("blip", "a BLIP model (text_decoder.bert", "vision_model.embeddings.class_embedding",
         "text_decoder.bert.embeddings.LayerNorm.bias")
    tell("blip_2", "a BLIP-2 model", "vision_model.embeddings.class_embedding", "qformer.layernorm.bias")
    tell("group_vit", "a GroupViT picture tower", "vision_model.encoder.stages.0.group_token")
    fail("long_clip", UNSUPPORTED, "a Long-CLIP text tower", {**text, "positional_embedding_res": ("F16", [2, 4])})
    fail("block_norm", UNSUPPORTED, "tensor visual.transformer.resblocks.0.attn.ln_q.weight: not part of any tower",
         {**small, "visual.transformer.resblocks.0.attn.ln_q.weight": ("F16", [4])})
    for name, other, what in (("sam", "image_encoder.patch_embed.proj.weight", "a SAM model"),
                              ("dino", "cls_token", "a vision transformer without words"),
                              ("clipseg", "clip.vision_model.post_layernorm.bias", "a CLIPSeg model"),
                              ("llava", "vision_tower.vision_model.post_layernorm.bias", "a language model that sees"),
                              ("diffusion", "cond_stage_model.model.ln_final.bias", "a Stable Diffusion checkpoint"),
                              ("text_alone", "embeddings.token_embedding.weight", "as in Stable Diffusion"),
                              ("pictures_alone", "embeddings.class_embedding", "a picture tower without its projection"),
                              ("apple", "image_encoder.model.patch_emb.0.bn.bias", "in Apple's own form")):
        fail("other_" + name, INPUT, what,
             {other: ("F16", [1]), "other": ("F16", [1])})


def settings(case, pictures, words, others_words):
    """Each setting that open_clip knows and Lancet does not run, alone; case(name, status, piece, tensors, file=...)."""

    def refuse(section, key, value, why):
        other = {"head_width": 4} if section == "vision_cfg" else {"heads": 1}
        name = f"open_clip_{section[:-4]}_{key}" + (f"_{value}" if section == "text_cfg" and key == "pool_type" else "")
        case(name, UNSUPPORTED, f"{section}.{key} is {why}",
             pictures if section == "vision_cfg" else words,
             open_clip={"model_cfg": {section: {**other, key: value}}})

    blocks = "blocks with norms or scales of their own"
    pooled = "a picture that is read elsewhere than at its class token"
    refuse("vision_cfg", "timm_model_name", "vit_base_mci_224", "vit_base_mci_224: a picture tower from timm")
    refuse("vision_cfg", "pool_type", "avg", f"avg: {pooled}")
    refuse("vision_cfg", "global_average_pool", True, f"true: {pooled}")
    refuse("vision_cfg", "attentional_pool", "parallel", f"parallel: {pooled}")
    refuse("vision_cfg", "no_ln_pre", True, "true: a picture tower without its first layer norm")
    refuse("vision_cfg", "input_patchnorm", True, "true: a picture tower with a layer norm over patches")
    refuse("vision_cfg", "pos_embed_type", "rope", "rope: positions of another kind")
    refuse("vision_cfg", "ls_init_value", 0.0001, "0.0001: LayerScale")
    refuse("vision_cfg", "qk_norm", True, f"true: {blocks}")
    refuse("vision_cfg", "scaled_cosine_attn", True, f"true: {blocks}")
    refuse("vision_cfg", "scale_cosine_attn", True, f"true: {blocks}")
    refuse("vision_cfg", "scale_heads", True, f"true: {blocks}")
    refuse("vision_cfg", "scale_attn_inner", True, f"true: {blocks}")
    refuse("vision_cfg", "scale_attn", True, f"true: {blocks}")
    refuse("text_cfg", "scale_fc", True, f"true: {blocks}")
    refuse("text_cfg", "act_kwargs", {"approximate": "tanh"}, "set: an activation with settings of its own")
    refuse("text_cfg", "tokenizer_kwargs", {"clean": "canonicalize"}, "set: words that are prepared otherwise")
    refuse("text_cfg", "hf_model_name", "roberta-base", "roberta-base: a text tower from Hugging Face's library")
    for value in ("last", "first", "eos", "none"):
        refuse("text_cfg", "pool_type", value, f"{value}: a text that is read elsewhere than at its end token")
    refuse("text_cfg", "no_causal_mask", True, "true: a text tower that looks ahead")
    refuse("text_cfg", "embed_cls", True, "true: a text tower with a class token, as in CoCa")
    refuse("text_cfg", "proj_type", "none", "none: a text tower without its projection")
    case("open_clip_tokenizer", UNSUPPORTED, "text_cfg.hf_tokenizer_name is bert-base-uncased, with 3 tokens", words,
         open_clip={"model_cfg": {"text_cfg": {"heads": 1, "hf_tokenizer_name": "bert-base-uncased"}}})
    case("open_clip_multimodal", UNSUPPORTED, "multimodal_cfg: a CoCa model", words,
         open_clip={"model_cfg": {"text_cfg": {"heads": 1}, "multimodal_cfg": {"layers": 12}}})
    case("open_clip_setting_hostile", UNSUPPORTED, "text_cfg.pool_type is ?[2Jx", words,
         open_clip={"model_cfg": {"text_cfg": {"heads": 1, "pool_type": "\x1b[2Jx"}}})
    case("open_clip_setting_long", UNSUPPORTED, "...: a text that is read elsewhere than at its end token", words,
         open_clip={"model_cfg": {"text_cfg": {"heads": 1, "pool_type": "x" * 5000}}})
    case("open_clip_eps_text", INPUT, "text_cfg.norm_kwargs.eps: expected a number", words,
         open_clip={"model_cfg": {"text_cfg": {"heads": 1, "norm_kwargs": {"eps": "1e-6"}}}})
    case("config_end_token", INPUT, "text_config.eos_token_id: expected a whole number", others_words,
         config={"model_type": "clip", "text_config": {"eos_token_id": 1.5}})
    case("preprocessor_resample", INPUT, "resample: expected a filter's number", pictures, preprocessor={"resample": -1})
