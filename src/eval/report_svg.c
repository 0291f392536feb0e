/* Line plots as SVG. SPDX-License-Identifier: Apache-2.0 */
#include "eval/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH  720
#define HEIGHT 440
#define LEFT   64
#define TOP    44
#define PLOT_W 440
#define PLOT_H 330
#define TICKS  5

/* Okabe and Ito's colours, which most people with a colour vision deficiency tell apart; then again, dashed.
 */
static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000", "#8A7F00"};
#define COLOUR_COUNT (sizeof colours / sizeof *colours)

typedef struct range {
    double low, high, step;
} range;

static void put_text(lancet_buffer *svg, double x, double y, const char *anchor, const char *more,
                     const char *words)
{
    lancet_buffer_print(svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, more);
    for (const char *at = words; *at; at++)
        if (*at == '<' || *at == '&' || *at == '>')
            lancet_buffer_print(svg, "&#%d;", *at);
        else if ((unsigned char)*at >= 0x20)
            lancet_buffer_append(svg, at, 1);
    lancet_buffer_print(svg, "</text>\n");
}

/* 1, 2 or 5 times a power of ten, so that about TICKS of them fill the range. */
static double nice_step(double width)
{
    const double rough = width / TICKS, power = pow(10, floor(log10(rough)));

    return rough / power > 5   ? 10 * power
           : rough / power > 2 ? 5 * power
           : rough / power > 1 ? 2 * power
                               : power;
}

static range find_range(const lancet_plot *plot, bool vertical)
{
    range r = {INFINITY, -INFINITY, 1};

    for (size_t i = 0; i < plot->series_count; i++)
        for (size_t k = 0; k < plot->series[i].count; k++) {
            const double value = vertical ? plot->series[i].y[k] : plot->series[i].x[k];

            if (!isfinite(value))
                continue;
            r.low = fmin(r.low, value);
            r.high = fmax(r.high, value);
        }
    if (!(r.low <= r.high))
        r.low = r.high = 0;
    if (r.high - r.low < 1e-9 * fmax(1, fabs(r.high)))
        r.high = r.low + 1;
    r.step = nice_step(r.high - r.low);
    r.low = floor(r.low / r.step + 1e-9) * r.step;
    r.high = ceil(r.high / r.step - 1e-9) * r.step;
    return r;
}

static double place_x(const range *r, double x)
{
    return LEFT + (x - r->low) / (r->high - r->low) * PLOT_W;
}

static double place_y(const range *r, double y)
{
    return TOP + PLOT_H - (y - r->low) / (r->high - r->low) * PLOT_H;
}

static void put_axes(lancet_buffer *svg, const lancet_plot *plot, const range *x, const range *y)
{
    char words[32];

    for (int i = 0; i <= (int)lround((x->high - x->low) / x->step); i++) {
        const double value = x->low + i * x->step, at = place_x(x, value);

        lancet_buffer_print(svg, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n", at,
                            TOP, at, TOP + PLOT_H);
        snprintf(words, sizeof words, "%.6g", fabs(value) < 1e-9 * x->step ? 0 : value);
        put_text(svg, at, TOP + PLOT_H + 18, "middle", "", words);
    }
    for (int i = 0; i <= (int)lround((y->high - y->low) / y->step); i++) {
        const double value = y->low + i * y->step, at = place_y(y, value);

        lancet_buffer_print(svg, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
                            LEFT, at, LEFT + PLOT_W, at);
        snprintf(words, sizeof words, "%.6g", fabs(value) < 1e-9 * y->step ? 0 : value);
        put_text(svg, LEFT - 8, at + 4, "end", "", words);
    }
    lancet_buffer_print(
        svg, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#333\"/>\n", LEFT,
        TOP, PLOT_W, PLOT_H);
    put_text(svg, LEFT + PLOT_W / 2.0, TOP + PLOT_H + 42, "middle", "", plot->x_title);
    snprintf(words, sizeof words, " transform=\"rotate(-90)\"");
    put_text(svg, -(TOP + PLOT_H / 2.0), 18, "middle", words, plot->y_title);
}

static void put_line(lancet_buffer *svg, const lancet_series *line, size_t index, const range *x,
                     const range *y)
{
    const char *colour = colours[index % COLOUR_COUNT];
    const char *dash = index / COLOUR_COUNT % 2 ? " stroke-dasharray=\"6 3\"" : "";
    const double at = TOP + 12 + 18.0 * (double)index;
    bool drawing = false;

    lancet_buffer_print(svg, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s d=\"", colour, dash);
    for (size_t k = 0; k < line->count; k++) {
        if (!isfinite(line->x[k]) || !isfinite(line->y[k])) {
            drawing = false;
            continue;
        }
        lancet_buffer_print(svg, "%c%.2f %.2f", drawing ? 'L' : 'M', place_x(x, line->x[k]),
                            place_y(y, line->y[k]));
        drawing = true;
    }
    lancet_buffer_print(svg, "\"/>\n");
    lancet_buffer_print(
        svg, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\"%s/>\n",
        LEFT + PLOT_W + 14, at, LEFT + PLOT_W + 38, at, colour, dash);
    put_text(svg, LEFT + PLOT_W + 44, at + 4, "start", "", line->name);
}

void lancet_plot_svg(lancet_buffer *svg, const lancet_plot *plot)
{
    const range x = find_range(plot, false), y = find_range(plot, true);
    const size_t legend = TOP + 24 + 18 * plot->series_count;
    const size_t height = legend > HEIGHT ? legend : HEIGHT;

    lancet_buffer_print(svg,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
                        "viewBox=\"0 0 %d %zu\" font-family=\"sans-serif\" font-size=\"13\">\n"
                        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
                        WIDTH, height, WIDTH, height);
    put_text(svg, LEFT, 26, "start", " font-size=\"16\"", plot->title);
    put_axes(svg, plot, &x, &y);
    for (size_t i = 0; i < plot->series_count; i++)
        put_line(svg, &plot->series[i], i, &x, &y);
    lancet_buffer_print(svg, "</svg>\n");
}
