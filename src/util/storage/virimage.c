/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virimage.c: opening images, telling formats apart, reading their headers. */
#include "util/storage/virimage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/storage/virimagepriv.h"
#include "util/virerror.h"
#include "util/virutil.h"

VIR_ENUM_IMPL(virStorageFormat, VIR_STORAGE_FORMAT_LAST, "none", "raw", "dir", "bochs", "cloop",
              "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow", "qcow2", "qed",
              "vmdk");

void
virImageHeaderClear(virImageHeader *header)
{
    g_clear_pointer(&header->backing, g_free);
    g_clear_pointer(&header->dataFile, g_free);
}

/* --- reading numbers within bounds --- */

bool
virImageBytes(const virImageData *data, uint64_t offset, uint64_t len)
{
    return offset <= data->len && len <= data->len - offset;
}

uint32_t
virImageU32(const virImageData *data, uint64_t offset, bool big)
{
    uint32_t value;

    if (!virImageBytes(data, offset, sizeof(value)))
        return 0;
    memcpy(&value, data->bytes + offset, sizeof(value));
    return big ? GUINT32_FROM_BE(value) : GUINT32_FROM_LE(value);
}

uint64_t
virImageU64(const virImageData *data, uint64_t offset, bool big)
{
    uint64_t value;

    if (!virImageBytes(data, offset, sizeof(value)))
        return 0;
    memcpy(&value, data->bytes + offset, sizeof(value));
    return big ? GUINT64_FROM_BE(value) : GUINT64_FROM_LE(value);
}

char *
virImageText(const virImageData *data, uint64_t offset, uint64_t len)
{
    const char *start;

    if (len == 0 || !virImageBytes(data, offset, len))
        return NULL;
    start = (const char *)data->bytes + offset;
    return memchr(start, '\0', len) ? NULL : g_strndup(start, len);
}

/* --- formats --- */

typedef struct {
    int format;
    uint64_t offset;
    const char *magic;
    size_t len;
    /* A version that must stand somewhere, so that one magic serves two formats; 0: any. */
    uint64_t versionOffset;
    uint32_t versions[2];
    bool big;
} virImageMagic;

#define MAGIC(text) text, sizeof(text) - 1

static const virImageMagic magics[] = {
    {VIR_STORAGE_FORMAT_BOCHS, 0, MAGIC("Bochs Virtual HD Image"), 64, {0x20000, 0x10000}, false},
    {VIR_STORAGE_FORMAT_DMG, 0, MAGIC("koly"), 0, {0}, false},
    {VIR_STORAGE_FORMAT_VPC, 0, MAGIC("conectix"), 12, {0x10000}, true},
    {VIR_STORAGE_FORMAT_VDI, 64, MAGIC("\x7f\x10\xda\xbe"), 68, {0x00010001}, false},
    {VIR_STORAGE_FORMAT_VHD, 0, MAGIC("vhdxfile"), 0, {0}, false},
    {VIR_STORAGE_FORMAT_PLOOP, 0, MAGIC("WithoutFreeSpace"), 16, {2}, false},
    {VIR_STORAGE_FORMAT_COW, 0, MAGIC("OOOM"), 4, {2}, true},
    {VIR_STORAGE_FORMAT_QCOW, 0, MAGIC("QFI\xfb"), 4, {1}, true},
    {VIR_STORAGE_FORMAT_QCOW2, 0, MAGIC("QFI\xfb"), 4, {2, 3}, true},
    {VIR_STORAGE_FORMAT_QED, 0, MAGIC("QED\0"), 0, {0}, false},
    {VIR_STORAGE_FORMAT_VMDK, 0, MAGIC("KDMV"), 4, {1, 2}, false},
    {VIR_STORAGE_FORMAT_VMDK, 0, MAGIC("KDMV"), 4, {3}, false},
    {VIR_STORAGE_FORMAT_ISO, 32769, MAGIC("CD001"), 0, {0}, false},
};

static bool
virImageMatches(const virImageData *data, const virImageMagic *magic)
{
    uint32_t version;

    if (!virImageBytes(data, magic->offset, magic->len) ||
        memcmp(data->bytes + magic->offset, magic->magic, magic->len) != 0)
        return false;
    if (magic->versionOffset == 0)
        return true;
    version = virImageU32(data, magic->versionOffset, magic->big);
    return version != 0 && (version == magic->versions[0] || version == magic->versions[1]);
}

int
virImageDetect(const void *bytes, size_t len)
{
    const virImageData data = {bytes, len};

    for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (virImageMatches(&data, &magics[i]))
            return magics[i].format;
    }
    return VIR_STORAGE_FORMAT_RAW;
}

/* --- headers --- */

static bool
virImageParseRaw(const virImageData *data, virImageHeader *header, GError **error)
{
    header->encrypted = virImageBytes(data, 0, 6) && memcmp(data->bytes, "LUKS\xba\xbe", 6) == 0;
    return true;
}

