/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * saveimage.c: see saveimage.h. The file is a stranger's: every size in it is held against a bound
 * before it is used. */
#include "qemu/saveimage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/virerror.h"
#include "util/virsecure.h"
#include "util/virutil.h"

enum {
    QEMU_SAVE_MAGIC_LEN = 16,
    QEMU_SAVE_VERSION = 2,
    QEMU_SAVE_XML_MAX = 16 * 1024 * 1024,
};

static const char whole[] = "LibvirtQemudSave";
static const char partial[] = "LibvirtQemudPart"; /* its writer has not come to the end */

/* As it lies in the file, in the byte order of who wrote it. */
typedef struct {
    char magic[QEMU_SAVE_MAGIC_LEN];
    uint32_t version;
    uint32_t dataLen; /* of document, cookie and padding; the stream follows */
    uint32_t wasRunning;
    uint32_t compressed; /* 0: not */
    uint32_t cookieOffset;
    uint32_t unused[14];
} qemuSaveHeader;
G_STATIC_ASSERT(sizeof(qemuSaveHeader) == 92);

void
qemuSaveImageClear(qemuSaveImage *image)
{
    virCloseFd(&image->fd);
    virSecureFreeString(image->xml);
    image->xml = NULL;
}

static bool
qemuSaveReadAll(int fd, void *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = read(fd, (char *)to + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static void
qemuSaveSwap(qemuSaveHeader *header)
{
    uint32_t *const words[] = {&header->version, &header->dataLen, &header->wasRunning,
                               &header->compressed, &header->cookieOffset};

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        *words[i] = GUINT32_SWAP_LE_BE(*words[i]);
}

static bool
qemuSaveCheck(qemuSaveHeader *header, const char *path, GError **error)
{
    if (memcmp(header->magic, partial, QEMU_SAVE_MAGIC_LEN) == 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("save image is incomplete"));
    if (memcmp(header->magic, whole, QEMU_SAVE_MAGIC_LEN) != 0)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("image magic is incorrect"));
    if (header->version > QEMU_SAVE_VERSION)
        qemuSaveSwap(header);
    if (header->version > QEMU_SAVE_VERSION)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED,
                           _("image version is not supported (%u > %u)"), header->version,
                           QEMU_SAVE_VERSION);
    if (header->compressed)
        return virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                           _("'%s' is compressed: such images can't be restored yet"), path);
    if (header->dataLen == 0 || header->dataLen > QEMU_SAVE_XML_MAX)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, _("invalid header data length: %u"),
                           header->dataLen);
    return true;
}

bool
qemuSaveImageOpen(const char *path, qemuSaveImage *retImage, GError **error)
{
    qemuSaveHeader header;

    *retImage = (qemuSaveImage){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (retImage->fd < 0)
        return virErrorErrnoValue(error, errno, _("Failed to open file '%s'"), path);
    if (!qemuSaveReadAll(retImage->fd, &header, sizeof(header)))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("failed to read qemu header"));
    if (!qemuSaveCheck(&header, path, error))
        return false;
    retImage->xml = g_malloc0((size_t)header.dataLen + 1);
    if (!qemuSaveReadAll(retImage->fd, retImage->xml, header.dataLen))
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s", _("failed to read domain XML"));
    retImage->wasRunning = header.wasRunning != 0;
    return true;
}
