/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapstables.c: how each flag is found out. A flag may stand in more than one row; it is set by
 * the first that holds. What no table can say is in qmpcapsprobe.c. Constant data. */
#include "qmp/qmpcapstables.h"

#define ROW(name, id)                                                                              \
    {                                                                                              \
        name, QMP_CAPS_##id, false                                                                 \
    }
#define ROW_DEFAULT_OFF(name, id)                                                                  \
    {                                                                                              \
        name, QMP_CAPS_##id, true                                                                  \
    }
#define ROWS_END                                                                                   \
    {                                                                                              \
        NULL, QMP_CAPS_LAST, false                                                                 \
    }

/* Commands, from query-commands. */
const qmpCapsRow qmpCapsCommandRows[] = {
    ROW("dump-guest-memory", DUMP_GUEST_MEMORY),
    ROW("query-spice", SPICE),
    ROW("query-vnc", VNC),
    ROW("nbd-server-start", NBD_SERVER),
    ROW("change-backing-file", CHANGE_BACKING_FILE),
    ROW("rtc-reset-reinjection", RTC_RESET_REINJECTION),
    ROW("migrate-incoming", INCOMING_DEFER),
    ROW("query-hotpluggable-cpus", QUERY_HOTPLUGGABLE_CPUS),
    ROW("query-cpu-model-expansion", QUERY_CPU_MODEL_EXPANSION),
    ROW("query-cpu-definitions", QUERY_CPU_DEFINITIONS),
    ROW("query-named-block-nodes", QUERY_NAMED_BLOCK_NODES),
    ROW("query-cpus-fast", QUERY_CPUS_FAST),
    ROW("qom-list-properties", QOM_LIST_PROPERTIES),
    ROW("blockdev-del", BLOCKDEV_DEL),
    ROW("query-cpu-model-baseline", QUERY_CPU_MODEL_BASELINE),
    ROW("query-cpu-model-comparison", QUERY_CPU_MODEL_COMPARISON),
    ROW("query-current-machine", QUERY_CURRENT_MACHINE),
    ROW("block-export-add", BLOCK_EXPORT_ADD),
    ROW("query-display-options", QUERY_DISPLAY_OPTIONS),
    ROW("blockdev-reopen", BLOCKDEV_REOPEN),
    ROW("set-action", SET_ACTION),
    ROW("query-dirty-rate", QUERY_DIRTY_RATE),
    ROWS_END,
};

