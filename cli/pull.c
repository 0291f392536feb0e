/* `lancet pull`: models by name, from where they are published. SPDX-License-Identifier: Apache-2.0 */
#include "pull.h"

#include "commands.h"
#include "fetch/http.h"
#include "json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const option pull_options[] = {
    {.name = "list",
     .letter = 'l',
     .kind = OPTION_FLAG,
     .offset = offsetof(pull_settings, list),
     .help = "show which models have a name, and which are here; nothing is fetched"},
    {.name = "to",
     .kind = OPTION_TEXT,
     .offset = offsetof(pull_settings, to),
     .argument = "FOLDER",
     .help = "put the model into a folder of its name in this one; default: models/ in the user's data "
             "folder, where -m NAME finds it"},
    {.name = "base-url",
     .kind = OPTION_TEXT,
     .offset = offsetof(pull_settings, base_url),
     .argument = "URL",
     .help = "fetch from a mirror, URL/NAME/FILE; default: where the owners publish them"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .offset = offsetof(pull_settings, force),
     .help = "fetch what is there already as well, and replace it once it is whole and right"},
    {.name = "timeout",
     .kind = OPTION_INTEGER,
     .offset = offsetof(pull_settings, timeout_s),
     .argument = "S",
     .help = "seconds a server may be silent; default: 30",
     .low = 1,
     .high = 3600},
    {.name = "retries",
     .kind = OPTION_INTEGER,
     .offset = offsetof(pull_settings, retries),
     .argument = "N",
     .help = "how often to try again where a transfer breaks off without having brought a megabyte; "
             "default: 5",
     .low = 0,
     .high = 1000},
    {.name = "max-size",
     .kind = OPTION_INTEGER,
     .offset = offsetof(pull_settings, max_size_mb),
     .argument = "MB",
     .help = "refuse weights of more megabytes than this; default: 20000",
     .low = 1,
     .high = 1e9},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(pull_settings, json),
     .help = "print what was done (or the list) as JSON"},
};

/* clang-format off */
static const option_group pull_groups[] = {
    {"Options", pull_options, sizeof pull_options / sizeof *pull_options, 0},
    COMMON_GROUP(pull_settings),
};
/* clang-format on */

/* ---- Ctrl-C ---------------------------------------------------------------------------------------------
 */

/* A signal handler can reach nothing else. */
static volatile sig_atomic_t signal_caught;

static void on_signal(int number)
{
    signal_caught = number;
}

