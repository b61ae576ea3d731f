/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * redirfilter.c: <redirfilter> as a document. */
#include "device/redirfilter/redirfilter.h"

#include <stdlib.h>
#include <string.h>

#include "util/virerror.h"

enum { VIR_REDIR_ANY = -1 };

static bool
virRedirParseNumber(const xmlNode *node, const char *name, uint64_t max, int *ret, GError **error)
{
    uint64_t value;
    bool set;

    *ret = VIR_REDIR_ANY;
    if (g_strcmp0(virXMLAttrPeek(node, name), "-1") == 0)
        return true;
    if (!virFieldAttrUInt(node, name, 0, max, &set, &value, error))
        return false;
    if (set)
        *ret = (int)value;
    return true;
}

/* "2.0" is 0x0200, "9.4" and "9.40" are 0x0940: two decimal digits each. */
static bool
virRedirParseVersion(const xmlNode *node, int *ret, GError **error)
{
    const char *text = virXMLAttrPeek(node, "version");
    unsigned long major;
    unsigned long minor = 0;
    char *end;

    *ret = VIR_REDIR_ANY;
    if (!text || g_str_equal(text, "-1"))
        return true;
    major = g_ascii_isdigit(*text) ? strtoul(text, &end, 10) : 100;
    if (major < 100 && *end == '.') {
        const char *digits = end + 1;

        minor = g_ascii_isdigit(*digits) ? strtoul(digits, &end, 10) : 100;
        if (end - digits == 1)
            minor *= 10;
    }
    if (major >= 100 || minor >= 100 || *end)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Cannot parse USB version %s"), text);
    *ret = (int)((major / 10) << 12 | (major % 10) << 8 | (minor / 10) << 4 | minor % 10);
    return true;
}

static bool
virRedirParseAllow(const xmlNode *node, bool *ret, GError **error)
{
    const char *allow = virXMLAttrPeek(node, "allow");

    if (!allow)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing allow attribute"));
    if (!g_str_equal(allow, "yes") && !g_str_equal(allow, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Invalid allow value, either 'yes' or 'no'"));
    *ret = g_str_equal(allow, "yes");
    return true;
}

static bool
virRedirfilterParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virRedirfilter *filter = object;

    filter->rules = g_array_new(FALSE, FALSE, sizeof(virRedirRule));
    virXMLForEachChildNamed (node, child, "usbdev") {
        virRedirRule rule;

        if (!virRedirParseNumber(child, "class", 0xff, &rule.usbClass, error) ||
            !virRedirParseNumber(child, "vendor", 0xffff, &rule.vendor, error) ||
            !virRedirParseNumber(child, "product", 0xffff, &rule.product, error) ||
            !virRedirParseVersion(child, &rule.version, error) ||
            !virRedirParseAllow(child, &rule.allow, error))
            return false;
        g_array_append_val(filter->rules, rule);
    }
    return true;
}

static void
virRedirfilterFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virRedirfilter *filter = object;

    for (guint i = 0; i < filter->rules->len; i++) {
        const virRedirRule *rule = &g_array_index(filter->rules, virRedirRule, i);

        virXMLWriterOpen(w, "usbdev");
        if (rule->usbClass >= 0)
            virXMLWriterAttrF(w, "class", "0x%02X", rule->usbClass);
        if (rule->vendor >= 0)
            virXMLWriterAttrF(w, "vendor", "0x%04X", rule->vendor);
        if (rule->product >= 0)
            virXMLWriterAttrF(w, "product", "0x%04X", rule->product);
        if (rule->version >= 0)
            virXMLWriterAttrF(w, "version", "%x.%02x", rule->version >> 8, rule->version & 0xff);
        virXMLWriterAttr(w, "allow", rule->allow ? "yes" : "no");
        virXMLWriterClose(w);
    }
}

static void
virRedirfilterClear(void *object)
{
    g_clear_pointer(&((virRedirfilter *)object)->rules, g_array_unref);
}

static const virField usbdevHolds[] = {
    VIR_HOLDS("@class"),   VIR_HOLDS("@vendor"),      VIR_HOLDS("@product"),
    VIR_HOLDS("@version"), VIR_HOLDS_YESNO("@allow"), VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("usbdev", virRedirfilterParse, virRedirfilterFormat,
                   .clear = virRedirfilterClear, .flags = VIR_FIELD_MANY, .holds = usbdevHolds),
    VIR_FIELD_END,
};

static bool
virRedirfilterCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    if (virDevicesCount(facts->devices, &virRedirfilterKind) > 1)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only one set of redirection filter rule is supported"));
    return true;
}

static char *
virRedirfilterAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    return NULL;
}

const virDeviceKind virRedirfilterKind = {
    .element = "redirfilter",
    .noun = "redirfilter",
    .size = sizeof(virRedirfilter),
    .fields = fields,
    .check = virRedirfilterCheck,
    .alias = virRedirfilterAlias,
};

static void
virRedirAppend(GString *out, const char *fmt, int value)
{
    if (value < 0)
        g_string_append(out, "-1:");
    else
        g_string_append_printf(out, fmt, (unsigned)value);
}

char *
virRedirfilterText(const virDevice *filter)
{
    const GArray *rules = VIR_REDIRFILTER(filter)->rules;
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < rules->len; i++) {
        const virRedirRule *rule = &g_array_index(rules, virRedirRule, i);

        if (i > 0)
            g_string_append_c(out, '|');
        virRedirAppend(out, "0x%02X:", rule->usbClass);
        virRedirAppend(out, "0x%04X:", rule->vendor);
        virRedirAppend(out, "0x%04X:", rule->product);
        virRedirAppend(out, "0x%04X:", rule->version);
        g_string_append_c(out, rule->allow ? '1' : '0');
    }
    return g_string_free(out, FALSE);
}
