/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kinds_qemu.c: the list of device kinds, running halves. The order is the order of the command
 * line. */
#include "device/audio/audio_qemu.h"
#include "device/channel/channel_qemu.h"
#include "device/console/console_qemu.h"
#include "device/controller/controller_qemu.h"
#include "device/crypto/crypto_qemu.h"
#include "device/device_qemu.h"
#include "device/disk/disk_qemu.h"
#include "device/filesystem/filesystem_qemu.h"
#include "device/graphics/graphics_qemu.h"
#include "device/hostdev/hostdev_qemu.h"
#include "device/hub/hub_qemu.h"
#include "device/input/input_qemu.h"
#include "device/interface/interface_qemu.h"
#include "device/iommu/iommu_qemu.h"
#include "device/lease/lease_qemu.h"
#include "device/memballoon/memballoon_qemu.h"
#include "device/memory/memory_qemu.h"
#include "device/nvram/nvram_qemu.h"
#include "device/panic/panic_qemu.h"
#include "device/parallel/parallel_qemu.h"
#include "device/redirdev/redirdev_qemu.h"
#include "device/redirfilter/redirfilter_qemu.h"
#include "device/rng/rng_qemu.h"
#include "device/serial/serial_qemu.h"
#include "device/shmem/shmem_qemu.h"
#include "device/smartcard/smartcard_qemu.h"
#include "device/sound/sound_qemu.h"
#include "device/tpm/tpm_qemu.h"
#include "device/video/video_qemu.h"
#include "device/vsock/vsock_qemu.h"
#include "device/watchdog/watchdog_qemu.h"

const virDeviceQemu *const virDeviceQemus[] = {
    /* clang-format off */
    &virMemoryQemu,
    &virControllerQemu,
    &virHubQemu,
    &virDiskQemu,
    &virFilesystemQemu,
    &virInterfaceQemu,
    &virSmartcardQemu,
    &virSerialQemu,
    &virParallelQemu,
    &virChannelQemu,
    &virConsoleQemu,
    &virTpmQemu,
    &virInputQemu,
    &virAudioQemu,
    &virGraphicsQemu,
    &virVideoQemu,
    &virSoundQemu,
    &virWatchdogQemu,
    &virRedirdevQemu,
    &virRedirfilterQemu,
    &virLeaseQemu,
    &virHostdevQemu,
    &virMemballoonQemu,
    &virRngQemu,
    &virCryptoQemu,
    &virNVRAMQemu,
    &virPanicQemu,
    &virShmemQemu,
    &virVsockQemu,
    &virIOMMUQemu,
    NULL,
    /* clang-format on */
};
