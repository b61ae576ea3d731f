/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virtward.c: options, the table of commands, and how errors are said. */
#include "virtward.h"

#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virxml.h"

static const virtwardCommand *const commands[] = {&virtwardCheckHost, &virtwardDevices, &virtwardHandlers};

static void
printHelp(void)
{
    printf(_("usage: virtward [--root DIR] COMMAND [ARGUMENT...]\n\n"));
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, _(commands[i]->summary));
    printf(_("\nvirtward COMMAND --help tells more.\n"));
}

static const virtwardCommand *
findCommand(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (g_str_equal(commands[i]->name, name))
            return commands[i];
    }
    return NULL;
}

/* The options before the command; the index of the command, argc if there is none. */
static int
readOptions(int argc, char **argv, const char **retRoot)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (g_str_equal(argv[i], "--root") && i + 1 < argc)
            *retRoot = argv[++i];
        else if (g_str_has_prefix(argv[i], "--root="))
            *retRoot = argv[i] + strlen("--root=");
        else
            return argc;
    }
    return i;
}

int
main(int argc, char **argv)
{
    virtwardContext context = {NULL, NULL};
    g_autoptr(virDaemonLayout) layout = NULL;
    g_autoptr(GError) error = NULL;
    const virtwardCommand *command;
    int at = readOptions(argc, argv, &context.root);

    (void)setlocale(LC_ALL, ""); /* without a locale it speaks English */
    (void)bindtextdomain(PACKAGE, LOCALEDIR);
    command = at < argc ? findCommand(argv[at]) : NULL;
    if (!command) {
        bool asked = argc == 2 && g_str_equal(argv[1], "--help");

        if (at < argc)
            fprintf(stderr, _("virtward: there is no command '%s'\n"), argv[at]);
        printHelp();
        return asked ? 0 : 2;
    }
    virXMLInit();
    context.layout = layout = virDaemonLayoutNew(context.root);
    if (command->run(&context, argc - at, argv + at, &error))
        return 0;
    fprintf(stderr, "virtward %s: %s\n", command->name, error->message);
    return 1;
}
