/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * operations_gate.c: device gates of guests' control groups: made, exchanged, changed, taken off.
 *
 * The group must lie below those of the policy; each device that a rule names, how many rules there
 * may be, and a mode that only reports must be allowed there. What comes of an earlier gate is
 * looked at like everything else that comes: it is only used if it is a gate of that guest, and
 * only changed or taken off if it is what sits on the group. A gate stays on while processes are in
 * the group, whoever asks. Nothing is pinned here, and nothing is kept. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "helperd/operations.h"
#include "util/cgroup/virbpf.h"
#include "util/cgroup/vircgroupv2devices.h"
#include "util/virerror.h"
#include "util/virfile.h"
#include "util/virutil.h"

/* What stands in a rule's place for "every number": longer than any, and no digit, so that a
 * pattern of digits or single characters does not mean it. */
#define EVERY "every-number"

/* A call's gate. */
typedef struct {
    virCgroupV2DevicesPlace place; /* descriptors borrowed */
    virCgroupV2Devices devices;
    virGateSettings settings;
    bool came; /* devices is what the daemon had */
} helperGate;

static void
helperGateClear(helperGate *gate)
{
    virCgroupV2DevicesClear(&gate->devices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(helperGate, helperGateClear)

/* --- what came --- */

static bool
takeObjects(helperGate *gate, const virInternalRequest *request, GError **error)
{
    int *const places[] = {&gate->devices.rulesFd,  &gate->devices.nodesFd, &gate->devices.headerFd,
                           &gate->devices.eventsFd, &gate->devices.progFd,  &gate->devices.linkFd};
    uint32_t objects = (uint32_t)helperNumber(request, "objects");

    G_STATIC_ASSERT(G_N_ELEMENTS(places) == VIR_INTERNAL_GATE_OBJECTS);
    if (virInternalRequestCountFds(request) != 1 + (size_t)__builtin_popcount(objects) ||
        objects >> VIR_INTERNAL_GATE_OBJECTS)
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("%zu descriptors came for a group and the objects 0x%x of a gate"),
                           virInternalRequestCountFds(request), objects);
    for (unsigned i = 0; i < VIR_INTERNAL_GATE_OBJECTS; i++) {
        int fd = virInternalRequestGetObject(request, (virInternalGateObject)i);

        if (fd >= 0 && (*places[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
            return virErrorErrno(error, _("cannot use a descriptor of the gate"));
    }
    gate->came = gate->devices.progFd >= 0;
    return true;
}

/* The ring that the daemon's guests share: its own one, or a new one. -1 with an error. */
static int
takeEvents(helperGate *gate, GError **error)
{
    VIR_AUTOCLOSE fd = g_steal_fd(&gate->devices.eventsFd);
    struct bpf_map_info info;

    if (fd < 0)
        return virCgroupV2DevicesCreateEvents(error);
    if (virBPFGetMapInfo(fd, &info) && info.type == BPF_MAP_TYPE_RINGBUF)
        return g_steal_fd(&fd);
    virErrorSet(error, VIR_ERR_INVALID_ARG, _("the ring of denials that came is none"));
    return -1;
}

static bool
openGate(helperGate *gate, const helperPolicy *policy, const char *hook,
         const virInternalCall *call, const virInternalRequest *request, GError **error)
{
    static const virCgroupV2Devices closed = VIR_CGROUP_V2_DEVICES_INIT;

    *gate = (helperGate){.place = {.groupFd = virInternalRequestGetFd(request, 0),
                                   .pinsFd = -1,
                                   .eventsFd = -1,
                                   .handed = true},
                         .devices = closed};
    memcpy(gate->place.uuid, call->uuid, sizeof(gate->place.uuid));
    if (!helperPolicyGroup(policy, hook, gate->place.groupFd, error) ||
        !takeObjects(gate, request, error))
        return false;
    if (!gate->came || virCgroupV2DevicesCheck(&gate->devices, call->uuid, error))
        return true;
    g_prefix_error(error, _("what came is no gate of this guest: "));
    return false;
}

/* --- what may be --- */

static bool
readMode(helperGate *gate, const helperPolicy *policy, const char *hook,
         const virInternalRequest *request, GError **error)
{
    int64_t mode = helperNumber(request, "mode");

    if (mode < 0 || mode >= VIR_GATE_MODE_LAST)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("a gate has no mode %d"), (int)mode);
    gate->settings.mode = (virGateMode)mode;
    return helperPolicyWord(policy, hook, "modes", virGateModeToString((int)mode), error);
}

static bool
readSettings(helperGate *gate, const helperPolicy *policy, const char *hook,
             const virInternalRequest *request, GError **error)
{
    uint32_t capacity = (uint32_t)helperNumber(request, "capacity");

    gate->settings.lock = helperNumber(request, "lock") ? VIR_GATE_LOCK_BOTH : VIR_GATE_LOCK_DIRECT;
    gate->settings.capacity = capacity ? capacity : VIR_CGROUP_V2_DEVICES_CAPACITY;
    gate->settings.capacityMax = gate->settings.capacity;
    return readMode(gate, policy, hook, request, error) &&
           helperPolicyNumber(policy, hook, "a number of rules", gate->settings.capacity, error);
}

static char *
numberOrEvery(int value)
{
    return value == VIR_DEVICE_ANY ? g_strdup(EVERY) : g_strdup_printf("%d", value);
}

/* One rule of a message, held against the policy unless it takes away. */
static bool
readRule(const helperPolicy *policy, const char *hook, const virInternalRule *wire,
         virDeviceRule *retRule, GError **error)
{
    g_autofree char *high = numberOrEvery(wire->major);
    g_autofree char *low = numberOrEvery(wire->minor);
    g_autofree char *device =
        g_strdup_printf("%c %s:%s", wire->type == VIR_DEVICE_BLOCK ? 'b' : 'c', high, low);

    if ((wire->type != VIR_DEVICE_BLOCK && wire->type != VIR_DEVICE_CHAR) ||
        wire->major < VIR_DEVICE_ANY || wire->major > 4095 || wire->minor < VIR_DEVICE_ANY ||
        wire->minor > 1048575 || (wire->access & ~(unsigned)VIR_DEVICE_RWM))
        return virErrorSet(error, VIR_ERR_INVALID_ARG,
                           _("%d %d:%d with access %u is no rule for a device"), wire->type,
                           wire->major, wire->minor, wire->access);
    *retRule = (virDeviceRule){.type = (virDeviceType)wire->type,
                               .access = wire->access,
                               .major = wire->major,
                               .minor = wire->minor};
    return !wire->access || helperPolicyWord(policy, hook, "devices", device, error);
}

/* All rules that a gate is to have, as a union; NULL with an error. */
static GArray *
readRules(const helperPolicy *policy, const char *hook, const virInternalRequest *request,
          GError **error)
{
    g_autoptr(virDeviceRules) rules = virDeviceRulesNew();
    size_t n = 0;
    const virInternalRule *wire = virInternalRequestGetRules(request, "rules", &n);

    if (!helperPolicyNumber(policy, hook, "a number of rules", (int64_t)n, error))
        return NULL;
    for (size_t i = 0; i < n; i++) {
        virDeviceRule rule;

        if (!readRule(policy, hook, &wire[i], &rule, error))
            return NULL;
        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &rule);
    }
    return virDeviceRulesUnion(rules);
}

/* --- changing rules --- */

/* What was set is set back, the last one first. */
static void
undoChanges(virCgroupV2Devices *devices, const GArray *before)
{
    for (guint i = before->len; i-- > 0;)
        (void)virCgroupV2DevicesSetRule(
            devices, &g_array_index(before, virDeviceRule, i)); /* the error in hand says more */
}

static bool
makeChange(virCgroupV2Devices *devices, const virDeviceRule *rule, GArray *before, GError **error)
{
    g_autofree char *text = virDeviceRuleFormat(rule);
    virDeviceRule was = *rule;
    bool used;

    was.access = 0;
    (void)virCgroupV2DevicesGetRule(devices, rule, &was.access, &used); /* none: it goes again */
    if (!virCgroupV2DevicesSetRule(devices, rule))
        return virErrorErrno(error, _("cannot set device rule '%s'"), text);
    g_array_append_val(before, was);
    return true;
}

/* What grants comes first, so that no moment has less than both states. All of them or none. */
static bool
makeChanges(virCgroupV2Devices *devices, const GArray *changes, GError **error)
{
    g_autoptr(GArray) before = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));

    for (int taking = 0; taking <= 1; taking++) {
        for (guint i = 0; i < changes->len; i++) {
            const virDeviceRule *rule = &g_array_index(changes, virDeviceRule, i);

            if ((rule->access == 0) != taking || makeChange(devices, rule, before, error))
                continue;
            undoChanges(devices, before);
            return false;
        }
    }
    return true;
}

