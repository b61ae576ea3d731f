/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * iotune.c: limits of a disk's throughput as a table, and what is read and written from it. */
#include "device/disk/iotune.h"

#include <inttypes.h>
#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"

#define LIMIT(element, qemu, drive, class, member)                                                 \
    {                                                                                              \
        element, qemu, "throttling." drive, VIR_DISK_IOTUNE_##class,                               \
            offsetof(virDiskIotune, member)                                                        \
    }

const virDiskIotuneLimit virDiskIotuneLimits[] = {
    LIMIT("total_bytes_sec", "bps", "bps-total", BASIC, totalBytes),
    LIMIT("read_bytes_sec", "bps_rd", "bps-read", BASIC, readBytes),
    LIMIT("write_bytes_sec", "bps_wr", "bps-write", BASIC, writeBytes),
    LIMIT("total_iops_sec", "iops", "iops-total", BASIC, totalIops),
    LIMIT("read_iops_sec", "iops_rd", "iops-read", BASIC, readIops),
    LIMIT("write_iops_sec", "iops_wr", "iops-write", BASIC, writeIops),
    LIMIT("total_bytes_sec_max", "bps_max", "bps-total-max", MAX, totalBytesMax),
    LIMIT("read_bytes_sec_max", "bps_rd_max", "bps-read-max", MAX, readBytesMax),
    LIMIT("write_bytes_sec_max", "bps_wr_max", "bps-write-max", MAX, writeBytesMax),
    LIMIT("total_iops_sec_max", "iops_max", "iops-total-max", MAX, totalIopsMax),
    LIMIT("read_iops_sec_max", "iops_rd_max", "iops-read-max", MAX, readIopsMax),
    LIMIT("write_iops_sec_max", "iops_wr_max", "iops-write-max", MAX, writeIopsMax),
    LIMIT("size_iops_sec", "iops_size", "iops-size", MAX, sizeIops),
    LIMIT("total_bytes_sec_max_length", "bps_max_length", "bps-total-max-length", LENGTH,
          totalBytesMaxLength),
    LIMIT("read_bytes_sec_max_length", "bps_rd_max_length", "bps-read-max-length", LENGTH,
          readBytesMaxLength),
    LIMIT("write_bytes_sec_max_length", "bps_wr_max_length", "bps-write-max-length", LENGTH,
          writeBytesMaxLength),
    LIMIT("total_iops_sec_max_length", "iops_max_length", "iops-total-max-length", LENGTH,
          totalIopsMaxLength),
    LIMIT("read_iops_sec_max_length", "iops_rd_max_length", "iops-read-max-length", LENGTH,
          readIopsMaxLength),
    LIMIT("write_iops_sec_max_length", "iops_wr_max_length", "iops-write-max-length", LENGTH,
          writeIopsMaxLength),
    {NULL, NULL, NULL, 0, 0},
};

const virDiskIotuneLimit *
virDiskIotuneLimitFind(const char *element)
{
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (g_str_equal(limit->element, element))
            return limit;
    }
    return NULL;
}

bool
virDiskIotuneParse(virDiskIotune **iotune, const xmlNode *node, GError **error)
{
    xmlNode *element = virXMLFirstChild(node, "iotune");
    xmlNode *group = element ? virXMLFirstChild(element, "group_name") : NULL;

    if (!element)
        return true;
    if (!*iotune)
        *iotune = g_new0(virDiskIotune, 1);
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        xmlNode *child = virXMLFirstChild(element, limit->element);
        g_autofree char *text = child ? virXMLText(child) : NULL;

        if (text && !virStringToUInt(text, UINT64_MAX, virDiskIotuneAt(*iotune, limit)))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("disk iotune field '%s' must be an integer"), limit->element);
    }
    if (group) {
        g_free((*iotune)->group);
        (*iotune)->group = virXMLText(group);
    }
    return true;
}

void
virDiskIotuneFormat(const virDiskIotune *iotune, virXMLWriter *w)
{
    bool grouped = false;

    virXMLWriterOpen(w, "iotune");
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        uint64_t value = *virDiskIotuneAt(iotune, limit);

        if (limit->class == VIR_DISK_IOTUNE_LENGTH && !grouped) {
            virXMLWriterElement(w, "group_name", iotune->group);
            grouped = true;
        }
        if (value)
            virXMLWriterElementF(w, limit->element, "%" PRIu64, value);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

void
virDiskIotuneClear(virDiskIotune *iotune)
{
    g_free(iotune->group);
    memset(iotune, 0, sizeof(*iotune));
}

void
virDiskIotuneFree(virDiskIotune *iotune)
{
    if (iotune)
        virDiskIotuneClear(iotune);
    g_free(iotune);
}

bool
virDiskIotuneHasAny(const virDiskIotune *iotune)
{
    return virDiskIotuneHasClass(iotune, VIR_DISK_IOTUNE_BASIC) ||
           virDiskIotuneHasClass(iotune, VIR_DISK_IOTUNE_MAX) ||
           virDiskIotuneHasClass(iotune, VIR_DISK_IOTUNE_LENGTH);
}

bool
virDiskIotuneHasClass(const virDiskIotune *iotune, virDiskIotuneClass class)
{
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (limit->class == class && *virDiskIotuneAt(iotune, limit))
            return true;
    }
    return false;
}

bool
virDiskIotuneEqual(const virDiskIotune *a, const virDiskIotune *b)
{
    for (const virDiskIotuneLimit *limit = virDiskIotuneLimits; limit->element; limit++) {
        if (*virDiskIotuneAt(a, limit) != *virDiskIotuneAt(b, limit))
            return false;
    }
    return g_strcmp0(a->group, b->group) == 0;
}

bool
virDiskIotuneCheck(const virDiskIotune *iotune, GError **error)
{
    const struct {
        uint64_t total, read, write;
        const char *name;
    } sums[] = {
        {iotune->totalBytes, iotune->readBytes, iotune->writeBytes, "bytes_sec"},
        {iotune->totalIops, iotune->readIops, iotune->writeIops, "iops_sec"},
        {iotune->totalBytesMax, iotune->readBytesMax, iotune->writeBytesMax, "bytes_sec_max"},
        {iotune->totalIopsMax, iotune->readIopsMax, iotune->writeIopsMax, "iops_sec_max"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
        if (sums[i].total && (sums[i].read || sums[i].write))
            return virErrorSet(error, VIR_ERR_XML_ERROR,
                               _("total and read/write %s cannot be set at the same time"),
                               sums[i].name);
    }
    return true;
}
