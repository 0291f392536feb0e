/* The confusion matrix of label maps. SPDX-License-Identifier: Apache-2.0 */
#include "lancet/metrics.h"

#include "base/status.h"

#include <math.h>

lancet_status lancet_confusion_add(uint64_t *confusion, uint64_t *missed, size_t class_count,
                                   const uint16_t *truth, const uint16_t *prediction, size_t count,
                                   lancet_error *error)
{
    if (!confusion || !truth || !prediction)
        return lancet_fail(error, LANCET_ERROR_ARGUMENT, "lancet_confusion_add: %s is NULL",
                           !confusion ? "confusion"
                           : !truth   ? "truth"
                                      : "prediction");
    /* Before anything is counted, so that a failure leaves the matrix as it was. */
    for (size_t i = 0; i < count && !missed; i++)
        if (truth[i] < class_count && prediction[i] >= class_count)
            return lancet_fail(error, LANCET_ERROR_ARGUMENT, "prediction: expected less than %zu, found %d",
                               class_count, prediction[i]);
    for (size_t i = 0; i < count; i++) {
        if (truth[i] >= class_count)
            continue;
        if (prediction[i] < class_count)
            confusion[truth[i] * class_count + prediction[i]]++;
        else
            missed[truth[i]]++;
    }
    return LANCET_OK;
}

void lancet_confusion_iou(double *iou, double *mean, double *accuracy, const uint64_t *confusion,
                          const uint64_t *missed, size_t class_count)
{
    uint64_t right = 0, all = 0;
    size_t counted = 0;
    double sum = 0;

    for (size_t c = 0; c < class_count; c++) {
        const uint64_t hit = confusion[c * class_count + c];
        uint64_t truth = missed ? missed[c] : 0, predicted = 0, either;

        for (size_t other = 0; other < class_count; other++) {
            truth += confusion[c * class_count + other];
            predicted += confusion[other * class_count + c];
        }
        either = truth + predicted - hit;
        iou[c] = either ? 100 * (double)hit / (double)either : NAN;
        if (either) {
            sum += iou[c];
            counted++;
        }
        right += hit;
        all += truth;
    }
    if (mean)
        *mean = counted ? sum / (double)counted : NAN;
    if (accuracy)
        *accuracy = all ? 100 * (double)right / (double)all : NAN;
}