/* A gate that was there already gets exactly these rules. */
static bool
bringTo(helperGate *gate, const GArray *rules, GError **error)
{
    g_autoptr(GArray) held = virCgroupV2DevicesReadRules(&gate->devices, error);
    g_autoptr(GArray) changes = held ? virDeviceRulesChanges(held, rules) : NULL;
    virGateFound found;

    return changes &&
           virCgroupV2DevicesPrepareProg(&gate->devices, &gate->place, &gate->settings, rules,
                                         changes->len, &found, error) &&
           makeChanges(&gate->devices, changes, error);
}

/* --- the hooks --- */

/* The gate's objects go out with the answer. */
static bool
giveObjects(helperGate *gate, virInternalRequest *request, GError **error)
{
    int *const fds[] = {&gate->devices.rulesFd,  &gate->devices.nodesFd, &gate->devices.headerFd,
                        &gate->devices.eventsFd, &gate->devices.progFd,  &gate->devices.linkFd};

    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (*fds[i] < 0)
            continue;
        if (virInternalRequestAddObject(request, (virInternalGateObject)i, *fds[i]) < 0)
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("the answer has no room"));
        *fds[i] = -1; /* the request's */
    }
    return true;
}

static bool
refuseUnknown(GError **error)
{
    return virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("a device program is on the group that this helper may not look at (ids "
                         "of [gate.replace])"));
}

