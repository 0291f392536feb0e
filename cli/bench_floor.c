/* How much there is to compute in a picture tower. SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

static double transformer(const lancet_model_description *m, int height, int width)
{
    const double patches = height / m->patch_side * (width / m->patch_side), n = 1 + patches,
                 d = m->vision_width;
    const double block = 24 * n * d * d + 4 * n * n * d;

    return 2 * patches * d * 3 * m->patch_side * m->patch_side + m->vision_blocks * block +
           2 * n * d * m->embedding_width;
}

/* Of a convolution whose result has so many pixels, its sum written out. */
static double convolution(double height, double width, double in, double out, double kernel)
{
    return 2 * height * width * in * out * kernel * kernel;
}

static double resnet(const lancet_model_description *m, int height, int width)
{
    const double stem = m->vision_width / 32.0, d = m->vision_width;
    double flops, in = stem, n;

    height = (height + 1) / 2;
    width = (width + 1) / 2;
    flops = convolution(height, width, 3, stem / 2, 3) + convolution(height, width, stem / 2, stem / 2, 3) +
            convolution(height, width, stem / 2, stem, 3);
    height /= 2;
    width /= 2;
    for (int stage = 0; stage < 4; stage++) {
        const double planes = stem * (1 << stage);

        for (int i = 0; i < m->stage_blocks[stage]; i++, in = 4 * planes) {
            flops +=
                convolution(height, width, in, planes, 1) + convolution(height, width, planes, planes, 3);
            if (stage && i == 0) {
                height /= 2;
                width /= 2;
            }
            flops += convolution(height, width, planes, 4 * planes, 1);
            if (i == 0)
                flops += convolution(height, width, in, 4 * planes, 1);
        }
    }
    n = 1 + (double)height * width;
    return flops + 6 * n * d * d + 4 * n * n * d + 2 * n * d * m->embedding_width;
}

double bench_flops(const lancet_model_description *model, int height, int width)
{
    return strcmp(model->family, "ViT") == 0 ? transformer(model, height, width)
                                             : resnet(model, height, width);
}