/* Paths of qmpSchemaHas, from query-qmp-schema. */
const qmpCapsRow qmpCapsSchemaRows[] = {
    ROW("block-commit/arg-type/*top", ACTIVE_COMMIT),
    ROW("blockdev-add/arg-type/+gluster/debug", GLUSTER_DEBUG_LEVEL),
    ROW("blockdev-add/arg-type/+vxhs", VXHS),
    ROW("blockdev-add/arg-type/+qcow2/encrypt/+luks/key-secret", QCOW2_LUKS),
    ROW("nbd-server-start/arg-type/tls-creds", NBD_TLS),
    ROW("screendump/arg-type/device", SCREENDUMP_DEVICE),
    ROW("set-numa-node/arg-type/+hmat-lb", NUMA_HMAT),
    ROW("nbd-server-add/arg-type/bitmap", NBD_BITMAP),
    ROW("blockdev-add/arg-type/+file/drop-cache", MIGRATION_FILE_DROP_CACHE),
    ROW("blockdev-add/arg-type/+file/$dynamic-auto-read-only",
        BLOCKDEV_FILE_DYNAMIC_AUTO_READ_ONLY),
    ROW("blockdev-add/arg-type/+nvme", DRIVE_NVME),
    ROW("human-monitor-command/$savevm-monitor-nodes", SAVEVM_MONITOR_NODES),
    ROW("transaction/arg-type/actions/+block-dirty-bitmap-merge", BITMAP_MERGE),
    ROW("query-named-block-nodes/arg-type/flat", QUERY_NAMED_BLOCK_NODES_FLAT),
    ROW("blockdev-snapshot/$allow-write-only-overlay", BLOCKDEV_SNAPSHOT_ALLOW_WRITE_ONLY_OVERLAY),
    ROW("migrate-set-parameters/arg-type/max-bandwidth", MIGRATION_PARAM_BANDWIDTH),
    ROW("migrate-set-parameters/arg-type/downtime-limit", MIGRATION_PARAM_DOWNTIME),
    ROW("migrate-set-parameters/arg-type/xbzrle-cache-size", MIGRATION_PARAM_XBZRLE_CACHE_SIZE),
    ROW("migrate-set-parameters/arg-type/block-bitmap-mapping/bitmaps/transform",
        MIGRATION_PARAM_BLOCK_BITMAP_MAPPING),
    ROW("blockdev-add/arg-type/+file/aio/^io_uring", AIO_IO_URING),
    ROW("netdev_add/arg-type/+vhost-vdpa", NETDEV_VHOST_VDPA),
    ROW("query-display-options/ret-type/+egl-headless/rendernode", EGL_HEADLESS_RENDERNODE),
    ROW("query-display-options/ret-type/+sdl", SDL),
    ROW("query-display-options/ret-type/+egl-headless", EGL_HEADLESS),
    ROW("query-display-options/ret-type/type/^dbus", DISPLAY_DBUS),
    ROW("chardev-add/arg-type/backend/type/^qemu-vdagent", CHARDEV_VDAGENT),
    ROW("device_add/$json-cli", DEVICE_JSON),
    ROW("device_add/$json-cli-hotplug", DEVICE_JSON_HOTPLUG),
    ROW("netdev_add/arg-type/+stream", NETDEV_JSON), /* came with it */
    ROW("blockdev-add/arg-type/+rbd/encrypt", RBD_ENCRYPTION),
    ROW("object-add/arg-type/qom-type/^secret", OBJECT_QAPIFIED),
    ROW("VSERPORT_CHANGE", VSERPORT_CHANGE_EVENT),
    ROW("BLOCK_WRITE_THRESHOLD", BLOCK_WRITE_THRESHOLD),
    ROW("DUMP_COMPLETED", DUMP_COMPLETED),
    ROW("query-iothreads/ret-type/poll-max-ns", IOTHREAD_POLL_MAX_NS),
    ROW("blockdev-backup", BLOCKDEV_BACKUP),
    ROWS_END,
};

