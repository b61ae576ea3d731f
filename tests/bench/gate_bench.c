/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_bench.c: what a gate costs, beside the forms of other managers, in one run.
 *
 *     gate_bench [--assert]
 *
 * For some numbers of rules: making a gate (map, rules, program, attachment), changing one rule,
 * and one check, for ours, for libvirt's (a hash asked up to four times), for the straight line of
 * crun, runc and lxc, and for a program that only says yes. The forms are made anew from their
 * description (tests/host/gate_forms.h). The rounds of all forms go in turns, so that what else the
 * machine does hits all alike; shown are the fastest round and the middle one.
 *
 * A check is measured twice: the program's own time as the kernel counts it (which counts some 50
 * ns of counting, for all alike), and what access(2) takes in all. How it compares with another
 * form is the median over the rounds, each of which asks one after the other. With --assert the
 * exit status says whether the bounds of docs/gate-comparison.md hold. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/gate_fixture.h"
#include "host/gate_forms.h"
#include "util/cgroup/virbpf.h"
#include "util/virutil.h"

enum {
    ROUNDS_MAKE = 40,
    ROUNDS_MAKE_MANY = 3, /* where one takes long */
    ROUNDS_UPDATE = 2000,
    ROUNDS_CHECK = 150,
    CHECKS = 1000,
};

static bool failed;

