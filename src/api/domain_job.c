/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_job.c: how far the long work on a domain is. Operations that report progress say it here;
 * a domain without one has no job. */
#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"

enum { ABORT_POSTCOPY = 1 << 0 };                               /* virDomainAbortJobFlagsValues */
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

/* No operation that can be aborted is there yet. */
static bool
virApiAbortJob(virApiCall *call, const remote_nonnull_domain *dom, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    return (obj = virApiDomain(call, dom, error)) && virDomainObjCheckActive(obj, error) &&
           virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s", _("no job is active on the domain"));
}

bool
virApiDomainAbortJob(virApiCall *call, const remote_domain_abort_job_args *args, GError **error)
{
    return virApiAbortJob(call, &args->dom, error);
}

bool
virApiDomainAbortJobFlags(virApiCall *call, const remote_domain_abort_job_flags_args *args,
                          GError **error)
{
    return virApiOnlyFlags(args->flags, ABORT_POSTCOPY, error) &&
           virApiAbortJob(call, &args->dom, error);
}

/* --- how fast a guest changes its memory --- */

/* VIR_DOMAIN_DIRTYRATE_MODE_* */
enum { DIRTY_BITMAP = 1 << 0, DIRTY_RING = 1 << 1 };
enum { DIRTY_SECONDS_MIN = 1, DIRTY_SECONDS_MAX = 60 };

bool
virApiDomainStartDirtyRateCalc(virApiCall *call,
                               const remote_domain_start_dirty_rate_calc_args *args, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    virJSON *arguments;

    if (!virApiOnlyFlags(args->flags, DIRTY_BITMAP | DIRTY_RING, error))
        return false;
    if ((args->flags & DIRTY_BITMAP) && (args->flags & DIRTY_RING))
        return virErrorSet(
            error, VIR_ERR_INVALID_ARG, _("Flags '%s' and '%s' are mutually exclusive"),
            "VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP", "VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING");
    if (args->seconds < DIRTY_SECONDS_MIN || args->seconds > DIRTY_SECONDS_MAX)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("seconds=%d is invalid, please choose value within [%d, %d]."),
                           args->seconds, DIRTY_SECONDS_MIN, DIRTY_SECONDS_MAX);
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "calculate the dirty rate", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    arguments = virJSONObject();
    virJSONAddInt(arguments, "calc-time", args->seconds);
    if (args->flags)
        virJSONAddString(arguments, "mode",
                         (args->flags & DIRTY_RING) ? "dirty-ring" : "dirty-bitmap");
    return qemuGuestCommand(obj, "calc-dirty-rate", arguments, NULL, error);
}
