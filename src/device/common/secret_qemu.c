/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * secret_qemu.c: secrets for QEMU. */
#include "device/common/secret_qemu.h"

#include "util/virerror.h"

bool
qemuSecretPlan(qmpPlan *plan, const qemuBuildConfig *config, const char *id, const char *plain,
               size_t len, GError **error)
{
    g_autofree char *iv = NULL;
    g_autofree char *data = NULL;
    virJSON *props;

    if (!config->encrypt)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("secret '%s' cannot be encrypted for this guest"), id);
    data = config->encrypt(plain, len, &iv, config->encryptOpaque);
    props = virJSONObject();
    virJSONAddString(props, "qom-type", "secret");
    virJSONAddString(props, "id", id);
    virJSONAddString(props, "data", data);
    virJSONAddString(props, "keyid", "masterKey0");
    virJSONAddString(props, "iv", iv);
    virJSONAddString(props, "format", "base64");
    qmpPlanObject(plan, props);
    return true;
}