/* Found on the group, taken over from libvirt, or made. Taking over needs the group above for a
 * moment. */
static bool
obtainGate(helperGate *gate, const helperPolicy *policy, const char *hook, const GArray *rules,
           virGateFound *retFound, GError **error)
{
    VIR_AUTOCLOSE above = openat(gate->place.groupFd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    VIR_AUTOCLOSE events = -1;

    *retFound = VIR_GATE_FOUND_NONE;
    if (!helperPolicyGroup(policy, hook, above, error) || (events = takeEvents(gate, error)) < 0)
        return false;
    gate->place.eventsFd = events;
    if (!virCgroupV2DevicesPrepareProg(&gate->devices, &gate->place, &gate->settings, rules,
                                       /* extra: */ 0, retFound, error))
        return false;
    gate->place.eventsFd = -1;
    return *retFound != VIR_GATE_FOUND_FOREIGN || refuseUnknown(error);
}

bool
helperCreateGate(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    static const char hook[] = "gate.create";
    g_auto(helperGate) gate = {0};
    g_autoptr(GArray) rules = NULL;
    virGateFound found;

    if (!openGate(&gate, policy, hook, call, request, error) ||
        !readSettings(&gate, policy, hook, request, error) ||
        !(rules = readRules(policy, hook, request, error)))
        return false;
    if (gate.came)
        return virErrorSet(error, VIR_ERR_INVALID_ARG, _("a new gate has nothing of an old one"));
    return obtainGate(&gate, policy, hook, rules, &found, error) &&
           (found == VIR_GATE_FOUND_NONE || bringTo(&gate, rules, error)) &&
           giveObjects(&gate, request, error);
}

/* What came is not on the group: is another one of the guest's there? A growth whose answer nobody
 * got leaves that. Where ids may not be asked for, what came goes on beside it: both must allow. */
static bool
preferAttached(helperGate *gate, GError **error)
{
    virCgroupV2Devices there = VIR_CGROUP_V2_DEVICES_INIT;
    virGateFound found;

    if (virCgroupV2DevicesIsAttached(&gate->devices, gate->place.groupFd) != 0)
        return true;
    if (!virCgroupV2DevicesDetectProg(&there, &gate->place, &found, error))
        return false;
    if (found == VIR_GATE_FOUND_IDS) {
        virCgroupV2DevicesClear(&gate->devices);
        gate->devices = there;
    }
    return true;
}

/* Something is on the group all the time: what is missing is added, what is too small or too old is
 * exchanged in one step. */
static bool
renewGate(helperGate *gate, bool *retReattached, GError **error)
{
    if (!virCgroupV2DevicesRepairProg(&gate->devices, &gate->place, &gate->settings, retReattached,
                                      error))
        return false;
    gate->devices.header->mode = gate->settings.mode;
    return gate->settings.capacity <= gate->devices.capacity ||
           virCgroupV2DevicesRenewProg(&gate->devices, &gate->place, gate->settings.capacity,
                                       error);
}

bool
helperReplaceGate(const helperPolicy *policy, const virInternalCall *call,
                  virInternalRequest *request, GError **error)
{
    static const char hook[] = "gate.replace";
    g_auto(helperGate) gate = {0};
    g_autoptr(GArray) rules = NULL;
    virGateFound found = VIR_GATE_FOUND_IDS;
    bool reattached = false;

    if (!openGate(&gate, policy, hook, call, request, error) ||
        !readSettings(&gate, policy, hook, request, error) ||
        !(rules = readRules(policy, hook, request, error)))
        return false;
    if (!(gate.came ? preferAttached(&gate, error)
                    : obtainGate(&gate, policy, hook, rules, &found, error)) ||
        !renewGate(&gate, &reattached, error))
        return false;
    (void)virInternalRequestSetNumber(
        request, "reattached", reattached || found == VIR_GATE_FOUND_NONE); /* a known field */
    return giveObjects(&gate, request, error);
}

/* The gate that sits on the group: what came, or what the kernel lets us find there. *retThere:
 * false if there is none. */
static bool
requireAttached(helperGate *gate, bool *retThere, GError **error)
{
    virGateFound found;

    *retThere = true;
    if (gate->came && virCgroupV2DevicesIsAttached(&gate->devices, gate->place.groupFd) == 1)
        return true;
    virCgroupV2DevicesClear(&gate->devices);
    if (!virCgroupV2DevicesDetectProg(&gate->devices, &gate->place, &found, error))
        return false;
    *retThere = found == VIR_GATE_FOUND_IDS;
    return found != VIR_GATE_FOUND_FOREIGN || refuseUnknown(error);
}

static GArray *
readChanges(const helperPolicy *policy, const char *hook, const virInternalRequest *request,
            GError **error)
{
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(virDeviceRule));
    size_t n = 0;
    const virInternalRule *wire = virInternalRequestGetRules(request, "changes", &n);

    for (size_t i = 0; i < n; i++) {
        virDeviceRule rule;

        if (!readRule(policy, hook, &wire[i], &rule, error))
            return NULL;
        g_array_append_val(changes, rule);
    }
    return g_steal_pointer(&changes);
}

