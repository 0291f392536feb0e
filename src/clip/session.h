/* The inside of a session. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_CLIP_SESSION_H
#define LANCET_CLIP_SESSION_H

#include "lancet/session.h"

#include "base/arena.h"
#include "base/threads.h"
#include "clip/model.h"
#include "tensor/linear.h"

struct lancet_session {
    const lancet_model *model;
    lancet_pool *pool;
    lancet_linear_scratch *linears;
    lancet_arena arena; /* the activations of the call that runs */
    float **scratch;    /* [threads]: pieces of the arena */
};

#endif
