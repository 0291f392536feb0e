/* The sub-commands. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

extern const command explain_command;
extern const command segment_command;
extern const command recognise_command;
extern const command points_command;
extern const command caption_command;
extern const command features_command;
extern const command text_command;
extern const command tokenize_command;
extern const command info_command;
extern const command convert_command;
extern const command verify_command;
extern const command bench_command;
extern const command pull_command;
extern const command compare_command;
extern const command methods_command;
extern const command classes_command;
extern const command eval_command;

#endif
