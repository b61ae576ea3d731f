/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_guestinfo.c: what the agent inside a guest tells of it: users, system, time zone, name,
 * file systems, disks, network. Names of parameters and their order are libvirt's. */
#include <string.h>

#include "api/domain.h"
#include "api/guestagent.h"
#include "api/handlers.gen.h"
#include "api/params.h"
#include "device/controller/controller.h"
#include "device/disk/disk.h"
#include "qemu/agent.h"
#include "util/vircore.h"
#include "util/virerror.h"

/* VIR_DOMAIN_GUEST_INFO_* */
enum {
    INFO_USERS = 1 << 0,
    INFO_OS = 1 << 1,
    INFO_TIMEZONE = 1 << 2,
    INFO_HOSTNAME = 1 << 3,
    INFO_FILESYSTEM = 1 << 4,
    INFO_DISKS = 1 << 5,
    INFO_INTERFACES = 1 << 6,
    INFO_ALL = (1 << 7) - 1,
};
enum { HOSTNAME_LEASE = 1 << 0, HOSTNAME_AGENT = 1 << 1 };

/* --- disks as the guest sees them --- */

static bool
virApiGuestNumber(virJSON *object, const char *key, unsigned *ret)
{
    uint64_t value;

    if (!object || !virJSONGetUInt(object, key, &value) || value > UINT_MAX)
        return false;
    *ret = (unsigned)value;
    return true;
}

/* The controller that the disk's address names; NULL: not on PCI. */
static const virDevice *
virApiDriveController(const virDomainDef *def, const virDisk *disk)
{
    static const int types[VIR_DISK_BUS_LAST] = {[VIR_DISK_BUS_IDE] = VIR_CONTROLLER_IDE,
                                                 [VIR_DISK_BUS_SCSI] = VIR_CONTROLLER_SCSI,
                                                 [VIR_DISK_BUS_SATA] = VIR_CONTROLLER_SATA,
                                                 [VIR_DISK_BUS_FDC] = VIR_CONTROLLER_FDC};
    const virAddress *at = &disk->base.info.address;

    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virControllerKind && VIR_CONTROLLER(dev)->type == types[disk->bus] &&
            VIR_CONTROLLER(dev)->index.value == at->drive.controller)
            return dev;
    }
    return NULL;
}

/* The agent names the controller's place on PCI and the unit behind it; a disk that is a PCI device
 * itself has the controller's place. */
static bool
virApiGuestDiskIs(const virDomainDef *def, const virDisk *disk, const virPCIAddress *pci,
                  virJSON *where)
{
    const virAddress *at = &disk->base.info.address;
    unsigned bus, target, unit;
    const virDevice *controller;
    const virPCIAddress *place;

    if (at->type == VIR_ADDRESS_PCI) {
        place = &at->pci;
    } else if (at->type == VIR_ADDRESS_DRIVE && virApiGuestNumber(where, "bus", &bus) &&
               virApiGuestNumber(where, "target", &target) &&
               virApiGuestNumber(where, "unit", &unit) && at->drive.bus == bus &&
               at->drive.target == target && at->drive.unit == unit) {
        controller = virApiDriveController(def, disk);
        if (!controller || controller->info.address.type != VIR_ADDRESS_PCI)
            return false;
        place = &controller->info.address.pci;
    } else {
        return false;
    }
    return place->domain == pci->domain && place->bus == pci->bus && place->slot == pci->slot &&
           place->function == pci->function;
}

/* The target's name ("vda") of a disk in the agent's words; NULL: none of ours. Borrowed. */
static const char *
virApiGuestDiskName(const virDomainDef *def, virJSON *where)
{
    virJSON *controller = where ? virJSONGetObject(where, "pci-controller") : NULL;
    virPCIAddress pci = {0};

    if (!virApiGuestNumber(controller, "domain", &pci.domain) ||
        !virApiGuestNumber(controller, "bus", &pci.bus) ||
        !virApiGuestNumber(controller, "slot", &pci.slot) ||
        !virApiGuestNumber(controller, "function", &pci.function))
        return NULL;
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &virDiskKind && virApiGuestDiskIs(def, VIR_DISK(dev), &pci, where))
            return VIR_DISK(dev)->target;
    }
    return NULL;
}

