/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * chrsource.c: reading, writing and checking the source of a character device. */
#include "device/common/chrsource.h"

#include <string.h>

#include "device/common/seclabel.h"
#include "util/virerror.h"

VIR_ENUM_IMPL(virChrType, VIR_CHR_LAST, "null", "vc", "pty", "dev", "file", "pipe", "stdio", "udp",
              "tcp", "unix", "spicevmc", "spiceport", "nmdm", "qemu-vdagent", "dbus");
VIR_ENUM_IMPL(virChrProtocol, VIR_CHR_PROTOCOL_LAST, "raw", "telnet", "telnets", "tls");
VIR_ENUM_IMPL(virChrMouseMode, VIR_CHR_MOUSE_LAST, "default", "server", "client");

enum { VIR_CHR_SOURCES_MAX = 2 };

/* --- reading --- */

static bool
virChrParseYesNo(const xmlNode *node, const char *name, const char *yes, virTristate *ret,
                 GError **error)
{
    const char *text = virXMLAttrPeek(node, name);

    if (!text)
        return true;
    if (g_str_equal(text, yes))
        *ret = VIR_TRISTATE_YES;
    else if (g_str_equal(text, g_str_equal(yes, "yes") ? "no" : "off"))
        *ret = VIR_TRISTATE_NO;
    else
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), name,
                           (const char *)node->name, text);
    return true;
}

bool
virChrReconnectParse(virChrReconnect *reconnect, xmlNode *source, GError **error)
{
    xmlNode *node = virXMLFirstChild(source, "reconnect");
    uint64_t timeout = 0;
    bool set;

    if (!node)
        return true;
    if (!virChrParseYesNo(node, "enabled", "yes", &reconnect->enabled, error))
        return false;
    if (reconnect->enabled != VIR_TRISTATE_YES)
        return true;
    if (!virFieldAttrUInt(node, "timeout", 10, UINT32_MAX, &set, &timeout, error))
        return false;
    if (!set)
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("missing timeout for chardev with reconnect enabled"));
    reconnect->timeout = (unsigned)timeout;
    return true;
}

static bool
virChrParseMode(xmlNode *node, bool *retListen, GError **error)
{
    const char *mode = virXMLAttrPeek(node, "mode");

    if (mode && !g_str_equal(mode, "connect") && !g_str_equal(mode, "bind"))
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "mode",
                           "source", mode);
    *retListen = g_strcmp0(mode, "bind") == 0;
    return true;
}

static void
virChrTakeAttr(char **member, xmlNode *node, const char *name)
{
    g_free(*member);
    *member = virXMLAttr(node, name);
}

static bool
virChrParseUDP(virChrSource *source, xmlNode *node, GError **error)
{
    bool bind;

    if (!virChrParseMode(node, &bind, error))
        return false;
    virChrTakeAttr(bind ? &source->bindHost : &source->host, node, "host");
    virChrTakeAttr(bind ? &source->bindService : &source->service, node, "service");
    return true;
}

static bool
virChrParseTCP(virChrSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    virChrTakeAttr(&source->host, node, "host");
    virChrTakeAttr(&source->service, node, "service");
    if (parseFlags & VIR_PARSE_STATUS)
        source->tlsFromConfig = g_strcmp0(virXMLAttrPeek(node, "tlsFromConfig"), "1") == 0;
    return virChrParseMode(node, &source->listen, error) &&
           virChrParseYesNo(node, "tls", "yes", &source->tls, error) &&
           virChrReconnectParse(&source->reconnect, node, error);
}

static bool
virChrParseVdagent(virChrSource *source, xmlNode *node, GError **error)
{
    xmlNode *clipboard = virXMLFirstChild(node, "clipboard");
    xmlNode *mouse = virXMLFirstChild(node, "mouse");
    g_autofree char *mode = virXMLAttr(mouse, "mode");

    if (clipboard && !virChrParseYesNo(clipboard, "copypaste", "yes", &source->clipboard, error))
        return false;
    if (mode && (source->mouse = virChrMouseModeFromString(mode)) <= 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("Invalid value for attribute '%s' in element '%s': '%s'."), "mode",
                           "mouse", mode);
    return true;
}

