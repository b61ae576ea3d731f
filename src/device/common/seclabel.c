/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * seclabel.c: reading and writing <seclabel> of a source. */
#include "device/common/seclabel.h"

#include "util/virerror.h"

static void
virDeviceSeclabelFree(void *opaque)
{
    virDeviceSeclabel *seclabel = opaque;

    g_free(seclabel->model);
    g_free(seclabel->label);
    g_free(seclabel);
}

const virDeviceSeclabel *
virDeviceSeclabelFind(const GPtrArray *labels, const char *model)
{
    for (guint i = 0; labels && i < labels->len; i++) {
        const virDeviceSeclabel *seclabel = g_ptr_array_index(labels, i);

        if (g_strcmp0(seclabel->model, model) == 0)
            return seclabel;
    }
    return NULL;
}

static bool
virDeviceSeclabelParseOne(virDeviceSeclabel *seclabel, const xmlNode *node, GError **error)
{
    g_autofree char *relabel = virXMLAttr(node, "relabel");
    g_autofree char *skip = virXMLAttr(node, "labelskip");
    xmlNode *label = virXMLFirstChild(node, "label");

    if (relabel && !g_str_equal(relabel, "yes") && !g_str_equal(relabel, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute 'relabel' in element 'seclabel': '%s'."),
                           relabel);
    seclabel->relabel = !relabel || g_str_equal(relabel, "yes");
    seclabel->labelSkip = g_strcmp0(skip, "yes") == 0;
    if (label)
        seclabel->label = virXMLText(label);
    if (seclabel->label && !seclabel->relabel)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Cannot specify a label if relabelling is turned off. model=%s"),
                           seclabel->model ? seclabel->model : "(null)");
    return true;
}

bool
virDeviceSeclabelsParse(const xmlNode *node, unsigned parseFlags, GPtrArray **retLabels,
                        GError **error)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(virDeviceSeclabelFree);

    virXMLForEachChildNamed (node, child, "seclabel") {
        virDeviceSeclabel *seclabel = g_new0(virDeviceSeclabel, 1);
        g_autofree char *model = virXMLAttr(child, "model");
        bool twice = model && virDeviceSeclabelFind(labels, model);

        g_ptr_array_add(labels, seclabel);
        if (twice)
            return virErrorSet(error, VIR_ERR_XML_DETAIL,
                               _("seclabel for model %s is already provided"), model);
        seclabel->model = g_steal_pointer(&model);
        if (!virDeviceSeclabelParseOne(seclabel, child, error))
            return false;
    }
    *retLabels = labels->len > 0 ? g_steal_pointer(&labels) : NULL;
    return true;
}

void
virDeviceSeclabelsFormat(const GPtrArray *labels, virXMLWriter *w, unsigned formatFlags)
{
    for (guint i = 0; labels && i < labels->len; i++) {
        const virDeviceSeclabel *seclabel = g_ptr_array_index(labels, i);

        if (seclabel->labelSkip && (formatFlags & VIR_FORMAT_INACTIVE))
            continue;
        virXMLWriterOpen(w, "seclabel");
        virXMLWriterAttr(w, "model", seclabel->model);
        if (seclabel->labelSkip)
            virXMLWriterAttr(w, "labelskip", "yes");
        else
            virXMLWriterAttr(w, "relabel", seclabel->relabel ? "yes" : "no");
        virXMLWriterElement(w, "label", seclabel->label);
        virXMLWriterClose(w);
    }
}
