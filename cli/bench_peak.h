/* The machine's own limit. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BENCH_PEAK_H
#define CLI_BENCH_PEAK_H

/** Fused multiply-adds that threads reach right now with the widest vectors there are; an addition and a
 * multiplication each count. */
typedef struct bench_peak {
    double together; /* operations a second of the clock, all threads together */
    double each;     /* operations of one thread in a second of its own, whatever else the machine does */
} bench_peak;

/** Measured for about `seconds`. 0 if no thread can be started. */
bench_peak peak_measure(int threads, double seconds);

#endif