static bool
virChrParseSource(virChrSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_FILE:
        if (!virChrParseYesNo(node, "append", "on", &source->append, error))
            return false;
        break;
    case VIR_CHR_UDP:
        return virChrParseUDP(source, node, error);
    case VIR_CHR_TCP:
        return virChrParseTCP(source, node, parseFlags, error);
    case VIR_CHR_UNIX:
        if (!virChrParseMode(node, &source->listen, error) ||
            !virChrReconnectParse(&source->reconnect, node, error))
            return false;
        break;
    case VIR_CHR_SPICEPORT:
    case VIR_CHR_DBUS:
        virChrTakeAttr(&source->channel, node, "channel");
        break;
    case VIR_CHR_NMDM:
        virChrTakeAttr(&source->master, node, "master");
        virChrTakeAttr(&source->slave, node, "slave");
        break;
    case VIR_CHR_QEMU_VDAGENT:
        return virChrParseVdagent(source, node, error);
    default:
        break;
    }
    /* a pty's path is that of the guest that runs, not of the next one */
    if (source->type != VIR_CHR_PTY || !(parseFlags & VIR_PARSE_INACTIVE))
        virChrTakeAttr(&source->path, node, "path");
    return virDeviceSeclabelsParse(node, parseFlags, &source->seclabels, error);
}

static bool
virChrParseSources(virChrSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    int count = 0;

    virXMLForEachChildNamed (node, child, "source") {
        if (++count > 1 && source->type != VIR_CHR_UDP)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("only one source element is allowed for character device"));
        if (count > VIR_CHR_SOURCES_MAX)
            return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                               _("only two source elements are allowed for character device"));
        if (!virChrParseSource(source, child, parseFlags, error))
            return false;
    }
    return true;
}

static bool
virChrParseProtocol(virChrSource *source, xmlNode *node, GError **error)
{
    xmlNode *protocol = virXMLFirstChild(node, "protocol");
    g_autofree char *type = virXMLAttr(protocol, "type");
    int value = virChrProtocolFromString(type);

    if (protocol && virXMLNext(protocol, "protocol"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only one protocol element is allowed for character device"));
    if (!type || source->type != VIR_CHR_TCP)
        return true;
    if (value < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR, _("Unknown protocol '%s'"), type);
    source->protocol = value;
    return true;
}

static bool
virChrParseLog(virChrSource *source, xmlNode *node, GError **error)
{
    xmlNode *log = virXMLFirstChild(node, "log");

    if (!log)
        return true;
    if (virXMLNext(log, "log"))
        return virErrorSet(error, VIR_ERR_XML_ERROR, "%s",
                           _("only one log element is allowed for character device"));
    virChrTakeAttr(&source->logFile, log, "file");
    return virChrParseYesNo(log, "append", "on", &source->logAppend, error);
}

bool
virChrSourceParse(virChrSource *source, xmlNode *node, unsigned parseFlags, GError **error)
{
    return virChrParseSources(source, node, parseFlags, error) &&
           virChrParseProtocol(source, node, error) && virChrParseLog(source, node, error);
}

/* --- writing --- */

static const char *
virChrMode(bool listen)
{
    return listen ? "bind" : "connect";
}

void
virChrReconnectFormat(const virChrReconnect *reconnect, virXMLWriter *w)
{
    if (reconnect->enabled == VIR_TRISTATE_ABSENT)
        return;
    virXMLWriterOpen(w, "reconnect");
    virXMLWriterAttr(w, "enabled", reconnect->enabled == VIR_TRISTATE_YES ? "yes" : "no");
    if (reconnect->enabled == VIR_TRISTATE_YES)
        virXMLWriterAttrF(w, "timeout", "%u", reconnect->timeout);
    virXMLWriterClose(w);
}

static void
virChrFormatPath(const virChrSource *source, virXMLWriter *w, unsigned formatFlags)
{
    if (source->type == VIR_CHR_PTY && (!source->path || (formatFlags & VIR_FORMAT_INACTIVE)))
        return;
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "path", source->path);
    if (source->type == VIR_CHR_FILE && source->append != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "append", source->append == VIR_TRISTATE_YES ? "on" : "off");
    virDeviceSeclabelsFormat(source->seclabels, w, formatFlags);
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virChrFormatUnix(const virChrSource *source, virXMLWriter *w, unsigned formatFlags)
{
    if (!source->path)
        return;
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "mode", virChrMode(source->listen));
    virXMLWriterAttr(w, "path", source->path);
    virChrReconnectFormat(&source->reconnect, w);
    virDeviceSeclabelsFormat(source->seclabels, w, formatFlags);
    virXMLWriterClose(w);
}

static void
virChrFormatEndpoint(const char *mode, const char *host, const char *service, virXMLWriter *w)
{
    if (!host && !service)
        return;
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "mode", mode);
    virXMLWriterAttr(w, "host", host);
    virXMLWriterAttr(w, "service", service);
    virXMLWriterClose(w);
}

