/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_job.c: how far the long work on a domain is. Operations that report progress say it here;
 * a domain without one has no job. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { JOB_NONE = 0 };                                          /* virDomainJobType */
enum { JOB_STATS_COMPLETED = 1 << 0, JOB_STATS_KEEP = 1 << 1 }; /* virDomainGetJobStatsFlags */

bool
virApiDomainGetJobInfo(virApiCall *call, const remote_domain_get_job_info_args *args,
                       remote_domain_get_job_info_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    ret->type = JOB_NONE;
    return true;
}

bool
virApiDomainGetJobStats(virApiCall *call, const remote_domain_get_job_stats_args *args,
                        remote_domain_get_job_stats_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, JOB_STATS_COMPLETED | JOB_STATS_KEEP, error) ||
        !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    if (!(args->flags & JOB_STATS_COMPLETED) && !virDomainObjCheckActive(obj, error))
        return false;
    ret->type = JOB_NONE;
    return true;
}
