/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * channel.h: <channel>: a private line between host and guest. */
#pragma once

#include "device/common/chrsource.h"
#include "device/device.h"

typedef enum {
    VIR_CHANNEL_TARGET_NONE = 0,
    VIR_CHANNEL_TARGET_GUESTFWD,
    VIR_CHANNEL_TARGET_VIRTIO,
    VIR_CHANNEL_TARGET_XEN,
    VIR_CHANNEL_TARGET_LAST
} virChannelTarget;
VIR_ENUM_DECL(virChannelTarget);

/* Whether a program in the guest has opened the port. */
typedef enum {
    VIR_CHANNEL_STATE_DEFAULT = 0,
    VIR_CHANNEL_STATE_CONNECTED,
    VIR_CHANNEL_STATE_DISCONNECTED,
    VIR_CHANNEL_STATE_LAST
} virChannelState;
VIR_ENUM_DECL(virChannelState);

typedef struct {
    virDevice base;
    virChrSource source;
    int target;      /* virChannelTarget */
    char *address;   /* GUESTFWD: the IPv4 address that the guest connects to */
    virOptUInt port; /* GUESTFWD */
    char *name;      /* VIRTIO, XEN */
    int state;       /* virChannelState */
} virChannel;

#define VIR_CHANNEL(dev) ((virChannel *)(dev))
extern const virDeviceKind virChannelKind;

/* The name under which the guest finds it; NULL: it has none. */
const char *virChannelName(const virChannel *channel);
/* A socket that names no path: we choose one, and listen. */
bool virChannelChoosesPath(const virChannel *channel);
/* The path chosen for it below folder, which is the guest's own. Caller frees. */
char *virChannelChosenPath(const virChannel *channel, const char *folder);
/* True if path is one that we would have chosen for the name: below root, which is that of all
 * guests, "ROOT/domain-…/NAME" or, by daemons of old, "ROOT/GUEST.NAME". */
bool virChannelPathIsChosen(const char *path, const char *root, const char *name);
/* Forgets a chosen path, so that the next start chooses anew. */
void virChannelForgetPath(virChannel *channel, const char *root);
