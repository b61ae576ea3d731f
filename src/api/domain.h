/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain.h: what handlers of domains share. */
#pragma once

#include "api/api.h"
#include "domain/object.h"
#include "qemu/driver.h"

static inline qemuDriver *
virApiQemu(virApiCall *call)
{
    return virApiDriver(call);
}

/* The domain that the client means: its uuid decides. A reference; NULL with VIR_ERR_NO_DOMAIN. The
 * core lock is held. */
virDomainObj *virApiDomain(virApiCall *call, const remote_nonnull_domain *dom, GError **error);

/* The domain that is to run def: the one with its name and uuid, or a new one. A reference; NULL
 * with VIR_ERR_OPERATION_FAILED if only one of the two is somebody else's. The core lock is held.
 */
virDomainObj *virApiDomainObtain(virDomainRegistry *domains, const virDomainDef *def,
                                 GError **error);

/* The document that VIR_DOMAIN_AFFECT_* flags of a question mean: the live one for LIVE, the stored
 * one for CONFIG (of a domain that isn't persistent an error). Borrowed; the core lock is held. */
virDomainDoc *virApiDomainDoc(virDomainObj *obj, unsigned flags, GError **error);

/* The domain passes the filters of a list (VIR_CONNECT_LIST_DOMAINS_*). The core lock is held. */
bool virApiDomainMatches(const virDomainObj *obj, unsigned flags);

/* The domain as answers name it, in the call's arena. The core lock is held. */
void virApiDomainFill(virApiCall *call, const virDomainObj *obj, remote_nonnull_domain *ret);

/* A scope that holds the domain's job; the core lock is held. */
static inline void
virApiJobDrop(virDomainObj **obj)
{
    if (*obj)
        virDomainObjEndJob(*obj);
}
/* Takes the domain's job to the end of the scope or returns false from the handler. */
#define VIR_API_JOB(obj, what, error)                                                              \
    __attribute__((cleanup(virApiJobDrop))) virDomainObj *virApiJobHere =                          \
        virDomainObjBeginJob(obj, what, VIR_DOMAIN_JOB_WAIT_MS, error) ? (obj) : NULL;             \
    if (!virApiJobHere)                                                                            \
    return false
