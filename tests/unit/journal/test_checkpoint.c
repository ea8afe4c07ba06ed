/* Signed checkpoints, Merkle trees and proofs: what they prove, and that nothing else passes for it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/proof.h"
#include "controlplane/journal/segment.h"
#include "tests/unit/journal/fixture.h"
#include "tests/unit/journal/mem_disk.h"

static struct mem_disk disk;
static struct gn_journal_io io;
static struct gn_journal_key *key, *other_key;

static void new_in_memory(struct fx *f)
{
    static const uint8_t seed[32] = {1}, other[32] = {2};
    if (key == NULL) {
        key = gn_journal_key_from_seed(seed);
        other_key = gn_journal_key_from_seed(other);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(key);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other_key);
    fx_new(f);
    md_free(&disk);
    io = md_io(&disk);
    f->conf.io = &io;
    f->conf.segments_ahead = 1;
    f->conf.key = key;
    f->conf.checkpoint_ms = 1;
}

static struct gn_journal_report verify(struct fx *f, const union gn_journal_checkpoint_block *witness,
                                       const uint8_t *public_key)
{
    const struct gn_journal_verify_opts opts = {
        .io = &io, .public_key = public_key, .witness = witness, .witnesses = witness != NULL};
    struct gn_journal_report report;
    int rc = gn_journal_verify(f->dir, &opts, &report);
    CU_ASSERT_EQUAL(rc != GN_JOURNAL_OK, report.finding.damage != GN_JOURNAL_SOUND);
    return report;
}

static struct mem_file *segment_file(uint64_t number)
{
    char name[GN_JOURNAL_NAME_BYTES];
    gn_journal_file_name(number, name);
    return md_find(&disk, name);
}

/* The tree against the definition of RFC 6962 for all sizes up to 40: every inclusion, every consistency, and that a
 * flipped bit anywhere fails. */
static void trees(void)
{
    uint8_t data[40][GN_JOURNAL_HASH], leaf[40][GN_JOURNAL_HASH], root[41][GN_JOURNAL_HASH];
    struct gn_merkle m = {.leaves = 0};
    struct gn_merkle_path path;
    for (uint32_t i = 0; i < 40; i++) {
        memset(data[i], (int)i + 1, sizeof data[i]);
        CU_ASSERT(gn_merkle_leaf(data[i], leaf[i]) && gn_merkle_add(&m, data[i]) && gn_merkle_root(&m, root[i + 1]));
    }
    /* by hand: three leaves are node(node(0, 1), 2) */
    uint8_t pair[65] = {1}, hash[GN_JOURNAL_HASH];
    memcpy(pair + 1, leaf[0], 32);
    memcpy(pair + 33, leaf[1], 32);
    CU_ASSERT(gn_journal_hash(pair, sizeof pair, hash));
    CU_ASSERT_EQUAL(memcmp(hash, root[2], 32), 0);
    memcpy(pair + 1, hash, 32);
    memcpy(pair + 33, leaf[2], 32);
    CU_ASSERT(gn_journal_hash(pair, sizeof pair, hash));
    CU_ASSERT_EQUAL(memcmp(hash, root[3], 32), 0);
    for (uint64_t n = 1; n <= 40; n++)
        for (uint64_t i = 0; i < n; i++) {
            CU_ASSERT(gn_merkle_inclusion((const uint8_t(*)[32])leaf, n, i, &path));
            if (!gn_merkle_check_inclusion(leaf[i], i, n, &path, root[n]) ||
                gn_merkle_check_inclusion(leaf[(i + 1) % 40], i, n, &path, root[n]) ||
                (n > 1 && gn_merkle_check_inclusion(leaf[i], (i + 1) % n, n, &path, root[n])))
                CU_FAIL("inclusion");
            for (uint32_t k = 0; k < path.count; k++) {
                path.node[k][k % 32] ^= 1;
                if (gn_merkle_check_inclusion(leaf[i], i, n, &path, root[n]))
                    CU_FAIL("a changed path holds");
                path.node[k][k % 32] ^= 1;
            }
        }
    for (uint64_t n = 1; n <= 40; n++)
        for (uint64_t k = 1; k <= n; k++) {
            CU_ASSERT(gn_merkle_consistency((const uint8_t(*)[32])leaf, n, k, &path));
            if (!gn_merkle_check_consistency(k, n, root[k], root[n], &path))
                CU_FAIL("consistency");
            if (k < n && (gn_merkle_check_consistency(k, n, root[k % n + 1], root[n], &path) ||
                          gn_merkle_check_consistency(k, n, root[k], root[n - 1], &path)))
                CU_FAIL("an inconsistent pair holds");
        }
}

