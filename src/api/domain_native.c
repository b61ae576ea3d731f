/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_native.c: documents as command lines of QEMU. The other way round is not offered: libvirt
 * gave it up too. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/native.h"
#include "util/virerror.h"

bool
virApiConnectDomainXMLToNative(virApiCall *call,
                               const remote_connect_domain_xml_to_native_args *args,
                               remote_connect_domain_xml_to_native_ret *ret, GError **error)
{
    g_autofree char *text = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (!g_str_equal(args->nativeFormat, "qemu-argv"))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("unsupported config type %s"),
                           args->nativeFormat);
    if (!(text = qemuNativeCommandLine(virApiQemu(call), args->domainXml, error)))
        return false;
    ret->nativeConfig = virApiStrdup(call, text);
    return true;
}
