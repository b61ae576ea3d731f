/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_net.c: interfaces, in the network namespace that came with the call: each in a thread
 * of its own, which goes there if the policy allows others than the helper's. Names are looked up
 * there alone. */
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "helperd/operations.h"
#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevbandwidth.h"
#include "util/netdev/virnetdevtap.h"
#include "util/netdev/virnetdevtapnode.h"
#include "util/virerror.h"
#include "util/virutil.h"

typedef struct {
    virInternalRequest *request;
    bool elsewhere;
    bool (*run)(virInternalRequest *request, GError **error);
    bool done;
    GError *error;
} networkJob;

static void *
runInNamespace(void *opaque)
{
    networkJob *job = opaque;

    if (job->elsewhere && setns(virInternalRequestGetFd(job->request, 0), CLONE_NEWNET) < 0)
        virErrorErrno(&job->error, _("cannot enter the network namespace"));
    else
        job->done = job->run(job->request, &job->error);
    return NULL;
}

/* name: of the interface. */
static bool
runNetworkFor(const helperPolicy *policy, const char *hook, const char *name,
              virInternalRequest *request, bool (*run)(virInternalRequest *request, GError **error),
              GError **error)
{
    networkJob job = {.request = request,
                      .elsewhere = helperPolicyWord(policy, hook, "namespaces", "any", NULL),
                      .run = run};
    g_autoptr(GError) why = NULL;
    GThread *thread;

    if (!helperPolicyNetwork(policy, hook, virInternalRequestGetFd(request, 0), error) ||
        !helperPolicyWord(policy, hook, "names", name, error))
        return false;
    thread = g_thread_try_new("network", runInNamespace, &job, &why);
    if (!thread)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", why->message);
    g_thread_join(thread);
    if (job.error)
        g_propagate_error(error, job.error);
    return job.done;
}

static bool
runNetwork(const helperPolicy *policy, const char *hook, virInternalRequest *request,
           bool (*run)(virInternalRequest *request, GError **error), GError **error)
{
    return runNetworkFor(policy, hook, virInternalRequestGetString(request, "name"), request, run,
                         error);
}

static bool
createTapHere(virInternalRequest *request, GError **error)
{
    size_t macLen = 0;
    const unsigned char *mac = virInternalRequestGetBytes(request, "mac", &macLen);
    virNetDevTapRequest wanted = {.name = virInternalRequestGetString(request, "name"),
                                  .mac = macLen == 6 ? mac : NULL,
                                  .mtu = (unsigned)helperNumber(request, "mtu"),
                                  .queues = (size_t)helperNumber(request, "queues"),
                                  .owner = (uid_t)helperNumber(request, "owner"),
                                  .flags = (unsigned)helperNumber(request, "flags")};
    const bool macvtap = helperNumber(request, "kind") == VIR_INTERNAL_TAP_MACVTAP;
    g_autofree int *fds = g_new(int, wanted.queues);
    virNetDevTapInfo info = {{0}};

    if (macvtap) {
        wanted.parent = virInternalRequestGetString(request, "parent");
        wanted.mode = (unsigned)helperNumber(request, "mode");
    }
    if (!virNetDevTapCreate(&wanted, fds, &info, error))
        return false;
    for (size_t i = 0; i < wanted.queues; i++)
        virInternalRequestAddFd(request, fds[i]);
    (void)virInternalRequestSetString(request, "name", info.name); /* known fields */
    (void)virInternalRequestSetNumber(request, "ifindex", info.ifindex);
    (void)virInternalRequestSetNumber(request, "created", info.created);
    return true;
}

/* A macvtap's parent and mode. */
static bool
mayStandOn(const helperPolicy *policy, const virInternalRequest *request, GError **error)
{
    static const char *const modes[] = {"vepa", "private", "bridge", "passthrough"};
    const int64_t kind = helperNumber(request, "kind"), mode = helperNumber(request, "mode");

    if (kind == VIR_INTERNAL_TAP_TAP)
        return true;
    if (kind != VIR_INTERNAL_TAP_MACVTAP || mode < 0 || mode >= (int64_t)G_N_ELEMENTS(modes))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("there is no interface of kind %d in mode %d"), (int)kind, (int)mode);
    return helperPolicyWord(policy, "tap.create", "parents",
                            virInternalRequestGetString(request, "parent"), error) &&
           helperPolicyWord(policy, "tap.create", "modes", modes[mode], error);
}

bool
helperCreateTap(const helperPolicy *policy, const virInternalCall *call,
                virInternalRequest *request, GError **error)
{
    int64_t queues = helperNumber(request, "queues");
    uint32_t owner = (uint32_t)helperNumber(request, "owner");
    uint32_t mtu = (uint32_t)helperNumber(request, "mtu");

    if (queues < 1)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("no queue is asked for"));
    return helperPolicyNumber(policy, "tap.create", "a number of queues", queues, error) &&
           (owner == UINT32_MAX ||
            helperPolicyMember(policy, "tap.create", "uids", owner, error)) &&
           (mtu == 0 || helperPolicyUpTo(policy, "tap.create", "mtu", "an MTU", mtu, error)) &&
           mayStandOn(policy, request, error) &&
           runNetwork(policy, "tap.create", request, createTapHere, error);
}

