/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tpm.c: <tpm> as a document. */
#include "device/tpm/tpm.h"

#include "util/virerror.h"
#include "util/viruuid.h"

static const char DEFAULT_PATH[] = "/dev/tpm0";

VIR_ENUM_IMPL(virTpmModel, VIR_TPM_MODEL_LAST, "default", "tpm-tis", "tpm-crb", "tpm-spapr",
              "spapr-tpm-proxy");
VIR_ENUM_IMPL(virTpmBackend, VIR_TPM_BACKEND_LAST, "passthrough", "emulator", "external");
VIR_ENUM_IMPL(virTpmVersion, VIR_TPM_VERSION_LAST, "default", "1.2", "2.0");
VIR_ENUM_IMPL(virTpmBank, VIR_TPM_BANK_LAST, "sha1", "sha256", "sha384", "sha512");

/* --- reading --- */

static bool
virTpmParseSecret(virTpm *tpm, xmlNode *backend, GError **error)
{
    g_autofree char *secret = virXMLAttr(virXMLFirstChild(backend, "encryption"), "secret");
    unsigned char uuid[VIR_UUID_SIZE];
    char text[VIR_UUID_TEXT_SIZE];

    if (!secret)
        return true;
    if (!virUUIDParse(secret, uuid))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("Unable to parse secret uuid '%s'"),
                           secret);
    tpm->secret = g_strdup(virUUIDFormat(uuid, text));
    return true;
}

static bool
virTpmParseBanks(virTpm *tpm, xmlNode *backend, GError **error)
{
    xmlNode *banks = virXMLFirstChild(backend, "active_pcr_banks");

    if (!banks)
        return true;
    virXMLForEachChild (banks, child) {
        int bank = virTpmBankFromString((const char *)child->name);

        if (bank < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Unsupported PCR banks '%s'"),
                               (const char *)child->name);
        tpm->banks |= 1u << bank;
    }
    return true;
}

static bool
virTpmParseEmulator(virTpm *tpm, xmlNode *backend, GError **error)
{
    const char *version = virXMLAttrPeek(backend, "version");
    const char *persistent = virXMLAttrPeek(backend, "persistent_state");

    if (version && (tpm->version = virTpmVersionFromString(version)) <= 0)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("Unsupported TPM version '%s'"),
                           version);
    if (persistent && !g_str_equal(persistent, "yes") && !g_str_equal(persistent, "no"))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Invalid persistent_state value, either 'yes' or 'no'"));
    tpm->persistentState = g_strcmp0(persistent, "yes") == 0;
    return virTpmParseSecret(tpm, backend, error) && virTpmParseBanks(tpm, backend, error);
}

