/* A plugin of QEMU that counts how often each basic block runs between two marks of the guest.
 *
 *   guest: syscall(24301, 1)    count from here
 *          syscall(24301, 2)    write the counts: a line for each block that ran, with its runs, its
 *                               address and its instructions, these in hexadecimal
 *
 * QEMU 7.2's interface, version 1; the part in use is declared here, as Debian packages no header.
 * A counter is one addition that QEMU puts into the block itself: exact with one guest thread. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*on_translation)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*on_syscall)(qemu_plugin_id_t, unsigned cpu, int64_t number, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, on_translation);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, on_syscall);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *,
                                              uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
EXPORT int qemu_plugin_version = 1;

enum { MARK = 24301, BEGIN = 1, END = 2 };

struct block {
    uint64_t runs;
    uint64_t address;
    struct block *next;
    size_t size;
    uint32_t instructions[];
};

static struct block *blocks;
static const char *output;

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *code)
{
    size_t size = qemu_plugin_tb_n_insns(code);
    struct block *block = calloc(1, sizeof *block + size * sizeof *block->instructions);
    if (!block)
        abort();
    block->address = qemu_plugin_tb_vaddr(code);
    block->size = size;
    for (size_t i = 0; i < size; i++)
        memcpy(&block->instructions[i], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(code, i)),
               sizeof *block->instructions);
    do /* other guest threads may translate too */
        block->next = blocks;
    while (!__sync_bool_compare_and_swap(&blocks, block->next, block));
    qemu_plugin_register_vcpu_tb_exec_inline(code, QEMU_PLUGIN_INLINE_ADD_U64, &block->runs, 1);
}

static void write_counts(void)
{
    FILE *file = fopen(output, "w");
    if (!file)
        abort();
    for (struct block *block = blocks; block; block = block->next) {
        if (!block->runs)
            continue;
        fprintf(file, "%" PRIu64 " %" PRIx64, block->runs, block->address);
        for (size_t i = 0; i < block->size; i++)
            fprintf(file, " %08x", block->instructions[i]);
        fputc('\n', file);
    }
    fputs("end\n", file);
    fclose(file);
}

static void call_system(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t what,
                        uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                        uint64_t g)
{
    if (number != MARK)
        return;
    if (what == END)
        write_counts();
    if (what == BEGIN)
        for (struct block *block = blocks; block; block = block->next)
            block->runs = 0;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *about, int count, char **options)
{
    for (int i = 0; i < count; i++)
        if (!strncmp(options[i], "out=", 4))
            output = strdup(options[i] + 4);
    if (!output)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_vcpu_syscall_cb(id, call_system);
    return 0;
}
