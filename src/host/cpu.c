/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu.c: asking the processor, the msr device and KVM. */
#include "host/cpu.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "host/hostfs.h"
#include "host/topology.h"
#include "util/virerror.h"
#include "util/virlog.h"
#include "util/virutil.h"

static void *
virHostArchRead(void *unused)
{
    struct utsname name;

    (void)unused; /* g_once passes one */
    return g_strdup(uname(&name) == 0 ? name.machine : "unknown");
}

const char *
virHostArch(void)
{
    static GOnce once = G_ONCE_INIT;

    return g_once(&once, virHostArchRead, NULL);
}

/* --- CPUID --- */

#if defined(__x86_64__) || defined(__i386__)
static virCPUIDRegs
virHostCPUAsk(uint32_t leaf, uint32_t subleaf)
{
    virCPUIDRegs answer;

    __cpuid_count(leaf, subleaf, answer.regs[0], answer.regs[1], answer.regs[2], answer.regs[3]);
    return answer;
}

/* Processors answer for a subleaf they don't have with what lies next to it. */
static bool
virHostCPUHasSubleaf(uint32_t leaf, uint32_t subleaf)
{
    switch (leaf) {
    case 0x7:
    case 0x14:
        return subleaf <= virHostCPUAsk(leaf, 0).regs[0];
    case 0x12: /* SGX, if leaf 7 has it */
        return virHostCPUAsk(0x7, 0).regs[1] & (1u << 2);
    default:
        return true;
    }
}

static void
virHostCPUAskFor(virCPUData *data, uint32_t leaf, uint32_t subleaf)
{
    uint32_t maxLeaf = virHostCPUAsk(leaf & 0x80000000, 0).regs[0];

    if (leaf <= maxLeaf && virHostCPUHasSubleaf(leaf, subleaf))
        virCPUDataAddLeaf(data, leaf, subleaf, virHostCPUAsk(leaf, subleaf));
}

static void
virHostCPUAskAll(virCPUData *data)
{
    virHostCPUAskFor(data, 0, 0);
    virHostCPUAskFor(data, 1, 0);
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        const virCPUMapFeature *feature = &virCPUMapFeatures[i];
        const virCPUMapFeature *before = i > 0 ? &virCPUMapFeatures[i - 1] : NULL;

        /* the table is ordered by leaf, so that each is asked about once */
        if (!feature->isMSR && (!before || before->isMSR || before->index != feature->index ||
                                before->subleaf != feature->subleaf))
            virHostCPUAskFor(data, feature->index, feature->subleaf);
    }
}
#else
static void
virHostCPUAskAll(virCPUData *data)
{
    (void)data; /* no CPUID here */
}
#endif

/* --- MSRs --- */

/* By the msr device, else by KVM, which gives those that describe features to anyone who may use
 * it. */
static bool
virHostCPUReadMSR(uint32_t index, uint64_t *ret)
{
    VIR_AUTOCLOSE msr = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
    VIR_AUTOCLOSE kvm = -1;
    g_autofree struct kvm_msrs *ask = NULL;

    if (msr >= 0 && pread(msr, ret, sizeof(*ret), index) == (ssize_t)sizeof(*ret))
        return true;
    if ((kvm = open("/dev/kvm", O_RDONLY | O_CLOEXEC)) < 0)
        return false;
    ask = g_malloc0(sizeof(*ask) + sizeof(ask->entries[0]));
    ask->nmsrs = 1;
    ask->entries[0].index = index;
    if (ioctl(kvm, KVM_GET_MSRS, ask) != 1)
        return false;
    *ret = ask->entries[0].data;
    return true;
}

virCPUData
virHostCPUDataRead(void)
{
    virCPUData data = {0};

    virHostCPUAskAll(&data);
    for (size_t i = 0; i < virCPUMapFeatureCount; i++) {
        const virCPUMapFeature *feature = &virCPUMapFeatures[i];
        const virCPUMapFeature *before = i > 0 ? &virCPUMapFeatures[i - 1] : NULL;
        uint64_t value;

        if (feature->isMSR && (!before || !before->isMSR || before->index != feature->index) &&
            virHostCPUReadMSR(feature->index, &value))
            virCPUDataAddMSR(&data, feature->index, value);
    }
    return data;
}