/* QOM types, from qom-list-types. */
const qmpCapsRow qmpCapsTypeRows[] = {
    ROW("hda-duplex", HDA_DUPLEX),
    ROW("ccid-card-emulated", CCID_EMULATED),
    ROW("ccid-card-passthru", CCID_PASSTHRU),
    ROW("piix3-usb-uhci", PIIX3_USB_UHCI),
    ROW("piix4-usb-uhci", PIIX4_USB_UHCI),
    ROW("usb-ehci", USB_EHCI),
    ROW("ich9-usb-ehci1", ICH9_USB_EHCI1),
    ROW("vt82c686b-usb-uhci", VT82C686B_USB_UHCI),
    ROW("pci-ohci", PCI_OHCI),
    ROW("usb-redir", USB_REDIR),
    ROW("usb-hub", USB_HUB),
    ROW("ich9-ahci", ICH9_AHCI),
    ROW("scsi-block", SCSI_BLOCK),
    ROW("hda-micro", HDA_MICRO),
    ROW("nec-usb-xhci", NEC_USB_XHCI),
    ROW("lsi", LSI),
    ROW("lsi53c895a", LSI),
    ROW("virtio-scsi-pci", VIRTIO_SCSI_PCI),
    ROW("qxl", QXL),
    ROW("VGA", VGA),
    ROW("cirrus-vga", CIRRUS_VGA),
    ROW("vmware-svga", VMWARE_SVGA),
    ROW("usb-serial", USB_SERIAL),
    ROW("virtio-rng-pci", VIRTIO_RNG),
    ROW("virtio-rng-device", VIRTIO_RNG),
    ROW("rng-random", RNG_RANDOM),
    ROW("rng-egd", RNG_EGD),
    ROW("megasas", MEGASAS),
    ROW("pci-bridge", PCI_BRIDGE),
    ROW("vfio-pci", VFIO_PCI),
    ROW("iommufd", IOMMUFD),
    ROW("i82801b11-bridge", DMI_TO_PCI_BRIDGE),
    ROW("usb-storage", USB_STORAGE),
    ROW("virtio-mmio", VIRTIO_MMIO),
    ROW("ich9-intel-hda", ICH9_INTEL_HDA),
    ROW("pvpanic", PVPANIC),
    ROW("usb-kbd", USB_KBD),
    ROW("memory-backend-ram", MEMORY_BACKEND_RAM),
    ROW("memory-backend-file", MEMORY_BACKEND_FILE),
    ROW("usb-audio", USB_AUDIO),
    ROW("iothread", IOTHREAD),
    ROW("ivshmem", IVSHMEM),
    ROW("pc-dimm", PC_DIMM),
    ROW("pci-serial", PCI_SERIAL),
    ROW("gpex-pcihost", GPEX_PCIHOST),
    ROW("ioh3420", IOH3420),
    ROW("x3130-upstream", X3130_UPSTREAM),
    ROW("xio3130-downstream", XIO3130_DOWNSTREAM),
    ROW("rtl8139", RTL8139),
    ROW("e1000", E1000),
    ROW("virtio-net-device", VIRTIO_NET),
    ROW("virtio-gpu-device", VIRTIO_GPU),
    ROW("virtio-keyboard-device", VIRTIO_KEYBOARD),
    ROW("virtio-mouse-device", VIRTIO_MOUSE),
    ROW("virtio-tablet-device", VIRTIO_TABLET),
    ROW("virtio-input-host-device", VIRTIO_INPUT_HOST),
    ROW("mptsas1068", MPTSAS1068),
    ROW("pxb", PXB),
    ROW("pxb-pcie", PXB_PCIE),
    ROW("intel-iommu", INTEL_IOMMU),
    ROW("virtio-vga", VIRTIO_VGA),
    ROW("ivshmem-plain", IVSHMEM_PLAIN),
    ROW("ivshmem-doorbell", IVSHMEM_DOORBELL),
    ROW("vhost-scsi", VHOST_SCSI),
    ROW("nvdimm", NVDIMM),
    ROW("pcie-root-port", PCIE_ROOT_PORT),
    ROW("qemu-xhci", QEMU_XHCI),
    ROW("vmcoreinfo", VMCOREINFO),
    ROW("isa-serial", ISA_SERIAL),
    ROW("pcie-pci-bridge", PCIE_PCI_BRIDGE),
    ROW("pr-manager-helper", PR_MANAGER_HELPER),
    ROW("hda-output", HDA_OUTPUT),
    ROW("vmgenid", VMGENID),
    ROW("vhost-vsock-device", VHOST_VSOCK),
    ROW("mch", MCH),
    ROW("sev-guest", SEV_GUEST),
    ROW("memory-backend-memfd", MEMORY_BACKEND_MEMFD),
    ROW("bochs-display", BOCHS_DISPLAY),
    ROW("dbus-vmstate", DBUS_VMSTATE),
    ROW("vhost-user-gpu", VHOST_USER_GPU),
    ROW("vhost-user-vga", VHOST_USER_VGA),
    ROW("ramfb", RAMFB),
    ROW("i8042", I8042),
    ROW("rng-builtin", RNG_BUILTIN),
    ROW("vhost-user-fs-device", VHOST_USER_FS),
    ROW("pvscsi", PVSCSI),
    ROW("dc390", DC390),
    ROW("am53c974", AM53C974),
    ROW("virtio-pmem-pci", VIRTIO_PMEM_PCI),
    ROW("vhost-user-blk", VHOST_USER_BLK),
    ROW("input-linux", INPUT_LINUX),
    ROW("virtio-gpu-gl-pci", VIRTIO_GPU_GL_PCI),
    ROW("virtio-vga-gl", VIRTIO_VGA_GL),
    ROW("virtio-mem-pci", VIRTIO_MEM_PCI),
    ROW("max-x86_64-cpu", X86_MAX_CPU),
    ROW("vmport", MACHINE_VMPORT_OPT),
    ROW("tcg-accel", TCG),
    ROW("virtio-blk-pci-non-transitional", VIRTIO_PCI_NON_TRANSITIONAL),
    ROW("virtio-blk-ccw", VIRTIO_CCW),
    ROW("virtio-net-ccw", VIRTIO_CCW),
    ROW("sclpconsole", S390_SCLP),
    ROW("sclplmconsole", SCLPLMCONSOLE),
    ROW("spapr-pci-host-bridge", SPAPR_PCI_HOST_BRIDGE),
    ROW("spapr-vty", SPAPR_VTY),
    ROW("pl011", PL011),
    ROW("virtio-gpu-ccw", VIRTIO_GPU_CCW),
    ROW("virtio-keyboard-ccw", VIRTIO_KEYBOARD_CCW),
    ROW("virtio-mouse-ccw", VIRTIO_MOUSE_CCW),
    ROW("virtio-tablet-ccw", VIRTIO_TABLET_CCW),
    ROW("virtual-css-bridge", VIRTUAL_CSS_BRIDGE),
    ROW("vfio-ccw", VFIO_CCW),
    ROW("vfio-ap", VFIO_AP),
    ROW("zpci", ZPCI),
    ROW("max-arm-cpu", ARM_MAX_CPU),
    ROW("tpm-spapr", TPM_SPAPR),
    ROW("spapr-tpm-proxy", SPAPR_TPM_PROXY),
    ROW("s390-pv-guest", S390_PV_GUEST),
    ROW("virtio-serial-pci-non-transitional", VIRTIO_PCI_NON_TRANSITIONAL),
    ROW("virtio-rng-ccw", VIRTIO_RNG),
    ROWS_END,
};

