/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevbandwidth.c: queues and policers by netlink. libnl knows queues and classes; the policer
 * is put together here. See virnetdevbandwidth.h. */
#include "util/netdev/virnetdevbandwidth.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/class.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/htb.h>
#include <netlink/route/qdisc/sfq.h>
#include <netlink/route/tc.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virutil.h"

#define BYTES_PER_KB UINT64_C(1000)
#define BYTES_PER_KIB UINT64_C(1024)
#define POLICE_MTU (64u * 1024)
#define QUEUE TC_HANDLE(1, 0)
#define CLASS TC_HANDLE(1, 1)
#define INGRESS TC_HANDLE(0xffffu, 0) /* libnl shifts it into the sign of an int */

typedef struct nl_sock virNetDevSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevSocket, nl_socket_free)
typedef struct rtnl_qdisc virNetDevQueue;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevQueue, rtnl_qdisc_put)
typedef struct rtnl_class virNetDevClass;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevClass, rtnl_class_put)
typedef struct nl_msg virNetDevMessage;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevMessage, nlmsg_free)
typedef struct nl_cache virNetDevCache;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNetDevCache, nl_cache_free)

/* One interface and the socket it is spoken of on. */
typedef struct {
    const char *name;
    virNetDevSocket *sock;
    int ifindex;
} virNetDevLine;

static bool
virNetDevBandwidthError(const virNetDevLine *line, int answer, GError **error)
{
    return virErrorSet(error, VIR_ERR_SYSTEM_ERROR,
                       _("cannot limit the bandwidth of interface '%s': %s"), line->name,
                       nl_geterror(answer));
}

static bool
virNetDevLineOpen(virNetDevLine *line, const char *name, GError **error)
{
    int answer;

    line->name = name;
    line->ifindex = (int)if_nametoindex(name);
    if (line->ifindex == 0)
        return virErrorErrno(error, _("Interface '%s' not found"), name);
    line->sock = nl_socket_alloc();
    answer = line->sock ? nl_connect(line->sock, NETLINK_ROUTE) : -NLE_NOMEM;
    return answer >= 0 || virNetDevBandwidthError(line, answer, error);
}

