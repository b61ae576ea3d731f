/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sound_qemu.c: <sound> for QEMU. */
#include "device/sound/sound_qemu.h"

#include "device/audio/audio.h"
#include "device/sound/sound.h"
#include "util/virerror.h"

static const char *const drivers[] = {
    [VIR_SOUND_MODEL_SB16] = "sb16",
    [VIR_SOUND_MODEL_ES1370] = "ES1370",
    [VIR_SOUND_MODEL_AC97] = "AC97",
    [VIR_SOUND_MODEL_ICH6] = "intel-hda",
    [VIR_SOUND_MODEL_ICH9] = "ich9-intel-hda",
    [VIR_SOUND_MODEL_USB] = "usb-audio",
    [VIR_SOUND_MODEL_ICH7] = NULL,
};
G_STATIC_ASSERT(G_N_ELEMENTS(drivers) == VIR_SOUND_MODEL_LAST);

static const struct {
    const char *driver;
    qmpCapsFlag flag;
} codecs[] = {
    [VIR_SOUND_CODEC_DUPLEX] = {"hda-duplex", QMP_CAPS_HDA_DUPLEX},
    [VIR_SOUND_CODEC_MICRO] = {"hda-micro", QMP_CAPS_HDA_MICRO},
    [VIR_SOUND_CODEC_OUTPUT] = {"hda-output", QMP_CAPS_HDA_OUTPUT},
};
G_STATIC_ASSERT(G_N_ELEMENTS(codecs) == VIR_SOUND_CODEC_LAST);

static const qmpCapsFlag modelFlags[] = {
    [VIR_SOUND_MODEL_USB] = QMP_CAPS_USB_AUDIO,
    [VIR_SOUND_MODEL_ICH9] = QMP_CAPS_ICH9_INTEL_HDA,
};

static bool
qemuSoundCheckCodecs(const virSound *sound, const qmpCaps *caps, GError **error)
{
    for (guint i = 0; sound->codecs && i < sound->codecs->len; i++) {
        int codec = g_array_index(sound->codecs, int, i);

        if (!qmpCapsHas(caps, codecs[codec].flag))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                               _("%s not supported in this QEMU binary"), codecs[codec].driver);
    }
    return true;
}

static bool
qemuSoundCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    const virSound *sound = VIR_SOUND(dev);

    switch (sound->model) {
    case VIR_SOUND_MODEL_ICH7:
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("sound card model '%s' is not supported by qemu"),
                           virSoundModelToString(sound->model));
    case VIR_SOUND_MODEL_USB:
        if (!qmpCapsHas(caps, modelFlags[sound->model]))
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                               _("usb-audio controller is not supported by this QEMU binary"));
        return true;
    case VIR_SOUND_MODEL_ICH9:
        if (!qmpCapsHas(caps, modelFlags[sound->model]))
            return virErrorSet(
                error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                _("The ich9-intel-hda audio controller is not supported in this QEMU binary"));
        return qemuSoundCheckCodecs(sound, caps, error);
    default:
        return qemuSoundCheckCodecs(sound, caps, error);
    }
}

/* "audio1", where back ends are objects of their own; else NULL. Caller frees. */
static char *
qemuSoundBackend(const virSound *sound, const qemuBuildContext *ctx)
{
    const virAudio *audio = virAudioFor(ctx->facts->devices, sound->audio);

    if (!audio || !qmpCapsHas(ctx->caps, QMP_CAPS_AUDIODEV))
        return NULL;
    return virAudioDevName(audio);
}

static void
qemuSoundBuildCodec(const virSound *sound, int codec, unsigned index, const char *backend,
                    qmpPlan *plan)
{
    virJSON *props = virJSONObject();

    virJSONAddString(props, "driver", codecs[codec].driver);
    virJSONAddStringF(props, "id", "%s-codec%u", sound->base.info.alias, index);
    virJSONAddStringF(props, "bus", "%s.0", sound->base.info.alias);
    virJSONAddUInt(props, "cad", index);
    virJSONAddString(props, "audiodev", backend);
    qmpPlanDevice(plan, props);
}

static void
qemuSoundBuildCodecs(const virSound *sound, const char *backend, qmpPlan *plan)
{
    if (!sound->codecs || sound->codecs->len == 0) {
        qemuSoundBuildCodec(sound, VIR_SOUND_CODEC_DUPLEX, 0, backend, plan);
        return;
    }
    for (guint i = 0; i < sound->codecs->len; i++)
        qemuSoundBuildCodec(sound, g_array_index(sound->codecs, int, i), i, backend, plan);
}

/* The speaker is part of the machine; what QEMU is told is only where it sounds. */
static void
qemuSoundBuildSpeaker(const char *backend, const qemuBuildContext *ctx, qmpPlan *plan)
{
    enum { QEMU_WITHOUT_SOUNDHW = 7001000 };

    if (qmpCapsVersion(ctx->caps) < QEMU_WITHOUT_SOUNDHW)
        qmpPlanArg(plan, "-soundhw", "pcspk");
    else if (backend)
        qmpPlanArgF(plan, "-machine", "pcspk-audiodev=%s", backend);
}

static bool
qemuSoundBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virSound *sound = VIR_SOUND(dev);
    g_autofree char *backend = qemuSoundBackend(sound, ctx);
    g_autoptr(virJSON) props = NULL;

    if (sound->model == VIR_SOUND_MODEL_PCSPK) {
        qemuSoundBuildSpeaker(backend, ctx, plan);
        return true;
    }
    props = virJSONObject();
    virJSONAddString(props, "driver", drivers[sound->model]);
    virJSONAddString(props, "id", dev->info.alias);
    if (!virSoundHasCodecs(sound))
        virJSONAddString(props, "audiodev", backend);
    if (!qemuAddressProps(dev, ctx, props, error))
        return false;
    qmpPlanDevice(plan, g_steal_pointer(&props));
    if (virSoundHasCodecs(sound))
        qemuSoundBuildCodecs(sound, backend, plan);
    return true;
}

const virDeviceQemu virSoundQemu = {
    .kind = &virSoundKind,
    .check = qemuSoundCheck,
    .build = qemuSoundBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
