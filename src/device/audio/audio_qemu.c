/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * audio_qemu.c: <audio> for QEMU: -audiodev, or variables of the environment for a QEMU before
 * 4.2. */
#include "device/audio/audio_qemu.h"

#include <inttypes.h>

#include "device/audio/audio.h"
#include "util/virerror.h"

static const char *const drivers[] = {
    [VIR_AUDIO_TYPE_NONE] = "none",
    [VIR_AUDIO_TYPE_ALSA] = "alsa",
    [VIR_AUDIO_TYPE_COREAUDIO] = "coreaudio",
    [VIR_AUDIO_TYPE_JACK] = "jack",
    [VIR_AUDIO_TYPE_OSS] = "oss",
    [VIR_AUDIO_TYPE_PULSEAUDIO] = "pa",
    [VIR_AUDIO_TYPE_SDL] = "sdl",
    [VIR_AUDIO_TYPE_SPICE] = "spice",
    [VIR_AUDIO_TYPE_FILE] = "wav",
    [VIR_AUDIO_TYPE_DBUS] = "dbus",
};
G_STATIC_ASSERT(G_N_ELEMENTS(drivers) == VIR_AUDIO_TYPE_LAST);

/* --- what a QEMU without -audiodev cannot do --- */

static bool
qemuAudioOldBufferLength(const virAudio *audio)
{
    uint64_t in = audio->input.bufferLength.value;
    uint64_t out = audio->output.bufferLength.value;

    switch (audio->type) {
    case VIR_AUDIO_TYPE_PULSEAUDIO: /* one for both directions */
        return in == out;
    case VIR_AUDIO_TYPE_SDL:
        return in == 0;
    default:
        return in == 0 && out == 0;
    }
}

static bool
qemuAudioCheckOld(const virAudio *audio, const virDomainFacts *facts, GError **error)
{
    if (virDevicesCount(facts->devices, &virAudioKind) > 1)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("only one audio backend is supported with this QEMU binary"));
    if (audio->input.mixingEngine == VIR_TRISTATE_NO ||
        audio->output.mixingEngine == VIR_TRISTATE_NO)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("disabling audio mixing engine is not supported with this QEMU"));
    if (!qemuAudioOldBufferLength(audio))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("setting audio buffer length is not supported with this QEMU"));
    if (audio->type == VIR_AUDIO_TYPE_JACK || audio->type == VIR_AUDIO_TYPE_DBUS)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("'%s' audio backend is not supported with this QEMU"),
                           virAudioTypeToString(audio->type));
    if (audio->type == VIR_AUDIO_TYPE_OSS &&
        audio->input.bufferCount.value != audio->output.bufferCount.value)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("OSS buffer count must match for input and output with this QEMU"));
    return true;
}

static bool
qemuAudioCheck(const virDevice *dev, const virDomainFacts *facts, const qmpCaps *caps,
               GError **error)
{
    if (!qmpCapsHas(caps, QMP_CAPS_AUDIODEV))
        return qemuAudioCheckOld(VIR_AUDIO(dev), facts, error);
    return true;
}

static void
qemuAudioTouches(const virDevice *dev, const qemuBuildContext *ctx, virHostAccess *out)
{
    const virAudio *audio = VIR_AUDIO(dev);
    const char *paths[] = {audio->input.dev, audio->output.dev};

    /* ALSA's are names of its own, not paths */
    for (size_t i = 0; i < G_N_ELEMENTS(paths) && audio->type == VIR_AUDIO_TYPE_OSS; i++) {
        if (paths[i] && paths[i][0] == '/')
            virHostAccessAdd(out, dev, paths[i], VIR_HOST_READ | VIR_HOST_WRITE)->node = true;
    }
}

/* --- -audiodev --- */

/* key of a direction: "in.voices" */
static void
qemuAudioAddUInt(virJSON *props, const char *direction, const char *key, virOptUInt value)
{
    g_autofree char *name = g_strdup_printf("%s.%s", direction, key);

    if (value.set)
        virJSONAddPositive(props, name, value.value);
}

static void
qemuAudioAddTristate(virJSON *props, const char *direction, const char *key, virTristate value)
{
    g_autofree char *name = g_strdup_printf("%s.%s", direction, key);

    virJSONAddTristate(props, name, value);
}

static void
qemuAudioAddString(virJSON *props, const char *direction, const char *key, const char *value)
{
    g_autofree char *name = g_strdup_printf("%s.%s", direction, key);

    virJSONAddString(props, name, value);
}