/* --- the counter --- */

/* KVM tells it of a virtual CPU only, so one is made; it never runs. */
static void
virHostCPUReadCounter(virCPUDef *cpu)
{
    VIR_AUTOCLOSE kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    VIR_AUTOCLOSE vm = -1;
    VIR_AUTOCLOSE vcpu = -1;
    int khz;

    if (kvm < 0 || (vm = ioctl(kvm, KVM_CREATE_VM, 0)) < 0 ||
        (vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) < 0 || (khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0)) < 0)
        return;
    cpu->tscFrequency = (unsigned long long)khz * 1000;
    cpu->tscScaling = virTristateFromBool(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0);
}

/* --- /proc/cpuinfo --- */

/* The number behind the name of a field, in any base; 0 if there is none. */
static unsigned
virHostCPUInfoNumber(const char *cpuinfo, const char *name)
{
    const char *at = strstr(cpuinfo, name);

    if (!at || !(at = strchr(at, ':')))
        return 0;
    return (unsigned)strtoul(at + 1, NULL, 0);
}

static void
virHostCPUDescribe(virCPUDef *cpu, const virCPUData *data, const char *cpuinfo)
{
    unsigned addressBits = virHostCPUInfoNumber(cpuinfo, "address sizes");

    cpu->microcode = virHostCPUInfoNumber(cpuinfo, "microcode");
    cpu->hasSignature = data->hasSignature;
    cpu->family = data->family;
    cpu->familyModel = data->model;
    cpu->stepping = data->stepping;
    if (virCPUFeatureSetHas(&data->features, virCPUMapFindFeature("invtsc")))
        virHostCPUReadCounter(cpu);
    if (addressBits) {
        cpu->maxPhysAddr = VIR_CPU_MAXPHYSADDR_EMULATE;
        cpu->maxPhysAddrBits = (int)addressBits;
    }
}

virCPUDef *
virHostCPURead(const virHostNodeInfo *info, const char *cpuinfo, GError **error)
{
    g_autoptr(virCPUDef) cpu = virCPUDefNew(VIR_CPU_TYPE_HOST);

    cpu->arch = g_strdup(virHostArch());
    cpu->sockets = info->sockets;
    cpu->dies = 1;
    cpu->cores = info->cores;
    cpu->threads = info->threads;
    if (virCPUMapHasArch(cpu->arch)) {
        virCPUData data = virHostCPUDataRead();

        if (!virCPUDataDecode(&data, cpu, NULL, error))
            return NULL;
        virHostCPUDescribe(cpu, &data, cpuinfo);
    }
    return g_steal_pointer(&cpu);
}

const virCPUDef *
virHostCPUGet(GError **error)
{
    static GMutex mutex; /* held while reading: whoever asks next wants to wait for that */
    static virCPUDef *kept;
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&mutex);

    if (!kept) {
        g_autofree char *cpuinfo = virHostFsText("/proc/cpuinfo");
        virHostNodeInfo info;

        if (!virHostNodeInfoRead(VIR_HOST_SYSTEM, cpuinfo ? cpuinfo : "", &info, error))
            return NULL;
        kept = virHostCPURead(&info, cpuinfo ? cpuinfo : "", error);
    }
    return kept;
}

bool
virHostCPUMaxForKVM(int *ret, GError **error)
{
    VIR_AUTOCLOSE kvm = open("/dev/kvm", O_RDONLY | O_CLOEXEC);
    int count;

    if (kvm < 0)
        return virErrorErrno(error, _("Unable to open %s"), "/dev/kvm");
    /* the hard limit; kernels that don't tell it have the recommended one, and at first 4 */
    if ((count = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS)) <= 0 &&
        (count = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS)) <= 0)
        count = 4;
    *ret = count;
    return true;
}
