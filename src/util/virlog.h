/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virlog.h: one line a record, to standard error or the journal, by GLib's structured log.
 * Code below src/api never logs what it also returns. Texts are English, not translated. Any
 * thread. */
#pragma once

#include <glib.h>

#define VIR_DEBUG(...) g_log("virtward", G_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define VIR_INFO(...) g_log("virtward", G_LOG_LEVEL_INFO, __VA_ARGS__)
#define VIR_WARN(...) g_log("virtward", G_LOG_LEVEL_WARNING, __VA_ARGS__)
#define VIR_ERROR_LOG(...) g_log("virtward", G_LOG_LEVEL_MESSAGE, __VA_ARGS__)