static void
qemuAudioAddCommon(virJSON *props, const char *direction, const virAudioStream *stream)
{
    qemuAudioAddTristate(props, direction, "mixing-engine", stream->mixingEngine);
    qemuAudioAddTristate(props, direction, "fixed-settings", stream->fixedSettings);
    qemuAudioAddUInt(props, direction, "voices", stream->voices);
    qemuAudioAddUInt(props, direction, "buffer-length", stream->bufferLength);
    if (stream->fixedSettings != VIR_TRISTATE_YES)
        return;
    qemuAudioAddUInt(props, direction, "frequency", stream->frequency);
    qemuAudioAddUInt(props, direction, "channels", stream->channels);
    qemuAudioAddString(props, direction, "format", virAudioFormatName(stream));
}

/* What only one type has; the document holds nothing of the others. */
static void
qemuAudioAddSpecial(virJSON *props, const char *direction, const virAudioStream *stream)
{
    qemuAudioAddString(props, direction, "dev", stream->dev);
    qemuAudioAddUInt(props, direction, "buffer-count", stream->bufferCount);
    qemuAudioAddTristate(props, direction, "try-poll", stream->tryPoll);
    qemuAudioAddString(props, direction, "server-name", stream->serverName);
    qemuAudioAddString(props, direction, "client-name", stream->clientName);
    qemuAudioAddString(props, direction, "connect-ports", stream->connectPorts);
    qemuAudioAddTristate(props, direction, "exact-name", stream->exactName);
    qemuAudioAddString(props, direction, "name", stream->name);
    qemuAudioAddString(props, direction, "stream-name", stream->streamName);
    qemuAudioAddUInt(props, direction, "latency", stream->latency);
}

static void
qemuAudioPlanDev(const virAudio *audio, qmpPlan *plan)
{
    virJSON *props = virJSONObject();
    g_autofree char *name = virAudioDevName(audio);

    virJSONAddString(props, "id", name);
    virJSONAddString(props, "driver", drivers[audio->type]);
    virJSONAddPositive(props, "timer-period", audio->timerPeriod.value);
    qemuAudioAddCommon(props, "in", &audio->input);
    qemuAudioAddCommon(props, "out", &audio->output);
    qemuAudioAddSpecial(props, "in", &audio->input);
    qemuAudioAddSpecial(props, "out", &audio->output);
    virJSONAddTristate(props, "try-mmap", audio->tryMMap);
    virJSONAddTristate(props, "exclusive", audio->exclusive);
    if (audio->dspPolicy.set && audio->dspPolicy.value >= 0)
        virJSONAddInt(props, "dsp-policy", audio->dspPolicy.value);
    virJSONAddString(props, "server", audio->serverName);
    virJSONAddString(props, "path", audio->path);
    qmpPlanAudiodev(plan, props);
}

/* --- the environment --- */

static void
qemuAudioPlanNumber(qmpPlan *plan, const char *name, virOptUInt value)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, value.value);

    if (value.value)
        qmpPlanEnv(plan, name, text);
}

static void
qemuAudioPlanSwitch(qmpPlan *plan, const char *name, virTristate value)
{
    if (value != VIR_TRISTATE_ABSENT)
        qmpPlanEnv(plan, name, value == VIR_TRISTATE_YES ? "on" : "off");
}

typedef struct {
    const char *fixed, *voices, *frequency, *channels, *format, *dev, *tryPoll;
} qemuAudioVariables;

static const qemuAudioVariables inputVariables = {
    "QEMU_AUDIO_ADC_FIXED_SETTINGS", "QEMU_AUDIO_ADC_VOICES",    "QEMU_AUDIO_ADC_FIXED_FREQ",
    "QEMU_AUDIO_ADC_FIXED_CHANNELS", "QEMU_AUDIO_ADC_FIXED_FMT", "QEMU_AUDIO_ADC_DEV",
    "QEMU_AUDIO_ADC_TRY_POLL"};
static const qemuAudioVariables outputVariables = {
    "QEMU_AUDIO_DAC_FIXED_SETTINGS", "QEMU_AUDIO_DAC_VOICES",    "QEMU_AUDIO_DAC_FIXED_FREQ",
    "QEMU_AUDIO_DAC_FIXED_CHANNELS", "QEMU_AUDIO_DAC_FIXED_FMT", "QEMU_AUDIO_DAC_DEV",
    "QEMU_AUDIO_DAC_TRY_POLL"};