static const qmpCapsRow virtioBlkPciRows[] = {
    ROW("tx", VIRTIO_TX_ALG),
    ROW("scsi", VIRTIO_BLK_PCI_SCSI),
    ROW_DEFAULT_OFF("scsi", VIRTIO_BLK_PCI_SCSI_DEFAULT_DISABLED),
    ROW("logical_block_size", BLOCKIO),
    ROW("num-queues", VIRTIO_BLK_NUM_QUEUES),
    ROW("share-rw", DISK_SHARE_RW),
    ROW("write-cache", DISK_WRITE_CACHE),
    ROW("disable-legacy", VIRTIO_PCI_DISABLE_LEGACY),
    ROW("queue-size", VIRTIO_BLK_QUEUE_SIZE),
    ROW("acpi-index", ACPI_INDEX),
    ROW("werror", STORAGE_WERROR),
    ROW("packed", VIRTIO_PACKED),
    ROWS_END,
};
static const qmpCapsRow virtioNetPciRows[] = {
    ROW("tx", VIRTIO_TX_ALG),
    ROW("rx_queue_size", VIRTIO_NET_RX_QUEUE_SIZE),
    ROW("tx_queue_size", VIRTIO_NET_TX_QUEUE_SIZE),
    ROW("host_mtu", VIRTIO_NET_HOST_MTU),
    ROW("failover", VIRTIO_NET_FAILOVER),
    ROW("acpi-index", ACPI_INDEX),
    ROWS_END,
};
static const qmpCapsRow virtioScsiPciRows[] = {
    ROW("iothread", VIRTIO_SCSI_PCI_IOTHREAD),
    ROWS_END,
};
static const qmpCapsRow virtioNetCcwRows[] = {
    ROW("tx", VIRTIO_TX_ALG),
    ROW("rx_queue_size", VIRTIO_NET_RX_QUEUE_SIZE),
    ROW("tx_queue_size", VIRTIO_NET_TX_QUEUE_SIZE),
    ROW("host_mtu", VIRTIO_NET_HOST_MTU),
    ROW("failover", VIRTIO_NET_FAILOVER),
    ROWS_END,
};
static const qmpCapsRow vfioPciRows[] = {
    ROW("display", VFIO_PCI_DISPLAY),
    ROW("fd", VFIO_PCI_IOMMUFD),
    ROWS_END,
};
static const qmpCapsRow scsiHdRows[] = {
    ROW("channel", SCSI_DISK_CHANNEL),     ROW("wwn", SCSI_DISK_WWN),
    ROW("device_id", SCSI_DISK_DEVICE_ID), ROW("share-rw", DISK_SHARE_RW),
    ROW("write-cache", DISK_WRITE_CACHE),  ROW("werror", STORAGE_WERROR),
    ROW("rotation_rate", ROTATION_RATE),   ROWS_END,
};
static const qmpCapsRow ideHdRows[] = {
    ROW("wwn", IDE_DRIVE_WWN),
    ROWS_END,
};
static const qmpCapsRow piix4PmRows[] = {
    ROW("disable_s3", DISABLE_S3),
    ROW("disable_s4", DISABLE_S4),
    ROW("acpi-root-pci-hotplug", PIIX4_ACPI_ROOT_PCI_HOTPLUG),
    ROWS_END,
};
static const qmpCapsRow usbRedirRows[] = {
    ROW("filter", USB_REDIR_FILTER),
    ROWS_END,
};
static const qmpCapsRow i440FXPcihostRows[] = {
    ROW("pci-hole64-size", I440FX_PCI_HOLE64_SIZE),
    ROWS_END,
};
static const qmpCapsRow q35PcihostRows[] = {
    ROW("pci-hole64-size", Q35_PCI_HOLE64_SIZE),
    ROWS_END,
};
static const qmpCapsRow usbStorageRows[] = {
    ROW("removable", USB_STORAGE_REMOVABLE),
    ROW("werror", USB_STORAGE_WERROR),
    ROWS_END,
};
static const qmpCapsRow kvmPitRows[] = {
    ROW("lost_tick_policy", KVM_PIT_LOST_TICK_POLICY),
    ROWS_END,
};
static const qmpCapsRow vgaRows[] = {
    ROW("vgamem_mb", VGA_VGAMEM_MB),
    ROWS_END,
};
static const qmpCapsRow vmwareSvgaRows[] = {
    ROW("vgamem_mb", VMWARE_SVGA_VGAMEM_MB),
    ROWS_END,
};
static const qmpCapsRow qxlRows[] = {
    ROW("vgamem_mb", QXL_VGAMEM_MB),
    ROW("vram64_size_mb", QXL_VRAM64_SIZE_MB),
    ROW("max_outputs", QXL_MAX_OUTPUTS),
    ROWS_END,
};
static const qmpCapsRow virtioGpuPciRows[] = {
    ROW("max_outputs", VIRTIO_GPU_MAX_OUTPUTS),
    ROW("virgl", VIRTIO_GPU_VIRGL),
    ROWS_END,
};
static const qmpCapsRow virtioGpuDeviceRows[] = {
    ROW("virgl", VIRTIO_GPU_VIRGL),
    ROW("max_outputs", VIRTIO_GPU_MAX_OUTPUTS),
    ROWS_END,
};
static const qmpCapsRow ich9LpcRows[] = {
    ROW("disable_s3", ICH9_DISABLE_S3),
    ROW("disable_s4", ICH9_DISABLE_S4),
    ROWS_END,
};
static const qmpCapsRow virtioBalloonPciRows[] = {
    ROW("deflate-on-oom", VIRTIO_BALLOON_PCI_DEFLATE_ON_OOM),
    ROW("free-page-reporting", VIRTIO_BALLOON_FREE_PAGE_REPORTING),
    ROWS_END,
};
static const qmpCapsRow necUsbXhciRows[] = {
    ROW("p3", NEC_USB_XHCI_PORTS),
    ROWS_END,
};
static const qmpCapsRow intelIommuRows[] = {
    ROW("intremap", INTEL_IOMMU_INTREMAP), ROW("caching-mode", INTEL_IOMMU_CACHING_MODE),
    ROW("eim", INTEL_IOMMU_EIM),           ROW("device-iotlb", INTEL_IOMMU_DEVICE_IOTLB),
    ROW("aw-bits", INTEL_IOMMU_AW_BITS),   ROWS_END,
};
static const qmpCapsRow mchRows[] = {
    ROW("extended-tseg-mbytes", MCH_EXTENDED_TSEG_MBYTES),
    ROWS_END,
};
static const qmpCapsRow nvdimmRows[] = {
    ROW("unarmed", NVDIMM_UNARMED),
    ROWS_END,
};
static const qmpCapsRow pcieRootPortRows[] = {
    ROW("hotplug", PCIE_ROOT_PORT_HOTPLUG),
    ROWS_END,
};
static const qmpCapsRow usbHostRows[] = {
    ROW("hostdevice", USB_HOST_HOSTDEVICE),
    ROWS_END,
};
static const qmpCapsRow vhostUserFsDeviceRows[] = {
    ROW("bootindex", VHOST_USER_FS_BOOTINDEX),
    ROWS_END,
};