static void
virNetDevLineClear(virNetDevLine *line)
{
    g_clear_pointer(&line->sock, nl_socket_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(virNetDevLine, virNetDevLineClear)

/* --- queues --- */

/* A queue of the kind at parent; handle 0: any. NULL: an error of libnl in *retAnswer. */
static virNetDevQueue *
virNetDevQueueNew(const virNetDevLine *line, const char *kind, uint32_t parent, uint32_t handle,
                  int *retAnswer)
{
    g_autoptr(virNetDevQueue) queue = rtnl_qdisc_alloc();

    if (!queue) {
        *retAnswer = -NLE_NOMEM;
        return NULL;
    }
    rtnl_tc_set_ifindex(TC_CAST(queue), line->ifindex);
    rtnl_tc_set_parent(TC_CAST(queue), parent);
    if (handle)
        rtnl_tc_set_handle(TC_CAST(queue), handle);
    *retAnswer = kind ? rtnl_tc_set_kind(TC_CAST(queue), kind) : 0;
    return *retAnswer < 0 ? NULL : g_steal_pointer(&queue);
}

/* None there is success. */
static bool
virNetDevQueueDelete(const virNetDevLine *line, uint32_t parent, GError **error)
{
    int answer;
    g_autoptr(virNetDevQueue) queue = virNetDevQueueNew(line, NULL, parent, 0, &answer);

    if (queue)
        answer = rtnl_qdisc_delete(line->sock, queue);
    /* a root queue that the kernel put there itself cannot be taken away, nor one that isn't */
    return answer >= 0 || answer == -NLE_OBJ_NOTFOUND || answer == -NLE_INVAL ||
           answer == -NLE_NODEV || virNetDevBandwidthError(line, answer, error);
}

/* --- what is sent --- */

static bool
virNetDevAddQueue(const virNetDevLine *line, GError **error)
{
    int answer;
    g_autoptr(virNetDevQueue) queue = virNetDevQueueNew(line, "htb", TC_H_ROOT, QUEUE, &answer);

    if (queue) {
        rtnl_htb_set_defcls(queue, TC_H_MIN(CLASS));
        answer = rtnl_qdisc_add(line->sock, queue, NLM_F_CREATE | NLM_F_EXCL);
    }
    return answer >= 0 || virNetDevBandwidthError(line, answer, error);
}

static bool
virNetDevAddClass(const virNetDevLine *line, const virNetDevRate *rate, GError **error)
{
    g_autoptr(virNetDevClass) class = rtnl_class_alloc();
    uint64_t bytes = rate->average * BYTES_PER_KB;
    uint64_t peak = MAX(rate->peak * BYTES_PER_KB, bytes);
    int answer = class ? 0 : -NLE_NOMEM;

    if (peak > UINT32_MAX)
        return virErrorSet(error, VIR_ERR_OVERFLOW,
                           _("a bandwidth of interface '%s' is over %u KB/s"), line->name,
                           (unsigned)(UINT32_MAX / BYTES_PER_KB));
    if (class) {
        rtnl_tc_set_ifindex(TC_CAST(class), line->ifindex);
        rtnl_tc_set_parent(TC_CAST(class), QUEUE);
        rtnl_tc_set_handle(TC_CAST(class), CLASS);
        answer = rtnl_tc_set_kind(TC_CAST(class), "htb");
    }
    if (answer >= 0) {
        rtnl_htb_set_rate(class, (uint32_t)bytes);
        rtnl_htb_set_ceil(class, (uint32_t)peak);
        if (rate->burst)
            rtnl_htb_set_rbuffer(class, (uint32_t)MIN(rate->burst * BYTES_PER_KIB, UINT32_MAX));
        answer = rtnl_class_add(line->sock, class, NLM_F_CREATE | NLM_F_EXCL);
    }
    return answer >= 0 || virNetDevBandwidthError(line, answer, error);
}

/* Flows share the class fairly, where the kernel has the queue for it. */
static bool
virNetDevAddFairness(const virNetDevLine *line, GError **error)
{
    enum { PERTURB_S = 10 };
    int answer;
    g_autoptr(virNetDevQueue) queue =
        virNetDevQueueNew(line, "sfq", CLASS, TC_HANDLE(2, 0), &answer);

    if (queue) {
        rtnl_sfq_set_perturb(queue, PERTURB_S);
        answer = rtnl_qdisc_add(line->sock, queue, NLM_F_CREATE | NLM_F_EXCL);
    }
    return answer >= 0 || answer == -NLE_OBJ_NOTFOUND ||
           virNetDevBandwidthError(line, answer, error);
}

/* --- what is received --- */

/* How long so many bytes take at a rate, in the scheduler's ticks of 64 ns. */
static uint32_t
virNetDevTicks(uint64_t bytes, uint64_t bytesPerSecond)
{
    return (uint32_t)MIN(bytes * 1000000000 / bytesPerSecond / 64, UINT32_MAX);
}

/* The kernel wants a table of packet times beside the rate. */
static void
virNetDevPoliceFill(const virNetDevRate *rate, struct tc_police *police, uint32_t times[256])
{
    const uint64_t bytes = rate->average * BYTES_PER_KB;
    const uint64_t burst = (rate->burst ? rate->burst : rate->average) * BYTES_PER_KIB;
    unsigned shift = 0;

    while ((POLICE_MTU >> shift) > 255)
        shift++;
    for (unsigned i = 0; i < 256; i++)
        times[i] = virNetDevTicks((uint64_t)(i + 1) << shift, bytes);
    *police = (struct tc_police){
        .action = TC_POLICE_SHOT,
        .burst = virNetDevTicks(burst, bytes),
        .mtu = POLICE_MTU,
        .rate = {.cell_log = (unsigned char)shift,
                 .linklayer = TC_LINKLAYER_ETHERNET,
                 .rate = (uint32_t)MIN(bytes, UINT32_MAX)},
    };
}

static int
virNetDevPoliceAttributes(virNetDevMessage *message, const virNetDevRate *rate)
{
    struct tc_police police;
    uint32_t times[256];
    const struct tc_u32_sel head = {.flags = TC_U32_TERMINAL, .nkeys = 1};
    uint8_t all[sizeof(head) + sizeof(struct tc_u32_key)] = {0}; /* a key of mask 0: every packet */
    struct nlattr *options, *nest;

    memcpy(all, &head, sizeof(head));
    virNetDevPoliceFill(rate, &police, times);
    if (nla_put_string(message, TCA_KIND, "u32") < 0 ||
        !(options = nla_nest_start(message, TCA_OPTIONS)) ||
        nla_put_u32(message, TCA_U32_CLASSID, TC_HANDLE(0, 1)) < 0 ||
        nla_put(message, TCA_U32_SEL, sizeof(all), all) < 0 ||
        !(nest = nla_nest_start(message, TCA_U32_POLICE)) ||
        nla_put(message, TCA_POLICE_TBF, sizeof(police), &police) < 0 ||
        nla_put(message, TCA_POLICE_RATE, sizeof(times), times) < 0)
        return -NLE_MSGSIZE;
    nla_nest_end(message, nest);
    nla_nest_end(message, options);
    return 0;
}

static bool
virNetDevAddPolicer(const virNetDevLine *line, const virNetDevRate *rate, GError **error)
{
    struct tcmsg header = {
        .tcm_family = AF_UNSPEC,
        .tcm_ifindex = line->ifindex,
        .tcm_parent = INGRESS,
        .tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL)),
    };
    g_autoptr(virNetDevMessage) message =
        nlmsg_alloc_simple(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL);
    int answer =
        message ? nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) : -NLE_NOMEM;

    if (answer >= 0)
        answer = virNetDevPoliceAttributes(message, rate);
    if (answer >= 0)
        answer = nl_send_auto(line->sock, message);
    if (answer >= 0)
        answer = nl_wait_for_ack(line->sock);
    if (answer == -NLE_OBJ_NOTFOUND)
        return virErrorSet(error, VIR_ERR_OPERATION_UNSUPPORTED,
                           _("what interface '%s' receives cannot be limited: the kernel has no "
                             "policer (act_police, cls_u32)"),
                           line->name);
    return answer >= 0 || virNetDevBandwidthError(line, answer, error);
}

