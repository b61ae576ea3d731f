/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virnetdevtap.c: see virnetdevtap.h. The numbers that templates gave out are remembered in this
 * process, so that the name of a guest that has just gone isn't another's at once. */
#include "util/netdev/virnetdevtap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "util/netdev/virnetdev.h"
#include "util/netdev/virnetdevmacvtap.h"
#include "util/virerror.h"
#include "util/virfault.h"
#include "util/virutil.h"

#define TUN_PATH "/dev/net/tun"
#define QUEUES_MAX 256
#define NUMBER_MAX 99999999
/* Names tried before a template is given up. */
#define TEMPLATE_TRIES 10000

G_STATIC_ASSERT(VIR_NETDEV_NAME_MAX == IFNAMSIZ);

/* --- numbers of templates --- */

static GMutex numbersMutex;
static GHashTable *numbers; /* prefix -> the last number given out */

/* "vnet%d" -> "vnet"; NULL if it is no template. */
static char *
virNetDevTapPrefix(const char *name)
{
    const char *mark = strstr(name, "%d");

    return mark && mark[2] == '\0' ? g_strndup(name, (gsize)(mark - name)) : NULL;
}

static int
virNetDevTapNextNumber(const char *prefix)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&numbersMutex);
    gpointer last;
    int next = 0;

    if (!numbers)
        numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (g_hash_table_lookup_extended(numbers, prefix, NULL, &last) &&
        GPOINTER_TO_INT(last) < NUMBER_MAX)
        next = GPOINTER_TO_INT(last) + 1;
    g_hash_table_replace(numbers, g_strdup(prefix), GINT_TO_POINTER(next));
    return next;
}

char *
virNetDevTapNextName(const char *prefix)
{
    return g_strdup_printf("%s%d", prefix, virNetDevTapNextNumber(prefix));
}

void
virNetDevTapReserve(const char *name)
{
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&numbersMutex);
    size_t digits = strlen(name);
    g_autofree char *prefix = NULL;
    gpointer last;
    guint64 number;

    while (digits > 0 && g_ascii_isdigit(name[digits - 1]))
        digits--;
    if (!name[digits] || digits == 0)
        return;
    number = g_ascii_strtoull(name + digits, NULL, 10);
    if (number > NUMBER_MAX)
        return;
    if (!numbers)
        numbers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    prefix = g_strndup(name, digits);
    if (!g_hash_table_lookup_extended(numbers, prefix, NULL, &last) ||
        GPOINTER_TO_INT(last) < (int)number)
        g_hash_table_replace(numbers, g_steal_pointer(&prefix), GINT_TO_POINTER((int)number));
}

/* --- queues --- */

static short
virNetDevTapFlags(const virNetDevTapRequest *request)
{
    int flags = IFF_TAP | IFF_NO_PI;

    if (request->queues > 1)
        flags |= IFF_MULTI_QUEUE;
    if (request->flags & VIR_NETDEV_TAP_CREATE_VNET_HDR)
        flags |= IFF_VNET_HDR;
    return (short)flags;
}

/* One queue of name; exclusive: only if there is no such interface, else EBUSY. -1 with errno. */
static int
virNetDevTapOpenQueue(const virNetDevTapRequest *request, const char *name, bool exclusive)
{
    VIR_AUTOCLOSE fd = open(request->tunPath ? request->tunPath : TUN_PATH, O_RDWR | O_CLOEXEC);
    struct ifreq ifr = {.ifr_flags = virNetDevTapFlags(request)};

    if (fd < 0)
        return -1;
    if (exclusive)
        ifr.ifr_flags |= (short)IFF_TUN_EXCL;
    g_strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
    return ioctl(fd, TUNSETIFF, &ifr) < 0 ? -1 : g_steal_fd(&fd);
}

/* The first queue, which settles the name. */
static int
virNetDevTapOpenTemplate(const virNetDevTapRequest *request, const char *prefix,
                         virNetDevTapInfo *info, GError **error)
{
    for (int i = 0; i < TEMPLATE_TRIES; i++) {
        int number = virNetDevTapNextNumber(prefix);
        int fd;

        if (g_snprintf(info->name, sizeof(info->name), "%s%d", prefix, number) >=
            (int)sizeof(info->name))
            break;
        fd = virNetDevTapOpenQueue(request, info->name, /* exclusive: */ true);
        if (fd >= 0)
            return fd;
        if (errno != EBUSY) {
            virErrorErrno(error, _("Unable to create tap device %s"), info->name);
            return -1;
        }
    }
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("no unused interface names for template '%s'"),
                request->name);
    return -1;
}

static int
virNetDevTapOpenNamed(const virNetDevTapRequest *request, virNetDevTapInfo *info, GError **error)
{
    int fd = virNetDevTapOpenQueue(request, request->name, /* exclusive: */ true);

    g_strlcpy(info->name, request->name, sizeof(info->name));
    if (fd >= 0)
        return fd;
    if (errno == EBUSY && (request->flags & VIR_NETDEV_TAP_CREATE_ALLOW_EXISTING)) {
        info->created = false;
        fd = virNetDevTapOpenQueue(request, request->name, /* exclusive: */ false);
        if (fd >= 0)
            return fd;
    } else if (errno == EBUSY) {
        virErrorSet(error, VIR_ERR_OPERATION_INVALID, _("The %s interface already exists"),
                    request->name);
        return -1;
    }
    virErrorErrno(error, _("Unable to create tap device %s"), request->name);
    return -1;
}

