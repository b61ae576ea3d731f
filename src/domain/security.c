/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * security.c: <seclabel>, <keywrap>, <launchSecurity>. */
#include "domain/security.h"

#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virSeclabelType, VIR_SECLABEL_LAST, "default", "none", "dynamic", "static");
VIR_ENUM_IMPL(virLaunchSecurityType, VIR_LAUNCH_SECURITY_LAST, "", "sev", "s390-pv");

/* Longest label: that of the wire. */
enum { VIR_SECLABEL_LENGTH_MAX = 4096 };

static void
virSeclabelFree(void *opaque)
{
    virSeclabel *seclabel = opaque;

    g_free(seclabel->model);
    g_free(seclabel->label);
    g_free(seclabel->imageLabel);
    g_free(seclabel->baseLabel);
    g_free(seclabel);
}

static bool
virSeclabelParseRelabel(virSeclabel *seclabel, const xmlNode *node, GError **error)
{
    g_autofree char *relabel = virXMLAttr(node, "relabel");

    seclabel->relabel =
        seclabel->type == VIR_SECLABEL_DYNAMIC || seclabel->type == VIR_SECLABEL_DEFAULT;
    if (!relabel)
        return true;
    if (!g_str_equal(relabel, "yes") && !g_str_equal(relabel, "no"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid security relabel value '%s'"),
                           relabel);
    seclabel->relabel = g_str_equal(relabel, "yes");
    if (seclabel->type == VIR_SECLABEL_DYNAMIC && !seclabel->relabel)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("dynamic label type must use resource relabeling"));
    if (seclabel->type == VIR_SECLABEL_NONE && seclabel->relabel)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("resource relabeling is not compatible with 'none' label type"));
    return true;
}

static bool
virSeclabelText(const xmlNode *node, const char *element, char **ret, GError **error)
{
    g_autofree char *text = virXMLText(virXMLFirstChild(node, element));

    if (!text || !*text)
        return true;
    if (strlen(text) >= VIR_SECLABEL_LENGTH_MAX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("'%s' value longer than '%d' bytes"),
                           element, VIR_SECLABEL_LENGTH_MAX);
    *ret = g_steal_pointer(&text);
    return true;
}

/* Which labels count depends on who gives them: the user a static one, we those of a run. */
static bool
virSeclabelParseLabels(virSeclabel *seclabel, const xmlNode *node, unsigned parseFlags,
                       GError **error)
{
    bool live = !(parseFlags & VIR_PARSE_INACTIVE) && seclabel->type != VIR_SECLABEL_NONE;
    /* what we wrote ourselves may be of a guest that never ran */
    bool needed = !(parseFlags & VIR_PARSE_STATUS);

    if (seclabel->type == VIR_SECLABEL_STATIC || live) {
        if (!virSeclabelText(node, "label", &seclabel->label, error))
            return false;
        if (!seclabel->label && needed)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("security label is missing"));
    }
    if (seclabel->relabel && live) {
        if (!virSeclabelText(node, "imagelabel", &seclabel->imageLabel, error))
            return false;
        if (!seclabel->imageLabel && needed)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("security imagelabel is missing"));
    }
    return seclabel->type != VIR_SECLABEL_DYNAMIC ||
           virSeclabelText(node, "baselabel", &seclabel->baseLabel, error);
}

static bool
virSeclabelParse(virSeclabel *seclabel, const xmlNode *node, unsigned parseFlags, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");

    seclabel->model = virXMLAttr(node, "model");
    seclabel->type = VIR_SECLABEL_DYNAMIC;
    if (type && (seclabel->type = virSeclabelTypeFromString(type)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "type",
                           "seclabel", type);
    if (seclabel->model && g_str_equal(seclabel->model, "none")) {
        /* what "none" says of a run stays as it is */
        if (parseFlags & VIR_PARSE_INACTIVE)
            seclabel->type = VIR_SECLABEL_NONE;
        else if (!type)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("unsupported type='%s' to model 'none'"),
                               "dynamic");
    }
    return virSeclabelParseRelabel(seclabel, node, error) &&
           virSeclabelParseLabels(seclabel, node, parseFlags, error);
}

