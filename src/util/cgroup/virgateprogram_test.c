/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * virgateprogram_test.c: keys and the program's text, without a kernel. */
#include "util/cgroup/virgateprogram.h"

#include <arpa/inet.h>

#define RULES_FD 11
#define NODES_FD 12
#define HEADER_FD 13
#define EVENTS_FD 14

static const virGateMaps loudMaps = {RULES_FD, NODES_FD, VIR_GATE_BUCKETS_MIN, HEADER_FD,
                                     EVENTS_FD};
static const virGateMaps silentMaps = {RULES_FD, NODES_FD, VIR_GATE_BUCKETS_MIN, HEADER_FD, -1};
static const virGateMaps trieMaps = {RULES_FD, -1, 0, HEADER_FD, EVENTS_FD};

static void
testKeysAreRulesAgain(void)
{
    static const struct {
        const char *text;
        uint32_t prefix;
        uint32_t typeMajor;
        uint32_t minor;
    } cases[] = {
        {"c 10:232 rw", 64, 2u << 24 | 10, 232}, {"b 8:0 r", 64, 1u << 24 | 8, 0},
        {"c 136:* rw", 32, 2u << 24 | 136, 0},   {"b *:* m", 8, 1u << 24, 0},
        {"c *:200 w", 64, 0x82u << 24, 200},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        virDeviceRule rule;
        virDeviceRule back;
        virGateKey key;
        virGateValue value;

        g_assert_true(virDeviceRuleParse(cases[i].text, &rule, NULL));
        key = virGateKeyFromRule(&rule);
        value = virGateValueFromRule(&rule);
        g_assert_cmpuint(key.prefix, ==, cases[i].prefix);
        g_assert_cmphex(ntohl(key.typeMajor), ==, cases[i].typeMajor);
        g_assert_cmpuint(ntohl(key.minor), ==, cases[i].minor);
        g_assert_cmpuint(value.prefix, ==, key.prefix);
        back = virGateKeyToRule(&key, &value);
        g_assert_cmpint(virDeviceRuleCompare(&rule, &back), ==, 0);
        g_assert_cmpuint(back.access, ==, rule.access);
    }
}

static bool
testIsJump(const struct bpf_insn *insn)
{
    return BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) != BPF_CALL &&
           BPF_OP(insn->code) != BPF_EXIT;
}

static void
testAssertJumps(const virGateProgram *program)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct bpf_insn *insn = &program->insns[i];

        if (!testIsJump(insn))
            continue;
        g_assert_cmpint(insn->off, >=, 0); /* 0 over a block that isn't there */
        g_assert_cmpuint(i + 1 + (size_t)insn->off, <, program->count);
    }
    g_assert_cmpuint(program->insns[program->count - 1].code, ==, BPF_JMP | BPF_EXIT);
}

static void
testEveryJumpGoesForwardAndLands(void)
{
    virGateProgram program;

    virGateProgramBuild(&program, &loudMaps);
    testAssertJumps(&program);
    virGateProgramBuild(&program, &silentMaps);
    testAssertJumps(&program);
    virGateProgramBuild(&program, &trieMaps);
    testAssertJumps(&program);
    virGateProgramBuildCover(&program, &loudMaps, 4711);
    testAssertJumps(&program);
    g_assert_cmpuint(program.count, <=, VIR_GATE_PROGRAM_MAX);
}

/* How often a map, or the address of its element, is loaded. */
static unsigned
testUses(const virGateProgram *program, int fd)
{
    unsigned uses = 0;

    for (size_t i = 0; i < program->count; i++)
        uses += program->insns[i].code == (BPF_LD | BPF_DW | BPF_IMM) &&
                (program->insns[i].src_reg == BPF_PSEUDO_MAP_FD ||
                 program->insns[i].src_reg == BPF_PSEUDO_MAP_VALUE) &&
                program->insns[i].imm == fd;
    return uses;
}

static void
testSilentFormDoesNotTouchTheRing(void)
{
    virGateProgram loud;
    virGateProgram silent;

    virGateProgramBuild(&loud, &loudMaps);
    virGateProgramBuild(&silent, &silentMaps);
    g_assert_cmpuint(testUses(&loud, RULES_FD), ==, 4);
    g_assert_cmpuint(testUses(&loud, NODES_FD), ==, 1);
    g_assert_cmpuint(testUses(&loud, EVENTS_FD), ==, 1);
    g_assert_cmpuint(testUses(&silent, RULES_FD), ==, 4);
    g_assert_cmpuint(testUses(&silent, NODES_FD), ==, 1);
    g_assert_cmpuint(testUses(&silent, HEADER_FD), ==, 1);
    g_assert_cmpuint(testUses(&silent, EVENTS_FD), ==, 0);
    g_assert_cmpuint(testUses(&silent, -1), ==, 0);
    g_assert_cmpuint(silent.count, <, loud.count);
}

/* As the first ABI had it. */
static void
testFormWithoutATableAsksTheTrieAlone(void)
{
    virGateProgram program;

    virGateProgramBuild(&program, &trieMaps);
    g_assert_cmpuint(testUses(&program, RULES_FD), ==, 4);
    g_assert_cmpuint(testUses(&program, -1), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gate-program/keys are rules again", testKeysAreRulesAgain);
    g_test_add_func("/gate-program/every jump goes forward and lands",
                    testEveryJumpGoesForwardAndLands);
    g_test_add_func("/gate-program/the silent form does not touch the ring",
                    testSilentFormDoesNotTouchTheRing);
    g_test_add_func("/gate-program/the form without a table asks the trie alone",
                    testFormWithoutATableAsksTheTrieAlone);
    return g_test_run();
}
