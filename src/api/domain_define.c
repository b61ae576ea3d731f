/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_define.c: stored definitions: define, undefine. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { DEFINE_VALIDATE = 1 << 0 };

static bool
virApiDefine(virApiCall *call, const char *xml, unsigned flags, remote_nonnull_domain *ret,
             GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    obj = qemuDriverDefine(virApiQemu(call), xml, flags & DEFINE_VALIDATE, error);
    if (!obj)
        return false;
    virApiDomainFill(call, obj, ret);
    return true;
}

bool
virApiDomainDefineXML(virApiCall *call, const remote_domain_define_xml_args *args,
                      remote_domain_define_xml_ret *ret, GError **error)
{
    return virApiDefine(call, args->xml, 0, &ret->dom, error);
}

bool
virApiDomainDefineXMLFlags(virApiCall *call, const remote_domain_define_xml_flags_args *args,
                           remote_domain_define_xml_flags_ret *ret, GError **error)
{
    return virApiOnlyFlags(args->flags, DEFINE_VALIDATE, error) &&
           virApiDefine(call, args->xml, args->flags, &ret->dom, error);
}

static bool
virApiUndefine(virApiCall *call, const remote_nonnull_domain *dom, unsigned flags, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)))
        return false;
    VIR_API_JOB(obj, "undefine", error);
    return qemuDriverUndefine(virApiQemu(call), obj, flags, error);
}

bool
virApiDomainUndefine(virApiCall *call, const remote_domain_undefine_args *args, GError **error)
{
    return virApiUndefine(call, &args->dom, 0, error);
}

bool
virApiDomainUndefineFlags(virApiCall *call, const remote_domain_undefine_flags_args *args,
                          GError **error)
{
    return virApiOnlyFlags(args->flags, 0x1f, error) &&
           virApiUndefine(call, &args->dom, args->flags, error);
}