/* --- file systems by themselves --- */

static void
virApiFSInfoFill(virApiCall *call, const virDomainDef *def, virJSON *fs, remote_domain_fsinfo *ret)
{
    virJSON *disks = virJSONGetArray(fs, "disk");
    const char *mountpoint = virJSONGetString(fs, "mountpoint");
    const char *name = virJSONGetString(fs, "name");
    const char *type = virJSONGetString(fs, "type");

    ret->mountpoint = virApiStrdup(call, mountpoint ? mountpoint : "");
    ret->name = virApiStrdup(call, name ? name : "");
    ret->fstype = virApiStrdup(call, type ? type : "");
    ret->dev_aliases_val =
        virApiNew(call, const char *, MIN(virJSONLength(disks), REMOTE_DOMAIN_FSINFO_DISKS_MAX));
    for (size_t i = 0;
         i < virJSONLength(disks) && ret->dev_aliases_len < REMOTE_DOMAIN_FSINFO_DISKS_MAX; i++) {
        const char *disk = virApiGuestDiskName(def, virJSONAt(disks, i));

        if (disk)
            ret->dev_aliases_val[ret->dev_aliases_len++] = virApiStrdup(call, disk);
    }
}

bool
virApiDomainGetFSInfo(virApiCall *call, const remote_domain_get_fsinfo_args *args,
                      remote_domain_get_fsinfo_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virDomainDoc) doc = NULL;
    g_autoptr(virJSON) list = NULL;

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    {
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error))
            return false;
        doc = virDomainDocRef(virDomainObjDoc(obj));
        if (!qemuAgentCommand(obj, "guest-get-fsinfo", NULL, &list, error))
            return false;
    }
    ret->info_len = (uint32_t)MIN(virJSONLength(list), REMOTE_DOMAIN_FSINFO_MAX);
    ret->info_val = virApiNew(call, remote_domain_fsinfo, ret->info_len);
    for (uint32_t i = 0; i < ret->info_len; i++)
        virApiFSInfoFill(call, virDomainDocDef(doc), virJSONAt(list, i), &ret->info_val[i]);
    ret->ret = ret->info_len;
    return true;
}

/* --- its name --- */

bool
virApiDomainGetHostname(virApiCall *call, const remote_domain_get_hostname_args *args,
                        remote_domain_get_hostname_ret *ret, GError **error)
{
    g_autoptr(virJSON) value = NULL;
    const char *name;

    if (!virApiOnlyFlags(args->flags, HOSTNAME_LEASE | HOSTNAME_AGENT, error))
        return false;
    if ((args->flags & HOSTNAME_LEASE) && (args->flags & HOSTNAME_AGENT))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("Flags '%s' and '%s' are mutually exclusive"),
                           "VIR_DOMAIN_GET_HOSTNAME_LEASE", "VIR_DOMAIN_GET_HOSTNAME_AGENT");
    if (args->flags & HOSTNAME_LEASE) /* networks and their leases are another daemon's */
        return virErrorSet(error, VIR_ERR_NO_HOSTNAME, _("no hostname found for domain %s"),
                           args->dom.name);
    if (!virApiAgentAsk(call, &args->dom, "guest-get-host-name", NULL, &value, error))
        return false;
    name = value ? virJSONGetString(value, "host-name") : NULL;
    if (!name)
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", _("malformed return value"));
    ret->hostname = virApiStrdup(call, name);
    return true;
}

/* --- all that it tells --- */

typedef struct {
    const virDomainDef *def;
    virApiParams *params;
} virApiTelling;

/* A text member under its name of ours, if it is there. */
static void
virApiTellText(virApiParams *params, virJSON *object, const char *key, const char *field)
{
    const char *text = virJSONGetString(object, key);

    if (text)
        virApiParamsString(params, text, "%s", field);
}

static void
virApiTellTextOf(virApiParams *params, virJSON *object, const char *key, const char *list, size_t i,
                 const char *name)
{
    g_autofree char *field = g_strdup_printf("%s.%zu.%s", list, i, name);

    virApiTellText(params, object, key, field);
}

