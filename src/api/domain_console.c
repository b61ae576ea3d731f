/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * domain_console.c: a guest's terminals and its picture, as streams.
 *
 * A terminal is a pseudo terminal of QEMU; bytes go both ways on the event thread, which only takes
 * what is there. One client at a time has it: a second one is refused, or takes it over. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "api/domain.h"
#include "api/handlers.gen.h"
#include "device/video/video.h"
#include "qemu/guest.h"
#include "util/vircore.h"
#include "util/virerror.h"
#include "util/virevent.h"

enum { CONSOLE_FORCE = 1 << 0, CONSOLE_SAFE = 1 << 1 };
enum { CHUNK = 16 * 1024 };

/* One terminal that a client has; all on the event thread, but for its making. */
typedef struct {
    virNetStream *stream;
    char *path;
    int fd;
    virEventWatch *watch;
    GByteArray *toGuest; /* what the terminal did not take at once */
} virApiConsole;

/* Who has which terminal: path to virApiConsole. Under the core lock. */
static GHashTable *consoles;

static void
virApiConsoleFree(void *opaque)
{
    virApiConsole *console = opaque;

    virCloseFd(&console->fd);
    g_byte_array_unref(console->toGuest);
    g_free(console->path);
    g_free(console);
}

static void
virApiConsoleWatch(virApiConsole *console)
{
    unsigned events = 0;

    if (!console->watch)
        return;
    if (!virNetStreamIsFull(console->stream))
        events |= EPOLLIN;
    if (console->toGuest->len > 0)
        events |= EPOLLOUT;
    virEventWatchUpdate(console->watch, events);
}

/* Writes what the terminal takes; false if it is gone. */
static bool
virApiConsoleFlush(virApiConsole *console)
{
    while (console->toGuest->len > 0) {
        ssize_t n = write(console->fd, console->toGuest->data, console->toGuest->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        g_byte_array_remove_range(console->toGuest, 0, (guint)n);
    }
    return true;
}

static void
virApiConsoleReady(int fd, unsigned events, void *opaque)
{
    virApiConsole *console = opaque;
    char bytes[CHUNK];
    ssize_t n;

    if (!virApiConsoleFlush(console)) {
        virNetStreamEnd(console->stream);
        return;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        n = read(fd, bytes, sizeof(bytes));
        if (n > 0) {
            virNetStreamSend(console->stream, bytes, (size_t)n);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            /* a terminal whose other side is closed: the guest has ended */
            virEventWatchRemove(console->watch);
            console->watch = NULL;
            virNetStreamEnd(console->stream);
            return;
        }
    }
    virApiConsoleWatch(console);
    if (console->toGuest->len == 0)
        virNetStreamContinue(console->stream);
}

static void
virApiConsoleStart(virNetStream *stream, void *opaque)
{
    virApiConsole *console = opaque;
    g_autoptr(GError) error = NULL;

    console->watch =
        virEventWatchAdd(console->fd, EPOLLIN, virApiConsoleReady, console, NULL, &error);
    if (!console->watch)
        virNetStreamFail(stream, error);
}

static ssize_t
virApiConsoleReceived(virNetStream *stream, const uint8_t *bytes, size_t len, void *opaque,
                      GError **error)
{
    virApiConsole *console = opaque;

    if (console->toGuest->len > 0)
        return 0;
    g_byte_array_append(console->toGuest, bytes, (guint)MIN(len, CHUNK));
    if (!virApiConsoleFlush(console)) {
        virErrorErrno(error, "%s", _("cannot write to the guest's terminal"));
        return -1;
    }
    virApiConsoleWatch(console);
    return (ssize_t)MIN(len, CHUNK);
}

static void
virApiConsoleDrained(virNetStream *stream, void *opaque)
{
    virApiConsoleWatch(opaque);
}

static void
virApiConsoleClosed(virNetStream *stream, void *opaque)
{
    virApiConsole *console = opaque;
    VIR_CORE_GUARD;

    virEventWatchRemove(console->watch);
    console->watch = NULL;
    if (g_hash_table_lookup(consoles, console->path) == console)
        g_hash_table_remove(consoles, console->path);
}

static const virNetStreamOps consoleOps = {
    .start = virApiConsoleStart,
    .received = virApiConsoleReceived,
    .drained = virApiConsoleDrained,
    .closed = virApiConsoleClosed,
};

/* The terminal of the device, else of the first that has one. A copy. */
static char *
virApiTerminalPath(const virDomainDef *def, const char *alias, const char *element, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);

        if (!dev->kind->terminal || (alias && g_strcmp0(dev->info.alias, alias) != 0) ||
            (!alias && element && !g_str_equal(dev->kind->element, element)))
            continue;
        if (dev->kind->terminal(dev))
            return g_strdup(dev->kind->terminal(dev));
        if (alias) {
            virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("character device %s is not using a PTY"),
                        alias);
            return NULL;
        }
    }
    virErrorSet(error, VIR_ERR_INTERNAL_ERROR, _("cannot find character device %s"),
                alias ? alias : "(null)");
    return NULL;
}

