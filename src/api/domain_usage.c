/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_usage.c: what a running guest has read, written, sent, received and uses of its memory;
 * how large its images are. QEMU is asked with a deadline; one that does not answer has its last
 * words repeated. */
#include <string.h>

#include "api/domain.h"
#include "api/domain_block.h"
#include "api/handlers.gen.h"
#include "api/params.h"
#include "device/disk/disk.h"
#include "device/disk/stats_qemu.h"
#include "device/interface/interface.h"
#include "qemu/ask.h"
#include "qemu/guest.h"
#include "qemu/memorystats.h"
#include "util/netdev/virnetdev.h"
#include "util/storage/virimage.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virprocstat.h"

/* --- memory --- */

bool
virApiDomainMemoryStats(virApiCall *call, const remote_domain_memory_stats_args *args,
                        remote_domain_memory_stats_ret *ret, GError **error)
{
    qemuMemoryStat stats[QEMU_MEMORY_STAT_LAST + 1];
    virProcStat usage;
    size_t count;
    pid_t pid;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->maxStats > REMOTE_DOMAIN_MEMORY_STATS_MAX)
        return virErrorSet(error, VIR_ERR_RPC, "%s",
                           _("maxStats > REMOTE_DOMAIN_MEMORY_STATS_MAX"));
    {
        g_autoptr(virDomainObj) obj = NULL;
        qemuAsk *ask;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
            return false;
        ask =
            qemuAskNew(obj, QEMU_ASK(QEMU_QUESTION_BALLOON) | QEMU_ASK(QEMU_QUESTION_GUEST_STATS));
        qemuAskWait(ask, g_get_monotonic_time() + QEMU_ASK_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND);
        count = qemuMemoryStatsRead(qemuAskAnswer(ask, QEMU_QUESTION_BALLOON),
                                    qemuAskAnswer(ask, QEMU_QUESTION_GUEST_STATS), stats);
        qemuAskFree(ask);
        if (!virDomainObjCheckActive(obj, error))
            return false;
        pid = qemuGuestOf(obj) ? qemuGuestOf(obj)->pid : 0;
    }
    if (pid > 0 && virProcStatRead(pid, 0, &usage))
        stats[count++] = (qemuMemoryStat){QEMU_MEMORY_RSS, usage.rssKiB};
    ret->stats_len = (uint32_t)MIN(count, args->maxStats);
    ret->stats_val = virApiNew(call, remote_domain_memory_stat, ret->stats_len);
    for (uint32_t i = 0; i < ret->stats_len; i++) {
        ret->stats_val[i].tag = (int32_t)stats[i].tag;
        ret->stats_val[i].val = stats[i].value;
    }
    return true;
}

/* --- disks --- */

/* By its target's name or the path of its image. */
static virDisk *
virApiDisk(const virDomainDef *def, const char *path, GError **error)
{
    virDisk *disk = virApiDiskFind(def, path);

    if (!disk)
        virErrorSet(error, VIR_ERR_INVALID_ARG, _("invalid path: %s"), path);
    return disk;
}

/* Of one disk, or with path "" of all together. */
static bool
virApiBlockAsk(virApiCall *call, const remote_nonnull_domain *dom, const char *path,
               qemuBlockStats *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virDomainDoc) doc = NULL;
    g_autoptr(GHashTable) table = NULL;
    const virDisk *disk = NULL;
    qemuAsk *ask;
    bool ok;
    VIR_CORE_GUARD;

    if (!(obj = virApiDomain(call, dom, error)) || !virDomainObjCheckActive(obj, error))
        return false;
    doc = virDomainDocRef(virDomainObjDoc(obj));
    if (*path && !(disk = virApiDisk(virDomainDocDef(doc), path, error)))
        return false;
    ask = qemuAskNew(obj, QEMU_ASK(QEMU_QUESTION_BLOCKS));
    qemuAskWait(ask, g_get_monotonic_time() + QEMU_ASK_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND);
    ok = qemuAskCheck(ask, QEMU_QUESTION_BLOCKS, error);
    if (ok)
        table = qemuBlockStatsRead(qemuAskAnswer(ask, QEMU_QUESTION_BLOCKS), NULL, NULL);
    qemuAskFree(ask);
    if (ok && disk)
        return qemuBlockStatsOfDisk(table, disk, ret, error);
    if (ok)
        qemuBlockStatsSum(table, virDomainDocDef(doc)->devices, ret);
    return ok;
}

bool
virApiDomainBlockStats(virApiCall *call, const remote_domain_block_stats_args *args,
                       remote_domain_block_stats_ret *ret, GError **error)
{
    qemuBlockStats stats = {0};

    if (!virApiBlockAsk(call, &args->dom, args->path, &stats, error))
        return false;
    ret->rd_req = (int64_t)stats.readRequests;
    ret->rd_bytes = (int64_t)stats.readBytes;
    ret->wr_req = (int64_t)stats.writeRequests;
    ret->wr_bytes = (int64_t)stats.writeBytes;
    ret->errs = -1; /* QEMU doesn't count them */
    return true;
}