/* Properties of devices, from device-list-properties, in the order they are asked. */
const qmpCapsTypeProperties qmpCapsDeviceProperties[] = {
    {"virtio-blk-pci", QMP_CAPS_LAST, virtioBlkPciRows},
    {"virtio-net-pci", QMP_CAPS_LAST, virtioNetPciRows},
    {"virtio-scsi-pci", QMP_CAPS_LAST, virtioScsiPciRows},
    {"virtio-net-ccw", QMP_CAPS_LAST, virtioNetCcwRows},
    {"virtio-scsi-ccw", QMP_CAPS_LAST, virtioScsiPciRows},
    {"vfio-pci", QMP_CAPS_LAST, vfioPciRows},
    {"scsi-hd", QMP_CAPS_LAST, scsiHdRows},
    {"ide-hd", QMP_CAPS_LAST, ideHdRows},
    {"PIIX4_PM", QMP_CAPS_LAST, piix4PmRows},
    {"usb-redir", QMP_CAPS_LAST, usbRedirRows},
    {"i440FX-pcihost", QMP_CAPS_LAST, i440FXPcihostRows},
    {"q35-pcihost", QMP_CAPS_LAST, q35PcihostRows},
    {"usb-storage", QMP_CAPS_LAST, usbStorageRows},
    {"kvm-pit", QMP_CAPS_LAST, kvmPitRows},
    {"VGA", QMP_CAPS_LAST, vgaRows},
    {"vmware-svga", QMP_CAPS_LAST, vmwareSvgaRows},
    {"qxl", QMP_CAPS_LAST, qxlRows},
    {"virtio-gpu-pci", QMP_CAPS_LAST, virtioGpuPciRows},
    {"virtio-gpu-device", QMP_CAPS_LAST, virtioGpuDeviceRows},
    {"ICH9-LPC", QMP_CAPS_LAST, ich9LpcRows},
    {"virtio-balloon-pci", QMP_CAPS_LAST, virtioBalloonPciRows},
    {"virtio-balloon-ccw", QMP_CAPS_LAST, virtioBalloonPciRows},
    {"virtio-balloon-device", QMP_CAPS_LAST, virtioBalloonPciRows},
    {"nec-usb-xhci", QMP_CAPS_LAST, necUsbXhciRows},
    {"intel-iommu", QMP_CAPS_LAST, intelIommuRows},
    {"mch", QMP_CAPS_LAST, mchRows},
    {"nvdimm", QMP_CAPS_LAST, nvdimmRows},
    {"pcie-root-port", QMP_CAPS_LAST, pcieRootPortRows},
    {"usb-host", QMP_CAPS_LAST, usbHostRows},
    {"vhost-user-fs-device", QMP_CAPS_VHOST_USER_FS, vhostUserFsDeviceRows},
    {NULL, QMP_CAPS_LAST, NULL},
};

