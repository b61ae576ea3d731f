/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * graphics.h: <graphics>: how people see the guest's screen. */
#pragma once

#include "device/device.h"
#include "device/graphics/listen.h"

typedef enum {
    VIR_GRAPHICS_TYPE_UNSET = 0,
    VIR_GRAPHICS_TYPE_SDL,
    VIR_GRAPHICS_TYPE_VNC,
    VIR_GRAPHICS_TYPE_RDP,
    VIR_GRAPHICS_TYPE_DESKTOP,
    VIR_GRAPHICS_TYPE_SPICE,
    VIR_GRAPHICS_TYPE_EGL_HEADLESS,
    VIR_GRAPHICS_TYPE_DBUS,
    VIR_GRAPHICS_TYPE_LAST
} virGraphicsType;
VIR_ENUM_DECL(virGraphicsType);

typedef enum {
    VIR_SPICE_CHANNEL_MAIN = 0,
    VIR_SPICE_CHANNEL_DISPLAY,
    VIR_SPICE_CHANNEL_INPUTS,
    VIR_SPICE_CHANNEL_CURSOR,
    VIR_SPICE_CHANNEL_PLAYBACK,
    VIR_SPICE_CHANNEL_RECORD,
    VIR_SPICE_CHANNEL_SMARTCARD,
    VIR_SPICE_CHANNEL_USBREDIR,
    VIR_SPICE_CHANNEL_LAST
} virSpiceChannel;
VIR_ENUM_DECL(virSpiceChannel);

typedef enum {
    VIR_SPICE_MODE_ANY = 0,
    VIR_SPICE_MODE_SECURE,
    VIR_SPICE_MODE_INSECURE,
    VIR_SPICE_MODE_LAST
} virSpiceMode;
VIR_ENUM_DECL(virSpiceMode);

/* What a type doesn't have is zero: it is dropped when the document is completed. */
typedef struct {
    virDevice base;
    int type;           /* virGraphicsType */
    GPtrArray *listens; /* of virGraphicsListen; NULL for types without */
    int port, tlsPort;  /* 0: none or not chosen; -1: to be chosen */
    bool autoport;      /* chosen at each start */
    int websocket;      /* vnc; -1: to be chosen */
    bool websocketGenerated;
    char *keymap;
    int sharePolicy;          /* vnc; names in graphics.c */
    virTristate powerControl; /* vnc */
    int defaultMode;          /* spice; virSpiceMode */
    char *passwd;             /* secret */
    char *passwdValidTo;      /* "2011-05-31T16:11:22", UTC */
    int connected;            /* what becomes of clients when the password changes */
    char *display, *xauth;    /* sdl, desktop */
    virTristate fullscreen;
    virTristate replaceUser, multiUser; /* rdp */
    char *dbusAddress;
    virTristate p2p;                      /* dbus */
    int channels[VIR_SPICE_CHANNEL_LAST]; /* virSpiceMode */
    int image, jpeg, zlib, streaming, mouse;
    virTristate playback, copypaste, fileTransfer;
    virTristate gl;
    char *renderNode;
    virOptUInt audio; /* vnc, dbus: id of an <audio> */
} virGraphics;

#define VIR_GRAPHICS(dev) ((virGraphics *)(dev))
extern const virDeviceKind virGraphicsKind;

/* The first place it waits at; NULL for types that wait nowhere. */
const virGraphicsListen *virGraphicsFirstListen(const virGraphics *graphics);
/* Names of the values, NULL for the default. */
const char *virGraphicsSharePolicyName(const virGraphics *graphics);
const char *virGraphicsConnectedName(const virGraphics *graphics);
const char *virGraphicsImageName(const virGraphics *graphics);
const char *virGraphicsJpegName(const virGraphics *graphics);
const char *virGraphicsZlibName(const virGraphics *graphics);
const char *virGraphicsStreamingName(const virGraphics *graphics);
const char *virGraphicsMouseName(const virGraphics *graphics);
/* Seconds since 1970 until which the password is valid; false: for ever. */
bool virGraphicsPasswordEnd(const virGraphics *graphics, int64_t *ret);

/* The ports a starting guest must be given, as they stand in the document before. */
typedef struct {
    bool port, tlsPort, websocket;
} virGraphicsPorts;
/* spiceTLS: the configuration has certificates for spice. */
virGraphicsPorts virGraphicsWantedPorts(const virGraphics *graphics, bool spiceTLS);
