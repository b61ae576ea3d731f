/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * smartcard.c: <smartcard> as a document. */
#include "device/smartcard/smartcard.h"

#include "device/controller/controller.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virSmartcardMode, VIR_SMARTCARD_LAST, "host", "host-certificates", "passthrough");

static bool
virSmartcardParseCertificates(virSmartcard *card, xmlNode *node, GError **error)
{
    int count = 0;

    virXMLForEachChildNamed (node, child, "certificate") {
        if (count == VIR_SMARTCARD_CERTIFICATES) {
            count++;
            break;
        }
        card->certificates[count++] = virXMLText(child);
    }
    if (count != VIR_SMARTCARD_CERTIFICATES)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("host-certificates mode needs exactly three certificates"));
    card->database = virXMLText(virXMLFirstChild(node, "database"));
    if (card->database && card->database[0] != '/')
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("expecting absolute path: %s"),
                           card->database);
    return true;
}

static bool
virSmartcardParseSource(virSmartcard *card, xmlNode *node, unsigned parseFlags, GError **error)
{
    g_autofree char *type = virXMLAttr(node, "type");

    if (!type)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("passthrough mode requires a character device type attribute"));
    if ((card->source.type = virChrTypeFromString(type)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("unknown type presented to host for character device: %s"), type);
    return virChrSourceParse(&card->source, node, parseFlags, error);
}

static bool
virSmartcardParseMode(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virSmartcard *card = object;
    g_autofree char *mode = virXMLAttr(node, "mode");

    if (!mode)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Missing required attribute '%s' in element '%s'"), "mode",
                           "smartcard");
    if ((card->mode = virSmartcardModeFromString(mode)) < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "mode",
                           "smartcard", mode);
    if (card->mode == VIR_SMARTCARD_HOST_CERTIFICATES)
        return virSmartcardParseCertificates(card, node, error);
    if (card->mode == VIR_SMARTCARD_PASSTHROUGH)
        return virSmartcardParseSource(card, node, parseFlags, error);
    return true;
}

static void
virSmartcardFormatMode(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virSmartcard *card = object;

    virXMLWriterAttr(w, "mode", virSmartcardModeToString(card->mode));
    if (card->mode == VIR_SMARTCARD_PASSTHROUGH)
        virXMLWriterAttr(w, "type", virChrTypeToString(card->source.type));
}

static void
virSmartcardFormatBody(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virSmartcard *card = object;

    for (int i = 0; i < VIR_SMARTCARD_CERTIFICATES; i++)
        virXMLWriterElement(w, "certificate", card->certificates[i]);
    virXMLWriterElement(w, "database", card->database);
    if (card->mode == VIR_SMARTCARD_PASSTHROUGH)
        virChrSourceFormat(&card->source, w, formatFlags);
}

static void
virSmartcardClearBody(void *object)
{
    virSmartcard *card = object;

    for (int i = 0; i < VIR_SMARTCARD_CERTIFICATES; i++)
        g_clear_pointer(&card->certificates[i], g_free);
    g_clear_pointer(&card->database, g_free);
    virChrSourceClear(&card->source);
}

static const virField certificateHolds[] = {
    VIR_HOLDS("."),
    VIR_FIELD_END,
};

static const virField fields[] = {
    VIR_FIELD_CODE("@mode", virSmartcardParseMode, virSmartcardFormatMode),
    VIR_FIELD_CODE("certificate", NULL, virSmartcardFormatBody, .clear = virSmartcardClearBody,
                   .flags = VIR_FIELD_MANY, .holds = certificateHolds),
    VIR_FIELD_CODE("database", NULL, NULL, .holds = certificateHolds),
    VIR_FIELD_CODE("@type", NULL, NULL, .names = &virChrTypeNames),
    VIR_FIELD_CODE("source", NULL, NULL),
    VIR_FIELD_CODE("protocol@type", NULL, NULL),
    VIR_FIELD_CODE("log", NULL, NULL),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

static bool
virSmartcardCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virSmartcard *card = VIR_SMARTCARD(dev);

    return card->mode != VIR_SMARTCARD_PASSTHROUGH ||
           virChrSourceCheck(&card->source, false, error);
}

static int
virSmartcardController(const virDevice *dev, unsigned *retIndex)
{
    *retIndex = dev->info.address.type == VIR_ADDRESS_CCID ? dev->info.address.ccid.controller : 0;
    return VIR_CONTROLLER_CCID;
}

static bool
virSmartcardParse(virDevice *dev, xmlNode *node, unsigned parseFlags, GError **error)
{
    if (dev->info.address.type == VIR_ADDRESS_NONE)
        dev->info.address = (virAddress){.type = VIR_ADDRESS_CCID};
    return true;
}

const virDeviceKind virSmartcardKind = {
    .element = "smartcard",
    .noun = "smartcard",
    .size = sizeof(virSmartcard),
    .fields = fields,
    .parse = virSmartcardParse,
    .check = virSmartcardCheck,
    .controller = virSmartcardController,
    .aliasPrefix = "smartcard",
};
