/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gatesettings.h: how a guest's gate is to be: what the configuration file says, and over that what
 * the guest's own document says in its metadata, which stock clients can set:
 *
 *     virsh metadata web1 --uri urn:virtward:gate --key gate --set "<gate mode='permissive'/>"
 *
 *     <metadata>
 *       <gate:gate xmlns:gate='urn:virtward:gate' mode='permissive' lock='direct' rules='1024'/>
 *     </metadata>
 *
 * Each attribute may be left out. */
#pragma once

#include "qemu/guest.h"

#define QEMU_GATE_METADATA_URI "urn:virtward:gate"

/* VIR_ERR_XML_ERROR naming the attribute if the document says something else. */
bool qemuGateSettings(const qemuDriver *driver, const virDomainDef *def,
                      virGateSettings *retSettings, GError **error);

/* Only whether the document says something that can be. */
bool qemuGateSettingsCheck(const virDomainDef *def, GError **error);

/* The live document says something new: the mode is changed at once, the rest at the next start.
 * The caller holds the domain's job and the lock, which is given up meanwhile. */
bool qemuGateSettingsApply(virDomainObj *obj, GError **error);
