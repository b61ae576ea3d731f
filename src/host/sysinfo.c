/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sysinfo.c: the sections of dmidecode's output as rows, and the document out of them. */
#include "host/sysinfo.h"

#include <string.h>

#include "util/virerror.h"
#include "util/virscale.h"
#include "util/virspawn.h"
#include "util/virutil.h"
#include "util/virxml.h"

#define VIR_HOST_SYSINFO_TIMEOUT_MS 10000
#define VIR_HOST_SYSINFO_ENTRIES_MAX 11

typedef struct {
    const char *key;   /* dmidecode's */
    const char *entry; /* the document's */
} virHostSysinfoEntry;

typedef struct {
    const char *title;   /* of dmidecode's section */
    const char *element; /* of the document */
    bool isRepeated;     /* else only the first counts */
    const char *absent;  /* a section whose first entry has this value is left out; NULL: none */
    virHostSysinfoEntry entries[VIR_HOST_SYSINFO_ENTRIES_MAX]; /* in the document's order */
} virHostSysinfoSection;

static const virHostSysinfoSection sections[] = {
    {"BIOS Information",
     "bios",
     false,
     NULL,
     {{"Vendor", "vendor"},
      {"Version", "version"},
      {"Release Date", "date"},
      {"BIOS Revision", "release"}}},
    {"System Information",
     "system",
     false,
     NULL,
     {{"Manufacturer", "manufacturer"},
      {"Product Name", "product"},
      {"Version", "version"},
      {"Serial Number", "serial"},
      {"UUID", "uuid"},
      {"SKU Number", "sku"},
      {"Family", "family"}}},
    {"Base Board Information",
     "baseBoard",
     true,
     NULL,
     {{"Manufacturer", "manufacturer"},
      {"Product Name", "product"},
      {"Version", "version"},
      {"Serial Number", "serial"},
      {"Asset Tag", "asset"},
      {"Location In Chassis", "location"}}},
    {"Chassis Information",
     "chassis",
     false,
     NULL,
     {{"Manufacturer", "manufacturer"},
      {"Version", "version"},
      {"Serial Number", "serial"},
      {"Asset Tag", "asset"},
      {"SKU Number", "sku"}}},
    {"Processor Information",
     "processor",
     true,
     NULL,
     {{"Socket Designation", "socket_destination"},
      {"Type", "type"},
      {"Family", "family"},
      {"Manufacturer", "manufacturer"},
      {"Signature", "signature"},
      {"Version", "version"},
      {"External Clock", "external_clock"},
      {"Max Speed", "max_speed"},
      {"Status", "status"},
      {"Serial Number", "serial_number"},
      {"Part Number", "part_number"}}},
    {"Memory Device",
     "memory_device",
     true,
     "No Module Installed",
     {{"Size", "size"},
      {"Form Factor", "form_factor"},
      {"Locator", "locator"},
      {"Bank Locator", "bank_locator"},
      {"Type", "type"},
      {"Type Detail", "type_detail"},
      {"Speed", "speed"},
      {"Manufacturer", "manufacturer"},
      {"Serial Number", "serial_number"},
      {"Part Number", "part_number"}}},
};

/* The value behind "<tab>key: " in the lines of one section; NULL if it stands nowhere. Caller
 * frees. */
static char *
virHostSysinfoValue(char **lines, const char *key)
{
    size_t len = strlen(key);

    for (; *lines && **lines; lines++) {
        const char *line = *lines;

        if (line[0] == '\t' && strncmp(line + 1, key, len) == 0 && line[len + 1] == ':')
            return g_strstrip(g_strdup(line + len + 2));
    }
    return NULL;
}

static void
virHostSysinfoFormatSection(virXMLWriter *w, const virHostSysinfoSection *section, char **lines)
{
    if (section->absent) {
        g_autofree char *first = virHostSysinfoValue(lines, section->entries[0].key);

        if (g_strcmp0(first, section->absent) == 0)
            return;
    }
    virXMLWriterOpen(w, section->element);
    for (size_t i = 0; i < VIR_HOST_SYSINFO_ENTRIES_MAX && section->entries[i].key; i++) {
        g_autofree char *value = virHostSysinfoValue(lines, section->entries[i].key);

        if (!value)
            continue;
        virXMLWriterOpen(w, "entry");
        virXMLWriterAttr(w, "name", section->entries[i].entry);
        virXMLWriterText(w, value);
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virHostSysinfoFormatOem(virXMLWriter *w, char **lines, virHostSysinfoOemFunc oem, void *opaque)
{
    virXMLWriterOpen(w, "oemStrings");
    for (; *lines && **lines; lines++) {
        char *line = *lines + strspn(*lines, " \t");
        g_autofree char *full = NULL;
        char *colon;
        uint64_t number;

        if (!g_str_has_prefix(line, "String ") || !(colon = strstr(line, ": ")))
            continue;
        *colon = '\0';
        if (!virStringToUInt(line + strlen("String "), UINT_MAX, &number))
            continue;
        if (strchr(colon + 2, '.'))
            full = oem((unsigned)number, opaque);
        virXMLWriterElement(w, "entry", full ? full : colon + 2);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

char *
virHostSysinfoFormat(const char *output, virHostSysinfoOemFunc oem, void *opaque)
{
    g_autoptr(virXMLWriter) w = virXMLWriterNew();
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);

    virXMLWriterOpen(w, "sysinfo");
    virXMLWriterAttr(w, "type", "smbios");
    for (size_t i = 0; i < G_N_ELEMENTS(sections); i++) {
        for (char **line = lines; *line; line++) {
            if (!g_str_equal(*line, sections[i].title))
                continue;
            virHostSysinfoFormatSection(w, &sections[i], line + 1);
            if (!sections[i].isRepeated)
                break;
        }
    }
    for (char **line = lines; *line; line++) {
        if (g_str_equal(*line, "OEM Strings")) {
            virHostSysinfoFormatOem(w, line + 1, oem, opaque);
            break;
        }
    }
    virXMLWriterClose(w);
    return virXMLWriterEnd(w);
}

/* --- the program --- */

static char *
virHostSysinfoRun(const char *program, const char *option, const char *value, GError **error)
{
    const char *const argv[] = {program, "-q", option, value, NULL};
    const char *const env[] = {"LC_ALL=C", NULL};
    virSpawnRequest request = VIR_SPAWN_REQUEST_INIT;
    g_autofree char *errors = NULL;
    char *output = NULL;

    request.argv = argv;
    request.env = env;
    if (!virSpawnRun(&request, VIR_HOST_SYSINFO_TIMEOUT_MS, 0, &output, &errors, NULL, error))
        return NULL;
    return output;
}

static char *
virHostSysinfoAskOem(unsigned n, void *opaque)
{
    g_autofree char *number = g_strdup_printf("%u", n);
    char *full = virHostSysinfoRun(opaque, "--oem-string", number, NULL); /* else the dots stay */

    return full ? g_strchomp(full) : NULL;
}

char *
virHostSysinfoRead(GError **error)
{
    g_autofree char *program = g_find_program_in_path("dmidecode");
    g_autofree char *output = NULL;

    if (!program)
        program = g_find_program_in_path("/usr/sbin/dmidecode");
    if (program)
        output = virHostSysinfoRun(program, "-t", "0,1,2,3,4,11,17", NULL); /* said below */
    if (!output) {
        virErrorSet(error, VIR_ERR_CONFIG_UNSUPPORTED,
                    _("Host SMBIOS information is not available"));
        return NULL;
    }
    return virHostSysinfoFormat(output, virHostSysinfoAskOem, program);
}
