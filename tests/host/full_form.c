/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * full_form.c: a program (SOCKET): data of handlers is released exactly once, whatever happens to
 * them: replaced, unregistered, refused, at the session's end, in a session that is shut down from
 * another thread while it waits. Built against the installed .pc; the daemon is a script
 * (internal_forms.py), which takes every registration but those of "memlock.set", and does not
 * answer those of "sched.set": it says on standard input that one has come. */
#define _GNU_SOURCE
#define VIR_INTERNAL_UNSTABLE_API_OPT_IN
#include <libvirt/libvirt-internal.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
serve(const virInternalCall *call, virInternalRequest *request, void *opaque)
{
    (void)call;
    (void)request;
    (void)opaque;
    return 0;
}

static virInternalVerdict
judge(const virInternalCall *call, const char *hook, virInternalRequest *request, void *opaque)
{
    (void)call;
    (void)hook;
    (void)request;
    (void)opaque;
    return VIR_INTERNAL_UNKNOWN;
}

static void
count(void *opaque)
{
    ++*(int *)opaque;
}

static void
check(const char *what, int condition)
{
    if (condition)
        return;
    fprintf(stderr, "%s (%s)\n", what, virInternalGetLastError());
    exit(1);
}

static virInternalSession *
begin(const char *path)
{
    virInternalSession *session = virInternalSessionOpenPath(path, VIR_INTERNAL_ABI);

    check("no session", session != NULL);
    return session;
}

static int
add(virInternalSession *session, const char *hook, int *released)
{
    return virInternalSessionRegister(session, hook, NULL, NULL, VIR_INTERNAL_TAKE_OVER, serve,
                                      released, count);
}

static void
replaced_and_unregistered(const char *path)
{
    virInternalSession *session = begin(path);
    int first = 0, second = 0, third = 0, verdicts = 0, others = 0;

    virInternalSessionSetResync(session, judge, &verdicts, count);
    virInternalSessionSetResync(session, judge, &others, count);
    check("a replaced judge is released", verdicts == 1 && others == 0);
    check("registered", add(session, "own.set", &first) == 0 && first == 0);
    check("replaced", add(session, "own.set", &second) == 0 && first == 1 && second == 0);
    check("unregistered", virInternalSessionUnregister(session, "own.set") == 0 && second == 1);
    check("registered anew", add(session, "own.set", &third) == 0 && third == 0);
    virInternalSessionFree(session);
    check("once each", first == 1 && second == 1 && third == 1 && verdicts == 1 && others == 1);
}

static void
refused(const char *path)
{
    virInternalSession *session = begin(path);
    int refused_once = 0, unknown = 0, kept = 0;

    check("a refusal", add(session, "memlock.set", &refused_once) < 0);
    check("its words", strstr(virInternalGetLastError(), "not this one") != NULL);
    check("released at once", refused_once == 1);
    check("no such operation", add(session, "make.tea", &unknown) < 0 && unknown == 1);
    check("another goes on", add(session, "own.set", &kept) == 0 && kept == 0);
    virInternalSessionFree(session);
    check("once each", refused_once == 1 && unknown == 1 && kept == 1);
}

static void *
shut_down(void *opaque)
{
    char arrived;

    check("told that the question is out", read(STDIN_FILENO, &arrived, 1) == 1);
    virInternalSessionShutdown(opaque);
    return NULL;
}

static void
shut_down_while_it_waits(const char *path)
{
    virInternalSession *session = begin(path);
    int waiting = 0, before = 0;
    pthread_t thread;

    check("registered", add(session, "own.set", &before) == 0);
    check("a thread", pthread_create(&thread, NULL, shut_down, session) == 0);
    check("it does not wait for the answer", add(session, "sched.set", &waiting) < 0);
    check("its words", strstr(virInternalGetLastError(), "shut down") != NULL);
    pthread_join(thread, NULL);
    check("nothing more is served", virInternalSessionDispatch(session) < 0);
    check("nor asked", virInternalSessionUnregister(session, "own.set") < 0);
    check("released at once", waiting == 1 && before == 0);
    virInternalSessionFree(session);
    check("once each", waiting == 1 && before == 1);
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    replaced_and_unregistered(argv[1]);
    refused(argv[1]);
    shut_down_while_it_waits(argv[1]);
    puts("once each");
    return 0;
}