static void
virChrFormatTCP(const virChrSource *source, virXMLWriter *w, unsigned formatFlags)
{
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, "mode", virChrMode(source->listen));
    virXMLWriterAttr(w, "host", source->host);
    virXMLWriterAttr(w, "service", source->service);
    if (source->tls != VIR_TRISTATE_ABSENT &&
        !((formatFlags & VIR_FORMAT_MIGRATABLE) && source->tlsFromConfig))
        virXMLWriterAttr(w, "tls", source->tls == VIR_TRISTATE_YES ? "yes" : "no");
    if (formatFlags & VIR_FORMAT_STATUS)
        virXMLWriterAttrF(w, "tlsFromConfig", "%d", source->tlsFromConfig);
    virChrReconnectFormat(&source->reconnect, w);
    virXMLWriterClose(w);
    virXMLWriterOpen(w, "protocol");
    virXMLWriterAttr(w, "type", virChrProtocolToString(source->protocol));
    virXMLWriterClose(w);
}

static void
virChrFormatVdagent(const virChrSource *source, virXMLWriter *w)
{
    virXMLWriterOpen(w, "source");
    if (source->clipboard != VIR_TRISTATE_ABSENT) {
        virXMLWriterOpen(w, "clipboard");
        virXMLWriterAttr(w, "copypaste", source->clipboard == VIR_TRISTATE_YES ? "yes" : "no");
        virXMLWriterClose(w);
    }
    if (source->mouse != VIR_CHR_MOUSE_DEFAULT) {
        virXMLWriterOpen(w, "mouse");
        virXMLWriterAttr(w, "mode", virChrMouseModeToString(source->mouse));
        virXMLWriterClose(w);
    }
    virXMLWriterCloseUnlessEmpty(w);
}

static void
virChrFormatNames(virXMLWriter *w, const char *first, const char *value, const char *second,
                  const char *other)
{
    virXMLWriterOpen(w, "source");
    virXMLWriterAttr(w, first, value);
    if (second)
        virXMLWriterAttr(w, second, other);
    virXMLWriterClose(w);
}

