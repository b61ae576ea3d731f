/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_event_msg.c: one function per kind of event, from the value to the wire's struct. The
 * strings stay the event's. Any thread. */
#include <stddef.h>
#include <string.h>

#include "api/domain_event.h"
#include "rpc/types.gen.h"

static void
fillDomain(const virDomainEvent *event, remote_nonnull_domain *dom)
{
    dom->name = event->name;
    memcpy(dom->uuid, event->uuid, sizeof(dom->uuid));
    dom->id = event->id;
}

/* What the wire does not allow to be left out. */
static const char *
orEmpty(const char *text)
{
    return text ? text : "";
}

static void
fillLifecycle(const virDomainEvent *event, void *message)
{
    remote_domain_event_lifecycle_msg *msg =
        &((remote_domain_event_callback_lifecycle_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->event = event->event;
    msg->detail = event->detail;
}

static void
fillReboot(const virDomainEvent *event, void *message)
{
    fillDomain(event, &((remote_domain_event_callback_reboot_msg *)message)->msg.dom);
}

static void
fillRtcChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_rtc_change_msg *msg =
        &((remote_domain_event_callback_rtc_change_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->offset = event->offset;
}

static void
fillWatchdog(const virDomainEvent *event, void *message)
{
    remote_domain_event_watchdog_msg *msg =
        &((remote_domain_event_callback_watchdog_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->action = event->event;
}

static void
fillIoError(const virDomainEvent *event, void *message)
{
    remote_domain_event_io_error_msg *msg =
        &((remote_domain_event_callback_io_error_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->srcPath = orEmpty(event->path);
    msg->devAlias = orEmpty(event->alias);
    msg->action = event->event;
}

static void
fillIoErrorReason(const virDomainEvent *event, void *message)
{
    remote_domain_event_io_error_reason_msg *msg =
        &((remote_domain_event_callback_io_error_reason_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->srcPath = orEmpty(event->path);
    msg->devAlias = orEmpty(event->alias);
    msg->action = event->event;
    msg->reason = orEmpty(event->reason);
}

/* The subject: who a VNC or SPICE client is, as far as it said so. Constant names, so that the
 * array need not outlive the message by itself: it is kept per thread until the next one. */
static void
fillSubject(const virDomainEvent *event, remote_domain_event_graphics_msg *msg)
{
    static __thread remote_domain_event_graphics_identity subject[2];

    msg->subject_val = subject;
    if (event->x509Name)
        subject[msg->subject_len++] =
            (remote_domain_event_graphics_identity){"x509dname", event->x509Name};
    if (event->saslUser)
        subject[msg->subject_len++] =
            (remote_domain_event_graphics_identity){"saslUsername", event->saslUser};
}

static void
fillGraphics(const virDomainEvent *event, void *message)
{
    remote_domain_event_graphics_msg *msg =
        &((remote_domain_event_callback_graphics_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->phase = event->event;
    msg->local.family = event->localFamily;
    msg->local.node = orEmpty(event->localNode);
    msg->local.service = orEmpty(event->localService);
    msg->remote.family = event->remoteFamily;
    msg->remote.node = orEmpty(event->remoteNode);
    msg->remote.service = orEmpty(event->remoteService);
    msg->authScheme = orEmpty(event->authScheme);
    fillSubject(event, msg);
}

static void
fillControlError(const virDomainEvent *event, void *message)
{
    fillDomain(event, &((remote_domain_event_callback_control_error_msg *)message)->msg.dom);
}

static void
fillBlockJob(const virDomainEvent *event, void *message)
{
    remote_domain_event_block_job_msg *msg =
        &((remote_domain_event_callback_block_job_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->path = orEmpty(event->path);
    msg->type = event->event;
    msg->status = event->detail;
}

static void
fillBlockJob2(const virDomainEvent *event, void *message)
{
    remote_domain_event_block_job_2_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->dst = orEmpty(event->alias);
    msg->type = event->event;
    msg->status = event->detail;
}

static void
fillDiskChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_disk_change_msg *msg =
        &((remote_domain_event_callback_disk_change_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->oldSrcPath = event->path;
    msg->newSrcPath = event->newPath;
    msg->devAlias = orEmpty(event->alias);
    msg->reason = event->event;
}

static void
fillTrayChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_tray_change_msg *msg =
        &((remote_domain_event_callback_tray_change_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->devAlias = orEmpty(event->alias);
    msg->reason = event->event;
}

static void
fillPmwakeup(const virDomainEvent *event, void *message)
{
    fillDomain(event, &((remote_domain_event_callback_pmwakeup_msg *)message)->msg.dom);
}

static void
fillPmsuspend(const virDomainEvent *event, void *message)
{
    fillDomain(event, &((remote_domain_event_callback_pmsuspend_msg *)message)->msg.dom);
}

static void
fillPmsuspendDisk(const virDomainEvent *event, void *message)
{
    fillDomain(event, &((remote_domain_event_callback_pmsuspend_disk_msg *)message)->msg.dom);
}

static void
fillBalloonChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_balloon_change_msg *msg =
        &((remote_domain_event_callback_balloon_change_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->actual = (uint64_t)event->offset;
}

static void
fillDeviceRemoved(const virDomainEvent *event, void *message)
{
    remote_domain_event_device_removed_msg *msg =
        &((remote_domain_event_callback_device_removed_msg *)message)->msg;

    fillDomain(event, &msg->dom);
    msg->devAlias = orEmpty(event->alias);
}

static void
fillDeviceAdded(const virDomainEvent *event, void *message)
{
    remote_domain_event_callback_device_added_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->devAlias = orEmpty(event->alias);
}

static void
fillDeviceRemovalFailed(const virDomainEvent *event, void *message)
{
    remote_domain_event_callback_device_removal_failed_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->devAlias = orEmpty(event->alias);
}

static void
fillTunable(const virDomainEvent *event, void *message)
{
    remote_domain_event_callback_tunable_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->params_val = (remote_typed_param *)event->params; /* to be read only */
    msg->params_len = event->nparams;
}

static void
fillAgentLifecycle(const virDomainEvent *event, void *message)
{
    remote_domain_event_callback_agent_lifecycle_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->state = event->event;
    msg->reason = event->detail;
}

static void
fillMetadataChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_callback_metadata_change_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->type = event->event;
    msg->nsuri = event->reason;
}

static void
fillBlockThreshold(const virDomainEvent *event, void *message)
{
    remote_domain_event_block_threshold_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->dev = orEmpty(event->alias);
    msg->path = event->path;
    msg->threshold = event->threshold;
    msg->excess = event->excess;
}

static void
fillMemoryFailure(const virDomainEvent *event, void *message)
{
    remote_domain_event_memory_failure_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->recipient = event->recipient;
    msg->action = event->action;
    msg->flags = event->flags;
}

static void
fillMemoryDeviceSizeChange(const virDomainEvent *event, void *message)
{
    remote_domain_event_memory_device_size_change_msg *msg = message;

    fillDomain(event, &msg->dom);
    msg->alias = orEmpty(event->alias);
    msg->size = event->size;
}

#define WITH_LEGACY(name) offsetof(remote_domain_event_callback_##name##_msg, msg)

/* Tunable, migration iteration, job completed and block threshold come with what causes them. */
static const virApiDomainEventRow rows[VIR_DOMAIN_EVENT_LAST] = {
    [VIR_DOMAIN_EVENT_LIFECYCLE] = {fillLifecycle, WITH_LEGACY(lifecycle)},
    [VIR_DOMAIN_EVENT_REBOOT] = {fillReboot, WITH_LEGACY(reboot)},
    [VIR_DOMAIN_EVENT_RTC_CHANGE] = {fillRtcChange, WITH_LEGACY(rtc_change)},
    [VIR_DOMAIN_EVENT_WATCHDOG] = {fillWatchdog, WITH_LEGACY(watchdog)},
    [VIR_DOMAIN_EVENT_IO_ERROR] = {fillIoError, WITH_LEGACY(io_error)},
    [VIR_DOMAIN_EVENT_GRAPHICS] = {fillGraphics, WITH_LEGACY(graphics)},
    [VIR_DOMAIN_EVENT_IO_ERROR_REASON] = {fillIoErrorReason, WITH_LEGACY(io_error_reason)},
    [VIR_DOMAIN_EVENT_CONTROL_ERROR] = {fillControlError, WITH_LEGACY(control_error)},
    [VIR_DOMAIN_EVENT_BLOCK_JOB] = {fillBlockJob, WITH_LEGACY(block_job)},
    [VIR_DOMAIN_EVENT_DISK_CHANGE] = {fillDiskChange, WITH_LEGACY(disk_change)},
    [VIR_DOMAIN_EVENT_TRAY_CHANGE] = {fillTrayChange, WITH_LEGACY(tray_change)},
    [VIR_DOMAIN_EVENT_PMWAKEUP] = {fillPmwakeup, WITH_LEGACY(pmwakeup)},
    [VIR_DOMAIN_EVENT_PMSUSPEND] = {fillPmsuspend, WITH_LEGACY(pmsuspend)},
    [VIR_DOMAIN_EVENT_BALLOON_CHANGE] = {fillBalloonChange, WITH_LEGACY(balloon_change)},
    [VIR_DOMAIN_EVENT_PMSUSPEND_DISK] = {fillPmsuspendDisk, WITH_LEGACY(pmsuspend_disk)},
    [VIR_DOMAIN_EVENT_DEVICE_REMOVED] = {fillDeviceRemoved, WITH_LEGACY(device_removed)},
    [VIR_DOMAIN_EVENT_BLOCK_JOB_2] = {fillBlockJob2},
    [VIR_DOMAIN_EVENT_TUNABLE] = {fillTunable},
    [VIR_DOMAIN_EVENT_AGENT_LIFECYCLE] = {fillAgentLifecycle},
    [VIR_DOMAIN_EVENT_DEVICE_ADDED] = {fillDeviceAdded},
    [VIR_DOMAIN_EVENT_DEVICE_REMOVAL_FAILED] = {fillDeviceRemovalFailed},
    [VIR_DOMAIN_EVENT_METADATA_CHANGE] = {fillMetadataChange},
    [VIR_DOMAIN_EVENT_BLOCK_THRESHOLD] = {fillBlockThreshold},
    [VIR_DOMAIN_EVENT_MEMORY_FAILURE] = {fillMemoryFailure},
    [VIR_DOMAIN_EVENT_MEMORY_DEVICE_SIZE_CHANGE] = {fillMemoryDeviceSizeChange},
};

const virApiDomainEventRow *
virApiDomainEventRowOf(int type)
{
    if (type < 0 || type >= VIR_DOMAIN_EVENT_LAST || !rows[type].fill)
        return NULL;
    return &rows[type];
}
