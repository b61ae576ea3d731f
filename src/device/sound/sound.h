/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sound.h: <sound>: the guest's sound card. Where it is heard is <audio>. */
#pragma once

#include "device/device.h"

typedef enum {
    VIR_SOUND_MODEL_UNSET = 0,
    VIR_SOUND_MODEL_SB16,
    VIR_SOUND_MODEL_ES1370,
    VIR_SOUND_MODEL_PCSPK,
    VIR_SOUND_MODEL_AC97,
    VIR_SOUND_MODEL_ICH6,
    VIR_SOUND_MODEL_ICH9,
    VIR_SOUND_MODEL_USB,
    VIR_SOUND_MODEL_ICH7,
    VIR_SOUND_MODEL_LAST
} virSoundModel;
VIR_ENUM_DECL(virSoundModel);

typedef enum {
    VIR_SOUND_CODEC_DUPLEX = 0,
    VIR_SOUND_CODEC_MICRO,
    VIR_SOUND_CODEC_OUTPUT,
    VIR_SOUND_CODEC_LAST
} virSoundCodec;
VIR_ENUM_DECL(virSoundCodec);

typedef struct {
    virDevice base;
    int model;        /* virSoundModel */
    GArray *codecs;   /* of int, virSoundCodec; NULL: none given */
    virOptUInt audio; /* id of the <audio> it plays on */
} virSound;

#define VIR_SOUND(dev) ((virSound *)(dev))
extern const virDeviceKind virSoundKind;

/* True for the cards whose converters are devices of their own. */
bool virSoundHasCodecs(const virSound *sound);