/* Raw, so that what the guest writes comes as it is. */
static int
virApiTerminalOpen(const char *path, GError **error)
{
    VIR_AUTOCLOSE fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios settings;

    if (fd < 0) {
        virErrorErrno(error, _("cannot open %s"), path);
        return -1;
    }
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        (void)tcsetattr(fd, TCSANOW, &settings); /* QEMU's own settings serve too */
    }
    return g_steal_fd(&fd);
}

/* Makes the terminal this client's. Lock held. */
static bool
virApiTerminalClaim(virApiConsole *console, bool force, GError **error)
{
    virApiConsole *other;

    if (!consoles)
        consoles = g_hash_table_new(g_str_hash, g_str_equal);
    other = g_hash_table_lookup(consoles, console->path);
    if (other && !force)
        return virErrorSet(error, VIR_ERR_OPERATION_FAILED, "%s",
                           _("Active console session exists for this domain"));
    if (other)
        virNetStreamEnd(other->stream);
    g_hash_table_replace(consoles, console->path, console);
    return true;
}

static bool
virApiTerminal(virApiCall *call, const remote_nonnull_domain *dom, const char *alias,
               const char *element, bool force, GError **error)
{
    g_autofree char *path = NULL;
    virApiConsole *console;
    bool ok;

    {
        g_autoptr(virDomainObj) obj = NULL;
        VIR_CORE_GUARD;

        if (!(obj = virApiDomain(call, dom, error)) || !virDomainObjCheckActive(obj, error) ||
            !(path = virApiTerminalPath(virDomainObjDef(obj), alias, element, error)))
            return false;
    }
    console = g_new0(virApiConsole, 1);
    console->toGuest = g_byte_array_new();
    console->path = g_strdup(path);
    console->fd = virApiTerminalOpen(path, error);
    if (console->fd < 0) {
        virApiConsoleFree(console);
        return false;
    }
    {
        VIR_CORE_GUARD;

        ok = virApiTerminalClaim(console, force, error);
        if (ok)
            console->stream = virNetStreamNew(call, &consoleOps, console, virApiConsoleFree);
    }
    if (!ok) {
        virApiConsoleFree(console);
        return false;
    }
    virNetStreamUnref(console->stream); /* the client's reference keeps it while it is open */
    return true;
}

bool
virApiDomainOpenConsole(virApiCall *call, const remote_domain_open_console_args *args,
                        GError **error)
{
    return virApiOnlyFlags(args->flags, CONSOLE_FORCE | CONSOLE_SAFE, error) &&
           virApiTerminal(call, &args->dom, args->dev_name, NULL, args->flags & CONSOLE_FORCE,
                          error);
}

bool
virApiDomainOpenChannel(virApiCall *call, const remote_domain_open_channel_args *args,
                        GError **error)
{
    return virApiOnlyFlags(args->flags, CONSOLE_FORCE, error) &&
           virApiTerminal(call, &args->dom, args->name, "channel", args->flags & CONSOLE_FORCE,
                          error);
}

/* --- the picture --- */

typedef struct {
    int fd;
} virApiPicture;

