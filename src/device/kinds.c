/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kinds.c: the list of device kinds, model halves. The order is the order in the XML. */
#include "device/audio/audio.h"
#include "device/channel/channel.h"
#include "device/console/console.h"
#include "device/controller/controller.h"
#include "device/crypto/crypto.h"
#include "device/device.h"
#include "device/disk/disk.h"
#include "device/filesystem/filesystem.h"
#include "device/graphics/graphics.h"
#include "device/hostdev/hostdev.h"
#include "device/hub/hub.h"
#include "device/input/input.h"
#include "device/interface/interface.h"
#include "device/iommu/iommu.h"
#include "device/lease/lease.h"
#include "device/memballoon/memballoon.h"
#include "device/memory/memory.h"
#include "device/nvram/nvram.h"
#include "device/panic/panic.h"
#include "device/parallel/parallel.h"
#include "device/redirdev/redirdev.h"
#include "device/redirfilter/redirfilter.h"
#include "device/rng/rng.h"
#include "device/serial/serial.h"
#include "device/shmem/shmem.h"
#include "device/smartcard/smartcard.h"
#include "device/sound/sound.h"
#include "device/tpm/tpm.h"
#include "device/video/video.h"
#include "device/vsock/vsock.h"
#include "device/watchdog/watchdog.h"

const virDeviceKind *const virDeviceKinds[] = {
    /* clang-format off */
    &virDiskKind,
    &virControllerKind,
    &virLeaseKind,
    &virFilesystemKind,
    &virInterfaceKind,
    &virSmartcardKind,
    &virSerialKind,
    &virParallelKind,
    &virConsoleKind,
    &virChannelKind,
    &virInputKind,
    &virTpmKind,
    &virGraphicsKind,
    &virSoundKind,
    &virAudioKind,
    &virVideoKind,
    &virHostdevKind,
    &virRedirdevKind,
    &virRedirfilterKind,
    &virHubKind,
    &virWatchdogKind,
    &virMemballoonKind,
    &virRngKind,
    &virNVRAMKind,
    &virPanicKind,
    &virShmemKind,
    &virMemoryKind,
    &virIOMMUKind,
    &virVsockKind,
    &virCryptoKind,
    NULL,
    /* clang-format on */
};

const char *const virDeviceSlotOrder[] = {
    "filesystem", "interface", "sound", "controller", "disk",  "hostdev", "memballoon",
    "rng",        "watchdog",  "video", "shmem",      "input", "serial",  "channel",
    "vsock",      "memory",    "iommu", "crypto",     NULL,
};
