/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_info.c: what a domain is and how it stands: numbers, marks, labels, control, job.
 *
 * All from memory, but for the processor time of a running guest, which the kernel knows. */
#include <string.h>
#include <unistd.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "qemu/guest.h"
#include "qemu/guestmemory.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virprocstat.h"
#include "util/virspawn.h"

/* VIR_DOMAIN_CONTROL_* */
enum { CONTROL_OK = 0, CONTROL_OCCUPIED = 2, CONTROL_ERROR = 3 };
enum { CONTROL_ERROR_NONE = 0, CONTROL_ERROR_MONITOR = 2 };

/* --- numbers --- */

bool
virApiDomainGetInfo(virApiCall *call, const remote_domain_get_info_args *args,
                    remote_domain_get_info_ret *ret, GError **error)
{
    virProcStat usage;
    pid_t pid = 0;

    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)))
            return false;
        ret->state = (uint8_t)obj->state;
        ret->maxMem = qemuGuestMemoryMaximum(obj);
        ret->memory = qemuGuestMemoryCurrent(obj);
        ret->nrVirtCpu = (uint16_t)virDomainVcpusOnline(&virDomainObjDef(obj)->vcpus);
        if (qemuGuestOf(obj))
            pid = qemuGuestOf(obj)->pid;
    }
    /* a guest that has ended meanwhile used none that could be told */
    if (pid > 0 && virProcStatRead(pid, 0, &usage))
        ret->cpuTime = usage.user_ns + usage.system_ns;
    return true;
}

bool
virApiDomainGetMaxMemory(virApiCall *call, const remote_domain_get_max_memory_args *args,
                         remote_domain_get_max_memory_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->memory = qemuGuestMemoryMaximum(obj);
    return true;
}

bool
virApiDomainGetOSType(virApiCall *call, const remote_domain_get_os_type_args *args,
                      remote_domain_get_os_type_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->type = virApiStrdup(call, virDomainObjDef(obj)->os.type);
    return true;
}

/* --- marks --- */

bool
virApiDomainGetAutostart(virApiCall *call, const remote_domain_get_autostart_args *args,
                         remote_domain_get_autostart_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->autostart = obj->autostart;
    return true;
}

bool
virApiDomainSetAutostart(virApiCall *call, const remote_domain_set_autostart_args *args,
                         GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "autostart", error);
    return obj->autostart == (args->autostart != 0) ||
           qemuDriverSetAutostart(virApiQemu(call), obj, args->autostart != 0, error);
}

bool
virApiDomainIsPersistent(virApiCall *call, const remote_domain_is_persistent_args *args,
                         remote_domain_is_persistent_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->persistent = virDomainObjIsPersistent(obj);
    return true;
}

bool
virApiDomainIsUpdated(virApiCall *call, const remote_domain_is_updated_args *args,
                      remote_domain_is_updated_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->updated = obj->updated;
    return true;
}

bool
virApiDomainHasManagedSaveImage(virApiCall *call,
                                const remote_domain_has_managed_save_image_args *args,
                                remote_domain_has_managed_save_image_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, 0, error) || !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    ret->result = obj->hasManagedSave;
    return true;
}

/* --- labels --- */

static void
virApiLabelFill(virApiCall *call, const char *label, remote_domain_get_security_label_ret *ret)
{
    ret->label_val = virApiStrdup(call, label);
    ret->label_len = (uint32_t)strlen(label) + 1;
}

/* The first security model of this host is "none": nothing is labelled by it. */
bool
virApiDomainGetSecurityLabel(virApiCall *call, const remote_domain_get_security_label_args *args,
                             remote_domain_get_security_label_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    virApiLabelFill(call, "", ret);
    return true;
}

/* A label for each model of the host: "none", and "dac", which is the user that the guest runs as.
 */
bool
virApiDomainGetSecurityLabelList(virApiCall *call,
                                 const remote_domain_get_security_label_list_args *args,
                                 remote_domain_get_security_label_list_ret *ret, GError **error)
{
    qemuDriver *driver = virApiQemu(call);
    g_autoptr(virDomainObj) obj = NULL;
    g_autofree char *dac = NULL;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, &args->dom, error)))
        return false;
    if (!virDomainObjIsActive(obj))
        return true;
    dac = g_strdup_printf("+%u:+%u", driver->uid == VIR_SPAWN_KEEP_ID ? getuid() : driver->uid,
                          driver->gid == VIR_SPAWN_KEEP_ID ? getgid() : driver->gid);
    ret->labels_len = 2;
    ret->labels_val = virApiNew(call, remote_domain_get_security_label_ret, ret->labels_len);
    virApiLabelFill(call, "", &ret->labels_val[0]);
    virApiLabelFill(call, dac, &ret->labels_val[1]);
    ret->ret = (int32_t)ret->labels_len;
    return true;
}

/* --- control and job --- */

bool
virApiDomainGetControlInfo(virApiCall *call, const remote_domain_get_control_info_args *args,
                           remote_domain_get_control_info_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    const qemuGuest *guest;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, 0, error) || !(obj = virApiDomain(call, &args->dom, error)) ||
        !virDomainObjCheckActive(obj, error))
        return false;
    guest = qemuGuestOf(obj);
    ret->state = CONTROL_OK;
    ret->details = CONTROL_ERROR_NONE;
    if (guest && !guest->starting && !guest->connecting &&
        (!guest->monitor || !qmpClientIsOpen(guest->monitor))) {
        ret->state = CONTROL_ERROR;
        ret->details = CONTROL_ERROR_MONITOR;
    } else if (obj->job) {
        ret->state = CONTROL_OCCUPIED;
        ret->stateTime = (uint64_t)(g_get_monotonic_time() - obj->jobSince_us) / 1000;
    }
    return true;
}
