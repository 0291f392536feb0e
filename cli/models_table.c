/* Where models are published. Facts only: a hash stands here where the publisher gives it (OpenAI in its
 * URLs, Hugging Face as the identity of a large file) and it is of the very revision named; where it does
 * not, the server is asked when the file is fetched. SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#define MB INT64_C(1000000)

/* OpenAI's URLs hold the SHA-256 of the file. */
#define OPENAI(model, file, hash, bytes)                                                                     \
    {                                                                                                        \
        .name = model, .home = "https://openaipublic.azureedge.net/clip/models/" hash "/",                   \
        .weights = {{.name = file, .sha256 = hash, .size = bytes}}, .activation = "quickgelu",               \
        .owner = "OpenAI", .licence = "MIT"                                                                  \
    }

#define HUGGING_FACE(model, place, revision, ...)                                                            \
    {                                                                                                        \
        .name = "open_clip/" model, .home = "https://huggingface.co/" place "/resolve/" revision "/",        \
        .repository = place, .config = "open_clip_config.json", .activation = "gelu", .owner = "LAION",      \
        .licence = "MIT", __VA_ARGS__                                                                        \
    }

/* One file of a revision whose hash is known. */
#define PINNED(file, hash, bytes) .weights = {{.name = file, .sha256 = hash, .size = bytes}}

/* Whatever the publisher has today, checked against the hash that comes with it. */
#define AS_PUBLISHED(bytes)                                                                                  \
    .weights = {{.name = "open_clip_model.safetensors"}, {.name = "open_clip_pytorch_model.bin"}},           \
    .size_about = bytes

const model_source model_sources[] = {
    OPENAI("RN50", "RN50.pt", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762", 255827503),
    OPENAI("RN101", "RN101.pt", "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
           291791292),
    OPENAI("RN50x4", "RN50x4.pt", "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
           421854225),
    OPENAI("RN50x16", "RN50x16.pt", "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
           661125706),
    OPENAI("RN50x64", "RN50x64.pt", "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
           1353500174),
    OPENAI("ViT-B-32", "ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
           353976522),
    OPENAI("ViT-B-16", "ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
           350837078),
    OPENAI("ViT-L-14", "ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
           932768134),
    OPENAI("ViT-L-14-336", "ViT-L-14-336px.pt",
           "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02", 934088680),
    HUGGING_FACE("ViT-B-32/laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
                 "1a25a446712ba5ee05982a381eed697ef9b435cf",
                 PINNED("open_clip_model.safetensors",
                        "ac4f8c4b88af6d963118cbf40ad93176d092abbedfcb752601ae1866352656e6", 605143316)),
    HUGGING_FACE("ViT-B-32/datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
                 "f0e2ffa09cbadab3db6a261ec1ec56407ce42912",
                 PINNED("open_clip_model.safetensors",
                        "3c00043509d2e3f35ec62bd85a643a393883dcda624d8208d034cc390c708297", 0),
                 .size_about = 605 * MB),
    HUGGING_FACE("ViT-B-32-256/datacomp_s34b_b86k", "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", "main",
                 AS_PUBLISHED(605 * MB)),
    HUGGING_FACE("ViT-B-16/laion2b_s34b_b88k", "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "main",
                 AS_PUBLISHED(599 * MB)),
    HUGGING_FACE("ViT-B-16/datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "main",
                 AS_PUBLISHED(599 * MB)),
    HUGGING_FACE("ViT-L-14/laion2b_s32b_b82k", "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
                 "1627032197142fbe2a7cfec626f4ced3ae60d07a",
                 PINNED("open_clip_pytorch_model.safetensors",
                        "7d129ed747e0ed53e82dfcc140382b51be66b56e6a9bdc3258afd2846e3bb019", 1710517748)),
    HUGGING_FACE("ViT-L-14/datacomp_xl_s13b_b90k", "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K", "main",
                 AS_PUBLISHED(1710 * MB)),
    HUGGING_FACE("ViT-H-14/laion2b_s32b_b79k", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
                 "1c2b8495b28150b8a4922ee1c8edee224c284c0c",
                 PINNED("open_clip_model.safetensors",
                        "0084e75319a50ad85ef45377bad5bc38f2f58824459eb690048d51c9f8863be5", 3944517836)),
    HUGGING_FACE("ViT-g-14/laion2b_s34b_b88k", "laion/CLIP-ViT-g-14-laion2B-s34B-b88K", "main",
                 AS_PUBLISHED(5467 * MB)),
    HUGGING_FACE("ViT-bigG-14/laion2b_s39b_b160k", "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k", "main",
                 AS_PUBLISHED(10159 * MB)),
    {.name = NULL},
};

const char *const vocabulary_home =
    "https://raw.githubusercontent.com/openai/CLIP/d05afc436d78f1c48dc0dbf8e5980a9d471f35f6/clip/";
const model_file vocabulary_file = {
    .name = "bpe_simple_vocab_16e6.txt.gz",
    .sha256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
    .size = 1356917,
};
