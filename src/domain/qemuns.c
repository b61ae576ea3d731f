/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qemuns.c: <qemu:commandline> <qemu:capabilities> <qemu:deprecation> <qemu:override>. */
#include "domain/qemuns.h"

#include <string.h>

#include "domain/def.h"
#include "domain/section.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virQemuPropertyType, VIR_QEMU_PROPERTY_LAST, "string", "unsigned", "signed", "bool",
              "remove");

static bool
virQemuNamespaceIs(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && node->ns &&
           xmlStrEqual(node->ns->href, BAD_CAST VIR_QEMU_NAMESPACE) &&
           xmlStrEqual(node->name, BAD_CAST name);
}

/* The child of that name in QEMU's namespace at or after node. */
static xmlNode *
virQemuNamespaceFind(xmlNode *node, const char *name)
{
    while (node && !virQemuNamespaceIs(node, name))
        node = node->next;
    return node;
}

#define virQemuNamespaceForEach(parent, child, name)                                               \
    for (xmlNode *child = virQemuNamespaceFind((parent) ? (parent)->children : NULL, name); child; \
         child = virQemuNamespaceFind(child->next, name))

static void
virQemuEnvFree(void *opaque)
{
    virQemuEnv *env = opaque;

    g_free(env->name);
    g_free(env->value);
    g_free(env);
}

static void
virQemuPropertyFree(void *opaque)
{
    virQemuProperty *property = opaque;

    g_free(property->name);
    g_free(property->value);
    g_free(property);
}

static void
virQemuOverrideFree(void *opaque)
{
    virQemuOverride *override = opaque;

    g_free(override->alias);
    g_ptr_array_unref(override->properties);
    g_free(override);
}

/* --- command line and environment --- */

static bool
virQemuEnvCheck(const char *name, GError **error)
{
    if (!*name)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("Empty qemu environment name specified"));
    if (!g_ascii_isalpha(name[0]) && name[0] != '_')
        return virErrorSet(
            error, VIR_ERR_XML_ERROR, "%s",
            _("Invalid environment name, it must begin with a letter or underscore"));
    for (const char *at = name; *at; at++) {
        if (!g_ascii_isalnum(*at) && *at != '_')
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("Invalid environment name, it must contain only alphanumerics and "
                                 "underscore"));
    }
    return true;
}

static bool
virQemuCommandlineParse(virDomainQemuNamespace *ns, const xmlNode *element, GError **error)
{
    virQemuNamespaceForEach(element, arg, "arg")
    {
        char *value = virXMLAttr(arg, "value");

        if (!value)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                               _("No qemu command-line argument specified"));
        g_ptr_array_add(ns->args, value);
    }
    virQemuNamespaceForEach(element, child, "env")
    {
        virQemuEnv *env = g_new0(virQemuEnv, 1);

        g_ptr_array_add(ns->env, env);
        env->name = virXMLAttr(child, "name");
        env->value = virXMLAttr(child, "value");
        if (!env->name)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("No qemu environment name specified"));
        if (!virQemuEnvCheck(env->name, error))
            return false;
    }
    return true;
}

static bool
virQemuCapabilitiesParse(GPtrArray *names, const xmlNode *element, const char *which,
                         GError **error)
{
    virQemuNamespaceForEach(element, child, which)
    {
        char *name = virXMLAttr(child, "capability");

        if (!name)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("missing capability name"));
        g_ptr_array_add(names, name);
    }
    return true;
}

/* --- overrides --- */

