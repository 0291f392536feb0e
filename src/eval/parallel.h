/* Processes that share an evaluation. The only place that knows MPI: everything they tell each other goes
 * through the journal's files. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_PARALLEL_H
#define LANCET_EVAL_PARALLEL_H

#include "lancet/eval.h"

/** Returns when all processes have called it. */
void lancet_parallel_wait(void);

#endif