static bool
virImageParseVPC(const virImageData *data, virImageHeader *header, GError **error)
{
    header->capacity = virImageU64(data, 48, true);
    return true;
}

static bool
virImageParseVDI(const virImageData *data, virImageHeader *header, GError **error)
{
    header->capacity = virImageU64(data, 368, false);
    return true;
}

static bool
virImageParsePloop(const virImageData *data, virImageHeader *header, GError **error)
{
    uint64_t sectors = virImageU64(data, 36, false);

    header->capacity = sectors <= UINT64_MAX / 512 ? sectors * 512 : 0;
    return true;
}

static bool
virImageParseBochs(const virImageData *data, virImageHeader *header, GError **error)
{
    enum { VERSION = 64, CAPACITY_V1 = 84, CAPACITY_V2 = 88 };

    header->capacity = virImageU64(
        data, virImageU32(data, VERSION, false) == 0x10000 ? CAPACITY_V1 : CAPACITY_V2, false);
    return true;
}

typedef bool (*virImageParser)(const virImageData *data, virImageHeader *header, GError **error);

static const virImageParser parsers[VIR_STORAGE_FORMAT_LAST] = {
    [VIR_STORAGE_FORMAT_RAW] = virImageParseRaw,
    [VIR_STORAGE_FORMAT_BOCHS] = virImageParseBochs,
    [VIR_STORAGE_FORMAT_VPC] = virImageParseVPC,
    [VIR_STORAGE_FORMAT_VDI] = virImageParseVDI,
    [VIR_STORAGE_FORMAT_PLOOP] = virImageParsePloop,
    [VIR_STORAGE_FORMAT_QCOW] = virImageParseQcow,
    [VIR_STORAGE_FORMAT_QCOW2] = virImageParseQcow2,
    [VIR_STORAGE_FORMAT_QED] = virImageParseQED,
    [VIR_STORAGE_FORMAT_VMDK] = virImageParseVMDK,
};

/* What has a magic must carry it: else it is another file than its owner says. */
static bool
virImageIsFormat(const virImageData *data, int format)
{
    bool known = false;

    for (size_t i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (magics[i].format != format)
            continue;
        if (virImageMatches(data, &magics[i]))
            return true;
        known = true;
    }
    return !known;
}

bool
virImageParse(const void *bytes, size_t len, int format, virImageHeader *retHeader, GError **error)
{
    const virImageData data = {bytes, len};
    g_auto(virImageHeader) header = {.format = format};

    if (parsers[format]) {
        if (!virImageIsFormat(&data, format))
            return virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                               _("the image is not of the format '%s' that it should have"),
                               virStorageFormatToString(format));
        if (!parsers[format](&data, &header, error))
            return false;
    }
    *retHeader = header;
    memset(&header, 0, sizeof(header));
    return true;
}

/* --- files --- */

int
virImageOpen(const char *path, GError **error)
{
    VIR_AUTOCLOSE fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        virErrorErrno(error, _("Cannot access storage file '%s'"), path);
        return -1;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        virErrorSet(error, VIR_ERR_INTERNAL_ERROR,
                    _("storage file '%s' is neither a file nor a block device"), path);
        return -1;
    }
    return g_steal_fd(&fd);
}

void *
virImageReadHeader(int fd, const char *path, size_t *retLen, GError **error)
{
    g_autofree char *buffer = g_malloc(VIR_IMAGE_HEADER_SIZE);
    size_t len = 0;

    while (len < VIR_IMAGE_HEADER_SIZE) {
        ssize_t got = pread(fd, buffer + len, VIR_IMAGE_HEADER_SIZE - len, (off_t)len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            virErrorErrno(error, _("cannot read header '%s'"), path);
            return NULL;
        }
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *retLen = len;
    return g_steal_pointer(&buffer);
}

static bool
virImageGetContainer(int fd, const char *path, virImageSizes *sizes, GError **error)
{
    struct stat st;
    off_t end;

    if (fstat(fd, &st) < 0)
        return virErrorErrno(error, _("cannot stat file '%s'"), path);
    if (S_ISREG(st.st_mode)) {
        sizes->physical = (uint64_t)st.st_size;
        sizes->allocation = (uint64_t)st.st_blocks * 512;
        return true;
    }
    if ((end = lseek(fd, 0, SEEK_END)) < 0)
        return virErrorErrno(error, _("failed to seek to end of %s"), path);
    sizes->physical = sizes->allocation = (uint64_t)end;
    return true;
}

bool
virImageGetSizes(int fd, const char *path, int format, virImageSizes *retSizes, GError **error)
{
    virImageSizes sizes = {0};
    g_auto(virImageHeader) header = {0};
    g_autofree void *data = NULL;
    size_t len = 0;

    if (!virImageGetContainer(fd, path, &sizes, error) ||
        !(data = virImageReadHeader(fd, path, &len, error)) ||
        !virImageParse(data, len, format, &header, error))
        return false;
    sizes.capacity = header.capacity ? header.capacity : sizes.physical;
    *retSizes = sizes;
    return true;
}
