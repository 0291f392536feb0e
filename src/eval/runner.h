/* Measuring pictures one after the other. SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_RUNNER_H
#define LANCET_EVAL_RUNNER_H

#include "eval/protocol.h"

/** The first number of each record. */
enum {
    LANCET_RECORD_MEASURED = 0, /**< what the protocol measured follows */
    LANCET_RECORD_SKIPPED = 1   /**< why follows, a text */
};

/** Measures this process's share of the first `total` pictures, but for those that the journal has, and
 * writes the records. Errors: as lancet_evaluate. */
lancet_status lancet_run_pictures(lancet_run *run, const lancet_protocol_steps *steps,
                                  lancet_journal *journal, size_t total, lancet_error *error);

#endif
