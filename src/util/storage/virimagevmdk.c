/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimagevmdk.c: headers of VMDK, as VMware's specification has them: a sparse extent's head, then
 * a descriptor in text. */
#include <string.h>

#include "util/storage/virimagepriv.h"
#include "util/virerror.h"
#include "util/virutil.h"

enum {
    VMDK_CAPACITY = 12, /* in sectors */
    VMDK_SECTOR = 512,
    VMDK_DESCRIPTOR = 0x200,
    VMDK_DESCRIPTOR_SIZE = 20 * VMDK_SECTOR,
};

static char *
virImageVMDKDescriptor(const virImageData *data)
{
    size_t len;

    if (data->len <= VMDK_DESCRIPTOR)
        return NULL;
    len = MIN(data->len - VMDK_DESCRIPTOR, VMDK_DESCRIPTOR_SIZE);
    return g_strndup((const char *)data->bytes + VMDK_DESCRIPTOR, len);
}

bool
virImageParseVMDK(const virImageData *data, virImageHeader *header, GError **error)
{
    static const char key[] = "parentFileNameHint=\"";
    g_autofree char *descriptor = virImageVMDKDescriptor(data);
    uint64_t sectors = virImageU64(data, VMDK_CAPACITY, false);
    char *start = descriptor ? strstr(descriptor, key) : NULL;
    char *end;

    header->capacity = sectors <= UINT64_MAX / VMDK_SECTOR ? sectors * VMDK_SECTOR : 0;
    if (!start)
        return true;
    start += strlen(key);
    if (!(end = strchr(start, '"')))
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("the name of the backing image lies outside of the header"));
    if (end > start) {
        header->backing = g_strndup(start, end - start);
        header->backingFormat = VIR_STORAGE_FORMAT_VMDK;
    }
    return true;
}