static bool
virQemuOverrideParse(virDomainQemuNamespace *ns, const xmlNode *node, GError **error)
{
    virQemuOverride *override = g_new0(virQemuOverride, 1);
    xmlNode *frontend = virQemuNamespaceFind(node->children, "frontend");

    override->properties = g_ptr_array_new_with_free_func(virQemuPropertyFree);
    g_ptr_array_add(ns->overrides, override);
    if (!(override->alias = virXMLAttr(node, "alias")))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing 'alias' attribute of device override"));
    virQemuNamespaceForEach(frontend, child, "property")
    {
        virQemuProperty *property = g_new0(virQemuProperty, 1);
        g_autofree char *type = virXMLAttr(child, "type");

        g_ptr_array_add(override->properties, property);
        property->name = virXMLAttr(child, "name");
        property->value = virXMLAttr(child, "value");
        property->type = virQemuPropertyTypeFromString(type);
        if (!property->name)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("missing 'name' attribute for qemu:property"));
        if (property->type < 0)
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("Invalid value for attribute '%s' in element '%s': '%s'."), "type",
                               "property", type ? type : "");
        if (!property->value && property->type != VIR_QEMU_PROPERTY_REMOVE)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("missing 'value' attribute for 'qemu:property'"));
    }
    return true;
}

static bool
virQemuNamespaceParse(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virDomainQemuNamespace *ns = object;
    xmlNode *capabilities = virQemuNamespaceFind(node->children, "capabilities");
    xmlNode *deprecation = virQemuNamespaceFind(node->children, "deprecation");
    xmlNode *override = virQemuNamespaceFind(node->children, "override");

    ns->args = g_ptr_array_new_with_free_func(g_free);
    ns->env = g_ptr_array_new_with_free_func(virQemuEnvFree);
    ns->capsAdd = g_ptr_array_new_with_free_func(g_free);
    ns->capsDel = g_ptr_array_new_with_free_func(g_free);
    ns->overrides = g_ptr_array_new_with_free_func(virQemuOverrideFree);
    virQemuNamespaceForEach(node, commandline, "commandline")
    {
        if (!virQemuCommandlineParse(ns, commandline, error))
            return false;
    }
    if (!virQemuCapabilitiesParse(ns->capsAdd, capabilities, "add", error) ||
        !virQemuCapabilitiesParse(ns->capsDel, capabilities, "del", error))
        return false;
    ns->deprecation = virXMLAttr(deprecation, "behavior");
    virQemuNamespaceForEach(override, device, "device")
    {
        if (!virQemuOverrideParse(ns, device, error))
            return false;
    }
    return true;
}

bool
virDomainQemuNamespaceInUse(const virDomainQemuNamespace *ns)
{
    return ns->args && (ns->args->len || ns->env->len || ns->capsAdd->len || ns->capsDel->len ||
                        ns->deprecation || ns->overrides->len);
}

/* --- writing --- */

static void
virQemuFormatEach(const GPtrArray *values, const char *element, const char *attr, virXMLWriter *w)
{
    for (guint i = 0; i < values->len; i++) {
        virXMLWriterOpen(w, element);
        virXMLWriterAttr(w, attr, g_ptr_array_index(values, i));
        virXMLWriterClose(w);
    }
}

