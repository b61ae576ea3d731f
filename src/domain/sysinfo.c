/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysinfo.c: <sysinfo type='smbios'> and <sysinfo type='fwcfg'>. */
#include "domain/sysinfo.h"

#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

typedef struct {
    const char *element;
    const char *entries[VIR_SYSINFO_ENTRIES_MAX];
} virSysinfoForm;

/* both orders are those of the document */
static const virSysinfoForm forms[VIR_SYSINFO_BLOCK_LAST] = {
    [VIR_SYSINFO_BIOS] = {"bios", {"vendor", "version", "date", "release"}},
    [VIR_SYSINFO_SYSTEM] = {"system",
                            {"manufacturer", "product", "version", "serial", "uuid", "sku",
                             "family"}},
    [VIR_SYSINFO_BASE_BOARD] = {"baseBoard",
                                {"manufacturer", "product", "version", "serial", "asset",
                                 "location"}},
    [VIR_SYSINFO_CHASSIS] = {"chassis", {"manufacturer", "version", "serial", "asset", "sku"}},
};

const char *const *
virSysinfoEntryNames(virSysinfoBlockType type)
{
    return forms[type].entries;
}

const char *
virSysinfoBlockName(virSysinfoBlockType type)
{
    return forms[type].element;
}

static int
virSysinfoEntryIndex(virSysinfoBlockType type, const char *name)
{
    for (int i = 0; i < VIR_SYSINFO_ENTRIES_MAX && forms[type].entries[i]; i++) {
        if (name && g_str_equal(forms[type].entries[i], name))
            return i;
    }
    return -1;
}

const char *
virSysinfoEntry(const virDomainSysinfo *sysinfo, virSysinfoBlockType type, const char *name)
{
    for (guint i = 0; sysinfo->blocks && i < sysinfo->blocks->len; i++) {
        const virSysinfoBlock *block = g_ptr_array_index(sysinfo->blocks, i);

        if (block->type == type)
            return block->values[virSysinfoEntryIndex(type, name)];
    }
    return NULL;
}

static void
virSysinfoBlockFree(void *opaque)
{
    virSysinfoBlock *block = opaque;

    for (int i = 0; i < VIR_SYSINFO_ENTRIES_MAX; i++)
        g_free(block->values[i]);
    g_free(block);
}

static void
virSysinfoFwCfgFree(void *opaque)
{
    virSysinfoFwCfg *entry = opaque;

    g_free(entry->name);
    g_free(entry->value);
    g_free(entry->file);
    g_free(entry);
}

/* MM/DD/YYYY or MM/DD/YY */
static bool
virSysinfoDateValid(const char *date)
{
    char *at;
    unsigned long month = strtoul(date, &at, 10);
    unsigned long day = *at == '/' ? strtoul(at + 1, &at, 10) : 0;
    unsigned long year = *at == '/' ? strtoul(at + 1, &at, 10) : 0;

    return *at == '\0' && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
           (year <= 99 || (year >= 1900 && year <= 9999)) && g_ascii_isdigit(date[0]) &&
           strlen(date) >= 6;
}

static virSysinfoBlock *
virSysinfoParseBlock(virSysinfoBlockType type, const xmlNode *node)
{
    virSysinfoBlock *block = g_new0(virSysinfoBlock, 1);
    bool any = false;

    block->type = type;
    virXMLForEachChildNamed (node, child, "entry") {
        g_autofree char *name = virXMLAttr(child, "name");
        int i = virSysinfoEntryIndex(type, name);
        char *text;

        if (i < 0 || block->values[i])
            continue;
        text = virXMLText(child);
        if (*text)
            block->values[i] = text;
        else
            g_free(text);
        any |= block->values[i] != NULL;
    }
    if (!any)
        g_clear_pointer((void **)&block, virSysinfoBlockFree);
    return block;
}