bool
helperUpdateGate(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    static const char hook[] = "gate.update";
    g_auto(helperGate) gate = {0};
    g_autoptr(GArray) changes = NULL;
    bool there = false;

    if (!openGate(&gate, policy, hook, call, request, error) ||
        !readMode(&gate, policy, hook, request, error) ||
        !(changes = readChanges(policy, hook, request, error)) ||
        !requireAttached(&gate, &there, error))
        return false;
    if (!there)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("the group has no device gate"));
    if (!makeChanges(&gate.devices, changes, error))
        return false;
    gate.devices.header->mode = gate.settings.mode;
    return true;
}

static bool
checkEmpty(int groupFd, GError **error)
{
    g_autofree char *text = virFileReadAt(groupFd, "cgroup.events", 4096, NULL, error);

    if (!text)
        return false;
    return !strstr(text, "populated 1") ||
           virErrorSet(error, VIR_ERR_ACCESS_DENIED,
                       _("the device gate stays while there are processes in its group"));
}

bool
helperRemoveGate(const helperPolicy *policy, const virInternalCall *call,
                 virInternalRequest *request, GError **error)
{
    g_auto(helperGate) gate = {0};
    bool there = false;

    return openGate(&gate, policy, "gate.remove", call, request, error) &&
           checkEmpty(gate.place.groupFd, error) && requireAttached(&gate, &there, error) &&
           (!there || virCgroupV2DevicesRemoveProg(&gate.devices, &gate.place, error));
}
