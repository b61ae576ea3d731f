/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * families.c: which families there are. */
#include "families.h"

const conformanceFamily conformanceFamilies[] = {
    {"cpu", conformanceCpu},
    {"domaincaps", conformanceDomainCaps},
    {"genericxml2xml", conformanceGenericXML2XML},
    {"qemucapabilities", conformanceQemuCapabilities},
    {"qemucaps2xml", conformanceQemuCaps2XML},
    {"qemufirmware", conformanceQemuFirmware},
    {"qemuhotplugcpu", conformanceQemuHotplugCpu},
    {"qemumemlock", conformanceQemuMemlock},
    {"qemuxml2argv", conformanceQemuXML2Argv},
    {"qemuxml2xml", conformanceQemuXML2XML},
    {"sysinfo", conformanceSysinfo},
    {"vircaps2xml", conformanceVirCaps2XML},
    {"vircgroup", conformanceVirCgroup},
    {"virhostcpu", conformanceVirHostCPU},
    {"virjson", conformanceVirJson},
    {NULL, NULL},
};

const conformanceFamily *
conformanceFamilyFind(const char *name)
{
    for (const conformanceFamily *family = conformanceFamilies; family->name; family++) {
        if (g_str_equal(family->name, name))
            return family;
    }
    return NULL;
}