static bool
removeTapHere(virInternalRequest *request, GError **error)
{
    return virNetDevTapDelete(virInternalRequestGetString(request, "name"),
                              (unsigned)helperNumber(request, "ifindex"), error);
}

bool
helperRemoveTap(const helperPolicy *policy, const virInternalCall *call,
                virInternalRequest *request, GError **error)
{
    return runNetwork(policy, "tap.remove", request, removeTapHere, error);
}

static bool
attachHere(virInternalRequest *request, GError **error)
{
    return virNetDevSetBridge(virInternalRequestGetString(request, "name"),
                              virInternalRequestGetString(request, "bridge"), error);
}

bool
helperAttachPort(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    return helperPolicyWord(policy, "net.attach", "bridges",
                            virInternalRequestGetString(request, "bridge"), error) &&
           runNetwork(policy, "net.attach", request, attachHere, error);
}

static bool
detachHere(virInternalRequest *request, GError **error)
{
    return virNetDevSetBridge(virInternalRequestGetString(request, "name"), NULL, error);
}

bool
helperDetachPort(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    return runNetwork(policy, "net.detach", request, detachHere, error);
}

static bool
setUpHere(virInternalRequest *request, GError **error)
{
    return virNetDevSetUp(virInternalRequestGetString(request, "name"),
                          helperNumber(request, "up") != 0, error);
}

bool
helperSetUp(const helperPolicy *policy, const virInternalCall *call, virInternalRequest *request,
            GError **error)
{
    return runNetwork(policy, "net.set", request, setUpHere, error);
}

static virNetDevRate
helperRate(const virInternalRequest *request, const char *average, const char *peak,
           const char *burst)
{
    return (virNetDevRate){(uint64_t)helperNumber(request, average),
                           (uint64_t)helperNumber(request, peak),
                           (uint64_t)helperNumber(request, burst)};
}

static bool
setBandwidthHere(virInternalRequest *request, GError **error)
{
    const virNetDevBandwidth wanted = {
        .sent = helperRate(request, "sent_average", "sent_peak", "sent_burst"),
        .received = helperRate(request, "received_average", "received_peak", "received_burst"),
    };

    return virNetDevSetBandwidth(virInternalRequestGetString(request, "name"), &wanted, error);
}

/* No limit is more than any, and a word of its own in the policy. */
static bool
mayPass(const helperPolicy *policy, const virNetDevRate *rate, GError **error)
{
    if (rate->average == 0)
        return helperPolicyWord(policy, "net.bandwidth", "unlimited", "yes", error);
    return helperPolicyNumber(policy, "net.bandwidth", "a bandwidth",
                              (int64_t)MIN(MAX(rate->average, rate->peak), INT64_MAX), error) &&
           (rate->burst == 0 || helperPolicyUpTo(policy, "net.bandwidth", "burst", "a burst",
                                                 (int64_t)MIN(rate->burst, INT64_MAX), error));
}

bool
helperSetBandwidth(const helperPolicy *policy, const virInternalCall *call,
                   virInternalRequest *request, GError **error)
{
    const virNetDevRate sent = helperRate(request, "sent_average", "sent_peak", "sent_burst");
    const virNetDevRate received =
        helperRate(request, "received_average", "received_peak", "received_burst");

    return mayPass(policy, &sent, error) && mayPass(policy, &received, error) &&
           runNetwork(policy, "net.bandwidth", request, setBandwidthHere, error);
}

/* --- device.open of an interface's character device --- */

static bool
openTapHere(virInternalRequest *request, GError **error)
{
    const char *name = virInternalRequestGetString(request, "identity");
    int flags = (int)helperNumber(request, "flags") & O_ACCMODE;
    struct stat st;
    int fd;

    if (!virNetDevTapNodeOpen(name, flags, &fd, error))
        return false;
    virInternalRequestAddFd(request, fd);
    if (fstat(fd, &st) < 0)
        return virErrorErrno(error, _("cannot look at the queue of '%s'"), name);
    (void)virInternalRequestSetNumber(request, "major", major(st.st_rdev)); /* known fields */
    (void)virInternalRequestSetNumber(request, "minor", minor(st.st_rdev));
    return true;
}

bool
helperOpenTap(const helperPolicy *policy, virInternalRequest *request, GError **error)
{
    return helperPolicyWord(policy, "device.open", "devices", "tap", error) &&
           runNetworkFor(policy, "device.open", virInternalRequestGetString(request, "identity"),
                         request, openTapHere, error);
}
