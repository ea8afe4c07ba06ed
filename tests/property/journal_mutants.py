#!/usr/bin/env python3
"""Proves that the journal's tests see what its writer, its recovery and its readers do: each row below changes one thing in a
copy of a source, and one of the tests must fail on it. At least 95% must be caught; what survives is printed. A row whose
text is no longer there, or that does not compile, fails: the table follows the code.

usage: journal_mutants.py [--every N] SOURCE_ROOT BUILD_DIR CC [ARGUMENT OF CC]...
       --every N: only every N-th row, for a quick run; all of them: the nightly suite
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOM = "controlplane/journal/"
WRITER, OPEN, RECOVER, READER, END, SEGMENT = (ROOM + f + ".c" for f in ("writer", "open", "recover", "reader", "reader_end", "segment"))
SOURCES = ["archive", "audit", "checkpoint", "crc32c", "dump", "err", "index", "io_disk", "merkle", "open", "proof", "query", "reader",
           "reader_end", "recover", "retention", "segment", "sign", "state", "state_file", "thread", "verify", "writer"]
ABI = ["dataplane/abi/ring.c", "dataplane/abi/names.c", "dataplane/abi/limits.c", "dataplane/abi/recon.c"]
FIXTURE = ["tests/unit/journal/fixture.c", "tests/unit/journal/mem_disk.c"]
SIM = ["tests/property/journal_sim.c"]
# cheapest first; a mutant is done with when one fails. Programs: sources, arguments
TESTS = [
    ("golden", ["tests/unit/journal/test_golden.c"], []),
    ("writer", ["tests/unit/journal/test_writer.c"], []),
    ("disk", ["tests/property/journal_disk.c"] + SIM, ["1500"]),
    ("journal", ["tests/unit/journal/test_journal.c"], []),
    ("tamper", ["tests/unit/journal/test_tamper.c"], []),
    ("checkpoint", ["tests/unit/journal/test_checkpoint.c"], []),
    ("archive", ["tests/unit/journal/test_archive.c"], []),
    ("crash", ["tests/unit/journal/test_crash.c"], []),
    ("sweep", ["tests/property/journal_sweep.c"] + SIM, []),
]
LIBS = ["-luring", "-lcrypto", "-lzstd", "-lcunit", "-ljansson", "-lpthread"]
WRAPS = ["-Wl,--wrap=" + f for f in ("malloc", "calloc", "realloc", "aligned_alloc", "strdup")]
WANTED = 0.95

# (file, text, what replaces it); the text must be there exactly once
MUTANTS = [
    # ---- writer: what is copied, sealed, sent, released ----
    (WRITER, "head.source != r->source ||", "0 ||"),
    (WRITER, "if (head.seq != r->seq + 1)", "if (0)"),
    (WRITER, "if (need > j->batch_bytes - b->bytes)", "if (need > j->batch_bytes - b->bytes + 4096)"),
    (WRITER, ".crc = gn_crc32c(0, copy, need - sizeof(struct gn_journal_record)),", ".crc = 0,"),
    (WRITER, "    b->bytes += need;\n", "    b->bytes += need + 8;\n"),
    (WRITER, "    b->records++;\n", ""),
    (WRITER, "    b->last_seq[i] = r->seq = head.seq;\n", "    r->seq = head.seq;\n"),
    (WRITER, "            j->turn = (i + 1) % j->n;\n", ""),
    (WRITER, "gn_ring_release(j->ring[i].ring, b->cursor[i], b->last_seq[i]);", "gn_ring_release(j->ring[i].ring, j->ring[i].cursor, j->ring[i].seq);"),
    (WRITER, "    if (b == &j->checkpoint)\n        j->head_due = true;\n", ""),
    (WRITER, "    if (written < 0)\n        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, -written);\n", ""),
    (WRITER, "    if ((uint32_t)written != j->flight_bytes)\n        return gn_jw_fail(j, GN_JOURNAL_ERR_SHORT, 0);\n", ""),
    (WRITER, "    if (synced != 0)\n        return gn_jw_fail(j, GN_JOURNAL_ERR_IO, synced < 0 ? -synced : EIO);\n", ""),
    (WRITER, "    if (failed != GN_JOURNAL_OK)\n        return failed;\n    atomic_store_explicit(&j->sys_errno", "    atomic_store_explicit(&j->sys_errno"),
    (WRITER, "s->number = j->number + 1;", "s->number = j->number;"),
    (WRITER, "s->segment_epoch = j->segment_epoch + 1;", "s->segment_epoch = j->segment_epoch;"),
    (WRITER, "    memcpy(s->prev_hash, j->chain, sizeof s->prev_hash);\n", ""),
    (WRITER, "    s->prev_end = j->offset;\n", ""),
    (WRITER, "    s->first_batch = j->next_batch;\n", "    s->first_batch = 1;\n"),
    (WRITER, "    s->first_record = j->records;\n", ""),
    (WRITER, "    s->flags = j->gap ? GN_JOURNAL_SEGMENT_GAP : 0;\n", ""),
    (WRITER, "        s->prev_leaves = j->tree.leaves;\n", ""),
    (WRITER, "    memcpy(s->last_seq, j->last_seq, sizeof s->last_seq);\n", ""),
    (WRITER, "    s->checkpoints = j->checkpoints;\n", ""),
    (WRITER, "    gn_journal_seal_segment(s);\n", ""),
    (WRITER, "    s->rings_id = j->rings_id;\n", ""),
    (WRITER, "    memset(&j->tree, 0, sizeof j->tree);\n", ""),
    (WRITER, "    j->segment_epoch++;\n", ""),
    (WRITER, "    j->offset = GN_JOURNAL_BLOCK;\n", "    j->offset = 2 * GN_JOURNAL_BLOCK;\n"),
    (WRITER, "    j->ended = false;\n    j->gap = false;\n", "    j->ended = false;\n"),
    (WRITER, "if (flags == 0 && j->offset + padded + j->batch_bytes > j->segment_bytes)", "if (flags == 0 && j->offset + padded > j->segment_bytes)"),
    (WRITER, "        .seq = j->next_batch,\n", "        .seq = 1,\n"),
    (WRITER, "        .offset = j->offset,\n        .time_ns", "        .time_ns"),
    (WRITER, "        .first_record = j->records,\n        .flags = flags,\n", "        .flags = flags,\n"),
    (WRITER, "        .flags = flags,\n", ""),
    (WRITER, "    memcpy(batch->prev_hash, j->chain, sizeof batch->prev_hash);\n", ""),
    (WRITER, "    gn_journal_seal_batch(batch);\n", ""),
    (WRITER, "padded + (fresh ? GN_JOURNAL_BLOCK : 0),", "padded,"),
    (WRITER, "    j->offset += padded;\n", "    j->offset += b->bytes;\n"),
    (WRITER, "    j->next_batch++;\n", ""),
    (WRITER, "    j->records += b->records;\n", ""),
    (WRITER, "    j->ended = flags != 0;\n", ""),
    (WRITER, "            j->last_seq[j->ring[i].source] = b->last_seq[i];\n", "            ;\n"),
    (WRITER, "    if (!checkpoint)\n        j->filling ^= 1;\n", ""),
    (WRITER, "        j->checkpoints++;\n", ""),
    (WRITER, "    if (!gn_merkle_add(&j->tree, j->chain))\n        return gn_jw_fail(j, GN_JOURNAL_ERR_NOMEM, 0);\n    if (b == &j->checkpoint) {", "    if (b == &j->checkpoint) {"),
    (WRITER, "j->head->at.checkpoint.number % GN_JOURNAL_HEAD_SLOTS", "0"),
    (WRITER, "            if (rc != 0)\n                j->checkpoint_due_ns = clock + j->checkpoint_ns;\n", ""),
    (WRITER, "memory_order_relaxed) < head[i])\n            return false;\n", "memory_order_relaxed) < head[i])\n            return true;\n"),
    (WRITER, "    int rc = land(j, deadline);\n    if (rc != GN_JOURNAL_OK || !closing)\n        return rc;\n", "    int rc = land(j, deadline);\n    if (1)\n        return rc;\n"),
    (WRITER, "rc == GN_JOURNAL_OK && j->head_due ? land_head(j, deadline) : rc", "rc"),
    # ---- open: which records are already durable ----
    (OPEN, "if (durable < seq && !accept_lost)", "if (0)"),
    (OPEN, "    j->gap = j->gap || durable < seq;\n", ""),
    (OPEN, "while (rc == GN_RING_OK && seq < durable && ", "while (0 && "),
    (OPEN, "        if (rec->seq != seq + 1)\n            return REFUSE(GN_JOURNAL_ERR_SEQ", "        if (0)\n            return REFUSE(GN_JOURNAL_ERR_SEQ"),
    (OPEN, "    if (seq < durable)\n", "    if (0)\n"),
    (OPEN, "    if (seq != before)\n        gn_ring_release(r->ring, r->cursor, seq);\n", ""),
    (OPEN, "    r->seq = seq;\n", "    r->seq = before;\n"),
    (OPEN, "    j->segment_epoch = found.segment_epoch;\n", ""),
    (OPEN, "    j->next_batch = found.next_batch;\n", "    j->next_batch = 1;\n"),
    (OPEN, "    memcpy(j->chain, found.chain, sizeof j->chain);\n", ""),
    (OPEN, "    j->checkpoints = found.checkpoints;\n", ""),
    (OPEN, "    j->tree = found.tree;\n", ""),
    (OPEN, "found.rings_id == j->rings_id)", "1)"),
    (OPEN, "j->slow = j->probe_p50_ns > (uint64_t)j->slow_us * 1000;", "j->slow = false;"),
    # ---- recovery ----
    (RECOVER, "        if (first_bad != r->count)\n", "        if (0)\n"),
    (RECOVER, "        if (i != 0 && r->numbers[i] != r->numbers[i - 1] + 1)\n", "        if (0)\n"),
    (RECOVER, "        if (state == GN_JOURNAL_BLOCK_BAD)\n", "        if (0)\n"),
    (RECOVER, "        if (state == GN_JOURNAL_BLOCK_NEWER)\n", "        if (0)\n"),
    (RECOVER, "        rc = make_durable(r, last);\n", "        rc = GN_JOURNAL_OK;\n"),
    (RECOVER, "    r->strict = true;\n", ""),
    (RECOVER, "        rc = check_head(r);\n", "        rc = GN_JOURNAL_OK;\n"),
    (RECOVER, "        rc = remove_left_over(r);\n", "        rc = GN_JOURNAL_OK;\n"),
    (RECOVER, "bytes != segment_bytes ||", "0 ||"),
    (RECOVER, "    out->end = r->offset;\n", "    out->end = r->offset + GN_JOURNAL_BLOCK;\n"),
    (RECOVER, "    out->records = r->records;\n", ""),
    (RECOVER, "    memcpy(out->last_seq, r->last_seq, sizeof out->last_seq);\n", ""),
    (RECOVER, "    out->torn_bytes = r->torn_bytes;\n", ""),
    (RECOVER, "    out->closed_clean = (r->last_flags & GN_JOURNAL_BATCH_CLOSE) != 0;\n", ""),
    # ---- reader ----
    (READER, "        if (memcmp(r->last_seq, s->last_seq, sizeof r->last_seq) != 0)\n", "        if (0)\n"),
    (READER, "s->prev_leaves != r->tree.leaves || memcmp(root, s->prev_root, sizeof root) != 0", "0"),
    (READER, "        if (s->checkpoints != r->checkpoints)\n", "        if (0)\n"),
    (READER, "    if (bytes != s->segment_bytes)\n", "    if (0)\n"),
    (READER, "    if (b->segment_epoch != r->segment_epoch) {", "    if (0) {"),
    (READER, "b->offset != r->offset) {", "0) {"),
    (READER, "b->seq != r->batch_seq) {", "0) {"),
    (READER, "memcmp(b->prev_hash, r->chain, sizeof r->chain) != 0) {", "0) {"),
    (READER, "b->first_record != r->records) {", "0) {"),
    (READER, " || memcmp(c->root, root, sizeof root) != 0", ""),
    (READER, "prefix->crc != gn_crc32c(0, rec, gn_journal_record_bytes(rec->bytes) - sizeof *prefix)", "0"),
    (READER, "gn_journal_record_bytes(rec->bytes) > left)", "0)"),
    (READER, "rec->source >= GN_JOURNAL_RINGS_MAX || rec->type == 0", "0"),
    (READER, "    if (rec->seq != r->last_seq[rec->source] + 1)\n", "    if (0)\n"),
    (READER, "memcmp(&t.header, r->segment, sizeof t.header) != 0", "0"),
    # ---- the end of a segment ----
    (END, "    if (later != 0)\n        return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE", "    if (0)\n        return gn_jr_fail(r, GN_JOURNAL_ERR_HOLE"),
    (END, "    if (n->number != s->number + 1)\n", "    if (0)\n"),
    (END, "    if (n->prev_end > r->offset && !ended)\n", "    if (0)\n"),
    (END, "    if (n->prev_end != r->offset || memcmp(n->prev_hash, r->chain, sizeof r->chain) != 0 ||\n        n->first_batch != r->batch_seq || n->first_record != r->records)\n", "    if (0)\n"),
    (END, "    if (i < r->count && i > first)\n", "    if (0)\n"),
    # ---- blocks ----
    (SEGMENT, "        s->crc == crc_without(s, sizeof *s, offsetof(struct gn_journal_segment, crc)) &&\n", ""),
    (SEGMENT, "b->header_crc != crc_without(b, HEADER_CRC_BYTES, offsetof(struct gn_journal_batch, crc)) ||", "0 ||"),
    (SEGMENT, "    if (b->crc == crc_without(b, gn_journal_padded(b->bytes), offsetof(struct gn_journal_batch, crc)))\n", "    if (1)\n"),
    (SEGMENT, "gn_journal_has_zero_sector(b, b->bytes) ? GN_JOURNAL_BLOCK_TORN : GN_JOURNAL_BLOCK_BAD", "GN_JOURNAL_BLOCK_TORN"),
    (SEGMENT, "gn_journal_has_zero_sector(b, b->bytes) ? GN_JOURNAL_BLOCK_TORN : GN_JOURNAL_BLOCK_BAD", "GN_JOURNAL_BLOCK_BAD"),
    (SEGMENT, "    if (s->magic == GN_JOURNAL_SEGMENT_MAGIC && s->major > GN_JOURNAL_MAJOR)\n", "    if (0)\n"),
    (SEGMENT, "gn_journal_padded(b->bytes) > room)", "0)"),
]


class Bench:
    def __init__(self, root, build, cc):
        self.root, self.build, self.cc = root, build, cc
        self.golden = '-DGOLDEN_DIR="%s"' % (root / "tests/unit/journal/golden")
        build.mkdir(parents=True, exist_ok=True)

    def compile(self, source, output):
        command = [*self.cc, "-std=gnu17", "-O1", "-march=native", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-w", self.golden, "-I",
                   str(self.root), "-c", str(source), "-o", str(output)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def object(self, name):
        output = self.build / (name.replace("/", "_") + ".o")
        result = self.compile(self.root / name, output)
        if result.returncode != 0:
            sys.exit(f"{name}: {result.stderr}")
        return output

    def prepare(self):
        self.objects = {ROOM + s + ".c": self.object(ROOM + s + ".c") for s in SOURCES}
        self.shared = [self.object(n) for n in ABI + FIXTURE]
        self.tests = [(name, [self.object(s) for s in sources], args) for name, sources, args in TESTS]

    def caught(self, file, mutant):
        """Name of the test that fails on it; None: all pass."""
        rest = [o for n, o in self.objects.items() if n != file] + self.shared
        for name, objects, args in self.tests:
            program = self.build / "mutant"
            link = subprocess.run([*self.cc, *map(str, objects), str(mutant), *map(str, rest), *LIBS, *(WRAPS if name == "sweep" else []),
                                   "-o", str(program)], capture_output=True, text=True, check=False)
            if link.returncode != 0:
                sys.exit("does not link: " + link.stderr)
            with tempfile.TemporaryDirectory(dir=self.build) as scratch:
                try:
                    run = subprocess.run([str(program), *args], capture_output=True, timeout=60, check=False, cwd=scratch,
                                         env=dict(os.environ, TMPDIR=scratch))
                except subprocess.TimeoutExpired:
                    return name + " (never ends)"
            if run.returncode != 0:
                return name
        return None


def main():
    args, every = sys.argv[1:], 1
    if args[0] == "--every":
        every, args = int(args[1]), args[2:]
    bench = Bench(pathlib.Path(args[0]).resolve(), pathlib.Path(args[1]).resolve(), args[2:])
    bench.prepare()
    copy, output = bench.build / "mutant.c", bench.build / "mutant.o"
    unfit, survived, tried, by = [], [], 0, {}
    failed = bench.caught(WRITER, bench.objects[WRITER])
    if failed is not None:
        sys.exit(f"the test {failed} fails on the journal as it is")
    for number, (file, text, new) in enumerate(MUTANTS):
        source = (bench.root / file).read_text()
        where = f"mutant {number} of {file}: {text!r} -> {new!r}"
        if source.count(text) != 1:
            unfit.append(f"{where}: the text is there {source.count(text)} times")
            continue
        if number % every != 0:
            continue
        copy.write_text(source.replace(text, new))
        result = bench.compile(copy, output)
        if result.returncode != 0:
            unfit.append(f"{where}: does not compile: {result.stderr}")
            continue
        tried += 1
        name = bench.caught(file, output)
        by[name] = by.get(name, 0) + 1
        if name is None:
            survived.append(where)
            print("survived:", where, flush=True)
    print(f"{tried - len(survived)} of {tried} mutants caught, by {by}")
    for line in unfit:
        print(line)
    sys.exit(1 if unfit or tried - len(survived) < WANTED * tried else 0)


if __name__ == "__main__":
    main()