bool
virApiDomainBlockStatsFlags(virApiCall *call, const remote_domain_block_stats_flags_args *args,
                            remote_domain_block_stats_flags_ret *ret, GError **error)
{
    enum { TYPED_STRING_OKAY = 1 << 2 };
    qemuBlockStats stats = {0};
    virApiParams params;

    if (!virApiOnlyFlags(args->flags, TYPED_STRING_OKAY, error) ||
        !virApiBlockAsk(call, &args->dom, args->path, &stats, error))
        return false;
    virApiParamsInit(&params, call);
    qemuBlockStatsParams(&stats, virApiParamsStat, &params);
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    ret->nparams = (int32_t)ret->params_len;
    if (args->nparams == 0) /* only how many there are */
        ret->params_len = 0;
    else
        ret->params_len = MIN(ret->params_len, (uint32_t)MAX(args->nparams, 0));
    return true;
}

/* --- images --- */

static bool
virApiImageOnHost(const virStorageSource *src, virImageSizes *ret, GError **error)
{
    VIR_AUTOCLOSE fd = -1;

    if (!virStorageSourceIsLocal(src) || !src->path)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s",
                           _("the size of a networked image is only known while its domain runs"));
    fd = virImageOpen(src->path, error);
    return fd >= 0 && virImageGetSizes(fd, src->path, src->format, ret, error);
}

/* QEMU's numbers of a running guest's disk; false if it doesn't run or never told them. */
static bool
virApiImageInGuest(virDomainObj *obj, const virDisk *disk, qemuBlockStats *ret)
{
    g_autoptr(GHashTable) table = NULL;
    qemuAsk *ask;

    if (!virDomainObjIsActive(obj))
        return false;
    ask = qemuAskNew(obj, QEMU_ASK(QEMU_QUESTION_BLOCKS) | QEMU_ASK(QEMU_QUESTION_NODES) |
                              QEMU_ASK(QEMU_QUESTION_IMAGES));
    qemuAskWait(ask, g_get_monotonic_time() + QEMU_ASK_TIMEOUT_MS * G_TIME_SPAN_MILLISECOND);
    table = qemuBlockStatsRead(qemuAskAnswer(ask, QEMU_QUESTION_BLOCKS),
                               qemuAskAnswer(ask, QEMU_QUESTION_NODES),
                               qemuAskAnswer(ask, QEMU_QUESTION_IMAGES));
    qemuAskFree(ask);
    return qemuBlockStatsOfDisk(table, disk, ret, NULL);
}

bool
virApiDomainGetBlockInfo(virApiCall *call, const remote_domain_get_block_info_args *args,
                         remote_domain_get_block_info_ret *ret, GError **error)
{
    g_autoptr(virDomainDoc) doc = NULL;
    const virDisk *disk;
    qemuBlockStats stats = {0};
    virImageSizes sizes = {0};
    bool known, onHost;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)))
            return false;
        doc = virDomainDocRef(virDomainObjDoc(obj));
        if (!(disk = virApiDiskFind(virDomainDocDef(doc), args->path)))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("invalid path %s not assigned to domain"), args->path);
        if (virStorageSourceIsEmpty(&disk->src))
            return virErrorSet(error, VIR_ERR_INVALID_ARG,
                               _("disk '%s' does not currently have a source assigned"),
                               args->path);
        known = virApiImageInGuest(obj, disk, &stats);
    }
    onHost = virApiImageOnHost(&disk->src, &sizes, known ? NULL : error);
    if (!onHost && !known)
        return false;
    if (known)
        sizes = qemuBlockInfo(disk, &stats, onHost ? &sizes : NULL);
    ret->capacity = sizes.capacity;
    ret->allocation = sizes.allocation;
    ret->physical = sizes.physical;
    return true;
}

/* --- network cards --- */

/* By the name of its end on the host, or its MAC address. */
static const virInterface *
virApiInterface(const virDomainDef *def, const char *device, GError **error)
{
    uint8_t mac[VIR_MAC_SIZE];
    bool byMAC = virMACParse(device, mac);

    for (guint i = 0; i < def->devices->len; i++) {
        virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind != &virInterfaceKind)
            continue;
        if (byMAC ? memcmp(VIR_INTERFACE(dev)->mac, mac, sizeof(mac)) == 0
                  : g_strcmp0(VIR_INTERFACE(dev)->ifname, device) == 0)
            return VIR_INTERFACE(dev);
    }
    virErrorSet(error, VIR_ERR_INVALID_ARG, _("'%s' is not a known interface"), device);
    return NULL;
}

bool
virApiDomainInterfaceStats(virApiCall *call, const remote_domain_interface_stats_args *args,
                           remote_domain_interface_stats_ret *ret, GError **error)
{
    g_autoptr(virDomainDoc) doc = NULL;
    const virInterface *iface;
    virNetDevStats stats;

    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
            return false;
        doc = virDomainDocRef(virDomainObjDoc(obj));
    }
    if (!(iface = virApiInterface(virDomainDocDef(doc), args->device, error)))
        return false;
    if (!iface->ifname)
        return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                           _("Interface name not provided"));
    if (!virNetDevGetStats(iface->ifname, !virInterfaceSharesHostView(iface),
                           &stats, error))
        return false;
    *ret = (remote_domain_interface_stats_ret){
        .rx_bytes = stats.rxBytes,
        .rx_packets = stats.rxPackets,
        .rx_errs = stats.rxErrors,
        .rx_drop = stats.rxDrops,
        .tx_bytes = stats.txBytes,
        .tx_packets = stats.txPackets,
        .tx_errs = stats.txErrors,
        .tx_drop = stats.txDrops,
    };
    return true;
}