static uint64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
compareTimes(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Of measured values. */
typedef struct {
    double median;
    double best;
} figure;

static figure
figureOf(GArray *values /* double */)
{
    figure result = {0, 0};

    g_array_sort(values, compareTimes);
    if (values->len > 0)
        result = (figure){g_array_index(values, double, values->len / 2),
                          g_array_index(values, double, 0)};
    return result;
}

static void
expect(const char *what, double value, double bound)
{
    bool holds = value <= bound;

    printf("    %-58s %9.2f  at most %9.2f  %s\n", what, value, bound, holds ? "yes" : "NO");
    failed = failed || !holds;
}

/* --- rules --- */

#define ASKED_NODE 200
#define ASKED_WIDE 201
#define ASKED_UNLISTED 205

/* One of a node and one of a whole major are asked; the others have majors of their own as far as
 * there are any. */
static GArray *
manyRules(unsigned count)
{
    GArray *rules = g_array_sized_new(FALSE, TRUE, sizeof(virDeviceRule), count);

    for (unsigned i = 0; i < count; i++) {
        virDeviceRule rule = {VIR_DEVICE_CHAR, VIR_DEVICE_RW, ASKED_NODE, 0};

        if (i == 1) {
            rule.major = ASKED_WIDE;
            rule.minor = VIR_DEVICE_ANY;
        } else if (i > 1) {
            rule.major = 300 + (int)(i % 3700);
            rule.minor = (int)(i / 3700);
        }
        g_array_append_val(rules, rule);
    }
    return rules;
}

static virDeviceRules *
ownedRules(const GArray *all)
{
    virDeviceRules *rules = virDeviceRulesNew();

    for (guint i = 0; i < all->len; i++)
        virDeviceRulesAllow(rules, VIR_DEVICE_OWNER_POLICY, &g_array_index(all, virDeviceRule, i));
    return rules;
}

/* --- the forms --- */

typedef enum { FORM_OURS, FORM_OURS_DIRECT, FORM_LIBVIRT, FORM_LINEAR, FORM_EMPTY, FORM_LAST } form;

static const char *const formNames[FORM_LAST] = {"virtward (with link)", "virtward (direct)",
                                                 "libvirt's hash", "straight line", "says yes"};

/* One gate of any form on a group of its own. */
typedef struct {
    testGuest *guest;
    int progFds[2]; /* what runs for each check; -1: one less */
    int mapFd;      /* libvirt's */
} bench;

/* The smallest capacity libvirt would have come to: doubled from 64. */
static uint32_t
libvirtCapacity(unsigned rules)
{
    uint32_t capacity = 64;

    while (capacity < rules)
        capacity *= 2;
    return capacity;
}

static bool
benchMakeForeign(bench *b, form which, const GArray *rules)
{
    if (which == FORM_LIBVIRT) {
        b->mapFd = testFormLibvirtMap(rules, libvirtCapacity(rules->len));
        b->progFds[0] = testFormLibvirt(b->mapFd);
    } else {
        b->progFds[0] = which == FORM_LINEAR ? testFormLinear(rules) : testFormEmpty();
    }
    return b->progFds[0] >= 0 &&
           testFormAttachExclusive(virCgroupCloneFd(b->guest->group), b->progFds[0]);
}

static int
linkedProg(int linkFd)
{
    struct bpf_link_info info;

    return linkFd >= 0 && virBPFGetLinkInfo(linkFd, &info) ? virBPFOpenProgById(info.prog_id) : -1;
}

/* Makes it; the microseconds that took, or -1 where the kernel refuses the form. */
static double
benchMake(bench *b, form which, const GArray *rules, const virDeviceRules *owned)
{
    static const char *const none[] = {NULL};
    static unsigned number;
    g_autofree char *name = g_strdup_printf("%u-bench", ++number);
    virGateSettings settings = {VIR_GATE_ENFORCE, VIR_GATE_LOCK_BOTH, 0, 0};
    bool ours = which == FORM_OURS || which == FORM_OURS_DIRECT;
    GError *error = NULL;
    uint64_t begin_ns;
    uint64_t end_ns;
    bool made;

    *b = (bench){NULL, {-1, -1}, -1};
    settings.lock = which == FORM_OURS ? VIR_GATE_LOCK_BOTH : VIR_GATE_LOCK_DIRECT;
    b->guest = testGuestNewBare(name, &settings, none);
    virGateUnref(b->guest->gate);
    b->guest->gate = virGateNew(b->guest->group, testStore, b->guest->uuid, owned, &settings);
    begin_ns = now_ns();
    made = ours ? virGateMake(b->guest->gate, &error) : benchMakeForeign(b, which, rules);
    end_ns = now_ns();
    g_assert_no_error(error);
    if (ours) {
        b->progFds[0] = fcntl(b->guest->gate->v2.progFd, F_DUPFD_CLOEXEC, 3);
        b->progFds[1] = linkedProg(b->guest->gate->v2.linkFd);
    }
    return made ? (double)(end_ns - begin_ns) / 1000 : -1;
}

static void
benchClear(bench *b)
{
    virCloseFd(&b->progFds[0]);
    virCloseFd(&b->progFds[1]);
    virCloseFd(&b->mapFd);
    testGuestFree(b->guest);
}

/* --- making --- */

static void
measureMake(unsigned count, figure *retFigures)
{
    g_autoptr(GArray) rules = manyRules(count);
    g_autoptr(virDeviceRules) owned = ownedRules(rules);
    const unsigned rounds = count > 10000 ? ROUNDS_MAKE_MANY : ROUNDS_MAKE;
    GArray *times[FORM_LAST];

    for (form which = 0; which < FORM_LAST; which++)
        times[which] = g_array_new(FALSE, FALSE, sizeof(double));
    for (unsigned i = 0; i < rounds; i++) {
        for (form which = 0; which < FORM_LAST; which++) {
            bench b;
            double time_us;

            if (which == FORM_LINEAR && i >= ROUNDS_MAKE_MANY)
                continue;
            time_us = benchMake(&b, which, rules, owned);
            if (time_us >= 0)
                g_array_append_val(times[which], time_us);
            benchClear(&b);
        }
    }
    for (form which = 0; which < FORM_LAST; which++) {
        retFigures[which] = figureOf(times[which]);
        g_array_unref(times[which]);
    }
}

/* --- changing one rule --- */

static figure
measureUpdate(form which, const GArray *rules, const virDeviceRules *owned)
{
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(double));
    const unsigned rounds = which == FORM_LINEAR ? ROUNDS_MAKE_MANY : ROUNDS_UPDATE;
    bench b;

    if (benchMake(&b, which, rules, owned) < 0 || which == FORM_EMPTY) {
        benchClear(&b);
        return (figure){0, 0};
    }
    for (unsigned i = 0; i < rounds; i++) {
        virDeviceRule rule = {VIR_DEVICE_CHAR, i % 2 ? VIR_DEVICE_READ : VIR_DEVICE_RW, 250, 1};
        uint64_t begin_ns = now_ns();
        double time_us;

        if (which == FORM_LIBVIRT) {
            testFormLibvirtSet(b.mapFd, &rule);
        } else if (which == FORM_LINEAR) {
            VIR_AUTOCLOSE next = testFormLinear(rules); /* a new program, whatever changes */

            g_assert_true(testFormAttachExclusive(virCgroupCloneFd(b.guest->group), next));
        } else {
            g_assert_true(virCgroupV2DevicesSetRule(&b.guest->gate->v2, &rule));
        }
        time_us = (double)(now_ns() - begin_ns) / 1000;
        g_array_append_val(times, time_us);
    }
    benchClear(&b);
    return figureOf(times);
}

/* --- checks --- */

/* Adds the counters of the program. */
static void
readRuns(int progFd, uint64_t *time_ns, uint64_t *runs)
{
    struct bpf_prog_info info;

    if (progFd < 0 || !virBPFGetProgInfo(progFd, &info, NULL, 0))
        return;
    *time_ns += info.run_time_ns;
    *runs += info.run_cnt;
}

typedef struct {
    GArray *program_ns; /* double: of all programs on the group together */
    GArray *access_ns;
} checkTimes;

static void
measureChecksOnce(bench *b, int major, checkTimes *times)
{
    uint64_t before_ns = 0;
    uint64_t after_ns = 0;
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t begin_ns;
    double perProgram = 0;
    double perAccess;

    begin_ns = now_ns();
    testGuestAskTimes(b->guest, ASK_READ, major, 0, CHECKS);
    perAccess = (double)(now_ns() - begin_ns) / CHECKS;
    for (int i = 0; i < 2; i++) {
        before_ns = after_ns = before = after = 0;
        readRuns(b->progFds[i], &before_ns, &before);
        testGuestAskTimes(b->guest, ASK_READ, major, 0, CHECKS);
        readRuns(b->progFds[i], &after_ns, &after);
        if (after > before)
            perProgram += (double)(after_ns - before_ns) / (double)(after - before);
    }
    g_array_append_val(times->program_ns, perProgram);
    g_array_append_val(times->access_ns, perAccess);
}