static bool
virSeclabelsParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainSecurity *security = object;
    g_autoptr(GHashTable) models = g_hash_table_new(g_str_hash, g_str_equal);

    security->labels = g_ptr_array_new_with_free_func(virSeclabelFree);
    virXMLForEachChildNamed (node, child, "seclabel") {
        virSeclabel *seclabel = g_new0(virSeclabel, 1);

        g_ptr_array_add(security->labels, seclabel);
        if (!virSeclabelParse(seclabel, child, parseFlags, error))
            return false;
        if (!g_hash_table_add(models, seclabel->model ? seclabel->model : (char *)""))
            return virErrorSet(error, VIR_ERR_XML_DETAIL,
                               _("seclabel for model %s is already provided"),
                               seclabel->model ? seclabel->model : "(null)");
    }
    for (guint i = 0; security->labels->len > 1 && i < security->labels->len; i++) {
        const virSeclabel *seclabel = g_ptr_array_index(security->labels, i);

        if (!seclabel->model)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing security model"));
    }
    return true;
}

static void
virSeclabelFormat(const virSeclabel *seclabel, virXMLWriter *w)
{
    if (seclabel->implicit &&
        (g_strcmp0(seclabel->model, "dac") == 0 || g_strcmp0(seclabel->model, "none") == 0))
        return;
    virXMLWriterOpen(w, "seclabel");
    virXMLWriterAttr(w, "type", virSeclabelTypeToString(seclabel->type));
    virXMLWriterAttr(w, "model", seclabel->model);
    if (seclabel->type != VIR_SECLABEL_NONE) {
        virXMLWriterAttr(w, "relabel", seclabel->relabel ? "yes" : "no");
        virXMLWriterElement(w, "label", seclabel->label);
        if (seclabel->relabel)
            virXMLWriterElement(w, "imagelabel", seclabel->imageLabel);
        if (seclabel->type == VIR_SECLABEL_DYNAMIC)
            virXMLWriterElement(w, "baselabel", seclabel->baseLabel);
    }
    virXMLWriterClose(w);
}

static void
virSeclabelsFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainSecurity *security = object;

    for (guint i = 0; security->labels && i < security->labels->len; i++)
        virSeclabelFormat(g_ptr_array_index(security->labels, i), w);
}

static void
virSeclabelsClear(void *object)
{
    g_clear_pointer(&((virDomainSecurity *)object)->labels, g_ptr_array_unref);
}

static const virField seclabelHolds[] = {
    VIR_HOLDS("@model"),
    VIR_HOLDS("label"),
    VIR_HOLDS("imagelabel"),
    VIR_HOLDS("baselabel"),
    VIR_HOLDS_ENUM("@type", virSeclabelTypeNames),
    VIR_HOLDS_YESNO("@relabel"),
    VIR_FIELD_END,
};

static const virField seclabelFields[] = {
    VIR_FIELD_CODE("seclabel", virSeclabelsParse, virSeclabelsFormat, .clear = virSeclabelsClear,
                   .flags = VIR_FIELD_MANY, .holds = seclabelHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainSeclabelSection = {
    .name = "seclabel",
    .offset = offsetof(virDomainDef, security),
    .fields = seclabelFields,
};

/* --- <keywrap> --- */

static bool
virKeywrapParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainSecurity *security = object;

    virXMLForEachChildNamed (virXMLFirstChild(node, "keywrap"), child, "cipher") {
        g_autofree char *name = virXMLAttr(child, "name");
        g_autofree char *state = virXMLAttr(child, "state");
        bool aes = g_strcmp0(name, "aes") == 0;
        virTristate *cipher = aes ? &security->keywrapAes : &security->keywrapDea;

        if (!aes && g_strcmp0(name, "dea") != 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid cipher name '%s'"),
                               name ? name : "");
        if (g_strcmp0(state, "on") != 0 && g_strcmp0(state, "off") != 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Invalid cipher state '%s'"),
                               state ? state : "");
        if (*cipher != VIR_TRISTATE_ABSENT)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("A domain definition can have no more than one cipher node with "
                                 "name %s"),
                               name);
        *cipher = virTristateFromBool(g_str_equal(state, "on"));
    }
    return true;
}

static void
virKeywrapFormatCipher(virXMLWriter *w, const char *name, virTristate state)
{
    if (state == VIR_TRISTATE_ABSENT)
        return;
    virXMLWriterOpen(w, "cipher");
    virXMLWriterAttr(w, "name", name);
    virXMLWriterAttr(w, "state", state == VIR_TRISTATE_YES ? "on" : "off");
    virXMLWriterClose(w);
}

