/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iothreads.c: <iothreads> <iothreadids> <defaultiothread>. */
#include "domain/iothreads.h"

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"
#include "util/virscale.h"

/* More threads than this no host runs for one guest; a text can't make us take more memory. */
enum { VIR_DOMAIN_IOTHREADS_MAX = 16384 };

static void
virDomainIOThreadFree(void *opaque)
{
    virDomainIOThread *iothread = opaque;

    virBitmapFree(iothread->pin);
    g_free(iothread);
}

virDomainIOThread *
virDomainIOThreadFind(const virDomainIOThreads *iothreads, unsigned id)
{
    for (guint i = 0; i < virDomainIOThreadCount(iothreads); i++) {
        virDomainIOThread *iothread = virDomainIOThreadAt(iothreads, i);

        if (iothread->id == id)
            return iothread;
    }
    return NULL;
}

virDomainIOThread *
virDomainIOThreadAdd(virDomainIOThreads *iothreads, unsigned id)
{
    virDomainIOThread *iothread;

    if (id && virDomainIOThreadFind(iothreads, id))
        return NULL;
    if (!iothreads->list)
        iothreads->list = g_ptr_array_new_with_free_func(virDomainIOThreadFree);
    iothread = g_new0(virDomainIOThread, 1);
    iothread->autofill = id == 0;
    for (iothread->id = id ? id : 1; id == 0 && virDomainIOThreadFind(iothreads, iothread->id);)
        iothread->id++;
    g_ptr_array_add(iothreads->list, iothread);
    return iothread;
}

/* Numbers those without a number; one pass over the taken ones, however many are asked for. */
static void
virDomainIOThreadFill(virDomainIOThreads *iothreads, guint count)
{
    g_autoptr(virBitmap) taken = virBitmapNew();
    unsigned next = 1;

    for (guint i = 0; i < virDomainIOThreadCount(iothreads); i++) {
        unsigned id = virDomainIOThreadAt(iothreads, i)->id;

        if (id <= 2 * VIR_DOMAIN_IOTHREADS_MAX)
            virBitmapSet(taken, id);
    }
    while (virDomainIOThreadCount(iothreads) < count) {
        virDomainIOThread *iothread = g_new0(virDomainIOThread, 1);

        while (virBitmapHas(taken, next))
            next++;
        iothread->id = next++;
        iothread->autofill = true;
        if (!iothreads->list)
            iothreads->list = g_ptr_array_new_with_free_func(virDomainIOThreadFree);
        g_ptr_array_add(iothreads->list, iothread);
    }
}

static const virField threadFields[] = {
    VIR_FIELD_UINT("@thread_pool_min", virDomainIOThread, poolMin, 0, INT32_MAX),
    VIR_FIELD_UINT("@thread_pool_max", virDomainIOThread, poolMax, 0, INT32_MAX),
    VIR_FIELD_END,
};

static bool
virDomainIOThreadParseOne(virDomainIOThreads *iothreads, xmlNode *node, unsigned parseFlags,
                          GError **error)
{
    g_autofree char *id = virXMLAttr(node, "id");
    virDomainIOThread *iothread;
    uint64_t number;

    if (!id)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "id", "iothread");
    if (!virStringToUInt(id, UINT32_MAX, &number) || number == 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "id",
                           "iothread", id);
    if (virDomainIOThreadCount(iothreads) >= VIR_DOMAIN_IOTHREADS_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid iothreads count '%s'"), id);
    if (!(iothread = virDomainIOThreadAdd(iothreads, (unsigned)number)))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("duplicate iothread id '%s' found"), id);
    return virFieldParse(threadFields, iothread, node, parseFlags, error);
}

static bool
virDomainIOThreadsParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainIOThreads *iothreads = object;
    g_autofree char *text = virXMLText(virXMLFirstChild(node, "iothreads"));
    uint64_t count = 0;

    if (text && *text && !virStringToUInt(text, VIR_DOMAIN_IOTHREADS_MAX, &count))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid iothreads count '%s'"), text);
    virXMLForEachChildNamed (virXMLFirstChild(node, "iothreadids"), child, "iothread") {
        if (!virDomainIOThreadParseOne(iothreads, child, parseFlags, error))
            return false;
    }
    virDomainIOThreadFill(iothreads, (guint)count);
    return true;
}

static bool
virDomainIOThreadSaysMore(const virDomainIOThread *iothread)
{
    return !iothread->autofill || iothread->poolMin.set || iothread->poolMax.set;
}

static void
virDomainIOThreadsFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainIOThreads *iothreads = object;
    guint count = virDomainIOThreadCount(iothreads);
    bool ids = false;

    if (count == 0)
        return;
    virXMLWriterElementF(w, "iothreads", "%u", count);
    for (guint i = 0; i < count; i++)
        ids |= virDomainIOThreadSaysMore(virDomainIOThreadAt(iothreads, i));
    if (!ids)
        return;
    virXMLWriterOpen(w, "iothreadids");
    for (guint i = 0; i < count; i++) {
        virXMLWriterOpen(w, "iothread");
        virXMLWriterAttrF(w, "id", "%u", virDomainIOThreadAt(iothreads, i)->id);
        virFieldFormat(threadFields, virDomainIOThreadAt(iothreads, i), w, formatFlags);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virDomainIOThreadsClear(void *object)
{
    g_clear_pointer(&((virDomainIOThreads *)object)->list, g_ptr_array_unref);
}

static const virField iothreadHolds[] = {
    VIR_HOLDS_UINT("@id"),
    VIR_HOLDS_ROWS(threadFields),
    VIR_FIELD_END,
};

static const virField iothreadsHolds[] = {
    VIR_HOLDS_UINT("."),
    VIR_FIELD_END,
};

static const virField iothreadIdsHolds[] = {
    VIR_HOLDS_ELEMENTS("iothread", iothreadHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("iothreads", virDomainIOThreadsParse, virDomainIOThreadsFormat,
                   .clear = virDomainIOThreadsClear, .holds = iothreadsHolds),
    VIR_FIELD_CODE("iothreadids", NULL, NULL, .holds = iothreadIdsHolds),
    VIR_FIELD_UINT("defaultiothread@thread_pool_min", virDomainIOThreads, defaultPoolMin, 0,
                   INT32_MAX),
    VIR_FIELD_UINT("defaultiothread@thread_pool_max", virDomainIOThreads, defaultPoolMax, 0,
                   INT32_MAX),
    VIR_FIELD_END,
};

static bool
virDomainIOThreadsSame(const virDomainDef *a, const virDomainDef *b, GError **error)
{
    for (guint i = 0; i < virDomainIOThreadCount(&a->iothreads); i++) {
        unsigned id = virDomainIOThreadAt(&a->iothreads, i)->id;

        if (!virDomainIOThreadFind(&b->iothreads, id))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("Target domain iothreads differ: %u is missing"), id);
    }
    if (virDomainIOThreadCount(&a->iothreads) != virDomainIOThreadCount(&b->iothreads))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("Target domain iothreads count %u does not match source %u"),
                           virDomainIOThreadCount(&b->iothreads),
                           virDomainIOThreadCount(&a->iothreads));
    return true;
}

const virDomainSection virDomainIOThreadsSection = {
    .name = "iothreads",
    .offset = offsetof(virDomainDef, iothreads),
    .fields = fields,
    .sameABI = virDomainIOThreadsSame,
};