static bool
virSysinfoParseSmbios(virDomainSysinfo *sysinfo, const xmlNode *node, GError **error)
{
    xmlNode *oem = virXMLFirstChild(node, "oemStrings");
    const char *date;

    sysinfo->smbios = true;
    for (virSysinfoBlockType type = 0; type < VIR_SYSINFO_BLOCK_LAST; type++) {
        virXMLForEachChildNamed (node, child, forms[type].element) {
            virSysinfoBlock *block = virSysinfoParseBlock(type, child);

            if (block)
                g_ptr_array_add(sysinfo->blocks, block);
            if (type != VIR_SYSINFO_BASE_BOARD)
                break;
        }
    }
    virXMLForEachChildNamed (oem, entry, "entry")
        g_ptr_array_add(sysinfo->oemStrings, virXMLText(entry));
    date = virSysinfoEntry(sysinfo, VIR_SYSINFO_BIOS, "date");
    if (date && !virSysinfoDateValid(date))
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s", _("Invalid BIOS 'date' format"));
    return true;
}

static bool
virSysinfoParseFwCfg(virDomainSysinfo *sysinfo, const xmlNode *node, GError **error)
{
    sysinfo->fwcfg = true;
    sysinfo->fwcfgFirst = !sysinfo->smbios;
    virXMLForEachChildNamed (node, child, "entry") {
        virSysinfoFwCfg *entry = g_new0(virSysinfoFwCfg, 1);
        g_autofree char *text = virXMLText(child);

        g_ptr_array_add(sysinfo->fwcfgs, entry);
        entry->name = virXMLAttr(child, "name");
        entry->file = virXMLAttr(child, "file");
        if (!entry->name)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Firmware entry is missing 'name' attribute"));
        if (*text && entry->file)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Firmware entry can't have both value and 'file' attribute"));
        if (!*text && !entry->file)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Firmware entry must have either value or 'file' attribute"));
        if (*text)
            entry->value = g_steal_pointer(&text);
    }
    return true;
}

static bool
virDomainSysinfoParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainSysinfo *sysinfo = &((virDomainDef *)object)->sysinfo;

    sysinfo->blocks = g_ptr_array_new_with_free_func(virSysinfoBlockFree);
    sysinfo->oemStrings = g_ptr_array_new_with_free_func(g_free);
    sysinfo->fwcfgs = g_ptr_array_new_with_free_func(virSysinfoFwCfgFree);
    virXMLForEachChildNamed (node, child, "sysinfo") {
        g_autofree char *type = virXMLAttr(child, "type");
        bool ok;

        if (!type)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Missing required attribute '%s' in element '%s'"), "type",
                               "sysinfo");
        if (g_str_equal(type, "smbios"))
            ok = virSysinfoParseSmbios(sysinfo, child, error);
        else if (g_str_equal(type, "fwcfg"))
            ok = virSysinfoParseFwCfg(sysinfo, child, error);
        else
            ok = virErrorSet(error, VIR_ERR_XML_ERROR,
                             _("Invalid value for attribute '%s' in element '%s': '%s'."), "type",
                             "sysinfo", type);
        if (!ok)
            return false;
    }
    return true;
}

