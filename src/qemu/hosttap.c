/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hosttap.c: see hosttap.h. */
#include "qemu/hosttap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevmacvtap.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virlog.h"
#include "util/virutil.h"

/* Names that others may take before us, one after another. */
#define MACVTAP_TRIES 100

static bool
qemuHostMAC(const char *text, uint8_t mac[6])
{
    unsigned byte[6];

    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &byte[0], &byte[1], &byte[2], &byte[3],
                        &byte[4], &byte[5]) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)byte[i];
    return true;
}

/* The host's end has the guest's address with another first byte, so that a bridge, which takes the
 * lowest address of its ports, never changes its own. */
static bool
qemuHostTapMAC(const char *text, uint8_t mac[6])
{
    bool read = qemuHostMAC(text, mac);

    mac[0] = 0xfe;
    return read;
}

static bool
qemuHostLimitTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                 const char *name, GError **error)
{
    const virNetDevBandwidth limits = {
        .sent = {step->sent.average, step->sent.peak, step->sent.burst},
        .received = {step->received.average, step->received.peak, step->received.burst},
    };

    return (!limits.sent.average && !limits.received.average) ||
           virDelegateNetSetBandwidth(guest->driver->door, call, name, &limits, error);
}

/* What was opened so far is closed. */
static void
qemuHostCloseQueues(int *queues, unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        virCloseFd(&queues[n]);
}

/* --- one that is made, or a TAP that is there --- */

static bool
qemuHostTapCreate(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                  int *queues, virNetDevTapInfo *info, GError **error)
{
    uint8_t mac[6] = {0};
    virNetDevTapRequest request = {
        .name = step->ifname ? step->ifname : "vnet%d",
        .tunPath = step->path,
        .mac = qemuHostTapMAC(step->mac, mac) ? mac : NULL,
        .queues = MAX(step->queues, 1),
        .mtu = step->mtu,
        .owner = (uid_t)-1,
        .flags = (step->allowExisting ? VIR_NETDEV_TAP_CREATE_ALLOW_EXISTING : 0) |
                 (step->vnetHdr ? VIR_NETDEV_TAP_CREATE_VNET_HDR : 0) |
                 (step->unmanaged ? 0 : VIR_NETDEV_TAP_CREATE_IFUP)};

    if (!virDelegateTapCreate(guest->driver->door, call, &request, queues, info, error))
        return false;
    if (step->unmanaged && info->created) { /* it went a moment ago, and is gone again */
        qemuHostCloseQueues(queues, (unsigned)request.queues);
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target managed='no' but specified dev doesn't exist"));
    }
    return true;
}

/* --- one that is there, of whatever kind --- */

static bool
qemuHostTapOpenNode(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                    int *queues, GError **error)
{
    const unsigned count = MAX(step->queues, 1);
    unsigned n = 0;

    while (n < count && virDelegateDeviceOpen(guest->driver->door, call, VIR_DELEGATE_DEVICE_TAP,
                                              step->ifname, O_RDWR, &queues[n], error))
        n++;
    if (n == count && virNetDevTapNodeSetup(queues, count, step->vnetHdr, error))
        return true;
    qemuHostCloseQueues(queues, n);
    return false;
}

static bool
qemuHostTapTake(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step, int *queues,
                virNetDevTapInfo *info, GError **error)
{
    bool exists = false;
    bool hasNode = false;

    if (!step->ifname)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target dev must be supplied when managed='no'"));
    if (!virNetDevLookup(step->ifname, &exists, NULL, error) ||
        !virNetDevTapNodeIsThere(step->ifname, &hasNode, error))
        return false;
    if (!exists)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("target managed='no' but specified dev doesn't exist"));
    if (!hasNode)
        return qemuHostTapCreate(guest, call, step, queues, info, error);
    g_strlcpy(info->name, step->ifname, sizeof(info->name));
    return qemuHostTapOpenNode(guest, call, step, queues, error);
}

/* --- a macvtap --- */

static bool
qemuHostMacvtapCheckName(const qmpHostStep *step, const char *name, GError **error)
{
    bool exists = false;

    if (!virNetDevLookup(name, &exists, NULL, error))
        return false;
    return !exists || virErrorSet(error, VIR_ERR_SYSTEM_ERROR,
                                  _("error creating macvtap interface %s@%s (%s): %s"), name,
                                  step->parent, step->mac, g_strerror(EEXIST));
}

