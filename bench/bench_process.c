/* The whole command beside its own forward pass: `lancet explain` from a picture file to the overlay, the
 * words from a bank, in turns with the same encoding in this process, where everything is warm. What the
 * command takes beyond that is starting, opening and checking the model, and pictures.
 *
 * Usage: bench_process [MODEL [PICTURE]] (default: the model that comes with Lancet, and a made-up photograph
 * of 500x375 pixels). A model of the size that people use: tools/seeded-model ViT-B/16 FILE; its vocabulary
 * is looked for as always. The model is read before, so that it is not the disk that is timed.
 * SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* wait4 */
#include "bench.h"
#include "photograph.h"

#include "lancet/image.h"
#include "lancet/lancet.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 15

extern char **environ;

static lancet_error error;

static void check(lancet_status status)
{
    if (status != LANCET_OK) {
        fprintf(stderr, "%s\n", error.message);
        exit((int)status);
    }
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(LANCET_ERROR_IO);
}

/* Where the bank, the picture and the overlay go. */
static struct {
    char folder[512], bank[600], picture[600], overlay[600];
} places;

static void make_places(void)
{
    const char *folder = getenv("TMPDIR");

    snprintf(places.folder, sizeof places.folder, "%s/lancet-process-XXXXXX",
             folder && *folder ? folder : "/tmp");
    if (!mkdtemp(places.folder))
        fail(places.folder);
    snprintf(places.bank, sizeof places.bank, "%s/bank.safetensors", places.folder);
    snprintf(places.picture, sizeof places.picture, "%s/picture.jpg", places.folder);
    snprintf(places.overlay, sizeof places.overlay, "%s/picture-1-cat.overlay.png", places.folder);
}

static void remove_places(void)
{
    unlink(places.bank);
    unlink(places.picture);
    unlink(places.overlay);
    rmdir(places.folder);
}

/* The given picture, or one made up, under the name that the overlay's follows from. */
static void write_picture(const char *given)
{
    size_t length = 0;
    uint8_t *bytes = NULL;
    FILE *in = given ? fopen(given, "rb") : NULL, *out = fopen(places.picture, "wb");

    if (given && (!in || fseek(in, 0, SEEK_END) != 0 || (length = (size_t)ftell(in)) == 0))
        fail(given);
    if (in) {
        rewind(in);
        bytes = malloc(length);
        if (!bytes || fread(bytes, 1, length, in) != length)
            fail(given);
        fclose(in);
    } else {
        bytes = photograph_jpeg(&length);
    }
    if (!out || fwrite(bytes, 1, length, out) != length || fclose(out) != 0)
        fail(places.picture);
    free(bytes);
}

struct cost {
    double time, processor; /* seconds */
    double resident;        /* bytes at most */
};

static struct cost run_command(const char *model)
{
    char *const arguments[] = {LANCET_COMMAND, "explain", places.picture, "--labels", places.bank, "-m",
                               (char *)model,  "-o",      places.folder,  "--quiet",  NULL};
    const double start = bench_now();
    struct rusage used;
    pid_t child;
    int status;

    if (posix_spawn(&child, LANCET_COMMAND, NULL, NULL, arguments, environ) != 0 ||
        wait4(child, &status, 0, &used) != child)
        fail(LANCET_COMMAND);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "lancet explain failed\n");
        exit(LANCET_ERROR_IO);
    }
    return (struct cost){
        bench_now() - start,
        (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
            1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
        1024.0 * (double)used.ru_maxrss,
    };
}

static double run_forward(lancet_session *session, const lancet_picture *picture)
{
    const double start = bench_now();
    lancet_features *features = NULL;

    check(lancet_features_encode(&features, session, picture, NULL, &error));
    lancet_features_close(&features);
    return bench_now() - start;
}

static void write_bank(lancet_session *session)
{
    static const char *const text = "cat";
    lancet_labels *labels = NULL;

    check(lancet_labels_encode(&labels, session, &text, 1, NULL, &error));
    check(lancet_labels_save(labels, places.bank, &error));
    lancet_labels_close(&labels);
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

static void sort(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, compare);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : MODEL_IN_THE_BOX;
    double whole[ROUNDS], processor[ROUNDS], forward[ROUNDS], resident = 0;
    lancet_model *model = NULL;
    lancet_session *session = NULL;
    lancet_image *image = NULL;
    lancet_picture picture;

    make_places();
    atexit(remove_places);
    write_picture(argc > 2 ? argv[2] : NULL);
    check(lancet_model_open(&model, path, NULL, &error));
    check(lancet_session_open(&session, model, NULL, &error));
    write_bank(session);
    check(lancet_image_open(&image, places.picture, NULL, &error));
    picture = lancet_image_picture(image);
    for (int i = 0; i < 2; i++) {
        run_forward(session, &picture);
        run_command(path);
    }
    for (int i = 0; i < ROUNDS; i++) {
        struct cost cost;

        forward[i] = run_forward(session, &picture);
        cost = run_command(path);
        whole[i] = cost.time;
        processor[i] = cost.processor;
        resident = cost.resident > resident ? cost.resident : resident;
    }
    sort(whole);
    sort(processor);
    sort(forward);
    printf("lancet explain, one word from a bank: %s\n", path);
    printf("whole process  %7.1f ms (median of %d; %.1f to %.1f), %.1f ms of processor time\n",
           1e3 * whole[ROUNDS / 2], ROUNDS, 1e3 * whole[0], 1e3 * whole[ROUNDS - 1],
           1e3 * processor[ROUNDS / 2]);
    printf(
        "forward pass   %7.1f ms (%.1f to %.1f) in a process that is warm: the whole takes %.2f times that\n",
        1e3 * forward[ROUNDS / 2], 1e3 * forward[0], 1e3 * forward[ROUNDS - 1],
        whole[ROUNDS / 2] / forward[ROUNDS / 2]);
    printf("memory         %7.0f MB resident at most\n", resident / 1e6);
    lancet_image_close(&image);
    lancet_session_close(&session);
    lancet_model_close(&model);
    return 0;
}
