/* Everything that decides the numbers, as text: for journals, and for people.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LANCET_EVAL_FINGERPRINT_H
#define LANCET_EVAL_FINGERPRINT_H

#include "eval/protocol.h"

/** A line for each setting that decides the records. What only decides the totals (thresholds, averages, the
 * bootstrap) is not in it, nor is how many pictures there are to be, so that a journal serves those as well.
 * Errors: ARGUMENT (a variant's options do not suit the model), MEMORY. */
lancet_status lancet_fingerprint(lancet_buffer *text, const lancet_run *run,
                                 const lancet_protocol_steps *steps, lancet_error *error);

/** The same and the bootstrap's options, for the report. */
void lancet_report_settings(lancet_report *report, const lancet_run *run, const lancet_protocol_steps *steps);

/** How samples are averaged, for the protocols that do. */
void lancet_report_average(lancet_report *report, const lancet_run *run);

#endif
