/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * smartcard_qemu.c: <smartcard> for QEMU. */
#include "device/smartcard/smartcard_qemu.h"

#include "device/common/chrsource_qemu.h"
#include "device/smartcard/smartcard.h"
#include "util/virerror.h"

/* where NSS keeps the system's certificates */
static const char DEFAULT_DATABASE[] = "/etc/pki/nssdb";

static bool
qemuSmartcardPlaceCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virAddress *at = &dev->info.address;

    if (virDevicesCount(facts->devices, &virSmartcardKind) <= 1 &&
        (at->type != VIR_ADDRESS_CCID || (at->ccid.controller == 0 && at->ccid.slot == 0)))
        return true;
    return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                       _("this QEMU binary lacks multiple smartcard support"));
}

static bool
qemuSmartcardCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
                   GError **error)
{
    const virSmartcard *card = VIR_SMARTCARD(dev);

    if (!qemuSmartcardPlaceCheck(dev, facts, error))
        return false;
    if (card->mode != VIR_SMARTCARD_PASSTHROUGH) {
        if (!qmpCapsHas(caps, QMP_CAPS_CCID_EMULATED))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("this QEMU binary lacks smartcard host mode support"));
        return true;
    }
    if (!qmpCapsHas(caps, QMP_CAPS_CCID_PASSTHRU))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("this QEMU binary lacks smartcard passthrough mode support"));
    return qemuChrSourceCheck(&card->source, caps, error);
}

static bool
qemuSmartcardClaim(virDevice *dev, const qemuBuildContext *ctx, const qemuClaims *claims,
                   GError **error)
{
    qemuChrSourceClaim(&VIR_SMARTCARD(dev)->source, ctx);
    return true;
}

static void
qemuSmartcardTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    if (VIR_SMARTCARD(dev)->mode == VIR_SMARTCARD_PASSTHROUGH)
        qemuChrSourceTouches(&VIR_SMARTCARD(dev)->source, dev, ctx, out);
}

static void
qemuSmartcardAddCertificates(const virSmartcard *card, virJSON *props)
{
    virJSONAddString(props, "backend", "certificates");
    for (int i = 0; i < VIR_SMARTCARD_CERTIFICATES; i++) {
        g_autofree char *member = g_strdup_printf("cert%d", i + 1);

        virJSONAddString(props, member, card->certificates[i]);
    }
    virJSONAddString(props, "db", card->database ? card->database : DEFAULT_DATABASE);
}

static bool
qemuSmartcardBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virSmartcard *card = VIR_SMARTCARD(dev);
    bool passthrough = card->mode == VIR_SMARTCARD_PASSTHROUGH;
    g_autofree char *id = qemuChrId(dev);
    g_autoptr(virJSON) props = virJSONObject();

    virJSONAddString(props, "driver", passthrough ? "ccid-card-passthru" : "ccid-card-emulated");
    if (passthrough)
        virJSONAddString(props, "chardev", id);
    else if (card->mode == VIR_SMARTCARD_HOST)
        virJSONAddString(props, "backend", "nss-emulated");
    else
        qemuSmartcardAddCertificates(card, props);
    virJSONAddString(props, "id", dev->info.alias);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    if (passthrough &&
        !qemuChrSourceBuild(&card->source, dev, id, "smartcard", 0, ctx, plan, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    return true;
}

const virDeviceQemu virSmartcardQemu = {
    .kind = &virSmartcardKind,
    .check = qemuSmartcardCheck,
    .claim = qemuSmartcardClaim,
    .touches = qemuSmartcardTouches,
    .build = qemuSmartcardBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
