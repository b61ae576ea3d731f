/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * seclabel.h: <seclabel> of a source: how its files are to be labelled, other than the guest's.
 * Any thread; no rights needed. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "device/field.h"
#include "util/virxml.h"

typedef struct {
    char *model; /* "selinux", "dac", NULL: the first model there is */
    char *label;
    bool relabel;
    bool labelSkip; /* run-time: could not be labelled and was left alone */
} virDeviceSeclabel;

/* All <seclabel> below node; *retLabels is NULL if there are none. VIR_ERR_XML_ERROR,
 * VIR_ERR_CONFIG_UNSUPPORTED. Caller unrefs. */
bool virDeviceSeclabelsParse(const xmlNode *node, unsigned parseFlags, GPtrArray **retLabels,
                             GError **error);
/* labels may be NULL. */
void virDeviceSeclabelsFormat(const GPtrArray *labels, virXMLWriter *w, unsigned formatFlags);
/* The one of a model, or NULL. */
const virDeviceSeclabel *virDeviceSeclabelFind(const GPtrArray *labels, const char *model);
