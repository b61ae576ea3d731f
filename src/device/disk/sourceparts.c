/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sourceparts.c: reading and writing <auth>, <encryption>, <reservations> and <privateData>. */
#include "device/disk/sourceparts.h"

#include <inttypes.h>

#include "util/virerror.h"
#include "util/viruuid.h"

VIR_ENUM_IMPL(virEncryptionFormat, VIR_ENCRYPTION_FORMAT_LAST, "default", "qcow", "luks", "luks2",
              "luks-any");
VIR_ENUM_IMPL(virEncryptionEngine, VIR_ENCRYPTION_ENGINE_LAST, "default", "qemu", "librbd");

/* --- secrets by reference --- */

static void
virStorageSecretClear(virStorageSecret *secret)
{
    g_clear_pointer(&secret->type, g_free);
    g_clear_pointer(&secret->uuid, g_free);
    g_clear_pointer(&secret->usage, g_free);
}

static void
virStorageSecretFree(void *opaque)
{
    virStorageSecretClear(opaque);
    g_free(opaque);
}

static bool
virStorageSecretParse(virStorageSecret *secret, const xmlNode *node, GError **error)
{
    g_autofree char *uuid = virXMLAttr(node, "uuid");
    unsigned char raw[VIR_UUID_SIZE];
    char text[VIR_UUID_TEXT_SIZE];

    secret->type = virXMLAttr(node, "type");
    secret->usage = virXMLAttr(node, "usage");
    if (!uuid && !secret->usage)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing secret uuid or usage attribute"));
    if (uuid && secret->usage)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("either secret uuid or usage expected"));
    if (!uuid)
        return true;
    if (!virUUIDParse(uuid, raw))
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("invalid secret uuid '%s'"), uuid);
    secret->uuid = g_strdup(virUUIDFormat(raw, text));
    return true;
}

static void
virStorageSecretFormat(const virStorageSecret *secret, virXMLWriter *w)
{
    virXMLWriterOpen(w, "secret");
    virXMLWriterAttr(w, "type", secret->type);
    virXMLWriterAttr(w, "uuid", secret->uuid);
    virXMLWriterAttr(w, "usage", secret->usage);
    virXMLWriterClose(w);
}

/* --- auth --- */

void
virStorageAuthFree(virStorageAuth *auth)
{
    if (!auth)
        return;
    g_free(auth->username);
    virStorageSecretClear(&auth->secret);
    g_free(auth);
}

virStorageAuth *
virStorageAuthParse(xmlNode *node, GError **error)
{
    g_autoptr(virStorageAuth) auth = g_new0(virStorageAuth, 1);
    xmlNode *secret = virXMLFirstChild(node, "secret");

    if (!(auth->username = virXMLAttr(node, "username"))) {
        virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing username for auth"));
        return NULL;
    }
    if (!secret) {
        virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("Missing <secret> element in auth"));
        return NULL;
    }
    if (!virStorageSecretParse(&auth->secret, secret, error))
        return NULL;
    return g_steal_pointer(&auth);
}

void
virStorageAuthFormat(const virStorageAuth *auth, virXMLWriter *w)
{
    virXMLWriterOpen(w, "auth");
    virXMLWriterAttr(w, "username", auth->username);
    virStorageSecretFormat(&auth->secret, w);
    virXMLWriterClose(w);
}

/* --- encryption --- */

void
virStorageEncryptionFree(virStorageEncryption *enc)
{
    if (!enc)
        return;
    g_clear_pointer(&enc->secrets, g_ptr_array_unref);
    g_free(enc->cipherName);
    g_free(enc->cipherMode);
    g_free(enc->cipherHash);
    g_free(enc->ivgenName);
    g_free(enc->ivgenHash);
    g_free(enc);
}

static bool
virStorageEncryptionParseHead(virStorageEncryption *enc, const xmlNode *node, GError **error)
{
    g_autofree char *format = virXMLAttr(node, "format");
    g_autofree char *engine = virXMLAttr(node, "engine");

    if (!format)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("unknown volume encryption format"));
    enc->format = virEncryptionFormatFromString(format);
    if (enc->format < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("unknown volume encryption format type %s"),
                           format);
    if (engine && (enc->engine = virEncryptionEngineFromString(engine)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute 'engine' in element 'encryption': "
                             "'%s'."),
                           engine);
    return true;
}

static bool
virStorageEncryptionParseSecrets(virStorageEncryption *enc, const xmlNode *node, GError **error)
{
    virXMLForEachChildNamed (node, child, "secret") {
        virStorageSecret *secret = g_new0(virStorageSecret, 1);

        g_ptr_array_add(enc->secrets, secret);
        if (!virXMLAttrPeek(child, "type"))
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("unknown volume encryption secret type"));
        if (!g_str_equal(virXMLAttrPeek(child, "type"), "passphrase"))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("unknown volume encryption secret type %s"),
                               virXMLAttrPeek(child, "type"));
        if (!virStorageSecretParse(secret, child, error))
            return false;
    }
    return true;
}