/* Of the rounds' quotients; 0 if one of them wasn't measured. */
static double
medianRatio(const checkTimes *ours, const checkTimes *theirs)
{
    g_autoptr(GArray) ratios = g_array_new(FALSE, FALSE, sizeof(double));

    for (guint i = 0; i < MIN(ours->program_ns->len, theirs->program_ns->len); i++) {
        double ratio = g_array_index(ours->program_ns, double, i) /
                       g_array_index(theirs->program_ns, double, i);

        g_array_append_val(ratios, ratio);
    }
    return figureOf(ratios).median;
}

/* What was measured for one question. */
typedef struct {
    figure program[FORM_LAST];
    figure access[FORM_LAST];
    double ratio[FORM_LAST]; /* of our program alone to each form */
} checks;

static void
measureChecks(const GArray *rules, const virDeviceRules *owned, int major, checks *result)
{
    bench benches[FORM_LAST];
    bool there[FORM_LAST];
    checkTimes times[FORM_LAST];

    for (form which = 0; which < FORM_LAST; which++) {
        there[which] = benchMake(&benches[which], which, rules, owned) >= 0;
        times[which] = (checkTimes){g_array_new(FALSE, FALSE, sizeof(double)),
                                    g_array_new(FALSE, FALSE, sizeof(double))};
        if (there[which])
            testGuestStart(benches[which].guest);
    }
    for (unsigned i = 0; i < ROUNDS_CHECK; i++) {
        for (form which = 0; which < FORM_LAST; which++) {
            if (there[which])
                measureChecksOnce(&benches[which], major, &times[which]);
        }
    }
    for (form which = 0; which < FORM_LAST; which++)
        result->ratio[which] = medianRatio(&times[FORM_OURS_DIRECT], &times[which]);
    for (form which = 0; which < FORM_LAST; which++) {
        result->program[which] = figureOf(times[which].program_ns);
        result->access[which] = figureOf(times[which].access_ns);
        g_array_unref(times[which].program_ns);
        g_array_unref(times[which].access_ns);
        benchClear(&benches[which]);
    }
}

/* --- telling --- */

static void
printRow(const char *what, const figure *figures, const char *unit)
{
    printf("  %-28s", what);
    for (form which = 0; which < FORM_LAST; which++) {
        if (figures[which].median > 0)
            printf(" %10.1f /%8.1f", figures[which].best, figures[which].median);
        else
            printf(" %10s /%8s", "-", "-");
    }
    printf("  %s\n", unit);
}

static void
runCount(unsigned count)
{
    g_autoptr(GArray) rules = manyRules(count);
    g_autoptr(virDeviceRules) owned = ownedRules(rules);
    figure make[FORM_LAST];
    figure update[FORM_LAST];
    checks hit;
    checks wide;
    checks miss;

    measureMake(count, make);
    for (form which = 0; which < FORM_LAST; which++)
        update[which] = measureUpdate(which, rules, owned);
    measureChecks(rules, owned, ASKED_NODE, &hit);
    measureChecks(rules, owned, ASKED_WIDE, &wide);
    measureChecks(rules, owned, ASKED_UNLISTED, &miss);
    printf("\n%u rules (fastest / median)\n  %-28s", count, "");
    for (form which = 0; which < FORM_LAST; which++)
        printf(" %20s", formNames[which]);
    printf("\n");
    printRow("make and attach", make, "us");
    printRow("change one rule", update, "us");
    printRow("check, a node's rule", hit.program, "ns (all programs)");
    printRow("check, a major's rule", wide.program, "ns");
    printRow("check, denied", miss.program, "ns");
    printRow("access(2), a node's rule", hit.access, "ns (in all)");
    printRow("access(2), denied", miss.access, "ns");
    printf("\n");
    if (count <= 10)
        expect("make, attach, link, look and pin, us", make[FORM_OURS].best, 1000);
    expect("change one rule, us", update[FORM_OURS].median, 10);
    expect("check beside libvirt's best case (ratio)", hit.ratio[FORM_LIBVIRT], 1.15);
    expect("check beside a program that says yes (ratio)", hit.ratio[FORM_EMPTY], 2);
}

int
main(int argc, char **argv)
{
    static const unsigned counts[] = {10, 1000, 100000};
    union bpf_attr attr = {0};
    const char *reason = NULL;
    int stats;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!testGateSetup(&reason)) {
        printf("skipped: %s\n", reason);
        return 77;
    }
    attr.enable_stats.type = BPF_STATS_RUN_TIME;
    stats = (int)syscall(SYS_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr));
    if (stats < 0)
        printf("the kernel doesn't count the programs' time: %s\n", g_strerror(errno));
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        runCount(counts[i]);
    virCloseFd(&stats);
    testGateTeardown();
    return argc == 2 && g_str_equal(argv[1], "--assert") && failed;
}
