/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SECONDS_BEFORE_FIRST 0.3
#define SECONDS_BETWEEN      0.1
#define BAR_WIDTH            24

/* There is one terminal, so whether a bar stands on its line is the process's to know. */
static bool line_in_use;

static double seconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) * 1e-9;
}

static size_t terminal_width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void progress_begin(progress *bar, const char *what, bool quiet)
{
    *bar = (progress){.shown = !quiet && isatty(STDERR_FILENO), .what = what};
    clock_gettime(CLOCK_MONOTONIC, &bar->started);
}

void progress_show(progress *bar, size_t done, size_t total, const char *detail)
{
    char filled[BAR_WIDTH + 1], line[512];
    size_t cells, width;

    if (!bar->shown || !total || seconds_since(&bar->started) < SECONDS_BEFORE_FIRST)
        return;
    if (done < total && seconds_since(&bar->drawn) < SECONDS_BETWEEN)
        return;
    clock_gettime(CLOCK_MONOTONIC, &bar->drawn);
    cells = (size_t)((double)done / (double)total * BAR_WIDTH);
    memset(filled, '.', BAR_WIDTH);
    memset(filled, '#', cells < BAR_WIDTH ? cells : BAR_WIDTH);
    filled[BAR_WIDTH] = '\0';
    snprintf(line, sizeof line, "%s [%s] %zu/%zu %s", bar->what, filled, done, total, detail ? detail : "");
    /* A line longer than the terminal would wrap, and the next one could not wipe it. */
    width = terminal_width();
    if (strlen(line) >= width) {
        size_t end = width ? width - 1 : 0;

        while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
            end--;
        line[end < sizeof line ? end : sizeof line - 1] = '\0';
    }
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
    line_in_use = true;
}

void progress_show_left(progress *bar, size_t done, size_t resumed, size_t total, const char *detail)
{
    char text[256];
    double seconds;

    if (done <= resumed) {
        progress_show(bar, done, total, detail);
        return;
    }
    seconds = seconds_since(&bar->started) / (double)(done - resumed) * (double)(total - done);
    snprintf(text, sizeof text, "%.0f:%02d:%02d left%s%.200s", (double)((long)seconds / 3600),
             (int)((long)seconds / 60 % 60), (int)((long)seconds % 60), detail ? "  " : "",
             detail ? detail : "");
    progress_show(bar, done, total, text);
}

void progress_end(progress *bar)
{
    progress_clear();
    bar->shown = false;
}

void progress_clear(void)
{
    if (!line_in_use)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    line_in_use = false;
}

bool progress_of_work(void *context, size_t done, size_t total)
{
    progress_show(context, done, total, NULL);
    return true;
}
