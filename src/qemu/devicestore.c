/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devicestore.c: see devicestore.h. */
#include "qemu/devicestore.h"

#include "domain/devicechange.h"
#include "qemu/prepare.h"
#include "util/virerror.h"

bool
qemuStoredAttach(qemuDriver *driver, virDomainDef *def, virDevice *dev, GError **error)
{
    g_autoptr(virDevice) mine = dev;
    g_autoptr(qmpCaps) caps = qemuDriverCaps(driver, def->emulator, error);

    if (!caps || !qemuPrepareJoin(def, mine, caps, /* live: */ false, error))
        return false;
    virDomainDefAddDevice(def, g_steal_pointer(&mine));
    /* it is new: where it sits may be chosen freely */
    return qemuDriverComplete(driver, def, VIR_PARSE_INACTIVE | VIR_PARSE_ABI_UPDATE, error);
}

bool
qemuStoredUpdate(qemuDriver *driver, virDomainDef *def, virDevice *dev, GError **error)
{
    g_autoptr(virDevice) mine = dev;
    g_autoptr(qmpCaps) caps = qemuDriverCaps(driver, def->emulator, error);
    virDomainFacts facts;
    virDevice *old;

    if (!caps || !(old = qemuPrepareUpdate(def, mine, caps, /* live: */ false, error)))
        return false;
    qemuFacts(def, caps, &facts);
    if (mine->info.address.type == VIR_ADDRESS_NONE && virDeviceSitsAlike(old, mine, &facts))
        mine->info.address = old->info.address;
    virDomainDefReplaceDevice(def, old, g_steal_pointer(&mine));
    return qemuDriverComplete(driver, def, VIR_PARSE_INACTIVE, error);
}

bool
qemuStoredDetach(qemuDriver *driver, virDomainDef *def, const virDevice *wanted, const char *alias,
                 GError **error)
{
    virDevice *old = alias ? virDomainDefDeviceByAlias(def, alias) : NULL;

    if (alias && !old)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("no device found with alias %s"),
                           alias);
    if (!virDeviceCanChange(old ? old : wanted, VIR_DEVICE_DETACH,
                            /* live: */ false, error) ||
        (!old &&
         !(old = virDomainDefFindDevice(def, wanted, VIR_DEVICE_DETACH, /* live: */ false, error))))
        return false;
    virDomainDefTakeDevice(def, old);
    virDeviceFree(old);
    return qemuDriverComplete(driver, def, VIR_PARSE_INACTIVE, error);
}