/* It outlives whoever makes it, so what it is to be is in the status file before. */
static bool
qemuHostMacvtapRecord(qemuGuest *guest, const qmpHostStep *step, const char *name,
                      qemuResource **retResource, GError **error)
{
    qemuResource *resource = qemuResourceNew(QEMU_RESOURCE_MACVTAP, name, step->alias);

    resource->parent = g_strdup(step->parent);
    resource->mac = g_strdup(step->mac);
    {
        VIR_CORE_GUARD;

        g_ptr_array_add(guest->resources, resource);
    }
    *retResource = resource;
    return qemuGuestSaveStatus(guest, error) && VIR_FAULT_STEP("macvtap:recorded", error);
}

bool
qemuHostMacvtapFind(const qemuResource *resource, unsigned *retIndex, GError **error)
{
    virNetDevMacvtapInfo info = {0};
    uint8_t mac[6];
    bool is = false;

    if (!virNetDevMacvtapLookup(resource->name, &is, &info, error))
        return false;
    if (is && (!resource->parent || !qemuHostMAC(resource->mac, mac) ||
               !virNetDevMacvtapIs(&info, resource->parent, mac)))
        is = false;
    *retIndex = is ? info.ifindex : 0;
    return true;
}

/* *retResource: on the list; NULL if it did not come to that. */
static bool
qemuHostMacvtapMake(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                    const char *name, int *queues, virNetDevTapInfo *info,
                    qemuResource **retResource, GError **error)
{
    uint8_t mac[6];
    const virNetDevTapRequest request = {
        .name = name,
        .mac = qemuHostMAC(step->mac, mac) ? mac : NULL,
        .queues = MAX(step->queues, 1),
        .mtu = step->mtu,
        .owner = (uid_t)-1,
        .flags = step->vnetHdr ? VIR_NETDEV_TAP_CREATE_VNET_HDR : 0,
        .parent = step->parent,
        .mode = (unsigned)step->mode,
    };

    *retResource = NULL;
    if (!qemuHostMacvtapCheckName(step, name, error) ||
        !qemuHostMacvtapRecord(guest, step, name, retResource, error) ||
        !virDelegateTapCreate(guest->driver->door, call, &request, queues, info, error))
        return false;
    (*retResource)->number = info->ifindex;
    info->created = false; /* it is on the list */
    return true;
}

/* Somebody has taken the name before us. What was made for us and then failed is on the list. */
static bool
qemuHostMacvtapIsOthers(qemuGuest *guest, const char *name, qemuResource *resource)
{
    unsigned ifindex = 0;
    bool taken = false;

    if (!virNetDevLookup(name, &taken, NULL, NULL) || !taken ||
        (resource && (!qemuHostMacvtapFind(resource, &ifindex, NULL) || ifindex)))
        return false;
    if (resource) {
        VIR_CORE_GUARD;

        g_ptr_array_remove(guest->resources, resource);
    }
    return true;
}