static bool
virNetDevAddIngress(const virNetDevLine *line, GError **error)
{
    int answer;
    g_autoptr(virNetDevQueue) queue =
        virNetDevQueueNew(line, "ingress", TC_H_INGRESS, INGRESS, &answer);

    if (queue)
        answer = rtnl_qdisc_add(line->sock, queue, NLM_F_CREATE | NLM_F_EXCL);
    return answer >= 0 || virNetDevBandwidthError(line, answer, error);
}

static bool
virNetDevLimitSent(const virNetDevLine *line, const virNetDevRate *rate, GError **error)
{
    return virNetDevAddQueue(line, error) && virNetDevAddClass(line, rate, error) &&
           virNetDevAddFairness(line, error);
}

static bool
virNetDevLimitReceived(const virNetDevLine *line, const virNetDevRate *rate, GError **error)
{
    return virNetDevAddIngress(line, error) && virNetDevAddPolicer(line, rate, error);
}

bool
virNetDevSetBandwidth(const char *name, const virNetDevBandwidth *wanted, GError **error)
{
    g_auto(virNetDevLine) line = {0};

    if (!virNetDevLineOpen(&line, name, error) || !virNetDevQueueDelete(&line, TC_H_ROOT, error) ||
        !virNetDevQueueDelete(&line, TC_H_INGRESS, error))
        return false;
    if ((!wanted->sent.average || virNetDevLimitSent(&line, &wanted->sent, error)) &&
        (!wanted->received.average || virNetDevLimitReceived(&line, &wanted->received, error)))
        return true;
    (void)virNetDevQueueDelete(&line, TC_H_ROOT, NULL); /* half a limit is none */
    (void)virNetDevQueueDelete(&line, TC_H_INGRESS, NULL);
    return false;
}