static const qmpCapsRow memoryFileRows[] = {
    ROW("discard-data", MEMORY_BACKEND_FILE_DISCARD_DATA),
    ROW("align", MEMORY_BACKEND_FILE_ALIGN),
    ROW("pmem", MEMORY_BACKEND_FILE_PMEM),
    ROW("x-use-canonical-path-for-ramblock-id",
        MEMORY_BACKEND_FILE_X_USE_CANONICAL_PATH_FOR_RAMBLOCK_ID),
    ROW("reserve", MEMORY_BACKEND_FILE_RESERVE),
    ROWS_END,
};
static const qmpCapsRow memoryMemfdRows[] = {
    ROW("hugetlb", MEMORY_BACKEND_MEMFD_HUGETLB),
    ROWS_END,
};
static const qmpCapsRow x86MaxCpuRows[] = {
    ROW("unavailable-features", CPU_UNAVAILABLE_FEATURES),
    ROW("migratable", CPU_MIGRATABLE),
    ROWS_END,
};
static const qmpCapsRow noneMachineRows[] = {
    ROW("confidential-guest-support", CONFIDENTIAL_GUEST_SUPPORT),
    ROWS_END,
};
static const qmpCapsRow armMaxCpuRows[] = {
    ROW("kvm-no-adjvtime", CPU_KVM_NO_ADJVTIME),
    ROWS_END,
};

