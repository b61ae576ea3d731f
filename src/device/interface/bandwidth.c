/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bandwidth.c: see bandwidth.h. */
#include "device/interface/bandwidth.h"

#include <inttypes.h>

#include "util/virerror.h"
#include "util/virscale.h"
#include "util/virutil.h"

static bool
virBandwidthParseNumber(const xmlNode *node, const char *name, uint64_t *ret, bool *retSet,
                        GError **error)
{
    g_autofree char *text = virXMLAttr(node, name);

    *retSet = text != NULL;
    if (text && !virStringToUInt(text, UINT64_MAX, ret))
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("could not convert bandwidth %s value '%s'"), name, text);
    return true;
}

static bool
virBandwidthParseRate(virBandwidthRate *rate, const xmlNode *node, GError **error)
{
    bool average, floor, peak, burst;

    if (!virBandwidthParseNumber(node, "average", &rate->average, &average, error) ||
        !virBandwidthParseNumber(node, "peak", &rate->peak, &peak, error) ||
        !virBandwidthParseNumber(node, "burst", &rate->burst, &burst, error) ||
        !virBandwidthParseNumber(node, "floor", &rate->floor, &floor, error))
        return false;
    if (!average && !floor)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("Missing mandatory average or floor attributes"));
    if ((peak || burst) && !average)
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("'peak' and 'burst' require 'average' attribute"));
    return true;
}

bool
virBandwidthParse(virBandwidth *bandwidth, const xmlNode *node, bool mayFloor, GError **error)
{
    xmlNode *element = virXMLFirstChild(node, "bandwidth");
    xmlNode *in = virXMLFirstChild(element, "inbound");
    xmlNode *out = virXMLFirstChild(element, "outbound");

    if (in && virXMLNext(in, "inbound"))
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("Only one child <inbound> element allowed"));
    if (out && virXMLNext(out, "outbound"))
        return virErrorSet(error, VIR_ERR_XML_DETAIL, "%s",
                           _("Only one child <outbound> element allowed"));
    if ((in && !virBandwidthParseRate(&bandwidth->inbound, in, error)) ||
        (out && !virBandwidthParseRate(&bandwidth->outbound, out, error)))
        return false;
    if (bandwidth->inbound.floor && !mayFloor)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("floor attribute is not supported for this config"));
    if (bandwidth->outbound.floor)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s",
                           _("'floor' attribute allowed only in <inbound> element"));
    return true;
}

static void
virBandwidthFormatNumber(virXMLWriter *w, const char *name, uint64_t value)
{
    if (value)
        virXMLWriterAttrF(w, name, "%" PRIu64, value);
}

static void
virBandwidthFormatRate(const virBandwidthRate *rate, const char *name, virXMLWriter *w)
{
    virXMLWriterOpen(w, name);
    virBandwidthFormatNumber(w, "average", rate->average);
    virBandwidthFormatNumber(w, "peak", rate->peak);
    virBandwidthFormatNumber(w, "floor", rate->floor);
    virBandwidthFormatNumber(w, "burst", rate->burst);
    virXMLWriterCloseUnlessEmpty(w);
}

void
virBandwidthFormat(const virBandwidth *bandwidth, virXMLWriter *w)
{
    virXMLWriterOpen(w, "bandwidth");
    virBandwidthFormatRate(&bandwidth->inbound, "inbound", w);
    virBandwidthFormatRate(&bandwidth->outbound, "outbound", w);
    virXMLWriterCloseUnlessEmpty(w);
}

bool
virBandwidthIsSet(const virBandwidth *bandwidth)
{
    return bandwidth->inbound.average || bandwidth->inbound.floor || bandwidth->outbound.average;
}