static void
virSysinfoFormatSmbios(const virDomainSysinfo *sysinfo, virXMLWriter *w)
{
    if (!sysinfo->smbios)
        return;
    virXMLWriterOpen(w, "sysinfo");
    virXMLWriterAttr(w, "type", "smbios");
    for (guint i = 0; i < sysinfo->blocks->len; i++) {
        const virSysinfoBlock *block = g_ptr_array_index(sysinfo->blocks, i);

        virXMLWriterOpen(w, forms[block->type].element);
        for (int e = 0; e < VIR_SYSINFO_ENTRIES_MAX; e++) {
            if (!block->values[e])
                continue;
            virXMLWriterOpen(w, "entry");
            virXMLWriterAttr(w, "name", forms[block->type].entries[e]);
            virXMLWriterText(w, block->values[e]);
            virXMLWriterClose(w);
        }
        virXMLWriterClose(w);
    }
    if (sysinfo->oemStrings->len) {
        virXMLWriterOpen(w, "oemStrings");
        for (guint i = 0; i < sysinfo->oemStrings->len; i++)
            virXMLWriterElement(w, "entry", g_ptr_array_index(sysinfo->oemStrings, i));
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virSysinfoFormatFwCfg(const virDomainSysinfo *sysinfo, virXMLWriter *w)
{
    if (!sysinfo->fwcfg)
        return;
    virXMLWriterOpen(w, "sysinfo");
    virXMLWriterAttr(w, "type", "fwcfg");
    for (guint i = 0; i < sysinfo->fwcfgs->len; i++) {
        const virSysinfoFwCfg *entry = g_ptr_array_index(sysinfo->fwcfgs, i);

        virXMLWriterOpen(w, "entry");
        virXMLWriterAttr(w, "name", entry->name);
        virXMLWriterAttr(w, "file", entry->file);
        virXMLWriterText(w, entry->value);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virDomainSysinfoFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainSysinfo *sysinfo = &((const virDomainDef *)object)->sysinfo;

    if (sysinfo->fwcfgFirst)
        virSysinfoFormatFwCfg(sysinfo, w);
    virSysinfoFormatSmbios(sysinfo, w);
    if (!sysinfo->fwcfgFirst)
        virSysinfoFormatFwCfg(sysinfo, w);
}

static void
virDomainSysinfoClear(void *object)
{
    virDomainSysinfo *sysinfo = &((virDomainDef *)object)->sysinfo;

    g_clear_pointer(&sysinfo->blocks, g_ptr_array_unref);
    g_clear_pointer(&sysinfo->oemStrings, g_ptr_array_unref);
    g_clear_pointer(&sysinfo->fwcfgs, g_ptr_array_unref);
}

static const virField blockEntryHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS("@file"),
    VIR_HOLDS("."),
    VIR_FIELD_END,
};

static const virField blockHolds[] = {
    VIR_HOLDS_ELEMENTS("entry", blockEntryHolds),
    VIR_FIELD_END,
};

static const virField sysinfoHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS_ELEMENTS("bios", blockHolds),
    VIR_HOLDS_ELEMENTS("system", blockHolds),
    VIR_HOLDS_ELEMENTS("baseBoard", blockHolds),
    VIR_HOLDS_ELEMENTS("chassis", blockHolds),
    VIR_HOLDS_ELEMENTS("processor", blockHolds),
    VIR_HOLDS_ELEMENTS("memory_device", blockHolds),
    VIR_HOLDS_ELEMENTS("oemStrings", blockHolds),
    VIR_HOLDS_ELEMENTS("entry", blockEntryHolds),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("sysinfo", virDomainSysinfoParse, virDomainSysinfoFormat,
                   .clear = virDomainSysinfoClear, .flags = VIR_FIELD_MANY, .holds = sysinfoHolds),
    VIR_FIELD_END,
};

/* A uuid in the tables and the domain's are one: given once it serves as both. */
static bool
virDomainSysinfoComplete(virDomainDef *def, unsigned parseFlags, GError **error)
{
    const char *text = virSysinfoEntry(&def->sysinfo, VIR_SYSINFO_SYSTEM, "uuid");
    unsigned char uuid[VIR_UUID_SIZE];

    if (!text)
        return true;
    if (!virUUIDParse(text, uuid))
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s", _("malformed <sysinfo> uuid element"));
    if (def->uuidGenerated)
        memcpy(def->uuid, uuid, sizeof(uuid));
    else if (memcmp(def->uuid, uuid, sizeof(uuid)) != 0)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("UUID mismatch between <uuid> and <sysinfo>"));
    return true;
}

static bool
virDomainSysinfoSame(const virDomainDef *a, const virDomainDef *b, GError **error)
{
    g_autoptr(virXMLWriter) was = virXMLWriterNew();
    g_autoptr(virXMLWriter) is = virXMLWriterNew();
    g_autofree char *wasText = NULL;
    g_autofree char *isText = NULL;

    virDomainSysinfoFormat(a, was, 0);
    virDomainSysinfoFormat(b, is, 0);
    wasText = virXMLWriterEnd(was);
    isText = virXMLWriterEnd(is);
    if (!g_str_equal(wasText, isText))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Target sysinfo does not match source"));
    return true;
}

const virDomainSection virDomainSysinfoSection = {
    .name = "sysinfo",
    .offset = 0,
    .fields = fields,
    .complete = virDomainSysinfoComplete,
    .sameABI = virDomainSysinfoSame,
};
