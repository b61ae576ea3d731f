# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt_internal: taking over privileged operations of a virtward daemon, from Python.

    import libvirt, libvirt_internal

    def own(call, request):
        os.fchownat(...)            # request.fd(0), request["uid"], request["gid"]
        return None                 # or raise: the text reaches the client whose operation failed

    session = libvirt_internal.Session(libvirt.open("qemu:///system"))
    session.register("own.set", own)
    # in any event loop: when session.fileno() is readable, session.dispatch()

Operations and the names of their arguments: docs/handler-protocol.md. The API is unstable: a
difference between this module, the library and the daemon is an error at registration."""

import ctypes
import ctypes.util
import typing

ABI = 1
TAKE_OVER = 1
GATE_OBJECTS = ("rules", "nodes", "header", "events", "program", "link")

# roles of threads, stages of a barrier
EMULATOR, VCPU, IOTHREAD, OTHER = range(4)
PREPARED, RESUME, HOTPLUG_VCPU = range(3)
# what tap.create makes, modes of a macvtap
TAP, MACVTAP = range(2)
VEPA, PRIVATE, BRIDGE, PASSTHROUGH = range(4)


class Error(Exception):
    """What the library or the daemon says."""


class _Call(ctypes.Structure):
    _fields_ = [("uuid", ctypes.c_ubyte * 16), ("domain", ctypes.c_char_p),
                ("phase", ctypes.c_int), ("request", ctypes.c_ulonglong),
                ("deadline_ms", ctypes.c_uint), ("flags", ctypes.c_uint)]


class _Threads(ctypes.Structure):
    _fields_ = [("pidfd", ctypes.c_int), ("fds", ctypes.POINTER(ctypes.c_int)),
                ("folder", ctypes.c_int), ("tids", ctypes.POINTER(ctypes.c_int)),
                ("n", ctypes.c_size_t)]


class _GuestThread(ctypes.Structure):
    _fields_ = [("role", ctypes.c_int), ("id", ctypes.c_uint), ("tid", ctypes.c_int),
                ("fd", ctypes.c_int)]


class _GuestThreads(ctypes.Structure):
    _fields_ = [("pidfd", ctypes.c_int), ("folder", ctypes.c_int),
                ("threads", ctypes.POINTER(_GuestThread)), ("n", ctypes.c_size_t)]


class GuestThread(typing.NamedTuple):
    """A thread of a barrier: EMULATOR, VCPU, IOTHREAD or OTHER; its pidfd, or -1."""

    role: int
    id: int
    tid: int
    fd: int


class _Mount(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("target", ctypes.c_char_p), ("size", ctypes.c_ulonglong),
                ("mode", ctypes.c_uint), ("uid", ctypes.c_uint), ("gid", ctypes.c_uint),
                ("major", ctypes.c_uint), ("minor", ctypes.c_uint), ("text", ctypes.c_char_p)]


class _Rule(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("major", ctypes.c_int), ("minor", ctypes.c_int),
                ("access", ctypes.c_uint)]


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Call), ctypes.c_void_p, ctypes.c_void_p)
_RESYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Call), ctypes.c_char_p, ctypes.c_void_p,
                           ctypes.c_void_p)
KEPT, LOST, UNKNOWN = 0, 1, 2
_PROTOTYPES = {
    "SessionSetResync": (None, [ctypes.c_void_p, _RESYNC, ctypes.c_void_p, ctypes.c_void_p]),
    "GetLastError": (ctypes.c_char_p, []),
    "Fail": (None, None),
    "SessionOpen": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_uint]),
    "SessionOpenPath": (ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_uint]),
    "SessionOpenFd": (ctypes.c_void_p, [ctypes.c_int, ctypes.c_uint]),
    "SessionFree": (None, [ctypes.c_void_p]),
    "SessionShutdown": (None, [ctypes.c_void_p]),
    "SessionRegister": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p,
                                       ctypes.c_char_p, ctypes.c_uint, _HANDLER, ctypes.c_void_p,
                                       ctypes.c_void_p]),
    "SessionUnregister": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]),
    "SessionGetFd": (ctypes.c_int, [ctypes.c_void_p]),
    "SessionDispatch": (ctypes.c_int, [ctypes.c_void_p]),
    "RequestGetNumber": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p,
                                        ctypes.POINTER(ctypes.c_longlong)]),
    "RequestGetString": (ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_char_p]),
    "RequestGetBytes": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p,
                                          ctypes.POINTER(ctypes.c_size_t)]),
    "RequestGetFd": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_size_t]),
    "RequestCountFds": (ctypes.c_size_t, [ctypes.c_void_p]),
    "RequestGetThreads": (ctypes.c_int, [ctypes.c_void_p, ctypes.POINTER(_Threads)]),
    "RequestGetGuestThreads": (ctypes.c_int, [ctypes.c_void_p, ctypes.POINTER(_GuestThreads)]),
    "RequestGetMounts": (ctypes.POINTER(_Mount), [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]),
    "RequestGetRules": (ctypes.POINTER(_Rule), [ctypes.c_void_p, ctypes.c_char_p,
                                                ctypes.POINTER(ctypes.c_size_t)]),
    "RequestGetObject": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
    "RequestGetIds": (ctypes.POINTER(ctypes.c_ulonglong), [ctypes.c_void_p,
                                                           ctypes.POINTER(ctypes.c_size_t)]),
    "RequestSetNumber": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_longlong]),
    "RequestSetString": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]),
    "RequestAddFd": (None, [ctypes.c_void_p, ctypes.c_int]),
    "RequestAddObject": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
}


class _Library:
    """The functions of libvirt-internal.so, without their prefix."""

    def __init__(self, path):
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, "virInternal" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)


_library = None


def load(path="libvirt-internal.so.1"):
    """Loads the library from another place than the system's; before anything else."""
    global _library
    _library = _Library(path)