static void
virApiTellUsers(const virApiTelling *telling, virJSON *list)
{
    virApiParams *params = telling->params;

    virApiParamsUInt(params, (unsigned)virJSONLength(list), "user.count");
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *user = virJSONAt(list, i);
        virJSON *since = virJSONGet(user, "login-time");

        virApiTellTextOf(params, user, "user", "user", i, "name");
        virApiTellTextOf(params, user, "domain", "user", i, "domain");
        if (since)
            virApiParamsULLong(params, (uint64_t)(json_object_get_double(since) * 1000),
                               "user.%zu.login-time", i);
    }
}

static void
virApiTellOS(const virApiTelling *telling, virJSON *os)
{
    static const char *const keys[] = {
        "id",      "name",    "pretty-name", "version",        "version-id",
        "machine", "variant", "variant-id",  "kernel-release", "kernel-version"};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *field = g_strconcat("os.", keys[i], NULL);

        virApiTellText(telling->params, os, keys[i], field);
    }
}

static void
virApiTellTimezone(const virApiTelling *telling, virJSON *zone)
{
    int64_t offset;

    virApiTellText(telling->params, zone, "zone", "timezone.name");
    if (virJSONGetInt(zone, "offset", &offset))
        virApiParamsInt(telling->params, (int)offset, "timezone.offset");
}

static void
virApiTellHostname(const virApiTelling *telling, virJSON *answer)
{
    virApiTellText(telling->params, answer, "host-name", "hostname");
}

static void
virApiTellFilesystems(const virApiTelling *telling, virJSON *list)
{
    virApiParams *params = telling->params;

    virApiParamsUInt(params, (unsigned)virJSONLength(list), "fs.count");
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *fs = virJSONAt(list, i);
        virJSON *disks = virJSONGetArray(fs, "disk");
        uint64_t bytes;

        virApiTellTextOf(params, fs, "name", "fs", i, "name");
        virApiTellTextOf(params, fs, "mountpoint", "fs", i, "mountpoint");
        virApiTellTextOf(params, fs, "type", "fs", i, "fstype");
        if (virJSONGetUInt(fs, "total-bytes", &bytes))
            virApiParamsULLong(params, bytes, "fs.%zu.total-bytes", i);
        if (virJSONGetUInt(fs, "used-bytes", &bytes))
            virApiParamsULLong(params, bytes, "fs.%zu.used-bytes", i);
        virApiParamsUInt(params, (unsigned)virJSONLength(disks), "fs.%zu.disk.count", i);
        for (size_t j = 0; j < virJSONLength(disks); j++) {
            virJSON *disk = virJSONAt(disks, j);
            const char *alias = virApiGuestDiskName(telling->def, disk);
            g_autofree char *below = g_strdup_printf("fs.%zu.disk", i);

            if (alias)
                virApiParamsString(params, alias, "fs.%zu.disk.%zu.alias", i, j);
            virApiTellTextOf(params, disk, "serial", below, j, "serial");
            virApiTellTextOf(params, disk, "dev", below, j, "device");
        }
    }
}

static void
virApiTellDisks(const virApiTelling *telling, virJSON *list)
{
    virApiParams *params = telling->params;

    virApiParamsUInt(params, (unsigned)virJSONLength(list), "disk.count");
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *disk = virJSONAt(list, i);
        virJSON *below = virJSONGetArray(disk, "dependencies");
        virJSON *where = virJSONGetObject(disk, "address");
        const char *alias = virApiGuestDiskName(telling->def, where);

        virApiTellTextOf(params, disk, "name", "disk", i, "name");
        virApiParamsBool(params, virJSONGetBool(disk, "partition", false), "disk.%zu.partition", i);
        if (below)
            virApiParamsUInt(params, (unsigned)virJSONLength(below), "disk.%zu.dependency.count",
                             i);
        for (size_t j = 0; j < virJSONLength(below); j++)
            virApiParamsString(params, json_object_get_string(virJSONAt(below, j)),
                               "disk.%zu.dependency.%zu.name", i, j);
        if (where)
            virApiTellTextOf(params, where, "serial", "disk", i, "serial");
        if (alias)
            virApiParamsString(params, alias, "disk.%zu.alias", i);
        virApiTellTextOf(params, disk, "alias", "disk", i, "guest_alias");
        if (where)
            virApiTellTextOf(params, where, "bus-type", "disk", i, "guest_bus");
    }
}

