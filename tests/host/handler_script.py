# SPDX-License-Identifier: LGPL-2.1-or-later
"""handler_script.py LIBRARY SOCKET LOG [NUMBER MOMENT PID...]: a handler of own.set for tests.

Does what it is asked and says so in the file LOG, a line each: "call ID PATH", "teardown ID ID...",
"resync ID VERDICT". At its call NUMBER, before or after the effect (MOMENT), it kills the processes
PID, which may be its own (0). It remembers nothing: at resync it looks. With HANDLER_REFUSES in its
environment it refuses to give files to that user."""
import os
import pathlib
import select
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "src" / "internal"))
import libvirt_internal as internal  # noqa: E402


class Handler:
    def __init__(self, log, number=0, moment="", pids=()):
        self.log, self.number, self.moment, self.pids = log, number, moment, pids
        self.calls = 0

    def say(self, *words):
        print(*words, file=self.log, flush=True)

    def strike(self, moment):
        if self.calls == self.number and moment == self.moment:
            for pid in self.pids:
                os.kill(pid or os.getpid(), signal.SIGKILL)

    def own(self, call, request):
        path = f"/proc/self/fd/{request.fd(0)}"
        self.calls += 1
        self.say("call", call.request, os.readlink(path))
        self.strike("before")
        if str(request["uid"]) == os.environ.get("HANDLER_REFUSES"):
            raise PermissionError("not to this one")
        os.chown(path, request["uid"] & 0xffffffff, request["gid"] & 0xffffffff)
        os.chmod(path, request["mode"])
        self.strike("after")

    def judge(self, call, _hook, request):
        verdict = internal.UNKNOWN
        if request.fd(0) >= 0:
            have = os.stat(f"/proc/self/fd/{request.fd(0)}")
            kept = (have.st_uid, have.st_gid) == (request["uid"], request["gid"])
            verdict = internal.KEPT if kept else internal.LOST
        self.say("resync", call.request, ("kept", "lost", "unknown")[verdict])
        return verdict

    def teardown(self, _call, request):
        self.say("teardown", *request.ids())


def main():
    library, address, log = sys.argv[1:4]
    internal.load(library)
    with open(log, "a", encoding="utf-8") as lines:
        handler = Handler(lines, *([int(sys.argv[4]), sys.argv[5], [int(pid) for pid in sys.argv[6:]]]
                                   if len(sys.argv) > 4 else []))
        session = internal.Session(path=address)
        session.on_resync(handler.judge)
        session.register("teardown", handler.teardown)
        session.register("own.set", handler.own)
        handler.say("ready")
        while select.select([session], [], []):
            session.dispatch()


if __name__ == "__main__":
    try:
        main()
    except internal.Error:
        sys.exit(0)  # the daemon has gone