def _lib():
    if _library is None:
        load()
    return _library


def _error():
    return Error(_lib().GetLastError().decode())


class Request:
    """A call's arguments by name, and its answer. Valid while the handler runs."""

    def __init__(self, pointer):
        self._pointer = pointer

    def __getitem__(self, field):
        name = field.encode()
        number, size = ctypes.c_longlong(), ctypes.c_size_t()
        if _lib().RequestGetNumber(self._pointer, name, ctypes.byref(number)) == 0:
            return number.value
        text = _lib().RequestGetString(self._pointer, name)
        if text is not None:
            return text.decode()
        start = _lib().RequestGetBytes(self._pointer, name, ctypes.byref(size))
        if start or size.value:
            return ctypes.string_at(start, size.value)
        raise KeyError(field)

    def __setitem__(self, field, value):
        """A field of the answer."""
        name = field.encode()
        if isinstance(value, int):
            done = _lib().RequestSetNumber(self._pointer, name, value)
        else:
            done = _lib().RequestSetString(self._pointer, name, value.encode())
        if done < 0:
            raise KeyError(field)

    def fd(self, index):
        """Descriptor index that came with the call, borrowed; -1: there are fewer."""
        return _lib().RequestGetFd(self._pointer, index)

    def fds(self):
        return [self.fd(i) for i in range(_lib().RequestCountFds(self._pointer))]

    def threads(self):
        """(pidfd of the process, [pidfds of threads] or None, task folder or -1, [thread ids])."""
        threads = _Threads()
        if _lib().RequestGetThreads(self._pointer, ctypes.byref(threads)) < 0:
            raise KeyError("threads")
        fds = [threads.fds[i] for i in range(threads.n)] if threads.fds else None
        return (threads.pidfd, fds, threads.folder, [threads.tids[i] for i in range(threads.n)])

    def guest_threads(self):
        """Of a barrier: (pidfd of the process, task folder or -1, [GuestThread])."""
        table = _GuestThreads()
        if _lib().RequestGetGuestThreads(self._pointer, ctypes.byref(table)) < 0:
            raise KeyError("threads")
        return (table.pidfd, table.folder,
                [GuestThread(one.role, one.id, one.tid, one.fd)
                 for one in (table.threads[i] for i in range(table.n))])

    def mounts(self):
        """Of a mount.apply: one each, with kind, target, size, mode, uid, gid, major, minor and text. Its
        descriptors: the process, the sources' mount namespace, the folder, a source for each bind."""
        size = ctypes.c_size_t()
        mounts = _lib().RequestGetMounts(self._pointer, ctypes.byref(size))
        return [mounts[i] for i in range(size.value)]

    def rules(self, field="rules"):
        """[(type, major, minor, access)] of a request for a gate; of gate.update, "changes"."""
        size = ctypes.c_size_t()
        rules = _lib().RequestGetRules(self._pointer, field.encode(), ctypes.byref(size))
        return [(rule.type, rule.major, rule.minor, rule.access) for rule in (rules[:size.value] if size.value else [])]

    def object(self, which):
        """An object of the gate (GATE_OBJECTS) that came with the call, borrowed; -1: it did not."""
        return _lib().RequestGetObject(self._pointer, GATE_OBJECTS.index(which))

    def add_object(self, which, fd):
        """An object of the gate for the answer; it is closed here when it was sent."""
        if _lib().RequestAddObject(self._pointer, GATE_OBJECTS.index(which), fd) < 0:
            raise KeyError(which)

    def ids(self):
        """The request ids of a teardown."""
        size = ctypes.c_size_t()
        ids = _lib().RequestGetIds(self._pointer, ctypes.byref(size))
        return [ids[i] for i in range(size.value)]

    def add_fd(self, fd):
        """A descriptor of the answer; it is closed here when it was sent."""
        _lib().RequestAddFd(self._pointer, fd)