/* Its mode is that of vhost-user: we are the client. */
static bool
virTpmParseExternal(virTpm *tpm, xmlNode *backend, GError **error)
{
    xmlNode *source = virXMLFirstChild(backend, "source");
    const char *type = virXMLAttrPeek(source, "type");
    const char *mode = virXMLAttrPeek(source, "mode");

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing external TPM backend type"));
    if ((tpm->source.type = virChrTypeFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("unknown backend type '%s' for external TPM"), type);
    tpm->source.path = virXMLAttr(source, "path");
    tpm->source.listen = mode && !g_str_equal(mode, "connect") && !g_str_equal(mode, "client");
    return true;
}

static bool
virTpmParseBackend(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virTpm *tpm = object;
    xmlNode *backend = virXMLFirstChild(node, "backend");
    g_autofree char *type = virXMLAttr(backend, "type");

    if (backend && virXMLNext(backend, "backend"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("only one TPM backend is supported"));
    if (!backend)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s", _("missing TPM device backend"));
    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "type", "backend");
    if ((tpm->backend = virTpmBackendFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "type",
                           "backend", type);
    switch (tpm->backend) {
    case VIR_TPM_BACKEND_PASSTHROUGH:
        tpm->path = virXMLAttr(virXMLFirstChild(backend, "device"), "path");
        if (!tpm->path)
            tpm->path = g_strdup(DEFAULT_PATH);
        return true;
    case VIR_TPM_BACKEND_EMULATOR:
        return virTpmParseEmulator(tpm, backend, error);
    default:
        return virTpmParseExternal(tpm, backend, error);
    }
}

/* --- writing --- */

static void
virTpmFormatEmulator(const virTpm *tpm, virXMLWriter *w)
{
    if (tpm->version != VIR_TPM_VERSION_DEFAULT)
        virXMLWriterAttr(w, "version", virTpmVersionToString(tpm->version));
    if (tpm->persistentState)
        virXMLWriterAttr(w, "persistent_state", "yes");
    if (tpm->secret) {
        virXMLWriterOpen(w, "encryption");
        virXMLWriterAttr(w, "secret", tpm->secret);
        virXMLWriterClose(w);
    }
    if (!tpm->banks)
        return;
    virXMLWriterOpen(w, "active_pcr_banks");
    for (int bank = 0; bank < VIR_TPM_BANK_LAST; bank++) {
        if (!(tpm->banks & 1u << bank))
            continue;
        virXMLWriterOpen(w, virTpmBankToString(bank));
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virTpmFormatBackend(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virTpm *tpm = object;

    virXMLWriterOpen(w, "backend");
    virXMLWriterAttr(w, "type", virTpmBackendToString(tpm->backend));
    switch (tpm->backend) {
    case VIR_TPM_BACKEND_PASSTHROUGH:
        virXMLWriterOpen(w, "device");
        virXMLWriterAttr(w, "path", tpm->path);
        virXMLWriterClose(w);
        break;
    case VIR_TPM_BACKEND_EMULATOR:
        virTpmFormatEmulator(tpm, w);
        break;
    default:
        virXMLWriterOpen(w, "source");
        virXMLWriterAttr(w, "type", virChrTypeToString(tpm->source.type));
        virXMLWriterAttr(w, "mode", tpm->source.listen ? "bind" : "connect");
        virXMLWriterAttr(w, "path", tpm->source.path);
        virXMLWriterClose(w);
    }
    virXMLWriterClose(w);
}

static void
virTpmClearBackend(void *object)
{
    virTpm *tpm = object;

    g_clear_pointer(&tpm->path, g_free);
    g_clear_pointer(&tpm->secret, g_free);
    virChrSourceClear(&tpm->source);
}

static bool
virTpmSameBackend(const void *a, const void *b, GError **error)
{
    const virTpm *was = a;
    const virTpm *is = b;

    if (was->backend != is->backend)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Target TPM device type doesn't match source"));
    if (was->backend == VIR_TPM_BACKEND_EMULATOR && was->version != is->version)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("Target TPM version doesn't match source"));
    return true;
}

static const virField backendHolds[] = {
    VIR_HOLDS("@type"),
    VIR_HOLDS("@version"),
    VIR_HOLDS("device@path"),
    VIR_HOLDS("source@type"),
    VIR_HOLDS("source@mode"),
    VIR_HOLDS("source@path"),
    VIR_HOLDS("encryption@secret"),
    VIR_HOLDS("profile@source"),
    VIR_HOLDS("profile@name"),
    VIR_HOLDS_YESNO("@persistent_state"),
    VIR_FIELD_CODE("active_pcr_banks", NULL, NULL),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virTpm, model, virTpmModelNames, .flags = VIR_FIELD_ABI),
    VIR_FIELD_CODE("backend", virTpmParseBackend, virTpmFormatBackend, .clear = virTpmClearBackend,
                   .same = virTpmSameBackend, .holds = backendHolds),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

/* --- checking --- */

static bool
virTpmCheckExternal(const virTpm *tpm, GError **error)
{
    if (tpm->source.type != VIR_CHR_UNIX)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only source type 'unix' is supported for external TPM device"));
    if (tpm->source.listen)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only 'client' mode is supported for external TPM device"));
    if (!tpm->source.path)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing socket path for external TPM device"));
    return true;
}

static bool
virTpmCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virTpm *tpm = VIR_TPM(dev);

    if (tpm->backend == VIR_TPM_BACKEND_EXTERNAL)
        return virTpmCheckExternal(tpm, error);
    if (tpm->banks && tpm->version != VIR_TPM_VERSION_2_0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("<active_pcr_banks/> requires TPM version '%s'"),
                           virTpmVersionToString(VIR_TPM_VERSION_2_0));
    if (virDevicesCount(facts->devices, &virTpmKind) > 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only a single TPM non-proxy device is supported"));
    return true;
}

const virDeviceKind virTpmKind = {
    .element = "tpm",
    .noun = "tpm",
    .size = sizeof(virTpm),
    .fields = fields,
    .check = virTpmCheck,
    .aliasPrefix = "tpm",
};