/* Under a name of its own. */
static bool
qemuHostMacvtapCreate(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                      int *queues, virNetDevTapInfo *info, GError **error)
{
    qemuResource *resource;

    if (step->ifname)
        return qemuHostMacvtapMake(guest, call, step, step->ifname, queues, info, &resource, error);
    for (int tries = 1;; tries++) {
        g_autofree char *name = virNetDevMacvtapNextName(error);
        g_autoptr(GError) failure = NULL;

        if (!name)
            return false;
        if (qemuHostMacvtapMake(guest, call, step, name, queues, info, &resource, &failure))
            return true;
        if (tries == MACVTAP_TRIES || !qemuHostMacvtapIsOthers(guest, name, resource)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

bool
qemuHostMacvtapRemove(qemuDriver *driver, const virDelegateCall *call, const qemuResource *resource,
                      GError **error)
{
    unsigned ifindex = resource->number;

    if (!ifindex && !qemuHostMacvtapFind(resource, &ifindex, error))
        return false;
    return !ifindex || virDelegateTapRemove(driver->door, call, resource->name, ifindex, error);
}

/* --- up and down --- */

static bool
qemuHostMacvtapSetUp(virDelegate *door, const virDelegateCall *call, const char *name,
                     const char *parent, bool up, GError **error)
{
    return (!up || virDelegateNetSetUp(door, call, parent, true, error)) &&
           virDelegateNetSetUp(door, call, name, up, error);
}

/* Names and parents of those that were made, one behind the other. Lock held. */
static GPtrArray *
qemuHostMacvtapNames(const qemuGuest *guest)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < guest->resources->len; i++) {
        const qemuResource *resource = g_ptr_array_index(guest->resources, i);

        if (resource->type != QEMU_RESOURCE_MACVTAP || !resource->number)
            continue;
        g_ptr_array_add(names, g_strdup(resource->name));
        g_ptr_array_add(names, g_strdup(resource->parent));
    }
    return names;
}

bool
qemuHostMacvtapsSetUp(qemuGuest *guest, bool up, GError **error)
{
    g_autoptr(GPtrArray) names = qemuHostMacvtapNames(guest);
    g_autofree char *domain = g_strdup(guest->obj->name);
    virDelegateCall call = {.domain = domain,
                            .phase = guest->fresh ? VIR_DELEGATE_PHASE_START
                                                  : VIR_DELEGATE_PHASE_HOTPLUG};
    virDelegate *door = guest->driver->door;

    if (names->len == 0)
        return true;
    memcpy(call.uuid, guest->obj->uuid, sizeof(call.uuid));
    VIR_CORE_UNLOCKED;

    for (guint i = 0; i < names->len; i += 2) {
        g_autoptr(GError) failure = NULL;

        if (qemuHostMacvtapSetUp(door, &call, g_ptr_array_index(names, i),
                                 g_ptr_array_index(names, i + 1), up, &failure))
            continue;
        if (up) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        VIR_WARN("domain '%s': %s", domain, failure->message);
    }
    return true;
}

/* --- the step --- */

static void
qemuHostTapTell(qemuGuest *guest, const qmpHostStep *step, const char *name)
{
    virDevice *dev = guest->made ? virDomainDefDeviceByAlias(guest->made, step->alias) : NULL;
    const virDeviceQemu *qemu = dev ? virDeviceQemuOf(dev) : NULL;

    if (qemu && qemu->hostDone)
        qemu->hostDone(dev, step, name);
}

static bool
qemuHostTapCheck(const qmpHostStep *step, GError **error)
{
    if (step->script || step->downscript)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("<script> of interface '%s': scripts are not run by this daemon"),
                           step->alias);
    if (step->bridge && if_nametoindex(step->bridge) == 0)
        return virErrorErrno(error, _("Cannot get interface MTU on '%s'"), step->bridge);
    return true;
}

static bool
qemuHostTapQueues(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step,
                  int *queues, virNetDevTapInfo *info, GError **error)
{
    if (step->parent)
        return qemuHostMacvtapCreate(guest, call, step, queues, info, error);
    return step->unmanaged ? qemuHostTapTake(guest, call, step, queues, info, error)
                           : qemuHostTapCreate(guest, call, step, queues, info, error);
}

bool
qemuHostTap(qemuGuest *guest, const virDelegateCall *call, const qmpHostStep *step, unsigned host,
            qemuHostFds *fds, GError **error)
{
    const unsigned count = MAX(step->queues, 1);
    g_autofree int *queues = g_new(int, count);
    virNetDevTapInfo info = {0};

    if (!qemuHostTapCheck(step, error) ||
        !qemuHostTapQueues(guest, call, step, queues, &info, error))
        return false;
    for (unsigned n = 0; n < count; n++)
        qemuHostFdsAdd(fds, host, n, queues[n]);
    if (info.created) {
        qemuResource *tap = qemuResourceNew(QEMU_RESOURCE_TAP, info.name, step->alias);

        tap->number = info.ifindex;
        g_ptr_array_add(guest->resources, tap);
    }
    if (!VIR_FAULT_STEP("start:tap-made", error))
        return false;
    if (step->bridge &&
        !virDelegateNetAttach(guest->driver->door, call, info.name, step->bridge, error))
        return false;
    if (!qemuHostLimitTap(guest, call, step, info.name, error) ||
        (step->parent && call->phase == VIR_DELEGATE_PHASE_HOTPLUG &&
         !qemuHostMacvtapSetUp(guest->driver->door, call, info.name, step->parent, true, error)))
        return false;
    qemuHostTapTell(guest, step, info.name);
    return true;
}
