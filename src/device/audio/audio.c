/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * audio.c: <audio> as a document. */
#include "device/audio/audio.h"

#include "device/graphics/graphics.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virAudioType, VIR_AUDIO_TYPE_LAST, NULL, "none", "alsa", "coreaudio", "jack", "oss",
              "pulseaudio", "sdl", "spice", "file", "dbus");

static const char *const formats[] = {NULL, "u8", "s8", "u16", "s16", "u32", "s32", "f32"};
static const virEnum formatNames = {formats, G_N_ELEMENTS(formats)};
static const char *const sdlDrivers[] = {NULL, "esd", "alsa", "arts", "pulseaudio"};
static const virEnum sdlDriverNames = {sdlDrivers, G_N_ELEMENTS(sdlDrivers)};

/* Both directions have the same rows below different elements. */
#define VIR_AUDIO_STREAM_FIELDS(element, m)                                                        \
    VIR_FIELD_YESNO(element "@mixingEngine", virAudio, m.mixingEngine),                            \
        VIR_FIELD_YESNO(element "@fixedSettings", virAudio, m.fixedSettings),                      \
        VIR_FIELD_UINT(element "@voices", virAudio, m.voices, 1, UINT32_MAX),                      \
        VIR_FIELD_UINT(element "@bufferLength", virAudio, m.bufferLength, 1, UINT32_MAX),          \
        VIR_FIELD_STRING(element "@dev", virAudio, m.dev),                                         \
        VIR_FIELD_UINT(element "@bufferCount", virAudio, m.bufferCount, 1, UINT32_MAX),            \
        VIR_FIELD_YESNO(element "@tryPoll", virAudio, m.tryPoll),                                  \
        VIR_FIELD_STRING(element "@serverName", virAudio, m.serverName),                           \
        VIR_FIELD_STRING(element "@clientName", virAudio, m.clientName),                           \
        VIR_FIELD_STRING(element "@connectPorts", virAudio, m.connectPorts),                       \
        VIR_FIELD_YESNO(element "@exactName", virAudio, m.exactName),                              \
        VIR_FIELD_STRING(element "@name", virAudio, m.name),                                       \
        VIR_FIELD_STRING(element "@streamName", virAudio, m.streamName),                           \
        VIR_FIELD_UINT(element "@latency", virAudio, m.latency, 1, UINT32_MAX),                    \
        VIR_FIELD_UINT(element "/settings@frequency", virAudio, m.frequency, 1, UINT32_MAX),       \
        VIR_FIELD_UINT(element "/settings@channels", virAudio, m.channels, 1, UINT32_MAX),         \
        VIR_FIELD_ENUM(element "/settings@format", virAudio, m.format, formatNames)

static const virField fields[] = {
    VIR_FIELD_UINT("@id", virAudio, id, 1, UINT32_MAX, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_ENUM("@type", virAudio, type, virAudioTypeNames, .flags = VIR_FIELD_REQUIRED),
    VIR_FIELD_UINT("@timerPeriod", virAudio, timerPeriod, 1, UINT32_MAX),
    VIR_FIELD_YESNO("@tryMMap", virAudio, tryMMap),
    VIR_FIELD_YESNO("@exclusive", virAudio, exclusive),
    VIR_FIELD_INT("@dspPolicy", virAudio, dspPolicy),
    VIR_FIELD_STRING("@serverName", virAudio, serverName),
    VIR_FIELD_ENUM("@driver", virAudio, sdlDriver, sdlDriverNames),
    VIR_FIELD_STRING("@path", virAudio, path),
    VIR_AUDIO_STREAM_FIELDS("input", input),
    VIR_AUDIO_STREAM_FIELDS("output", output),
    VIR_FIELD_END,
};

const virAudio *
virAudioFor(const GPtrArray *devices, virOptUInt id)
{
    virDevicesForEach(devices, &virAudioKind, dev)
    {
        if (!id.set || VIR_AUDIO(dev)->id.value == id.value)
            return VIR_AUDIO(dev);
    }
    return NULL;
}

char *
virAudioDevName(const virAudio *audio)
{
    return g_strdup_printf("audio%u", (unsigned)audio->id.value);
}

const char *
virAudioFormatName(const virAudioStream *stream)
{
    return virEnumToString(&formatNames, stream->format);
}

const char *
virAudioSDLDriver(const virAudio *audio)
{
    return virEnumToString(&sdlDriverNames, audio->sdlDriver);
}

/* --- defaults --- */

static virDevice *
virAudioNew(virAudioType type)
{
    virDevice *dev = virDeviceNew(&virAudioKind);

    VIR_AUDIO(dev)->id = virOptUIntOf(1);
    VIR_AUDIO(dev)->type = type;
    dev->implicit = true;
    return dev;
}

static virDevice *
virAudioNewOfHost(const char *driver)
{
    static const struct {
        const char *name; /* QEMU's */
        virAudioType type;
    } names[] = {
        {"none", VIR_AUDIO_TYPE_NONE},
        {"alsa", VIR_AUDIO_TYPE_ALSA},
        {"coreaudio", VIR_AUDIO_TYPE_COREAUDIO},
        {"jack", VIR_AUDIO_TYPE_JACK},
        {"oss", VIR_AUDIO_TYPE_OSS},
        {"pa", VIR_AUDIO_TYPE_PULSEAUDIO},
        {"sdl", VIR_AUDIO_TYPE_SDL},
        {"spice", VIR_AUDIO_TYPE_SPICE},
        {"wav", VIR_AUDIO_TYPE_FILE},
    };

    for (size_t i = 0; driver && i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(driver, names[i].name))
            return virAudioNew(names[i].type);
    }
    return NULL;
}