static void key_files(void)
{
    struct fx f;
    char path[400], pub[420], err[300];
    uint8_t public_key[GN_JOURNAL_PUBLIC_KEY];
    struct stat st;
    fx_new(&f);
    (void)snprintf(path, sizeof path, "%s/journal.key", f.dir);
    (void)snprintf(pub, sizeof pub, "%s.pub", path);
    struct gn_journal_key *made = gn_journal_key_load(path, err, sizeof err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    struct gn_journal_key *again = gn_journal_key_load(path, err, sizeof err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    CU_ASSERT(gn_journal_public_load(pub, public_key, err, sizeof err));
    CU_ASSERT_EQUAL(memcmp(public_key, gn_journal_key_public(made), sizeof public_key), 0);
    CU_ASSERT_EQUAL(memcmp(public_key, gn_journal_key_public(again), sizeof public_key), 0);
    gn_journal_key_free(made);
    gn_journal_key_free(again);
    CU_ASSERT_EQUAL(chmod(path, 0640), 0);
    CU_ASSERT_PTR_NULL(gn_journal_key_load(path, err, sizeof err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "0640"));
    CU_ASSERT_EQUAL(chmod(path, 0600), 0);
    CU_ASSERT_EQUAL(truncate(path, 20), 0);
    CU_ASSERT_PTR_NULL(gn_journal_key_load(path, err, sizeof err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err, "no Ed25519"));
    CU_ASSERT(!gn_journal_public_load(path, public_key, err, sizeof err));
    fx_free(&f);
}

/* An interval in which nothing happens has its checkpoint; so has the close. */
static void one_an_interval(void)
{
    struct fx f;
    struct gn_journal *j;
    struct gn_journal_status st;
    new_in_memory(&f);
    f.conf.checkpoint_ms = 1000;
    CU_ASSERT_EQUAL_FATAL(fx_open(&f, &j), GN_JOURNAL_OK);
    for (int second = 0; second < 10; second++)
        for (int ms = 0; ms < 1000; ms += 10) {
            CU_ASSERT(gn_journal_step(j, FX_NOW_NS) >= 0);
            gn_journal_wait(j, 10000000);
        }
    gn_journal_status(j, &st);
    CU_ASSERT(st.checkpoints >= 9 && st.checkpoints <= 10);
    CU_ASSERT_EQUAL(st.records, 0);
    CU_ASSERT_EQUAL(gn_journal_close(j, FX_NOW_NS), GN_JOURNAL_OK);
    struct gn_journal_report r = verify(&f, NULL, gn_journal_key_public(key));
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(r.checkpoints, st.checkpoints + 1);
    CU_ASSERT_EQUAL(r.witnesses, 1);
    CU_ASSERT_EQUAL(r.unsigned_records, 0);
    CU_ASSERT(r.closed_clean);
    CU_ASSERT_EQUAL(r.last_checkpoint.flags, GN_JOURNAL_BATCH_CLOSE);
    md_free(&disk);
    fx_free(&f);
}

/* Numbers go on over lives and segments; another life may have another key. */
static void lives(void)
{
    struct fx f;
    new_in_memory(&f);
    disk.commit_ns = 400000;
    fx_write_some(&f, 2000);
    fx_write_some(&f, 2000);
    struct gn_journal_report r = verify(&f, NULL, gn_journal_key_public(key));
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT(r.segments > 3 && r.checkpoints > 5);
    CU_ASSERT_EQUAL(r.last_checkpoint.number, r.checkpoints);
    CU_ASSERT_EQUAL(r.keys, 1);
    f.conf.key = other_key;
    fx_write_some(&f, 100);
    r = verify(&f, NULL, NULL);
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(r.keys, 2);
    r = verify(&f, NULL, gn_journal_key_public(key));
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    md_free(&disk);
    fx_free(&f);
}

/* Finds the last checkpoint batch in a segment's file. */
static struct gn_journal_batch *last_checkpoint(struct mem_file *file)
{
    struct gn_journal_batch *b = (struct gn_journal_batch *)(void *)(file->data + GN_JOURNAL_BLOCK), *last = NULL;
    for (; b->magic == GN_JOURNAL_BATCH_MAGIC;
         b = (struct gn_journal_batch *)(void *)((uint8_t *)b + gn_journal_padded(b->bytes)))
        if (b->kind == GN_JOURNAL_BATCH_CHECKPOINT)
            last = b;
    return last;
}

/* A tail that is cut cleanly, whole batches and all: the chain of what remains is sound, the head file misses it, and
 * so does a copy kept elsewhere when the head file is cut with it. Recovery refuses, until the loss is accepted. */
static void clean_cut(void)
{
    struct fx f;
    struct gn_journal *j;
    union gn_journal_checkpoint_block witness;
    new_in_memory(&f);
    disk.commit_ns = 900000;
    fx_write_some(&f, 12);
    fx_write_some(&f, 12);
    fx_write_some(&f, 12);
    struct mem_file *file = segment_file(3);
    const struct gn_journal_batch *b = last_checkpoint(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_EQUAL_FATAL(gn_journal_head_read(&io, f.dir, &witness), 1);
    CU_ASSERT_EQUAL(memcmp(&witness, b, sizeof witness), 0);
    memset(file->data + b->offset, 0, file->bytes - b->offset);
    struct gn_journal_report r = verify(&f, NULL, NULL);
    CU_ASSERT_EQUAL(r.finding.damage, GN_JOURNAL_DAMAGE_TRUNCATED);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.finding.reason, "cut off"));
    CU_ASSERT_EQUAL(fx_open(&f, &j), GN_JOURNAL_ERR_DAMAGED);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err, "accept the loss"));
    struct mem_file *head = md_find(&disk, GN_JOURNAL_HEAD_NAME);
    CU_ASSERT_PTR_NOT_NULL_FATAL(head);
    memset(head->data, 0, head->bytes);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(verify(&f, &witness, NULL).finding.damage, GN_JOURNAL_DAMAGE_TRUNCATED);
    CU_ASSERT_EQUAL(verify(&f, &witness, gn_journal_key_public(other_key)).finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    /* Written on from the cut: a fork, whole in itself and signed by the right key. */
    fx_write_some(&f, 60);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(verify(&f, &witness, NULL).finding.damage, GN_JOURNAL_DAMAGE_CHAIN);
    md_free(&disk);
    fx_free(&f);
}

