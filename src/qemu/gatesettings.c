/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gatesettings.c: see gatesettings.h. */
#include "qemu/gatesettings.h"

#include <string.h>

#include "domain/metadata.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virutil.h"
#include "util/virxml.h"

static bool
qemuGateSettingsRefuse(const char *name, const char *value, GError **error)
{
    return virErrorSet(error, VIR_ERR_XML_ERROR,
                       _("Invalid value for attribute '%s' in element '%s': '%s'"), name, "gate",
                       value);
}

/* *retWord stays as it is without the attribute. */
static bool
qemuGateSettingsWord(const xmlNode *node, const char *name, int (*fromString)(const char *),
                     int *retWord, GError **error)
{
    const char *value = virXMLAttrPeek(node, name);
    int word = value ? fromString(value) : *retWord;

    if (word < 0)
        return qemuGateSettingsRefuse(name, value, error);
    *retWord = word;
    return true;
}

static bool
qemuGateSettingsNumber(const xmlNode *node, const char *name, uint32_t *retNumber, GError **error)
{
    const char *value = virXMLAttrPeek(node, name);
    guint64 number = 0;

    if (!value)
        return true;
    if (!g_ascii_string_to_unsigned(value, 10, 4, G_MAXUINT32 / 2, &number, NULL))
        return qemuGateSettingsRefuse(name, value, error);
    *retNumber = (uint32_t)number;
    return true;
}

static bool
qemuGateSettingsRead(const xmlNode *node, virGateSettings *settings, GError **error)
{
    int mode = (int)settings->mode;
    int lock = (int)settings->lock;

    if (!qemuGateSettingsWord(node, "mode", virGateModeFromString, &mode, error) ||
        !qemuGateSettingsWord(node, "lock", virGateLockFromString, &lock, error) ||
        !qemuGateSettingsNumber(node, "rules", &settings->capacity, error) ||
        !qemuGateSettingsNumber(node, "rulesMax", &settings->capacityMax, error))
        return false;
    settings->mode = (virGateMode)mode;
    settings->lock = (virGateLock)lock;
    return true;
}

/* Over what is in settings. */
static bool
qemuGateSettingsFromDef(const virDomainDef *def, virGateSettings *settings, GError **error)
{
    g_autofree char *text =
        virDomainMetadataGet(def, VIR_METADATA_ELEMENT, QEMU_GATE_METADATA_URI, NULL);
    g_autoptr(xmlDoc) doc = NULL;

    return !text || ((doc = virXMLParse(text, -1, "metadata", error)) &&
                     qemuGateSettingsRead(xmlDocGetRootElement(doc), settings, error));
}

bool
qemuGateSettings(const qemuDriver *driver, const virDomainDef *def, virGateSettings *retSettings,
                 GError **error)
{
    virGateSettings settings = driver->config.gate;

    if (!qemuGateSettingsFromDef(def, &settings, error))
        return false;
    *retSettings = settings;
    return true;
}

bool
qemuGateSettingsCheck(const virDomainDef *def, GError **error)
{
    virGateSettings settings = {0};

    return qemuGateSettingsFromDef(def, &settings, error);
}

bool
qemuGateSettingsApply(virDomainObj *obj, GError **error)
{
    qemuGuest *guest = qemuGuestOf(obj);
    virDelegateCall call = {.domain = obj->name, .phase = VIR_DELEGATE_PHASE_HOTPLUG};
    g_autoptr(virDomainDoc) live = NULL;
    virGateSettings settings;

    if (!guest || !guest->gate)
        return true;
    live = virDomainDocRef(obj->live);
    memcpy(call.uuid, obj->uuid, sizeof(call.uuid));
    {
        g_autoptr(virGate) gate = virGateRef(guest->gate);
        virDelegate *door = guest->driver->door;
        VIR_CORE_UNLOCKED;

        return qemuGateSettings(guest->driver, virDomainDocDef(live), &settings, error) &&
               virDelegateGateSetMode(door, &call, gate, settings.mode, error);
    }
}
