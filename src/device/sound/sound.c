/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sound.c: <sound> as a document. */
#include "device/sound/sound.h"

#include "device/audio/audio.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virSoundModel, VIR_SOUND_MODEL_LAST, NULL, "sb16", "es1370", "pcspk", "ac97", "ich6",
              "ich9", "usb", "ich7");
VIR_ENUM_IMPL(virSoundCodec, VIR_SOUND_CODEC_LAST, "duplex", "micro", "output");

static bool
virSoundParseCodecs(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virSound *sound = object;

    if (!virSoundHasCodecs(sound))
        return true;
    virXMLForEachChildNamed (node, child, "codec") {
        g_autofree char *name = virXMLAttr(child, "type");
        int type = virSoundCodecFromString(name);

        if (type < 0)
            return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, _("unknown codec type '%s'"),
                               name ? name : "");
        if (!sound->codecs)
            sound->codecs = g_array_new(FALSE, FALSE, sizeof(int));
        g_array_append_val(sound->codecs, type);
    }
    return true;
}

static void
virSoundFormatCodecs(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    const virSound *sound = object;

    for (guint i = 0; sound->codecs && i < sound->codecs->len; i++) {
        virXMLWriterOpen(w, "codec");
        virXMLWriterAttr(w, "type", virSoundCodecToString(g_array_index(sound->codecs, int, i)));
        virXMLWriterClose(w);
    }
}

static void
virSoundClearCodecs(void *object)
{
    g_clear_pointer(&VIR_SOUND(object)->codecs, g_array_unref);
}

static const virField fields[] = {
    VIR_FIELD_ENUM("@model", virSound, model, virSoundModelNames,
                   .flags = VIR_FIELD_ABI | VIR_FIELD_REQUIRED),
    VIR_FIELD_CODE("codec@type", virSoundParseCodecs, virSoundFormatCodecs,
                   .clear = virSoundClearCodecs, .flags = VIR_FIELD_MANY),
    VIR_FIELD_UINT("audio@id", virSound, audio, 1, UINT32_MAX),
    VIR_FIELD_DEVICE_INFO,
    VIR_FIELD_END,
};

bool
virSoundHasCodecs(const virSound *sound)
{
    return sound->model == VIR_SOUND_MODEL_ICH6 || sound->model == VIR_SOUND_MODEL_ICH9;
}

static bool
virSoundCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virSound *sound = VIR_SOUND(dev);

    return !sound->audio.set || virAudioFor(facts->devices, sound->audio) ||
           virErrorSet(error, VIR_ERR_XML_ERROR, _("no audio device with ID %u"),
                       (unsigned)sound->audio.value);
}

static unsigned
virSoundPCIConnect(const virDevice *dev, const virDomainFacts *facts)
{
    switch (VIR_SOUND(dev)->model) {
    case VIR_SOUND_MODEL_ES1370:
    case VIR_SOUND_MODEL_AC97:
    case VIR_SOUND_MODEL_ICH6:
    case VIR_SOUND_MODEL_ICH9:
        return VIR_PCI_CONNECT_PCI_DEVICE | VIR_PCI_CONNECT_HOTPLUGGABLE;
    default:
        return 0;
    }
}

/* The place of ICH9's own, on a machine made of that chip. */
static bool
virSoundPCIPlace(const virDevice *dev, const virDomainFacts *facts, virPCIPlace *ret)
{
    if (!facts->q35 || VIR_SOUND(dev)->model != VIR_SOUND_MODEL_ICH9)
        return false;
    *ret = (virPCIPlace){.slot = 0x1b};
    return true;
}

static bool
virSoundOnUSB(const virDevice *dev)
{
    return VIR_SOUND(dev)->model == VIR_SOUND_MODEL_USB;
}

const virDeviceKind virSoundKind = {
    .element = "sound",
    .noun = "sound",
    .size = sizeof(virSound),
    .fields = fields,
    .check = virSoundCheck,
    .pciConnect = virSoundPCIConnect,
    .pciPlace = virSoundPCIPlace,
    .onUSB = virSoundOnUSB,
    .aliasPrefix = "sound",
    .stored = {VIR_DEVICE_COMES_AND_GOES, VIR_ERR_INVALID_ARG,
               N_("device not present in domain configuration")},
};