/* Somebody without the key rewrites the last segment consistently, checksums, chain and trees: the signature tells. */
static void forged_checkpoint(void)
{
    struct fx f;
    new_in_memory(&f);
    fx_write_some(&f, 10);
    struct mem_file *file = segment_file(1);
    struct gn_journal_batch *b = last_checkpoint(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    struct gn_journal_checkpoint *c = (struct gn_journal_checkpoint *)(void *)(b + 1);
    b->time_ns++;
    c->time_ns++;
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_DAMAGE_CHAIN);
    struct mem_file *head = md_find(&disk, GN_JOURNAL_HEAD_NAME);
    memset(head->data, 0, head->bytes);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    /* with a key of one's own it holds, unless the right key is known */
    CU_ASSERT(gn_journal_checkpoint_sign(c, other_key));
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_EQUAL(verify(&f, NULL, gn_journal_key_public(key)).finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    /* a root that is not the tree's */
    c->root[0] ^= 1;
    CU_ASSERT(gn_journal_checkpoint_sign(c, key));
    gn_journal_seal_batch(b);
    CU_ASSERT_EQUAL(verify(&f, NULL, NULL).finding.damage, GN_JOURNAL_DAMAGE_SIGNATURE);
    md_free(&disk);
    fx_free(&f);
}

/* Every record of a journal of several segments has a proof; no flipped bit of it holds. */
static void proofs(void)
{
    struct fx f;
    static struct gn_journal_proof p;
    struct gn_journal_finding finding;
    const struct gn_rec *rec = NULL;
    uint32_t longest = 0;
    new_in_memory(&f);
    f.conf.checkpoint_ms = 4;
    fx_write_some(&f, 1500);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        CU_ASSERT_EQUAL_FATAL(gn_journal_prove(f.dir, &io, f.ring[0]->source, seq, 0, &p, &finding), GN_JOURNAL_OK);
        const char *wrong = gn_journal_proof_check(&p, gn_journal_key_public(key), &rec);
        if (wrong != NULL || rec->seq != seq) {
            printf("record %llu: %s\n", (unsigned long long)seq, wrong != NULL ? wrong : "another one");
            CU_FAIL("a proof does not hold");
        }
        longest = p.stages > longest ? p.stages : longest;
        if (seq == 7) {
            for (uint32_t s = 0; s < p.stages; s++)
                for (uint32_t at = 0; at < p.stage[s].size; at++) {
                    p.stage[s].bytes[at] ^= (uint8_t)(1u << at % 8);
                    if (gn_journal_proof_check(&p, NULL, &rec) == NULL)
                        CU_FAIL("a changed proof holds");
                    p.stage[s].bytes[at] ^= (uint8_t)(1u << at % 8);
                }
            for (uint32_t at = 0; at < sizeof p.checkpoint.at; at++) {
                p.checkpoint.bytes[at] ^= (uint8_t)(1u << at % 8);
                if (gn_journal_proof_check(&p, NULL, &rec) == NULL)
                    CU_FAIL("a changed checkpoint holds");
                p.checkpoint.bytes[at] ^= (uint8_t)(1u << at % 8);
            }
            p.seq++;
            CU_ASSERT_PTR_NOT_NULL(gn_journal_proof_check(&p, NULL, &rec));
            p.seq--;
            CU_ASSERT_PTR_NOT_NULL(gn_journal_proof_check(&p, gn_journal_key_public(other_key), &rec));
        }
        gn_journal_proof_free(&p);
    }
    printf("up to %u stages\n", longest);
    CU_ASSERT(longest >= 2);
    CU_ASSERT_EQUAL(gn_journal_prove(f.dir, &io, f.ring[0]->source, 501, 0, &p, &finding), GN_JOURNAL_ERR_ARG);
    gn_journal_proof_free(&p);
    md_free(&disk);
    fx_free(&f);
}

