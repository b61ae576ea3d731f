/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gateowners.c: see gateowners.h. */
#include "qemu/gateowners.h"

#include <string.h>
#include <unistd.h>

#include "util/virfile.h"
#include "util/virjson.h"
#include "util/virlog.h"
#include "util/virutil.h"

static char *
qemuGateOwnersPath(const qemuDriver *driver, const char *name)
{
    return g_strdup_printf("%s/qemu/%s.rules", driver->paths.run, name);
}

static virJSON *
qemuGateOwnersOf(const virDeviceRules *rules, const virDeviceRule *rule)
{
    g_autofree char *text = virDeviceRuleFormat(rule);
    g_autofree char *all = virDeviceRulesOwners(rules, rule);
    g_auto(GStrv) owners = g_strsplit(all ? all : "", ",", -1);
    virJSON *object = virJSONObject();
    virJSON *list = json_object_new_array();

    for (char **owner = owners; *owner; owner++)
        json_object_array_add(list, json_object_new_string(*owner));
    virJSONAddString(object, "rule", text);
    virJSONAddValue(object, "owners", list);
    return object;
}

void
qemuGateOwnersSave(qemuGuest *guest)
{
    g_autofree char *path = qemuGateOwnersPath(guest->driver, guest->obj->name);
    g_autoptr(virDeviceRules) rules = virGateRules(guest->gate);
    g_autoptr(GArray) all = virDeviceRulesUnion(rules);
    g_autoptr(virJSON) object = virJSONObject();
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    virJSON *list = json_object_new_array();

    for (guint i = 0; i < all->len; i++)
        json_object_array_add(list, qemuGateOwnersOf(rules, &g_array_index(all, virDeviceRule, i)));
    virJSONAddValue(object, "rules", list);
    text = virJSONPrint(object);
    if (!virFileWrite(path, text, strlen(text), 0600, VIR_FILE_VOLATILE, &error))
        VIR_WARN("domain '%s': %s", guest->obj->name, error->message);
}

void
qemuGateOwnersForget(qemuDriver *driver, const char *name)
{
    g_autofree char *path = qemuGateOwnersPath(driver, name);
    g_autoptr(GError) error = NULL;

    if (!virFileRemove(path, &error))
        VIR_WARN("domain '%s': %s", name, error->message);
}

bool
qemuGateOwnersHas(qemuDriver *driver, const char *name)
{
    g_autofree char *path = qemuGateOwnersPath(driver, name);

    return access(path, F_OK) == 0;
}