static bool stopped(void)
{
    return signal_caught != 0;
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Ends as the signal would have ended it, so that a shell sees why. */
static void end_by_signal(void)
{
    signal(signal_caught, SIG_DFL);
    raise(signal_caught);
}

/* ---- The command ----------------------------------------------------------------------------------------
 */

/* The base URL without slashes at its end. */
static int check_base_url(char **base, const char *url)
{
    const bool http = strncasecmp(url, "http://", 7) == 0, https = strncasecmp(url, "https://", 8) == 0;
    const char *host = strchr(url, ':') ? strchr(url, ':') + 3 : url;
    size_t length = strlen(url);

    *base = NULL;
    if (!(http || https) || !*host || *host == '/')
        return report_usage("--base-url: expected http://... or https://..., found '%s'", url);
    if (host[strcspn(host, "@?# \t\n")])
        return report_usage("--base-url: expected a host and a path, without a user, '?' or '#'; found '%s'",
                            url);
    while (length && url[length - 1] == '/')
        length--;
    *base = text_print("%.*s", (int)length, url);
    return *base ? EXIT_DONE : report_memory();
}

static int check_name(const char *name)
{
    char *near = NULL;
    int status;

    if (models_find(name))
        return EXIT_DONE;
    status = models_near(&near, name);
    if (status == EXIT_DONE && near)
        status = report_usage("no model is called '%s'; did you mean %s?", name, near);
    else if (status == EXIT_DONE)
        status = report_usage("no model is called '%s'; 'lancet pull --list' shows those that are", name);
    free(near);
    return status;
}

static void say_how_to_use(const model_source *source, const pull_settings *settings)
{
    char *folder = models_folder(source, settings->to), *path = NULL;

    if (!settings->to)
        report_note("use it with -m %s", source->name);
    else if (folder && models_fetched(&path, source, folder) == EXIT_DONE && path)
        report_note("use it with -m %s", path);
    free(path);
    free(folder);
}

/* One after the other; the first that fails ends it, as the others would most likely fail alike. */
static int pull_all(const texts *names, const pull_settings *settings)
{
    json_t *models = json_array(), *report = NULL;
    bool good = models != NULL;
    int status = good ? EXIT_DONE : report_memory();

    for (size_t i = 0; i < names->count && status == EXIT_DONE; i++) {
        const model_source *source = models_find(names->items[i]);
        json_t *model = json_object();

        status = model ? pull_model(model, source, settings, stopped) : report_memory();
        json_add(&good, models, model);
        if (status == EXIT_DONE && !settings->json)
            say_how_to_use(source, settings);
    }
    if (settings->json && !stopped()) {
        report = json_pack("{s:s, s:O, s:i}", "lancet", lancet_version(), "models", models, "status", status);
        if (report && good)
            status = json_print(report) == EXIT_DONE ? status : LANCET_ERROR_MEMORY;
        else
            status = report_memory();
    }
    json_decref(report);
    json_decref(models);
    return status;
}

static int run(const command *self, int argc, char **argv)
{
    pull_settings settings = {.timeout_s = 30, .retries = 5, .max_size_mb = 20000};
    texts names = {0};
    char *base = NULL;
    int status;

    if (!options_parse(self, &settings, &names, argc, argv, &status))
        goto done;
    report_as(self->name, settings.common.quiet);
    status = EXIT_DONE;
    if (!names.count == !settings.list)
        status = names.count ? report_usage("expected a model's name or --list, found both")
                             : report_usage("expected a model's name, or --list; found none");
    if (status == EXIT_DONE && settings.base_url) {
        status = check_base_url(&base, settings.base_url);
        settings.base_url = base;
    }
    for (size_t i = 0; i < names.count && status == EXIT_DONE; i++)
        status = check_name(names.items[i]);
    if (status != EXIT_DONE)
        goto done;
    if (settings.list) {
        status = pull_list(&settings);
        goto done;
    }
    if (!http_available()) {
        status =
            report_problem(LANCET_ERROR_UNSUPPORTED,
                           "this lancet was built without libcurl and cannot fetch; "
                           "'lancet pull --list --json' has the addresses, docs/pull.md where to put it");
        goto done;
    }
    catch_signals();
    status = pull_all(&names, &settings);
    if (stopped())
        status = report_problem(status, "stopped; the same command goes on where this one ended");
done:
    free(base);
    texts_close(&names);
    if (stopped())
        end_by_signal();
    return status;
}

const command pull_command = {
    .name = "pull",
    .summary = "Fetch a CLIP model by its name, with the vocabulary.",
    .usage = "lancet pull NAME... [options]\n"
             "lancet pull --list",
    .about =
        "Fetches OpenAI's models and the common ones of open_clip from where their owners publish them, with "
        "all that belongs to them, into a folder of the user's data folder: 'lancet explain -m NAME' finds "
        "it "
        "there, and does without -m if it is the only one. This is the one command that uses the network; no "
        "other ever does.\n"
        "\n"
        "A transfer that breaks off is tried again, and goes on where it ended, also in a later run: until "
        "it "
        "is whole a file is called NAME.part. Weights are put in place only if their SHA-256 is the "
        "published "
        "one; where none is known beforehand, the one that Hugging Face gives with the file. It is said "
        "which.\n"
        "\n"
        "In names, upper and lower case, slashes and dashes make no difference: ViT-B/16, vit-b-16. A proxy "
        "is "
        "taken from https_proxy, http_proxy and no_proxy, as curl does.",
    .examples = "  lancet pull --list\n"
                "  lancet pull ViT-B-16\n"
                "  lancet pull open_clip/ViT-B-32/laion2b_s34b_b79k\n"
                "  lancet explain photo.jpg -t cat -m ViT-B-16\n",
    .groups = pull_groups,
    .group_count = sizeof pull_groups / sizeof *pull_groups,
    .run = run,
};
