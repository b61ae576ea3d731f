/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsprobe.h: ask a QEMU without a guest what it can do. The thread waits for each answer. */
#pragma once

#include "qmp/qmpcaps.h"
#include "qmp/qmptransport.h"

/* Asks everything, of a QEMU that runs with KVM if the host has it, else with TCG. The transport
 * has its capabilities negotiated. Fails with VIR_ERR_CONFIG_UNSUPPORTED for a QEMU older than
 * 2.11, and if QEMU refuses or mangles what every QEMU must answer. */
qmpCaps *qmpCapsProbe(qmpTransport *transport, const char *emulator, GError **error);

/* True if the binary must be asked again under TCG, since the first answers were those of KVM. */
bool qmpCapsProbeNeedsTcg(const qmpCaps *caps);

/* The second half: what differs under TCG. caps is not published yet. */
bool qmpCapsProbeTcg(qmpCaps *caps, qmpTransport *transport, GError **error);
