/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gate_forms.c: see gate_forms.h. */
#include "host/gate_forms.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cgroup/virbpf.h"

/* --- instructions --- */

static void
emit(GArray *code, uint8_t op, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
    struct bpf_insn insn = {.code = op, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm};

    g_array_append_val(code, insn);
}

static GArray *
begin(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct bpf_insn));
}

static void
verdict(GArray *code, int value)
{
    emit(code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
    emit(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int
finish(GArray *code, const char *name)
{
    int fd = virBPFLoadDeviceProg((struct bpf_insn *)(void *)code->data, code->len, name, NULL, 0);

    g_array_unref(code);
    return fd;
}

/* r2 type, r3 access, r4 major, r5 minor. */
static void
loadContext(GArray *code, uint8_t context)
{
    const int16_t access = offsetof(struct bpf_cgroup_dev_ctx, access_type);

    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_2, context, access, 0);
    emit(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_3, context, access, 0);
    emit(code, BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_4, context,
         offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_5, context,
         offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

int
testFormEmpty(void)
{
    GArray *code = begin();

    verdict(code, 1);
    return finish(code, "empty");
}

/* --- libvirt's --- */

void
testFormLibvirtSet(int mapFd, const virDeviceRule *rule)
{
    uint64_t key = (uint64_t)(uint32_t)rule->major << 32 | (uint32_t)rule->minor;
    uint32_t value = rule->access << 16 | rule->type;

    g_assert_true(virBPFUpdateElem(mapFd, &key, &value));
}

int
testFormLibvirtMap(const GArray *rules, uint32_t capacity)
{
    int fd =
        virBPFCreateMap(BPF_MAP_TYPE_HASH, "", sizeof(uint64_t), sizeof(uint32_t), capacity, 0);

    g_assert_cmpint(fd, >=, 0);
    for (guint i = 0; i < rules->len; i++)
        testFormLibvirtSet(fd, &g_array_index(rules, virDeviceRule, i));
    return fd;
}

/* One look-up of major << 32 | minor, -1 where a register is 0: a hit decides. */
static void
lookUp(GArray *code, int mapFd, bool anyMajor, bool anyMinor)
{
    /* r8 major, r9 minor, r7 access << 16 | type as asked, r6 the context */
    emit(code, BPF_ALU64 | BPF_MOV | (anyMajor ? BPF_K : BPF_X), BPF_REG_1,
         anyMajor ? 0 : BPF_REG_8, 0, anyMajor ? -1 : 0);
    emit(code, BPF_ALU64 | BPF_LSH | BPF_K, BPF_REG_1, 0, 0, 32);
    if (anyMinor)
        emit(code, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, -1);
    else
        emit(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_9, 0, 0);
    emit(code, BPF_ALU64 | BPF_OR | BPF_X, BPF_REG_1, BPF_REG_2, 0, 0);
    emit(code, BPF_STX | BPF_DW | BPF_MEM, BPF_REG_10, BPF_REG_1, -8, 0);
    emit(code, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, mapFd);
    emit(code, 0, 0, 0, 0, 0);
    emit(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0);
    emit(code, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8);
    emit(code, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem);
    emit(code, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 7, 0);
    /* all that is asked, type and access, must be in the value */
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_1, BPF_REG_0, 0, 0);
    emit(code, BPF_ALU64 | BPF_AND | BPF_X, BPF_REG_1, BPF_REG_7, 0, 0);
    emit(code, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_7, 2, 0);
    verdict(code, 1);
    verdict(code, 0);
}

int
testFormLibvirt(int mapFd)
{
    GArray *code = begin();

    emit(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_7, BPF_REG_6,
         offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_8, BPF_REG_6,
         offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    emit(code, BPF_LDX | BPF_W | BPF_MEM, BPF_REG_9, BPF_REG_6,
         offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
    lookUp(code, mapFd, false, false);
    lookUp(code, mapFd, false, true);
    lookUp(code, mapFd, true, false);
    lookUp(code, mapFd, true, true);
    verdict(code, 0);
    return finish(code, "");
}

bool
testFormAttachExclusive(int groupFd, int progFd)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.target_fd = (uint32_t)groupFd;
    attr.attach_bpf_fd = (uint32_t)progFd;
    attr.attach_type = BPF_CGROUP_DEVICE;
    return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) == 0;
}

/* --- the straight line --- */

/* Goes to the next block unless all of the rule fits. */
static void
addBlock(GArray *code, const virDeviceRule *rule)
{
    guint first = code->len;

    if (rule->type != VIR_DEVICE_ALL)
        emit(code, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 0, rule->type);
    if (rule->access != VIR_DEVICE_RWM) {
        emit(code, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
        emit(code, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, (int32_t)rule->access);
        emit(code, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
    }
    if (rule->major != VIR_DEVICE_ANY)
        emit(code, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, 0, rule->major);
    if (rule->minor != VIR_DEVICE_ANY)
        emit(code, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, 0, rule->minor);
    verdict(code, 1);
    for (guint i = first; i < code->len; i++) {
        struct bpf_insn *insn = &g_array_index(code, struct bpf_insn, i);

        if (BPF_CLASS(insn->code) == BPF_JMP && BPF_OP(insn->code) == BPF_JNE)
            insn->off = (int16_t)(code->len - i - 1);
    }
}

int
testFormLinear(const GArray *rules)
{
    GArray *code = begin();

    loadContext(code, BPF_REG_1);
    for (guint i = 0; i < rules->len; i++)
        addBlock(code, &g_array_index(rules, virDeviceRule, i));
    verdict(code, 0);
    return finish(code, "linear");
}