static void consistency(void)
{
    struct fx f;
    struct gn_journal_consistency c;
    struct gn_journal_finding finding;
    new_in_memory(&f);
    f.conf.segment_bytes = 1u << 20;
    disk.commit_ns = 400000;
    fx_write_some(&f, 3000);
    struct gn_journal_report r = verify(&f, NULL, NULL);
    CU_ASSERT_EQUAL_FATAL(r.finding.damage, GN_JOURNAL_SOUND);
    CU_ASSERT_FATAL(r.checkpoints >= 4);
    for (uint64_t a = 1; a < r.checkpoints; a++) {
        CU_ASSERT_EQUAL(gn_journal_prove_consistency(f.dir, &io, a, r.checkpoints, &c, &finding), GN_JOURNAL_OK);
        CU_ASSERT_PTR_NULL(gn_journal_consistency_check(&c, gn_journal_key_public(key)));
        if (c.path.count != 0) {
            c.path.node[0][0] ^= 1;
            CU_ASSERT_PTR_NOT_NULL(gn_journal_consistency_check(&c, NULL));
        }
    }
    CU_ASSERT_EQUAL(gn_journal_prove_consistency(f.dir, &io, 1, r.checkpoints + 1, &c, &finding), GN_JOURNAL_ERR_ARG);
    md_free(&disk);
    fx_free(&f);
}

GN_TEST_MAIN("journal checkpoint", {"trees of RFC 6962", trees}, {"key files", key_files},
             {"one an interval and one at close", one_an_interval}, {"over lives and keys", lives},
             {"a cleanly cut tail and a fork", clean_cut}, {"forged checkpoints", forged_checkpoint},
             {"inclusion proofs", proofs}, {"consistency proofs", consistency})