static void
virKeywrapFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainSecurity *security = object;

    virXMLWriterOpen(w, "keywrap");
    virKeywrapFormatCipher(w, "aes", security->keywrapAes);
    virKeywrapFormatCipher(w, "dea", security->keywrapDea);
    virXMLWriterCloseUnlessEmpty(w);
}

/* --- <launchSecurity> --- */

/* relative to <launchSecurity> */
static const virField sevFields[] = {
    VIR_FIELD_YESNO("@kernelHashes", virLaunchSecurity, kernelHashes, .flags = VIR_FIELD_ABI),
    VIR_FIELD_UINT("cbitpos", virLaunchSecurity, cbitpos, 0, UINT32_MAX),
    VIR_FIELD_UINT("reducedPhysBits", virLaunchSecurity, reducedPhysBits, 0, UINT32_MAX),
    VIR_FIELD_END,
};

static bool
virLaunchSecurityParseSev(virLaunchSecurity *launch, xmlNode *element, unsigned parseFlags,
                          GError **error)
{
    g_autofree char *policy = virXMLText(virXMLFirstChild(element, "policy"));
    char *end;

    if (!virFieldParse(sevFields, launch, element, parseFlags, error))
        return false;
    launch->policy = policy ? (unsigned)strtoul(policy, &end, 0) : 0;
    if (!policy || !g_ascii_isdigit(*policy) || *end)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("failed to get launch security policy for launch security type SEV"));
    launch->dhCert = virXMLText(virXMLFirstChild(element, "dhCert"));
    launch->session = virXMLText(virXMLFirstChild(element, "session"));
    return true;
}

static bool
virLaunchSecurityParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virLaunchSecurity *launch = &((virDomainSecurity *)object)->launch;
    xmlNode *element = virXMLFirstChild(node, "launchSecurity");
    g_autofree char *type = virXMLAttr(element, "type");

    if (!element)
        return true;
    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "type",
                           "launchSecurity");
    if ((launch->type = virLaunchSecurityTypeFromString(type)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "type",
                           "launchSecurity", type);
    return launch->type != VIR_LAUNCH_SECURITY_SEV ||
           virLaunchSecurityParseSev(launch, element, parseFlags, error);
}

static void
virLaunchSecurityFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virLaunchSecurity *launch = &((const virDomainSecurity *)object)->launch;

    if (launch->type == VIR_LAUNCH_SECURITY_NONE)
        return;
    virXMLWriterOpen(w, "launchSecurity");
    virXMLWriterAttr(w, "type", virLaunchSecurityTypeToString(launch->type));
    if (launch->type == VIR_LAUNCH_SECURITY_SEV) {
        virFieldFormat(sevFields, launch, w, formatFlags);
        virXMLWriterElementF(w, "policy", "0x%04x", launch->policy);
        virXMLWriterElement(w, "dhCert", launch->dhCert);
        virXMLWriterElement(w, "session", launch->session);
    }
    virXMLWriterClose(w);
}

static void
virLaunchSecurityClear(void *object)
{
    virLaunchSecurity *launch = &((virDomainSecurity *)object)->launch;

    g_clear_pointer(&launch->dhCert, g_free);
    g_clear_pointer(&launch->session, g_free);
}

static const virField cipherHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS_ONOFF("@state"),
    VIR_FIELD_END,
};

static const virField keywrapHolds[] = {
    VIR_HOLDS_ELEMENTS("cipher", cipherHolds),
    VIR_FIELD_END,
};

static const virField launchHolds[] = {
    VIR_HOLDS_ENUM("@type", virLaunchSecurityTypeNames),
    VIR_HOLDS_ROWS(sevFields),
    VIR_HOLDS_NUMBER("policy"),
    VIR_HOLDS("dhCert"),
    VIR_HOLDS("session"),
    VIR_FIELD_END,
};

static const virField launchFields[] = {
    VIR_FIELD_CODE("keywrap", virKeywrapParse, virKeywrapFormat, .holds = keywrapHolds),
    VIR_FIELD_CODE("launchSecurity", virLaunchSecurityParse, virLaunchSecurityFormat,
                   .clear = virLaunchSecurityClear, .holds = launchHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainLaunchSecuritySection = {
    .name = "launchSecurity",
    .offset = offsetof(virDomainDef, security),
    .fields = launchFields,
};
