/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hotplugchange.c: a change under way as a value: into the status file and out of it. */
#include <stdlib.h>

#include "qemu/hotplug.h"
#include "util/virerror.h"

VIR_ENUM_DECL(qemuChangeType);
VIR_ENUM_IMPL(qemuChangeType, QEMU_CHANGE_LAST, "attach", "update");

qemuChange *
qemuChangeNew(qemuChangeType type)
{
    qemuChange *change = g_new0(qemuChange, 1);

    change->type = type;
    change->devices = g_ptr_array_new_with_free_func((GDestroyNotify)virDeviceFree);
    return change;
}

void
qemuChangeFree(qemuChange *change)
{
    if (!change)
        return;
    g_ptr_array_unref(change->devices);
    g_free(change);
}

void
qemuChangeFormat(const qemuChange *change, virXMLWriter *w)
{
    virXMLWriterOpen(w, "change");
    virXMLWriterAttr(w, "type", qemuChangeTypeToString(change->type));
    virXMLWriterAttrF(w, "at", "%u", change->at);
    virXMLWriterAttrF(w, "step", "%zu", change->step);
    virXMLWriterAttrF(w, "number", "%d", change->number);
    if (change->force)
        virXMLWriterAttr(w, "force", "yes");
    for (guint i = 0; i < change->devices->len; i++)
        virDeviceFormat(g_ptr_array_index(change->devices, i), w,
                        VIR_FORMAT_STATUS | VIR_FORMAT_SECURE);
    virXMLWriterClose(w);
}

static unsigned long
qemuChangeNumber(const xmlNode *node, const char *name)
{
    const char *text = virXMLAttrPeek(node, name);

    return text ? strtoul(text, NULL, 10) : 0;
}

qemuChange *
qemuChangeParse(xmlNode *node, GError **error)
{
    const char *name = virXMLAttrPeek(node, "type");
    int type = qemuChangeTypeFromString(name);
    g_autoptr(qemuChange) change = NULL;

    if (type < 0) {
        virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown change '%s' of a guest"),
                    name ? name : "");
        return NULL;
    }
    change = qemuChangeNew((qemuChangeType)type);
    change->at = (unsigned)qemuChangeNumber(node, "at");
    change->step = qemuChangeNumber(node, "step");
    change->number = (int)qemuChangeNumber(node, "number");
    change->force = virXMLAttrPeek(node, "force") != NULL;
    virXMLForEachChild (node, child) {
        virDevice *dev = virDeviceParse(child, VIR_PARSE_STATUS, error);

        if (!dev)
            return NULL;
        g_ptr_array_add(change->devices, dev);
    }
    return g_steal_pointer(&change);
}
