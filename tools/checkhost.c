/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * checkhost.c: `virtward check-host`: what of the kernel is used, whether it is there for whoever
 * asks, what is lost without it, and what to do. */
#include <stdio.h>

#include "facilities.h"
#include "util/virerror.h"
#include "util/virjson.h"
#include "util/virutil.h"
#include "virtward.h"

enum { DETAIL_ROOM = 200 };

typedef struct {
    facilityState state;
    char detail[DETAIL_ROOM];
} finding;

static void
printText(const finding *findings)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    const char *head[] = {_("FACILITY"), _("THERE"), _("USED FOR")};

    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(cells, g_strdup(head[i]));
    for (size_t i = 0; i < nfacilities; i++) {
        g_ptr_array_add(cells, g_strdup(facilities[i].name));
        g_ptr_array_add(cells, g_strdup(facilityStateToString(findings[i].state)));
        g_ptr_array_add(cells,
                        *findings[i].detail
                            ? g_strdup_printf("%s (%s)", _(facilities[i].use), findings[i].detail)
                            : g_strdup(_(facilities[i].use)));
    }
    virtwardPrintTable(cells, G_N_ELEMENTS(head));
    for (size_t i = 0; i < nfacilities; i++) {
        if (findings[i].state == FACILITY_YES)
            continue;
        printf("\n%s%s%s\n", facilities[i].name, *facilities[i].since ? _(", Linux ") : "",
               facilities[i].since);
        printf(_("    lost: %s\n    do: %s\n"), _(facilities[i].lost), _(facilities[i].remedy));
    }
}

static void
printJSON(const finding *findings)
{
    g_autoptr(virJSON) object = virJSONObject();
    g_autofree char *text = NULL;
    virJSON *list = json_object_new_array();

    for (size_t i = 0; i < nfacilities; i++) {
        virJSON *one = virJSONObject();

        virJSONAddString(one, "name", facilities[i].name);
        virJSONAddString(one, "state", facilityStateToString(findings[i].state));
        virJSONAddString(one, "detail", *findings[i].detail ? findings[i].detail : NULL);
        virJSONAddString(one, "since", *facilities[i].since ? facilities[i].since : NULL);
        virJSONAddString(one, "use", facilities[i].use);
        virJSONAddString(one, "lost", facilities[i].lost);
        virJSONAddString(one, "do", facilities[i].remedy);
        json_object_array_add(list, one);
    }
    virJSONAddValue(object, "facilities", list);
    text = virJSONPrintPretty(object);
    fputs(text, stdout);
}

static bool
checkHostRun(const virtwardContext *context, int argc, char **argv, GError **error)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &json, N_("for programs"), NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
    g_autofree finding *findings = g_new0(finding, nfacilities);
    g_autoptr(GError) cause = NULL;

    (void)context; /* the same for every instance */
    g_option_context_set_translation_domain(parser, PACKAGE);
    g_option_context_set_summary(
        parser, _("What of the kernel is used, whether it is there, and what is lost without it."));
    g_option_context_add_main_entries(parser, entries, PACKAGE);
    if (!g_option_context_parse(parser, &argc, &argv, &cause))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, "%s", cause->message);
    if (argc > 1)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("check-host takes no argument"));
    for (size_t i = 0; i < nfacilities; i++)
        findings[i].state = facilities[i].probe(findings[i].detail, DETAIL_ROOM);
    if (json)
        printJSON(findings);
    else
        printText(findings);
    return true;
}

const virtwardCommand virtwardCheckHost = {
    "check-host", N_("what of the kernel is used, and whether it is there"), checkHostRun};