static void
virApiTellInterfaces(const virApiTelling *telling, virJSON *list)
{
    virApiParams *params = telling->params;

    virApiParamsUInt(params, (unsigned)virJSONLength(list), "if.count");
    for (size_t i = 0; i < virJSONLength(list); i++) {
        virJSON *iface = virJSONAt(list, i);
        virJSON *addresses = virJSONGetArray(iface, "ip-addresses");

        virApiTellTextOf(params, iface, "name", "if", i, "name");
        virApiTellTextOf(params, iface, "hardware-address", "if", i, "hwaddr");
        virApiParamsUInt(params, (unsigned)virJSONLength(addresses), "if.%zu.addr.count", i);
        for (size_t j = 0; j < virJSONLength(addresses); j++) {
            virJSON *address = virJSONAt(addresses, j);
            g_autofree char *below = g_strdup_printf("if.%zu.addr", i);
            unsigned prefix;

            virApiTellTextOf(params, address, "ip-address-type", below, j, "type");
            virApiTellTextOf(params, address, "ip-address", below, j, "addr");
            if (virApiGuestNumber(address, "prefix", &prefix))
                virApiParamsUInt(params, prefix, "if.%zu.addr.%zu.prefix", i, j);
        }
    }
}

static const struct {
    unsigned type;
    const char *command;
    void (*tell)(const virApiTelling *telling, virJSON *answer);
} tellers[] = {
    {INFO_USERS, "guest-get-users", virApiTellUsers},
    {INFO_OS, "guest-get-osinfo", virApiTellOS},
    {INFO_TIMEZONE, "guest-get-timezone", virApiTellTimezone},
    {INFO_HOSTNAME, "guest-get-host-name", virApiTellHostname},
    {INFO_FILESYSTEM, "guest-get-fsinfo", virApiTellFilesystems},
    {INFO_DISKS, "guest-get-disks", virApiTellDisks},
    {INFO_INTERFACES, "guest-network-get-interfaces", virApiTellInterfaces},
};

/* types 0: what the agent can tell; what is asked for by name must be told. */
bool
virApiDomainGetGuestInfo(virApiCall *call, const remote_domain_get_guest_info_args *args,
                         remote_domain_get_guest_info_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autoptr(virDomainDoc) doc = NULL;
    g_auto(virApiParams) params = {0};

    if (!virApiOnlyFlags(args->flags, 0, error))
        return false;
    if (args->types & ~(unsigned)INFO_ALL)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("unsupported guest information types '0x%x'"),
                           args->types & ~(unsigned)INFO_ALL);
    VIR_CORE_GUARD;
    if (!(obj = virApiDomain(call, &args->dom, error)) || !virDomainObjCheckActive(obj, error) ||
        !qemuAgentCheck(obj, error))
        return false;
    doc = virDomainDocRef(virDomainObjDoc(obj));
    virApiParamsInit(&params, call);
    for (size_t i = 0; i < G_N_ELEMENTS(tellers); i++) {
        virApiTelling telling = {virDomainDocDef(doc), &params};
        g_autoptr(virJSON) answer = NULL;
        g_autoptr(GError) refused = NULL;

        if (args->types && !(args->types & tellers[i].type))
            continue;
        if (qemuAgentCommand(obj, tellers[i].command, NULL, &answer, &refused)) {
            if (answer)
                tellers[i].tell(&telling, answer);
        } else if (args->types || !virErrorIs(refused, VIR_ERR_INTERNAL_ERROR)) {
            g_propagate_error(error, g_steal_pointer(&refused));
            return false;
        }
    }
    ret->params_val = virApiParamsTake(&params, &ret->params_len);
    return true;
}
