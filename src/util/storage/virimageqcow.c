/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimageqcow.c: headers of qcow, qcow2 and qed: all of QEMU's own. Offsets are those of
 * docs/interop/qcow2.txt and qed_spec.txt there. */
#include <string.h>

#include "util/storage/virimagepriv.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum {
    QCOW_VERSION = 4,
    QCOW_BACKING_OFFSET = 8,
    QCOW_BACKING_SIZE = 16,
    QCOW_SIZE = 24,

    QCOW1_CRYPT = 36,
    QCOW2_CRYPT = 32,
    QCOW2_V2_LENGTH = 72,
    QCOW2_INCOMPATIBLE = 72,
    QCOW2_HEADER_LENGTH = 100,
    QCOW2_DATA_FILE_BIT = 1 << 2,

    QED_FEATURES = 16,
    QED_SIZE = 48,
    QED_BACKING_OFFSET = 56,
    QED_BACKING_SIZE = 60,
    QED_HAS_BACKING = 1 << 0,
    QED_BACKING_IS_RAW = 1 << 2,

    BACKING_NAME_MAX = 1023,
};

#define QCOW2_EXTENSION_END UINT32_C(0)
#define QCOW2_EXTENSION_BACKING_FORMAT UINT32_C(0xE2792ACA)
#define QCOW2_EXTENSION_DATA_FILE UINT32_C(0x44415441)

static bool
virImageParseBackingName(const virImageData *data, uint64_t offset, uint64_t size,
                         virImageHeader *header, GError **error)
{
    if (offset == 0 || size == 0)
        return true;
    if (size > BACKING_NAME_MAX || !(header->backing = virImageText(data, offset, size)))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("the name of the backing image lies outside of the header"));
    return true;
}

bool
virImageParseQcow(const virImageData *data, virImageHeader *header, GError **error)
{
    header->capacity = virImageU64(data, QCOW_SIZE, true);
    header->encrypted = virImageU32(data, QCOW1_CRYPT, true) != 0;
    return virImageParseBackingName(data, virImageU64(data, QCOW_BACKING_OFFSET, true),
                                    virImageU32(data, QCOW_BACKING_SIZE, true), header, error);
}

static void
virImageParseQcow2Extension(const virImageData *data, uint32_t type, uint64_t offset, uint32_t len,
                            virImageHeader *header)
{
    g_autofree char *text = NULL;

    if (type != QCOW2_EXTENSION_BACKING_FORMAT && type != QCOW2_EXTENSION_DATA_FILE)
        return;
    if (!(text = virImageText(data, offset, len)))
        return;
    if (type == QCOW2_EXTENSION_DATA_FILE) {
        g_free(header->dataFile);
        header->dataFile = g_steal_pointer(&text);
        return;
    }
    header->backingFormat = MAX(virStorageFormatFromString(text), VIR_STORAGE_FORMAT_NONE);
    /* what QEMU calls otherwise */
    if (g_str_equal(text, "host_device") || g_str_equal(text, "luks"))
        header->backingFormat = VIR_STORAGE_FORMAT_RAW;
}

/* Extensions follow the header, up to the backing name or what was read. */
static void
virImageParseQcow2Extensions(const virImageData *data, uint64_t at, uint64_t end,
                             virImageHeader *header)
{
    while (at + 8 <= end && virImageBytes(data, at, 8)) {
        uint32_t type = virImageU32(data, at, true);
        uint32_t len = virImageU32(data, at + 4, true);

        if (type == QCOW2_EXTENSION_END || len > end - at - 8)
            return;
        virImageParseQcow2Extension(data, type, at + 8, len, header);
        at += 8 + (((uint64_t)len + 7) & ~UINT64_C(7));
    }
}

bool
virImageParseQcow2(const virImageData *data, virImageHeader *header, GError **error)
{
    bool v3 = virImageU32(data, QCOW_VERSION, true) >= 3;
    uint64_t start = v3 ? virImageU32(data, QCOW2_HEADER_LENGTH, true) : QCOW2_V2_LENGTH;
    uint64_t backing = virImageU64(data, QCOW_BACKING_OFFSET, true);

    header->capacity = virImageU64(data, QCOW_SIZE, true);
    header->encrypted = virImageU32(data, QCOW2_CRYPT, true) != 0;
    if (!virImageParseBackingName(data, backing, virImageU32(data, QCOW_BACKING_SIZE, true), header,
                                  error))
        return false;
    if (start >= QCOW2_V2_LENGTH)
        virImageParseQcow2Extensions(
            data, start, backing > start && backing < data->len ? backing : data->len, header);
    if (!v3 || !(virImageU64(data, QCOW2_INCOMPATIBLE, true) & QCOW2_DATA_FILE_BIT))
        g_clear_pointer(&header->dataFile, g_free);
    return true;
}

bool
virImageParseQED(const virImageData *data, virImageHeader *header, GError **error)
{
    uint64_t features = virImageU64(data, QED_FEATURES, false);

    header->capacity = virImageU64(data, QED_SIZE, false);
    if (!(features & QED_HAS_BACKING))
        return true;
    if (features & QED_BACKING_IS_RAW)
        header->backingFormat = VIR_STORAGE_FORMAT_RAW;
    return virImageParseBackingName(data, virImageU32(data, QED_BACKING_OFFSET, false),
                                    virImageU32(data, QED_BACKING_SIZE, false), header, error);
}