static const virField cipherFields[] = {
    VIR_FIELD_STRING("cipher@name", virStorageEncryption, cipherName),
    VIR_FIELD_UINT("cipher@size", virStorageEncryption, cipherSize, 0, UINT32_MAX),
    VIR_FIELD_STRING("cipher@mode", virStorageEncryption, cipherMode),
    VIR_FIELD_STRING("cipher@hash", virStorageEncryption, cipherHash),
    VIR_FIELD_STRING("ivgen@name", virStorageEncryption, ivgenName),
    VIR_FIELD_STRING("ivgen@hash", virStorageEncryption, ivgenHash),
    VIR_FIELD_END,
};

virStorageEncryption *
virStorageEncryptionParse(xmlNode *node, GError **error)
{
    g_autoptr(virStorageEncryption) enc = g_new0(virStorageEncryption, 1);

    enc->secrets = g_ptr_array_new_with_free_func(virStorageSecretFree);
    if (!virStorageEncryptionParseHead(enc, node, error) ||
        !virStorageEncryptionParseSecrets(enc, node, error) ||
        !virFieldParse(cipherFields, enc, node, 0, error))
        return NULL;
    if (virXMLFirstChild(node, "cipher") && !enc->cipherName) {
        virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("cipher info missing 'name' attribute"));
        return NULL;
    }
    if (virXMLFirstChild(node, "ivgen") && !enc->cipherName) {
        virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                    _("ivgen element found, but cipher is missing"));
        return NULL;
    }
    return g_steal_pointer(&enc);
}

void
virStorageEncryptionFormat(const virStorageEncryption *enc, virXMLWriter *w)
{
    virXMLWriterOpen(w, "encryption");
    virXMLWriterAttr(w, "format", virEncryptionFormatToString(enc->format));
    if (enc->engine != VIR_ENCRYPTION_ENGINE_NONE)
        virXMLWriterAttr(w, "engine", virEncryptionEngineToString(enc->engine));
    for (guint i = 0; i < enc->secrets->len; i++)
        virStorageSecretFormat(g_ptr_array_index(enc->secrets, i), w);
    virFieldFormat(cipherFields, enc, w, 0);
    virXMLWriterClose(w);
}

/* --- reservations --- */

void
virStorageReservationsFree(virStorageReservations *pr)
{
    if (!pr)
        return;
    g_free(pr->path);
    g_free(pr->managerAlias);
    g_free(pr);
}

