/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * qmpcapsxml.h: capabilities as text, in the form of libvirt's capability cache. Any thread. */
#pragma once

#include "qmp/qmpcaps.h"
#include "util/virxml.h"

/* The whole document. Caller frees. */
char *qmpCapsFormat(const qmpCaps *caps);

/* The same back. Unknown flags are an error: who wrote them knew more than we do, so the file is
 * of no use. VIR_ERR_XML_ERROR. */
qmpCaps *qmpCapsParse(const char *text, gssize len, GError **error);

/* The same with other flags: what a document says of its QEMU against better knowledge. add and del
 * hold names (char *). VIR_ERR_CONFIG_UNSUPPORTED names an unknown one. Caller unrefs. */
qmpCaps *qmpCapsWithFlags(const qmpCaps *caps, const GPtrArray *add, const GPtrArray *del,
                          GError **error);

/* The flags alone, a <flag name=/> each, in the writer's open element (status files). */
void qmpCapsFormatFlags(const qmpCaps *caps, virXMLWriter *w);
/* The flags below node. Unknown ones are passed over: a status file of a newer daemon. */
void qmpCapsParseFlags(qmpCaps *caps, const xmlNode *node);