/* --- reading --- */

/* Looks for the policer that virNetDevAddPolicer made; *opaque: what it lets through. */
static int
virNetDevReadPolicer(struct nl_msg *message, void *opaque)
{
    struct nlattr *filter[TCA_MAX + 1], *options[TCA_U32_MAX + 1], *police[TCA_POLICE_MAX + 1];
    uint64_t *average = opaque;

    if (nlmsg_parse(nlmsg_hdr(message), sizeof(struct tcmsg), filter, TCA_MAX, NULL) == 0 &&
        filter[TCA_OPTIONS] &&
        nla_parse_nested(options, TCA_U32_MAX, filter[TCA_OPTIONS], NULL) == 0 &&
        options[TCA_U32_POLICE] &&
        nla_parse_nested(police, TCA_POLICE_MAX, options[TCA_U32_POLICE], NULL) == 0 &&
        police[TCA_POLICE_TBF] && nla_len(police[TCA_POLICE_TBF]) >= (int)sizeof(struct tc_police))
        *average =
            ((const struct tc_police *)nla_data(police[TCA_POLICE_TBF]))->rate.rate / BYTES_PER_KB;
    return NL_OK;
}

static bool
virNetDevGetPolicer(const virNetDevLine *line, uint64_t *retAverage, GError **error)
{
    struct tcmsg header = {
        .tcm_family = AF_UNSPEC, .tcm_ifindex = line->ifindex, .tcm_parent = INGRESS};
    int answer = nl_socket_modify_cb(line->sock, NL_CB_VALID, NL_CB_CUSTOM, virNetDevReadPolicer,
                                     retAverage);

    *retAverage = 0;
    if (answer >= 0)
        answer = nl_send_simple(line->sock, RTM_GETTFILTER, NLM_F_DUMP, &header, sizeof(header));
    if (answer >= 0)
        answer = nl_recvmsgs_default(line->sock);
    /* without an ingress queue there are no filters to ask for */
    return answer >= 0 || answer == -NLE_INVAL || answer == -NLE_OBJ_NOTFOUND ||
           virNetDevBandwidthError(line, answer, error);
}

bool
virNetDevGetBandwidth(const char *name, virNetDevBandwidth *retBandwidth, GError **error)
{
    g_auto(virNetDevLine) line = {0};
    virNetDevCache *raw = NULL;
    g_autoptr(virNetDevCache) classes = NULL;
    virNetDevBandwidth found = {0};
    g_autoptr(virNetDevClass) class = NULL;
    int answer;

    if (!virNetDevLineOpen(&line, name, error))
        return false;
    if ((answer = rtnl_class_alloc_cache(line.sock, line.ifindex, &raw)) < 0)
        return virNetDevBandwidthError(&line, answer, error);
    classes = raw;
    class = rtnl_class_get(classes, line.ifindex, CLASS);
    if (class && g_strcmp0(rtnl_tc_get_kind(TC_CAST(class)), "htb") == 0) {
        uint32_t rate = rtnl_htb_get_rate(class);
        uint32_t ceil = rtnl_htb_get_ceil(class);

        found.sent.average = rate / BYTES_PER_KB;
        found.sent.peak = ceil > rate ? ceil / BYTES_PER_KB : 0;
    }
    if (!virNetDevGetPolicer(&line, &found.received.average, error))
        return false;
    *retBandwidth = found;
    return true;
}

bool
virNetDevBandwidthHolds(const virNetDevBandwidth *now, const virNetDevBandwidth *wanted)
{
    const virNetDevRate *sent = &wanted->sent;
    uint64_t peak = sent->average && sent->peak > sent->average ? sent->peak : 0;

    return now->sent.average == sent->average && now->sent.peak == peak &&
           now->received.average == MIN(wanted->received.average, UINT32_MAX / BYTES_PER_KB);
}