static const virField reservationsFields[] = {
    VIR_FIELD_YESNO("@managed", virStorageReservations, managed, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_STRING("source@path", virStorageReservations, path),
    VIR_FIELD_END,
};

static bool
virStorageReservationsCheckSource(const virStorageReservations *pr, const char *type,
                                  const char *mode, GError **error)
{
    if (pr->managed == VIR_TRISTATE_NO && !type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing connection type for <reservations/>"));
    if (pr->managed == VIR_TRISTATE_NO && !pr->path)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing path for <reservations/>"));
    if (pr->managed == VIR_TRISTATE_NO && !mode)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing connection mode for <reservations/>"));
    if (type && !g_str_equal(type, "unix"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported connection type for <reservations/>: %s"), type);
    if (mode && !g_str_equal(mode, "client"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("unsupported connection mode for <reservations/>: %s"), mode);
    return true;
}

virStorageReservations *
virStorageReservationsParse(xmlNode *node, GError **error)
{
    g_autoptr(virStorageReservations) pr = g_new0(virStorageReservations, 1);
    xmlNode *source = virXMLFirstChild(node, "source");

    if (!virFieldParse(reservationsFields, pr, node, 0, error) ||
        !virStorageReservationsCheckSource(pr, source ? virXMLAttrPeek(source, "type") : NULL,
                                           source ? virXMLAttrPeek(source, "mode") : NULL, error))
        return NULL;
    return g_steal_pointer(&pr);
}

void
virStorageReservationsFormat(const virStorageReservations *pr, bool migratable, virXMLWriter *w)
{
    virXMLWriterOpen(w, "reservations");
    virXMLWriterAttr(w, "managed", pr->managed == VIR_TRISTATE_YES ? "yes" : "no");
    if (pr->path && (pr->managed == VIR_TRISTATE_NO || !migratable)) {
        virXMLWriterOpen(w, "source");
        virXMLWriterAttr(w, "type", "unix");
        virXMLWriterAttr(w, "path", pr->path);
        virXMLWriterAttr(w, "mode", "client");
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

/* --- what only exists while a guest runs --- */

void
virStorageRuntimeClear(virStorageRuntime *run)
{
    g_clear_pointer(&run->storageNode, g_free);
    g_clear_pointer(&run->formatNode, g_free);
    g_clear_pointer(&run->sliceNode, g_free);
    g_clear_pointer(&run->relPath, g_free);
    g_clear_pointer(&run->authSecret, g_free);
    g_clear_pointer(&run->encryptionSecret, g_free);
    g_clear_pointer(&run->cookieSecret, g_free);
    g_clear_pointer(&run->tlsKeySecret, g_free);
    g_clear_pointer(&run->tlsAlias, g_free);
    g_clear_pointer(&run->vfioNode, g_free);
}

/* A name by its kind: one row a member of virStorageRuntime. */
typedef struct {
    const char *type;
    size_t offset;
} virStorageRuntimeName;

static const virStorageRuntimeName nodeNames[] = {
    {"storage", offsetof(virStorageRuntime, storageNode)},
    {"format", offsetof(virStorageRuntime, formatNode)},
    {"slice-storage", offsetof(virStorageRuntime, sliceNode)},
    {NULL, 0},
};
static const virStorageRuntimeName secretNames[] = {
    {"auth", offsetof(virStorageRuntime, authSecret)},
    {"encryption", offsetof(virStorageRuntime, encryptionSecret)},
    {"httpcookie", offsetof(virStorageRuntime, cookieSecret)},
    {"tlskey", offsetof(virStorageRuntime, tlsKeySecret)},
    {NULL, 0},
};

static char **
virStorageRuntimeAt(const virStorageRuntime *run, const virStorageRuntimeName *name)
{
    return (char **)((char *)run + name->offset);
}

static void
virStorageRuntimeParseNames(virStorageRuntime *run, const virStorageRuntimeName *names,
                            const xmlNode *parent, const char *element, const char *attr)
{
    if (!parent)
        return;
    virXMLForEachChildNamed (parent, child, element) {
        const char *type = virXMLAttrPeek(child, "type");

        for (const virStorageRuntimeName *name = names; type && name->type; name++) {
            char **at = virStorageRuntimeAt(run, name);

            if (!g_str_equal(name->type, type))
                continue;
            g_free(*at);
            *at = virXMLAttr(child, attr);
        }
    }
}

void
virStorageRuntimeParse(virStorageSource *src, const xmlNode *node)
{
    virStorageRuntime *run = &src->run;
    xmlNode *child;

    virStorageRuntimeParseNames(run, nodeNames, virXMLFirstChild(node, "nodenames"), "nodename",
                                "name");
    virStorageRuntimeParseNames(run, secretNames, virXMLFirstChild(node, "objects"), "secret",
                                "alias");
    if ((child = virXMLChildAt(node, "objects/TLSx509")))
        run->tlsAlias = virXMLAttr(child, "alias");
    if ((child = virXMLFirstChild(node, "relPath")))
        run->relPath = virXMLText(child);
    if ((child = virXMLFirstChild(node, "reservations")) && src->reservations)
        src->reservations->managerAlias = virXMLAttr(child, "mgralias");
    if ((child = virXMLFirstChild(node, "thresholdEvent")))
        run->thresholdByIndex = g_strcmp0(virXMLAttrPeek(child, "indexUsed"), "yes") == 0;
}

static void
virStorageRuntimeFormatNames(const virStorageRuntime *run, const virStorageRuntimeName *names,
                             const char *element, const char *attr, virXMLWriter *w)
{
    for (const virStorageRuntimeName *name = names; name->type; name++) {
        const char *value = *virStorageRuntimeAt(run, name);

        if (!value)
            continue;
        virXMLWriterOpen(w, element);
        virXMLWriterAttr(w, "type", name->type);
        virXMLWriterAttr(w, attr, value);
        virXMLWriterClose(w);
    }
}

void
virStorageRuntimeFormat(const virStorageSource *src, virXMLWriter *w)
{
    const virStorageRuntime *run = &src->run;

    virXMLWriterOpen(w, "privateData");
    virXMLWriterOpen(w, "nodenames");
    virStorageRuntimeFormatNames(run, nodeNames, "nodename", "name", w);
    virXMLWriterCloseUnlessEmpty(w);
    if (src->reservations && src->reservations->managerAlias) {
        virXMLWriterOpen(w, "reservations");
        virXMLWriterAttr(w, "mgralias", src->reservations->managerAlias);
        virXMLWriterClose(w);
    }
    virXMLWriterElement(w, "relPath", run->relPath);
    virXMLWriterOpen(w, "objects");
    virStorageRuntimeFormatNames(run, secretNames, "secret", "alias", w);
    if (run->tlsAlias) {
        virXMLWriterOpen(w, "TLSx509");
        virXMLWriterAttr(w, "alias", run->tlsAlias);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
    if (run->thresholdByIndex) {
        virXMLWriterOpen(w, "thresholdEvent");
        virXMLWriterAttr(w, "indexUsed", "yes");
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}
