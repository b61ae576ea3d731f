/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * audio.h: <audio>: where on the host the guest's sound cards are heard. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_AUDIO_TYPE_UNSET = 0,
    VIR_AUDIO_TYPE_NONE,
    VIR_AUDIO_TYPE_ALSA,
    VIR_AUDIO_TYPE_COREAUDIO,
    VIR_AUDIO_TYPE_JACK,
    VIR_AUDIO_TYPE_OSS,
    VIR_AUDIO_TYPE_PULSEAUDIO,
    VIR_AUDIO_TYPE_SDL,
    VIR_AUDIO_TYPE_SPICE,
    VIR_AUDIO_TYPE_FILE,
    VIR_AUDIO_TYPE_DBUS,
    VIR_AUDIO_TYPE_LAST
} virAudioType;
VIR_ENUM_DECL(virAudioType);

/* <input> or <output>; what is no part of the type is dropped when the document is completed. */
typedef struct {
    virTristate mixingEngine, fixedSettings;
    virOptUInt voices;
    virOptUInt bufferLength; /* microseconds */
    virOptUInt frequency, channels;
    int format;
    char *dev;                                    /* alsa, oss */
    virOptUInt bufferCount;                       /* coreaudio, oss, sdl */
    virTristate tryPoll;                          /* oss */
    char *serverName, *clientName, *connectPorts; /* jack */
    virTristate exactName;                        /* jack */
    char *name, *streamName;                      /* pulseaudio */
    virOptUInt latency;                           /* pulseaudio; microseconds */
} virAudioStream;

typedef struct {
    virDevice base;
    virOptUInt id;
    int type;                       /* virAudioType */
    virOptUInt timerPeriod;         /* microseconds */
    virTristate tryMMap, exclusive; /* oss */
    virOptInt dspPolicy;            /* oss */
    char *serverName;               /* pulseaudio */
    int sdlDriver;                  /* sdl */
    char *path;                     /* file */
    virAudioStream input, output;
} virAudio;

#define VIR_AUDIO(dev) ((virAudio *)(dev))
extern const virDeviceKind virAudioKind;

/* The back end a card or a display means; not set: the first. NULL if there is none. */
const virAudio *virAudioFor(const GPtrArray *devices, virOptUInt id);
/* What QEMU calls it: "audio1". Caller frees. */
char *virAudioDevName(const virAudio *audio);
const char *virAudioFormatName(const virAudioStream *stream);
/* SDL's name of its own back end; NULL for its default. */
const char *virAudioSDLDriver(const virAudio *audio);

/* The one a guest without <audio> gets: spice if that is its display, else nothing is heard. NULL
 * if QEMU is to choose, because the guest is seen on the host alone. Caller owns. */
virDevice *virAudioNewDefault(const GPtrArray *devices);
/* The same for a host that lends its sound: hostDriver is the value of QEMU_AUDIO_DRV, NULL if
 * unset; vnc and none say that guests with VNC, or without display, may use it. */
virDevice *virAudioNewDefaultOn(const GPtrArray *devices, const char *hostDriver, bool vnc,
                                bool none);