class Session:
    """A channel to the daemon behind a connection (libvirt.virConnect), or to a socket's path.

    Or fd, one end of a socket pair whose other end the daemon was started with; it is taken over."""

    def __init__(self, conn=None, path=None, fd=None, abi=ABI):
        self._handlers = {}  # keeps the callbacks alive
        if fd is not None:
            self._pointer = _lib().SessionOpenFd(fd, abi)
        elif path is not None:
            self._pointer = _lib().SessionOpenPath(path.encode(), abi)
        else:
            capsule = ctypes.pythonapi.PyCapsule_GetPointer
            capsule.restype, capsule.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
            self._pointer = _lib().SessionOpen(capsule(conn._o, b"virConnectPtr"), abi)
        if not self._pointer:
            raise _error()

    def register(self, hook, handler, uuid=None, pattern=None, flags=0):
        """handler(call, request) for the operation: returns, or raises what the client shall read.

        For the guest of uuid (16 bytes), those whose names fit pattern, or all."""
        def run(call, request, _opaque):
            try:
                handler(call.contents, Request(request))
                return 0
            except Exception as failure:  # pylint: disable=broad-except; it goes to the daemon
                text = (str(failure) or repr(failure)).encode().replace(b"%", b"%%")
                _lib().Fail(call, ctypes.c_char_p(text))
                return -1

        callback = _HANDLER(run)
        if _lib().SessionRegister(self._pointer, hook.encode(), uuid,
                                  pattern.encode() if pattern else None, flags, callback, None,
                                  None) < 0:
            raise _error()
        self._handlers[hook] = callback

    def on_resync(self, judge):
        """judge(call, hook, request) says what became of an earlier call: KEPT, LOST or UNKNOWN.

        Before the first register. The request has the arguments of then, and those descriptors that
        can be opened again."""
        def run(call, hook, request, _opaque):
            try:
                return judge(call.contents, hook.decode(), Request(request))
            except Exception:  # pylint: disable=broad-except; the daemon looks itself
                return UNKNOWN

        self._handlers["resync"] = _RESYNC(run)
        _lib().SessionSetResync(self._pointer, self._handlers["resync"], None, None)

    def unregister(self, hook):
        if _lib().SessionUnregister(self._pointer, hook.encode()) < 0:
            raise _error()
        self._handlers.pop(hook, None)

    def fileno(self):
        """To poll for input."""
        return _lib().SessionGetFd(self._pointer)

    def dispatch(self):
        """Serves what has come in, without waiting."""
        if _lib().SessionDispatch(self._pointer) < 0:
            raise _error()

    def shutdown(self):
        """Ends it from any thread: who waits in register or unregister gets an Error at once."""
        _lib().SessionShutdown(self._pointer)

    def close(self):
        _lib().SessionFree(self._pointer)
        self._pointer = None
        self._handlers.clear()
