/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sections.c: the list of sections. The order is the order of the document. */
#include "domain/section.h"

extern const virDomainSection virDomainIdentitySection, virDomainMemorySection,
    virDomainBlkiotuneSection, virDomainMemtuneSection, virDomainMemoryBackingSection,
    virDomainVcpusSection, virDomainIOThreadsSection, virDomainCputuneSection,
    virDomainNumatuneSection, virDomainResourceSection, virDomainSysinfoSection, virDomainOSSection,
    virDomainIdMapSection, virDomainFeaturesSection, virDomainCPUSection, virDomainClockSection,
    virDomainLifecycleSection, virDomainPMSection, virDomainPerfSection, virDomainSeclabelSection,
    virDomainQemuSection, virDomainLaunchSecuritySection;

const virDomainSection *const virDomainSectionsBefore[] = {
    &virDomainIdentitySection,      &virDomainMemorySection,
    &virDomainBlkiotuneSection,     &virDomainMemtuneSection,
    &virDomainMemoryBackingSection, &virDomainVcpusSection,
    &virDomainIOThreadsSection,     &virDomainCputuneSection,
    &virDomainNumatuneSection,      &virDomainResourceSection,
    &virDomainSysinfoSection,       &virDomainOSSection,
    &virDomainIdMapSection,         &virDomainFeaturesSection,
    &virDomainCPUSection,           &virDomainClockSection,
    &virDomainLifecycleSection,     &virDomainPMSection,
    &virDomainPerfSection,          NULL,
};

const virDomainSection *const virDomainSectionsAfter[] = {
    &virDomainSeclabelSection,
    &virDomainQemuSection,
    &virDomainLaunchSecuritySection,
    NULL,
};
