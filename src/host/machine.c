/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * machine.c: UUID, IOMMU and sleep of the host. */
#include "host/machine.h"

#include <gio/gio.h>
#include <string.h>

#include "host/hostfs.h"

/* Firmware makers who don't care write 00000000-... or FFFFFFFF-... */
static bool
virHostUUIDIsUsable(const unsigned char uuid[VIR_UUID_SIZE])
{
    for (size_t i = 1; i < VIR_UUID_SIZE; i++) {
        if (uuid[i] != uuid[0])
            return true;
    }
    return (uuid[0] >> 4) != (uuid[0] & 0xf);
}

static void
virHostUUIDRead(const char *configured, unsigned char ret[VIR_UUID_SIZE])
{
    g_autofree char *firmware = NULL;

    if (configured && virUUIDParse(configured, ret) && virHostUUIDIsUsable(ret))
        return;
    firmware = virHostFsText("/sys/devices/virtual/dmi/id/product_uuid");
    if (firmware && virUUIDParse(firmware, ret) && virHostUUIDIsUsable(ret))
        return;
    virUUIDGenerate(ret);
}

void
virHostUUID(const char *configured, unsigned char ret[VIR_UUID_SIZE])
{
    static GMutex mutex;
    static bool isRead;
    static unsigned char kept[VIR_UUID_SIZE];
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&mutex);

    if (!isRead)
        virHostUUIDRead(configured, kept);
    isRead = true;
    memcpy(ret, kept, sizeof(kept));
}

bool
virHostHasIOMMU(void)
{
    g_autoptr(GDir) groups = g_dir_open("/sys/kernel/iommu_groups", 0, NULL);

    return groups && g_dir_read_name(groups);
}

static bool
virHostSuspendAsk(GDBusConnection *bus, const char *method)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
        method, NULL, G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NO_AUTO_START,
        /* timeout_ms: */ 5000, NULL, NULL);
    const char *answer;

    if (!reply)
        return false;
    g_variant_get(reply, "(&s)", &answer);
    return g_str_equal(answer, "yes") || g_str_equal(answer, "challenge");
}

virHostSuspendTargets
virHostSuspendRead(void)
{
    static const struct {
        const char *method;
        virHostSuspendTargets target;
    } questions[] = {{"CanSuspend", VIR_HOST_SUSPEND_MEM},
                     {"CanHibernate", VIR_HOST_SUSPEND_DISK},
                     {"CanHybridSleep", VIR_HOST_SUSPEND_HYBRID}};
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);
    g_autoptr(GDBusConnection) bus = NULL;
    virHostSuspendTargets targets = 0;

    /* a connection of our own: the shared one would be watched by the caller's main context */
    if (!address || !(bus = g_dbus_connection_new_for_address_sync(
                          address,
                          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                              G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                          NULL, NULL, NULL)))
        return 0;
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        if (virHostSuspendAsk(bus, questions[i].method))
            targets |= questions[i].target;
    }
    (void)g_dbus_connection_close_sync(bus, NULL, NULL); /* it goes either way */
    return targets;
}