static void
qemuAudioPlanStream(qmpPlan *plan, const qemuAudioVariables *names, const virAudioStream *stream)
{
    qemuAudioPlanSwitch(plan, names->fixed, stream->fixedSettings);
    qemuAudioPlanNumber(plan, names->voices, stream->voices);
    if (stream->fixedSettings != VIR_TRISTATE_YES)
        return;
    qemuAudioPlanNumber(plan, names->frequency, stream->frequency);
    qemuAudioPlanNumber(plan, names->channels, stream->channels);
    if (stream->format)
        qmpPlanEnv(plan, names->format, virAudioFormatName(stream));
}

static void
qemuAudioPlanSpecialOld(const virAudio *audio, qmpPlan *plan)
{
    switch (audio->type) {
    case VIR_AUDIO_TYPE_ALSA:
        if (audio->input.dev)
            qmpPlanEnv(plan, inputVariables.dev, audio->input.dev);
        if (audio->output.dev)
            qmpPlanEnv(plan, outputVariables.dev, audio->output.dev);
        break;
    case VIR_AUDIO_TYPE_OSS:
        if (audio->input.dev)
            qmpPlanEnv(plan, "QEMU_OSS_ADC_DEV", audio->input.dev);
        if (audio->output.dev)
            qmpPlanEnv(plan, "QEMU_OSS_DAC_DEV", audio->output.dev);
        qemuAudioPlanNumber(plan, "QEMU_OSS_NFRAGS", audio->input.bufferCount);
        qemuAudioPlanSwitch(plan, inputVariables.tryPoll, audio->input.tryPoll);
        qemuAudioPlanSwitch(plan, outputVariables.tryPoll, audio->output.tryPoll);
        break;
    case VIR_AUDIO_TYPE_PULSEAUDIO:
        if (audio->input.name)
            qmpPlanEnv(plan, "QEMU_PA_SOURCE", audio->input.name);
        if (audio->output.name)
            qmpPlanEnv(plan, "QEMU_PA_SINK", audio->output.name);
        qemuAudioPlanNumber(plan, "QEMU_PA_SAMPLES", audio->input.bufferLength);
        if (audio->serverName)
            qmpPlanEnv(plan, "QEMU_PA_SERVER", audio->serverName);
        break;
    case VIR_AUDIO_TYPE_SDL:
        qemuAudioPlanNumber(plan, "QEMU_SDL_SAMPLES", audio->output.bufferLength);
        break;
    case VIR_AUDIO_TYPE_FILE:
        if (audio->path)
            qmpPlanEnv(plan, "QEMU_WAV_PATH", audio->path);
        break;
    default:
        break;
    }
}

static void
qemuAudioPlanOld(const virAudio *audio, qmpPlan *plan)
{
    qmpPlanEnv(plan, "QEMU_AUDIO_DRV", drivers[audio->type]);
    qemuAudioPlanNumber(plan, "QEMU_AUDIO_TIMER_PERIOD", audio->timerPeriod);
    qemuAudioPlanStream(plan, &inputVariables, &audio->input);
    qemuAudioPlanStream(plan, &outputVariables, &audio->output);
    qemuAudioPlanSpecialOld(audio, plan);
}

static bool
qemuAudioBuild(const virDevice *dev, const qemuBuildContext *ctx, qmpPlan *plan, GError **error)
{
    const virAudio *audio = VIR_AUDIO(dev);

    if (qmpCapsHas(ctx->caps, QMP_CAPS_AUDIODEV))
        qemuAudioPlanDev(audio, plan);
    else
        qemuAudioPlanOld(audio, plan);
    if (audio->type == VIR_AUDIO_TYPE_SDL && audio->sdlDriver)
        qmpPlanEnv(plan, "SDL_AUDIODRIVER", virAudioSDLDriver(audio));
    return true;
}

static void
qemuAudioImplicit(const virDomainFacts *facts, const qmpCaps *caps,
                  void (*add)(virDevice *dev, void *opaque), void *opaque)
{
    virDevice *dev = NULL;

    if (virDevicesCount(facts->devices, &virAudioKind) == 0)
        dev = virAudioNewDefaultOn(facts->devices, facts->hostAudio, facts->hostAudioVNC,
                                   facts->hostAudioHeadless);
    if (dev)
        add(dev, opaque);
}

const virDeviceQemu virAudioQemu = {
    .kind = &virAudioKind,
    .implicit = qemuAudioImplicit,
    .check = qemuAudioCheck,
    .touches = qemuAudioTouches,
    .build = qemuAudioBuild,
    .hotpluggable = qemuDeviceNeverHotpluggable,
};