virDevice *
virAudioNewDefaultOn(const GPtrArray *devices, const char *hostDriver, bool vnc, bool none)
{
    bool window = false;
    bool remote = false;

    virDevicesForEach(devices, &virGraphicsKind, dev)
    {
        switch (VIR_GRAPHICS(dev)->type) {
        case VIR_GRAPHICS_TYPE_SPICE:
            return virAudioNew(VIR_AUDIO_TYPE_SPICE);
        case VIR_GRAPHICS_TYPE_SDL:
        case VIR_GRAPHICS_TYPE_DESKTOP:
        case VIR_GRAPHICS_TYPE_EGL_HEADLESS:
            window = true;
            break;
        default:
            remote = true;
        }
    }
    if ((window && !remote) || (remote && vnc) || (!window && !remote && none))
        return virAudioNewOfHost(hostDriver);
    return virAudioNew(VIR_AUDIO_TYPE_NONE);
}

virDevice *
virAudioNewDefault(const GPtrArray *devices)
{
    return virAudioNewDefaultOn(devices, NULL, false, false);
}

static void
virAudioStreamDropForeign(virAudioStream *stream, virAudioType type)
{
    bool oss = type == VIR_AUDIO_TYPE_OSS;

    if (!oss && type != VIR_AUDIO_TYPE_ALSA)
        g_clear_pointer(&stream->dev, g_free);
    if (!oss && type != VIR_AUDIO_TYPE_COREAUDIO && type != VIR_AUDIO_TYPE_SDL)
        stream->bufferCount.set = false;
    if (!oss)
        stream->tryPoll = VIR_TRISTATE_ABSENT;
    if (type != VIR_AUDIO_TYPE_JACK) {
        g_clear_pointer(&stream->serverName, g_free);
        g_clear_pointer(&stream->clientName, g_free);
        g_clear_pointer(&stream->connectPorts, g_free);
        stream->exactName = VIR_TRISTATE_ABSENT;
    }
    if (type != VIR_AUDIO_TYPE_PULSEAUDIO) {
        g_clear_pointer(&stream->name, g_free);
        g_clear_pointer(&stream->streamName, g_free);
        stream->latency.set = false;
    }
}

static void
virAudioDropForeign(virAudio *audio)
{
    if (audio->type != VIR_AUDIO_TYPE_OSS) {
        audio->tryMMap = VIR_TRISTATE_ABSENT;
        audio->exclusive = VIR_TRISTATE_ABSENT;
        audio->dspPolicy.set = false;
    }
    if (audio->type != VIR_AUDIO_TYPE_PULSEAUDIO)
        g_clear_pointer(&audio->serverName, g_free);
    if (audio->type != VIR_AUDIO_TYPE_SDL)
        audio->sdlDriver = 0;
    if (audio->type != VIR_AUDIO_TYPE_FILE)
        g_clear_pointer(&audio->path, g_free);
    virAudioStreamDropForeign(&audio->input, audio->type);
    virAudioStreamDropForeign(&audio->output, audio->type);
}

static bool
virAudioComplete(virDevice *dev, const virDomainFacts *facts, unsigned parseFlags, GError **error)
{
    virAudioDropForeign(VIR_AUDIO(dev));
    return true;
}

static bool
virAudioStreamCheck(const virAudioStream *stream, GError **error)
{
    bool settings = stream->frequency.set || stream->channels.set || stream->format;

    if (settings && stream->fixedSettings != VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("audio settings specified without fixed settings flag"));
    if (stream->fixedSettings == VIR_TRISTATE_YES && stream->mixingEngine != VIR_TRISTATE_YES)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("fixed audio settings requires mixing engine"));
    return true;
}

static bool
virAudioCheck(const virDevice *dev, const virDomainFacts *facts, GError **error)
{
    const virAudio *audio = VIR_AUDIO(dev);

    virDevicesForEach(facts->devices, &virAudioKind, other)
    {
        if (other != dev && VIR_AUDIO(other)->id.value == audio->id.value)
            return virErrorSet(error, VIR_ERR_XML_ERROR, _("audio ID %u is used multiple times"),
                               (unsigned)audio->id.value);
    }
    return virAudioStreamCheck(&audio->input, error) && virAudioStreamCheck(&audio->output, error);
}

/* It is no device of the guest's. */
static char *
virAudioAlias(const virDevice *dev, const virDomainFacts *facts, unsigned index)
{
    return NULL;
}

const virDeviceKind virAudioKind = {
    .element = "audio",
    .noun = "audio",
    .size = sizeof(virAudio),
    .fields = fields,
    .complete = virAudioComplete,
    .check = virAudioCheck,
    .alias = virAudioAlias,
};
