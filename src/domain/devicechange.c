/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devicechange.c: see devicechange.h. */
#include "domain/devicechange.h"

#include <string.h>

#include "util/virerror.h"

static const virDeviceChanges *
virDeviceKindChanges(const virDeviceKind *kind, bool live)
{
    return live ? &kind->live : &kind->stored;
}

static bool
virDeviceKindNeverChanges(const virDeviceKind *kind, virDeviceChange change, bool live,
                          GError **error)
{
    const char *text;

    if (change == VIR_DEVICE_ATTACH)
        text = live ? _("live attach of device '%s' is not supported")
                    : _("persistent attach of device '%s' is not supported");
    else if (change == VIR_DEVICE_DETACH)
        text = live ? _("live detach of device '%s' is not supported")
                    : _("persistent detach of device '%s' is not supported");
    else
        text = live ? _("live update of device '%s' is not supported")
                    : _("persistent update of device '%s' is not supported");
    return virErrorSet(error,
                       live && change == VIR_DEVICE_UPDATE ? VIR_ERR_CONFIG_UNSUPPORTED
                                                           : VIR_ERR_OPERATION_UNSUPPORTED,
                       text, kind->element);
}

bool
virDeviceCanChange(const virDevice *dev, virDeviceChange change, bool live, GError **error)
{
    const virDeviceKind *kind = dev->kind;

    if (!(virDeviceKindChanges(kind, live)->changes & change))
        return virDeviceKindNeverChanges(kind, change, live, error);
    return !live || change == VIR_DEVICE_UPDATE || !kind->mayChangeLive ||
           kind->mayChangeLive(dev, change, error);
}

/* --- coming --- */

bool
virDomainDefMayJoin(const virDomainDef *def, const virDevice *dev, bool live, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *other = g_ptr_array_index(def->devices, i);

        if (dev->info.alias && g_strcmp0(other->info.alias, dev->info.alias) == 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("non unique alias detected: %s"), dev->info.alias);
        if (dev->info.bootIndex.set && other->info.bootIndex.set &&
            dev->info.bootIndex.value == other->info.bootIndex.value)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("boot order %u is already used by another device"),
                               (unsigned)dev->info.bootIndex.value);
    }
    return !dev->kind->mayJoin || dev->kind->mayJoin(dev, def->devices, live, error);
}

/* --- which one is meant --- */

static bool
virDomainDeviceMatches(const virDevice *dev, const virDevice *wanted, bool live)
{
    if (dev->kind != wanted->kind)
        return false;
    if (virDeviceKindChanges(dev->kind, live)->anyMatches)
        return true;
    if (wanted->info.alias && dev->info.alias)
        return g_str_equal(wanted->info.alias, dev->info.alias);
    if (wanted->kind->matches)
        return wanted->kind->matches(dev, wanted);
    if (wanted->info.address.type != VIR_ADDRESS_NONE &&
        !virAddressEqual(&dev->info.address, &wanted->info.address))
        return false;
    return virFieldMatches(dev->kind->fields, dev, wanted);
}

static void
virDomainDeviceMissing(const virDomainDef *def, const virDevice *wanted, virDeviceChange change,
                       bool live, GError **error)
{
    const virDeviceKind *kind = wanted->kind;
    const virDeviceChanges *changes = virDeviceKindChanges(kind, live);
    const virDevice *only = changes->none ? virDevicesNth(def->devices, kind, 0) : NULL;
    g_autofree char *label = kind->label ? kind->label(only ? only : wanted) : NULL;
    bool update = change == VIR_DEVICE_UPDATE && changes->missingUpdate;
    const char *text = update ? changes->missingUpdate : changes->missing;
    int code = update ? changes->missingUpdateCode : changes->missingCode;

    if (changes->none && !only)
        text = changes->none;
    if (text && strstr(text, "%s"))
        virErrorSet(error, code, _(text), label ? label : kind->element);
    else if (text)
        virErrorSet(error, code, "%s", _(text));
    else
        virErrorSet(error, VIR_ERR_DEVICE_MISSING, _("no matching %s device was found"),
                    kind->noun);
}

virDevice *
virDomainDefFindDevice(const virDomainDef *def, const virDevice *wanted, virDeviceChange change,
                       bool live, GError **error)
{
    virDevice *found = NULL;

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (!virDomainDeviceMatches(dev, wanted, live))
            continue;
        if (!found) {
            found = dev;
        } else if (wanted->kind->onlyOneMatches) {
            virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                        _("multiple matching devices found"));
            return NULL;
        }
    }
    if (!found)
        virDomainDeviceMissing(def, wanted, change, live, error);
    return found;
}