static void
virApiPictureFree(void *opaque)
{
    virApiPicture *picture = opaque;

    virCloseFd(&picture->fd);
    g_free(picture);
}

/* The file lies in memory: reading it does not wait. */
static void
virApiPictureSend(virNetStream *stream, void *opaque)
{
    virApiPicture *picture = opaque;
    char bytes[CHUNK];

    while (picture->fd >= 0 && !virNetStreamIsFull(stream)) {
        ssize_t n = read(picture->fd, bytes, sizeof(bytes));

        if (n > 0) {
            virNetStreamSend(stream, bytes, (size_t)n);
            continue;
        }
        virCloseFd(&picture->fd);
        virNetStreamEnd(stream);
    }
}

static const virNetStreamOps pictureOps = {
    .start = virApiPictureSend,
    .drained = virApiPictureSend,
};

/* The card that shows the screen, and which of its heads: arguments of screendump. */
static bool
virApiScreen(const virDomainDef *def, unsigned screen, virJSON *arguments, GError **error)
{
    unsigned cards = 0;

    for (guint i = 0; i < def->devices->len; i++) {
        const virDevice *dev = g_ptr_array_index(def->devices, i);
        unsigned heads;

        if (dev->kind != &virVideoKind)
            continue;
        heads = VIR_VIDEO(dev)->heads.set ? (unsigned)VIR_VIDEO(dev)->heads.value : 1;
        cards++;
        if (screen < heads) {
            virJSONAddString(arguments, "device", dev->info.alias);
            virJSONAddUInt(arguments, "head", screen);
            return true;
        }
        screen -= heads;
    }
    return virErrorSet(error, VIR_ERR_OPERATION_INVALID, "%s",
                       cards ? _("no such screen ID") : _("no screens to take screenshot from"));
}

/* QEMU writes the picture there: as PNG, else, built without that or older, as PPM. */
static bool
virApiScreenDump(virDomainObj *obj, unsigned screen, const char *path, const char **retMime,
                 GError **error)
{
    enum { VERSION_PNG = 7001000 };
    g_autoptr(virJSON) arguments = virJSONObject();
    g_autoptr(virJSON) png = NULL;

    if (!virApiScreen(virDomainObjDef(obj), screen, arguments, error))
        return false;
    virJSONAddString(arguments, "filename", path);
    if (qmpCapsVersion(qemuGuestOf(obj)->caps) >= VERSION_PNG) {
        png = virJSONCopy(arguments);
        virJSONAddString(png, "format", "png");
        *retMime = "image/png";
        if (qemuGuestCommand(obj, "screendump", g_steal_pointer(&png), NULL, NULL))
            return true;
    }
    *retMime = "image/x-portable-pixmap";
    return qemuGuestCommand(obj, "screendump", g_steal_pointer(&arguments), NULL, error);
}

bool
virApiDomainScreenshot(virApiCall *call, const remote_domain_screenshot_args *args,
                       remote_domain_screenshot_ret *ret, GError **error)
{
    g_autoptr(virDomainObj) obj = NULL;
    g_autofree char *path = NULL;
    const char *mime;
    virApiPicture *picture;
    VIR_CORE_GUARD;

    if (!virApiOnlyFlags(args->flags, 0, error) || !(obj = virApiDomain(call, &args->dom, error)))
        return false;
    VIR_API_JOB(obj, "screenshot", error);
    if (!virDomainObjCheckActive(obj, error))
        return false;
    path = g_build_filename(qemuGuestOf(obj)->stateDir, "screenshot", NULL);
    if (!virApiScreenDump(obj, args->screen, path, &mime, error))
        return false;
    picture = g_new0(virApiPicture, 1);
    picture->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    (void)unlink(path); /* the descriptor keeps it as long as the stream needs it */
    if (picture->fd < 0) {
        virErrorErrno(error, _("unable to open %s"), path);
        virApiPictureFree(picture);
        return false;
    }
    ret->mime = mime;
    virNetStreamUnref(virNetStreamNew(call, &pictureOps, picture, virApiPictureFree));
    return true;
}