static void
virChrFormatSource(const virChrSource *source, virXMLWriter *w, unsigned formatFlags)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_PTY:
    case VIR_CHR_DEV:
    case VIR_CHR_FILE:
    case VIR_CHR_PIPE:
        virChrFormatPath(source, w, formatFlags);
        break;
    case VIR_CHR_UDP:
        virChrFormatEndpoint("bind", source->bindHost, source->bindService, w);
        virChrFormatEndpoint("connect", source->host, source->service, w);
        break;
    case VIR_CHR_TCP:
        virChrFormatTCP(source, w, formatFlags);
        break;
    case VIR_CHR_UNIX:
        virChrFormatUnix(source, w, formatFlags);
        break;
    case VIR_CHR_SPICEPORT:
    case VIR_CHR_DBUS:
        virChrFormatNames(w, "channel", source->channel, NULL, NULL);
        break;
    case VIR_CHR_NMDM:
        virChrFormatNames(w, "master", source->master, "slave", source->slave);
        break;
    case VIR_CHR_QEMU_VDAGENT:
        virChrFormatVdagent(source, w);
        break;
    default:
        break;
    }
}

void
virChrSourceFormat(const virChrSource *source, virXMLWriter *w, unsigned formatFlags)
{
    virChrFormatSource(source, w, formatFlags);
    if (!source->logFile)
        return;
    virXMLWriterOpen(w, "log");
    virXMLWriterAttr(w, "file", source->logFile);
    if (source->logAppend != VIR_TRISTATE_ABSENT)
        virXMLWriterAttr(w, "append", source->logAppend == VIR_TRISTATE_YES ? "on" : "off");
    virXMLWriterClose(w);
}

/* --- rows --- */

static bool
virChrSourceParseType(void *object, xmlNode *node, unsigned parseFlags, GError **error)
{
    virChrSource *source = object;
    g_autofree char *type = virXMLAttr(node, "type");

    source->type = type ? virChrTypeFromString(type) : VIR_CHR_PTY;
    if (source->type < 0)
        return virErrorSet(error, VIR_ERR_XML_ERROR,
                           _("unknown type presented to host for character device: %s"), type);
    return virChrSourceParse(source, node, parseFlags, error);
}

static void
virChrSourceFormatType(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virXMLWriterAttr(w, "type", virChrTypeToString(((const virChrSource *)object)->type));
}

static void
virChrSourceFormatBody(const void *object, virXMLWriter *w, unsigned formatFlags)
{
    virChrSourceFormat(object, w, formatFlags);
}

static void
virChrSourceClearRow(void *object)
{
    virChrSourceClear(object);
}

static const virField chrSeclabelHolds[] = {
    VIR_HOLDS("@model"),
    VIR_HOLDS_YESNO("@relabel"),
    VIR_HOLDS_YESNO("@labelskip"),
    VIR_HOLDS("label"),
    VIR_FIELD_END,
};

static const virField chrSourceHolds[] = {
    VIR_HOLDS("@mode"),
    VIR_HOLDS("@path"),
    VIR_HOLDS("@host"),
    VIR_HOLDS("@service"),
    VIR_HOLDS("@channel"),
    VIR_HOLDS("@master"),
    VIR_HOLDS("@slave"),
    VIR_HOLDS("@tlsFromConfig"),
    VIR_HOLDS_ONOFF("@append"),
    VIR_HOLDS_YESNO("@tls"),
    VIR_HOLDS_YESNO("reconnect@enabled"),
    VIR_HOLDS_UINT("reconnect@timeout"),
    VIR_HOLDS_YESNO("clipboard@copypaste"),
    VIR_HOLDS_ENUM("mouse@mode", virChrMouseModeNames),
    VIR_HOLDS_ELEMENTS("seclabel", chrSeclabelHolds),
    VIR_FIELD_END,
};

static const virField chrLogHolds[] = {
    VIR_HOLDS("@file"),
    VIR_HOLDS_ONOFF("@append"),
    VIR_FIELD_END,
};

const virField virChrSourceTypeFields[] = {
    VIR_FIELD_CODE("@type", virChrSourceParseType, virChrSourceFormatType,
                   .names = &virChrTypeNames),
    VIR_FIELD_END,
};

