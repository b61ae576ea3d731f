/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sections.h: all that <domain> holds beside devices, a header per section. */
#pragma once

#include "domain/clock.h"
#include "domain/cpu.h"
#include "domain/features.h"
#include "domain/identity.h"
#include "domain/iothreads.h"
#include "domain/lifecycle.h"
#include "domain/memory.h"
#include "domain/os.h"
#include "domain/qemuns.h"
#include "domain/security.h"
#include "domain/sysinfo.h"
#include "domain/tune.h"
#include "domain/vcpus.h"
