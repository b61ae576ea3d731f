/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrport.c: see chrport.h. */
#include "device/common/chrport.h"

#include "util/virerror.h"

void
virChrPortComplete(virOptUInt *port, const GPtrArray *devices, const virDeviceKind *kind,
                   virChrPortOf portOf)
{
    uint64_t next = 0;

    if (port->set)
        return;
    for (guint i = 0; i < devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(devices, i);

        if (dev->kind == kind && portOf(dev)->set)
            next = MAX(next, portOf(dev)->value + 1);
    }
    *port = virOptUIntOf(next);
}

bool
virChrRefuseSpicevmc(const virChrSource *source, GError **error)
{
    if (source->type != VIR_CHR_SPICEVMC)
        return true;
    return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                       _("spicevmc device type only supports virtio"));
}