static void
virQemuOverridesFormat(const virDomainQemuNamespace *ns, virXMLWriter *w)
{
    virXMLWriterOpen(w, "qemu:override");
    for (guint i = 0; i < ns->overrides->len; i++) {
        const virQemuOverride *override = g_ptr_array_index(ns->overrides, i);

        virXMLWriterOpen(w, "qemu:device");
        virXMLWriterAttr(w, "alias", override->alias);
        virXMLWriterOpen(w, "qemu:frontend");
        for (guint p = 0; p < override->properties->len; p++) {
            const virQemuProperty *property = g_ptr_array_index(override->properties, p);

            virXMLWriterOpen(w, "qemu:property");
            virXMLWriterAttr(w, "name", property->name);
            virXMLWriterAttr(w, "type", virQemuPropertyTypeToString(property->type));
            virXMLWriterAttr(w, "value", property->value);
            virXMLWriterClose(w);
        }
        virXMLWriterCloseUnlessEmpty(w);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virQemuNamespaceFormat(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virDomainQemuNamespace *ns = object;

    if (!virDomainQemuNamespaceInUse(ns))
        return;
    virXMLWriterOpen(w, "qemu:commandline");
    virQemuFormatEach(ns->args, "qemu:arg", "value", w);
    for (guint i = 0; i < ns->env->len; i++) {
        const virQemuEnv *env = g_ptr_array_index(ns->env, i);

        virXMLWriterOpen(w, "qemu:env");
        virXMLWriterAttr(w, "name", env->name);
        virXMLWriterAttr(w, "value", env->value);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterOpen(w, "qemu:capabilities");
    virQemuFormatEach(ns->capsAdd, "qemu:add", "capability", w);
    virQemuFormatEach(ns->capsDel, "qemu:del", "capability", w);
    virXMLWriterCloseUnlessEmpty(w);
    virXMLWriterOpen(w, "qemu:deprecation");
    virXMLWriterAttr(w, "behavior", ns->deprecation);
    virXMLWriterCloseUnlessEmpty(w);
    virQemuOverridesFormat(ns, w);
}

static void
virQemuNamespaceClear(void *object)
{
    virDomainQemuNamespace *ns = object;

    g_clear_pointer(&ns->args, g_ptr_array_unref);
    g_clear_pointer(&ns->env, g_ptr_array_unref);
    g_clear_pointer(&ns->capsAdd, g_ptr_array_unref);
    g_clear_pointer(&ns->capsDel, g_ptr_array_unref);
    g_clear_pointer(&ns->deprecation, g_free);
    g_clear_pointer(&ns->overrides, g_ptr_array_unref);
}

static const virField argHolds[] = {
    VIR_HOLDS("@value"),
    VIR_FIELD_END,
};

static const virField envHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS("@value"),
    VIR_FIELD_END,
};

static const virField commandlineHolds[] = {
    VIR_HOLDS_ELEMENTS("qemu:arg", argHolds),
    VIR_HOLDS_ELEMENTS("qemu:env", envHolds),
    VIR_FIELD_END,
};

static const virField capabilityHolds[] = {
    VIR_HOLDS("@capability"),
    VIR_FIELD_END,
};

static const virField capabilitiesHolds[] = {
    VIR_HOLDS_ELEMENTS("qemu:add", capabilityHolds),
    VIR_HOLDS_ELEMENTS("qemu:del", capabilityHolds),
    VIR_FIELD_END,
};

static const virField propertyHolds[] = {
    VIR_HOLDS("@name"),
    VIR_HOLDS("@value"),
    VIR_HOLDS("@type"),
    VIR_FIELD_END,
};

static const virField frontendHolds[] = {
    VIR_HOLDS_ELEMENTS("qemu:property", propertyHolds),
    VIR_FIELD_END,
};

static const virField overrideDeviceHolds[] = {
    VIR_HOLDS("@alias"),
    VIR_FIELD_CODE("qemu:frontend", NULL, NULL, .holds = frontendHolds),
    VIR_FIELD_END,
};

static const virField overrideHolds[] = {
    VIR_HOLDS_ELEMENTS("qemu:device", overrideDeviceHolds),
    VIR_FIELD_END,
};

static const virField deprecationHolds[] = {
    VIR_HOLDS("@behavior"),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("qemu:commandline", virQemuNamespaceParse, virQemuNamespaceFormat,
                   .clear = virQemuNamespaceClear, .holds = commandlineHolds),
    VIR_FIELD_CODE("qemu:capabilities", NULL, NULL, .holds = capabilitiesHolds),
    VIR_FIELD_CODE("qemu:override", NULL, NULL, .holds = overrideHolds),
    VIR_FIELD_CODE("qemu:deprecation", NULL, NULL, .holds = deprecationHolds),
    VIR_FIELD_END,
};

const virDomainSection virDomainQemuSection = {
    .name = "qemu",
    .offset = offsetof(virDomainDef, qemu),
    .fields = fields,
};
