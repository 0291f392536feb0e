/* A table of small models for the tests of `lancet pull`, in the place of cli/models_table.c. The hashes are
 * hashlib's, of the bytes that pull_server.py makes, and of the tiny model's files.
 * SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

/* Nobody listens there: every test but one names the server itself. */
#define NOWHERE "http://127.0.0.1:9/"

const model_source model_sources[] = {
    {.name = "Pinned",
     .home = NOWHERE,
     .weights = {{.name = "pinned.pt",
                  .sha256 = "3fc4c57d8dc516919f7b80b0fdd2884eb24f4bddd40b405a16bd210fce283834",
                  .size = 300000}},
     .activation = "quickgelu",
     .owner = "nobody",
     .licence = "none"},
    {.name = "open_clip/Linked/first",
     .home = NOWHERE,
     .repository = "nobody/CLIP-Linked",
     .weights = {{.name = "model.safetensors"}, {.name = "model.bin"}},
     .config = "open_clip_config.json",
     .size_about = 200000,
     .activation = "gelu",
     .owner = "nobody",
     .licence = "none"},
    {.name = "Tiny",
     .home = NOWHERE,
     .weights = {{.name = "model.safetensors",
                  .sha256 = "852e3c64fb68243af694b3a44a133d97c7c894848f3c769db8dae9fba53a23b0",
                  .size = 1284724}},
     .activation = "quickgelu",
     .owner = "nobody",
     .licence = "none"},
    {.name = NULL},
};

const char *const vocabulary_home = NOWHERE;
const model_file vocabulary_file = {
    .name = "merges.txt",
    .sha256 = "69dea3cddff4e6c00bc94ffc5f17e733854b463349b945d03e8761ae933cd0b0",
    .size = 9027,
};