/* Properties of other objects, from qom-list-properties. */
const qmpCapsTypeProperties qmpCapsObjectProperties[] = {
    {"memory-backend-file", QMP_CAPS_MEMORY_BACKEND_FILE, memoryFileRows},
    {"memory-backend-memfd", QMP_CAPS_MEMORY_BACKEND_MEMFD, memoryMemfdRows},
    {"max-x86_64-cpu", QMP_CAPS_X86_MAX_CPU, x86MaxCpuRows},
    {"max-arm-cpu", QMP_CAPS_ARM_MAX_CPU, armMaxCpuRows},
    {NULL, QMP_CAPS_LAST, NULL},
};

/* Properties every machine has, asked of the machine without a board. */
const qmpCapsTypeProperties qmpCapsMachineProperties[] = {
    {"none-machine", QMP_CAPS_LAST, noneMachineRows},
    {NULL, QMP_CAPS_LAST, NULL},
};

/* Options of the command line, from query-command-line-options: "option", or "option/parameter". */
const qmpCapsRow qmpCapsOptionRows[] = {
    ROW("fsdev/multidevs", FSDEV_MULTIDEVS),
    ROW("drive/discard", DRIVE_DISCARD),
    ROW("drive/detect-zeroes", DRIVE_DETECT_ZEROES),
    ROW("spice/gl", SPICE_GL),
    ROW("spice/rendernode", SPICE_RENDERNODE),
    ROW("spice/unix", SPICE_UNIX),
    ROW("sandbox/enable", SECCOMP_SANDBOX),
    ROW("vnc/power-control", VNC_POWER_CONTROL),
    ROW("overcommit", OVERCOMMIT),
    ROW("smp-opts/dies", SMP_DIES),
    ROW("vnc/audiodev", AUDIODEV),
    ROW("chardev/fd", CHARDEV_FD_PASS),
    ROW("numa", NUMA),
    ROW("chardev/reconnect", CHARDEV_RECONNECT),
    ROW("chardev/append", CHARDEV_FILE_APPEND),
    ROW("chardev/logfile", CHARDEV_LOGFILE),
    ROWS_END,
};

/* Capabilities of migration, from query-migrate-capabilities. */
const qmpCapsRow qmpCapsMigrationRows[] = {
    ROW("rdma-pin-all", MIGRATE_RDMA),
    ROW("events", MIGRATION_EVENT),
    ROWS_END,
};

/* From query-tpm-models. */
const qmpCapsRow qmpCapsTpmModelRows[] = {
    ROW("tpm-tis", TPM_TIS),
    ROW("tpm-crb", TPM_CRB),
    ROW("tpm-spapr", TPM_SPAPR),
    ROWS_END,
};

/* From query-tpm-types. */
const qmpCapsRow qmpCapsTpmTypeRows[] = {
    ROW("passthrough", TPM_PASSTHROUGH),
    ROW("emulator", TPM_EMULATOR),
    ROWS_END,
};