static int
virNetDevTapOpenFirst(const virNetDevTapRequest *request, virNetDevTapInfo *info, GError **error)
{
    g_autofree char *prefix = virNetDevTapPrefix(request->name);

    info->created = true;
    return prefix ? virNetDevTapOpenTemplate(request, prefix, info, error)
                  : virNetDevTapOpenNamed(request, info, error);
}

/* --- the whole --- */

static bool
virNetDevTapCheck(const virNetDevTapRequest *request, GError **error)
{
    g_autofree char *prefix = virNetDevTapPrefix(request->name);

    if (!*request->name || strlen(request->name) >= VIR_NETDEV_NAME_MAX ||
        strpbrk(request->name, "/ \t\n:") || (strchr(request->name, '%') && !prefix))
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("'%s' can't be an interface's name"),
                           request->name);
    if (request->queues < 1 || request->queues > QUEUES_MAX)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("an interface has 1 to %d queues, not %zu"), QUEUES_MAX,
                           request->queues);
    return true;
}

static bool
virNetDevTapOpenOthers(const virNetDevTapRequest *request, const virNetDevTapInfo *info, int *fds,
                       GError **error)
{
    for (size_t i = 1; i < request->queues; i++) {
        fds[i] = virNetDevTapOpenQueue(request, info->name, /* exclusive: */ false);
        if (fds[i] < 0)
            return virErrorErrno(error, _("Unable to open queue %zu of tap device %s"), i,
                                 info->name);
    }
    return true;
}

static bool
virNetDevTapSetOwnership(const virNetDevTapRequest *request, const virNetDevTapInfo *info, int fd,
                         GError **error)
{
    if (request->owner != (uid_t)-1 && ioctl(fd, TUNSETOWNER, (unsigned long)request->owner) < 0)
        return virErrorErrno(error, _("Unable to set the owner of tap device %s"), info->name);
    if ((request->flags & VIR_NETDEV_TAP_CREATE_PERSIST) && ioctl(fd, TUNSETPERSIST, 1UL) < 0)
        return virErrorErrno(error, _("Unable to make tap device %s persistent"), info->name);
    return true;
}

/* What is there already belongs to somebody: its address, MTU and state stay theirs. */
static bool
virNetDevTapConfigure(const virNetDevTapRequest *request, const virNetDevTapInfo *info, int fd,
                      GError **error)
{
    if (!info->created)
        return true;
    return virNetDevTapSetOwnership(request, info, fd, error) &&
           (!request->mac || virNetDevSetMac(info->name, request->mac, error)) &&
           (!request->mtu || virNetDevSetMtu(info->name, request->mtu, error)) &&
           (!(request->flags & VIR_NETDEV_TAP_CREATE_IFUP) ||
            virNetDevSetUp(info->name, true, error));
}

static void
virNetDevTapUndo(const virNetDevTapRequest *request, const virNetDevTapInfo *info, int *fds)
{
    if (info->created && (request->flags & VIR_NETDEV_TAP_CREATE_PERSIST))
        (void)ioctl(fds[0], TUNSETPERSIST, 0UL); /* with its last descriptor it goes */
    for (size_t i = 0; i < request->queues; i++)
        virCloseFd(&fds[i]);
}

bool
virNetDevTapCreate(const virNetDevTapRequest *request, int *retFds, virNetDevTapInfo *retInfo,
                   GError **error)
{
    g_autofree int *fds = NULL;
    virNetDevTapInfo info = {0};
    virNetDevInfo link = {0};
    bool exists = false;

    if (!virNetDevTapCheck(request, error))
        return false;
    if (request->parent)
        return virNetDevMacvtapCreate(request, retFds, retInfo, error);
    fds = g_new(int, request->queues);
    memset(fds, -1, request->queues * sizeof(*fds));
    fds[0] = virNetDevTapOpenFirst(request, &info, error);
    if (fds[0] < 0)
        return false;
    if (!VIR_FAULT_STEP("tap:made", error) || !virNetDevTapOpenOthers(request, &info, fds, error) ||
        !virNetDevTapConfigure(request, &info, fds[0], error) ||
        !virNetDevLookup(info.name, &exists, &link, error) ||
        !VIR_FAULT_STEP("tap:configured", error)) {
        virNetDevTapUndo(request, &info, fds);
        return false;
    }
    info.ifindex = link.ifindex;
    memcpy(retFds, fds, request->queues * sizeof(*fds));
    *retInfo = info;
    return true;
}

bool
virNetDevTapDelete(const char *name, unsigned ifindex, GError **error)
{
    virNetDevInfo info = {0};
    bool exists = false;

    if (!virNetDevLookup(name, &exists, &info, error))
        return false;
    if (!exists || (ifindex && info.ifindex != ifindex))
        return true;
    return virNetDevDelete(name, g_str_equal(info.kind, "macvtap") ? "macvtap" : "tun", error);
}