const virField virChrSourceBodyFields[] = {
    VIR_FIELD_CODE("source", NULL, virChrSourceFormatBody, .clear = virChrSourceClearRow,
                   .flags = VIR_FIELD_MANY, .holds = chrSourceHolds),
    VIR_FIELD_CODE("protocol@type", NULL, NULL),
    VIR_FIELD_CODE("log", NULL, NULL, .holds = chrLogHolds),
    VIR_FIELD_END,
};

void
virChrSourceClear(virChrSource *source)
{
    g_clear_pointer(&source->path, g_free);
    g_clear_pointer(&source->host, g_free);
    g_clear_pointer(&source->service, g_free);
    g_clear_pointer(&source->bindHost, g_free);
    g_clear_pointer(&source->bindService, g_free);
    g_clear_pointer(&source->channel, g_free);
    g_clear_pointer(&source->master, g_free);
    g_clear_pointer(&source->slave, g_free);
    g_clear_pointer(&source->logFile, g_free);
    g_clear_pointer(&source->seclabels, g_ptr_array_unref);
}

/* --- checking --- */

static bool
virChrMissing(const char *text, GError **error)
{
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s", text);
}

static bool
virChrReconnectCheck(const virChrSource *source, GError **error)
{
    if (!source->listen || source->reconnect.enabled != VIR_TRISTATE_YES)
        return true;
    return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                       _("chardev reconnect is possible only for connect mode"));
}

static bool
virChrSpiceportCheck(const virChrSource *source, GError **error)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:_";

    if (!source->channel)
        return virChrMissing(_("Missing source channel attribute for char device"), error);
    if (source->channel[strspn(source->channel, allowed)])
        return virErrorSet(error, VIR_ERR_INTERNAL_ERROR, "%s",
                           _("Invalid character in source channel for char device"));
    return true;
}

bool
virChrSourceCheck(const virChrSource *source, bool mayLackPath, GError **error)
{
    switch ((virChrType)source->type) {
    case VIR_CHR_FILE:
    case VIR_CHR_DEV:
    case VIR_CHR_PIPE:
        return source->path ||
               virChrMissing(_("Missing source path attribute for char device"), error);
    case VIR_CHR_TCP:
        if (!source->host)
            return virChrMissing(_("Missing source host attribute for char device"), error);
        if (!source->service)
            return virChrMissing(_("Missing source service attribute for char device"), error);
        return virChrReconnectCheck(source, error);
    case VIR_CHR_UDP:
        return source->service ||
               virChrMissing(_("Missing source service attribute for char device"), error);
    case VIR_CHR_UNIX:
        if (!source->path && !mayLackPath)
            return virChrMissing(_("Missing source path attribute for char device"), error);
        return virChrReconnectCheck(source, error);
    case VIR_CHR_SPICEPORT:
        return virChrSpiceportCheck(source, error);
    case VIR_CHR_NMDM:
        if (!source->master)
            return virChrMissing(_("Missing master path attribute for nmdm device"), error);
        return source->slave ||
               virChrMissing(_("Missing slave path attribute for nmdm device"), error);
    default:
        return true;
    }
}

bool
virChrSourceEqual(const virChrSource *a, const virChrSource *b)
{
    return a->type == b->type && g_strcmp0(a->path, b->path) == 0 && a->append == b->append &&
           a->listen == b->listen && a->reconnect.enabled == b->reconnect.enabled &&
           a->reconnect.timeout == b->reconnect.timeout && g_strcmp0(a->host, b->host) == 0 &&
           g_strcmp0(a->service, b->service) == 0 && g_strcmp0(a->bindHost, b->bindHost) == 0 &&
           g_strcmp0(a->bindService, b->bindService) == 0 && a->protocol == b->protocol &&
           g_strcmp0(a->channel, b->channel) == 0 && g_strcmp0(a->master, b->master) == 0 &&
           g_strcmp0(a->slave, b->slave) == 0 && a->clipboard == b->clipboard &&
           a->mouse == b->mouse;
}
