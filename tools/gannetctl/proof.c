/* Proofs and checkpoints as files that leave the house: JSON with hexadecimal blocks. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/proof.h"
#include "tools/gannetctl/ctl.h"

static const char *option(const struct gn_ctl *c, const char *name)
{
    const size_t n = strlen(name);
    for (int i = 0; i < c->argc; i++)
        if (strncmp(c->argv[i], name, n) == 0 && c->argv[i][n] == '=')
            return c->argv[i] + n + 1;
    return NULL;
}

/* False, said, when the option is missing or no number. */
static bool number(const struct gn_ctl *c, const char *name, uint64_t *out)
{
    const char *text = option(c, name);
    char *end = NULL;
    *out = text != NULL ? strtoull(text, &end, 0) : 0;
    if (text != NULL && *text != 0 && *end == 0)
        return true;
    fprintf(stderr, "gannetctl: journal: %s=N is needed\n", name);
    return false;
}

static json_t *to_hex(const void *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;
    char *text = malloc(2 * bytes + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < bytes; i++) {
        text[2 * i] = digits[p[i] >> 4];
        text[2 * i + 1] = digits[p[i] & 15];
    }
    json_t *s = json_stringn(text, 2 * bytes);
    free(text);
    return s;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of a hexadecimal string, at most `room`; SIZE_MAX when it is none or too long. */
static size_t from_hex(const json_t *s, uint8_t *out, size_t room)
{
    const char *text = json_string_value(s);
    const size_t n = text != NULL ? json_string_length(s) : 1;
    if (n % 2 != 0 || n / 2 > room)
        return SIZE_MAX;
    for (size_t i = 0; i < n / 2; i++) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return SIZE_MAX;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return n / 2;
}

static json_t *path_json(const struct gn_merkle_path *p)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < p->count; i++)
        json_array_append_new(list, to_hex(p->node[i], sizeof p->node[i]));
    return list;
}

static bool path_read(const json_t *list, struct gn_merkle_path *p)
{
    p->count = (uint32_t)json_array_size(list);
    if (!json_is_array(list) || json_array_size(list) > GN_MERKLE_PATH_MAX)
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        if (from_hex(json_array_get(list, i), p->node[i], sizeof p->node[i]) != sizeof p->node[i])
            return false;
    return true;
}

static bool checkpoint_read(const json_t *s, union gn_journal_checkpoint_block *b)
{
    memset(b, 0, sizeof *b);
    return from_hex(s, b->bytes, sizeof b->at) == sizeof b->at;
}

static int print(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(o);
    return EXIT_SUCCESS;
}

static int fail(const struct gn_journal_finding *f, int rc)
{
    fprintf(stderr, "gannetctl: journal: %s%s%s\n", f->file, f->file[0] != 0 ? ": " : "",
            f->reason[0] != 0 ? f->reason : gn_journal_strerror(rc));
    return EXIT_FAILURE;
}

int gn_ctl_checkpoint(const struct gn_ctl *c, const char *dir)
{
    union gn_journal_checkpoint_block b;
    struct gn_journal_io io;
    const char *out = option(c, "out");
    gn_journal_io_reader(&io);
    if (gn_journal_head_read(&io, dir, &b) != 1) {
        fprintf(stderr, "gannetctl: journal: %s/%s holds no checkpoint\n", dir, GN_JOURNAL_HEAD_NAME);
        return EXIT_FAILURE;
    }
    FILE *f = out != NULL ? fopen(out, "we") : NULL;
    if (out != NULL && (f == NULL || fwrite(&b, sizeof b, 1, f) != 1 || fclose(f) != 0)) {
        fprintf(stderr, "gannetctl: journal: %s cannot be written\n", out);
        return EXIT_FAILURE;
    }
    const struct gn_journal_checkpoint *k = &b.at.checkpoint;
    return print(json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o}", "number", (json_int_t)k->number, "time_ns",
                           (json_int_t)k->time_ns, "segment", (json_int_t)k->segment, "batch", (json_int_t)k->batch,
                           "records", (json_int_t)k->records, "close", (k->flags & GN_JOURNAL_BATCH_CLOSE) != 0,
                           "chain", to_hex(k->chain, sizeof k->chain), "root", to_hex(k->root, sizeof k->root), "key",
                           to_hex(k->public_key, sizeof k->public_key)));
}

int gn_ctl_prove(const struct gn_ctl *c, const char *dir)
{
    static struct gn_journal_proof p;
    struct gn_journal_finding finding = {.damage = GN_JOURNAL_SOUND};
    uint64_t ring, seq, segment = 0;
    if (!number(c, "ring", &ring) || !number(c, "seq", &seq) ||
        (option(c, "segment") != NULL && !number(c, "segment", &segment)))
        return EXIT_FAILURE;
    int rc = gn_journal_prove(dir, NULL, ring > UINT32_MAX ? UINT32_MAX : (uint32_t)ring, seq, segment, &p, &finding);
    if (rc != GN_JOURNAL_OK) {
        gn_journal_proof_free(&p);
        return fail(&finding, rc);
    }
    json_t *stages = json_array();
    for (uint32_t i = 0; i < p.stages; i++)
        json_array_append_new(stages, json_pack("{s:I, s:I, s:o, s:o}", "index", (json_int_t)p.stage[i].index, "leaves",
                                                (json_int_t)p.stage[i].leaves, "path", path_json(&p.stage[i].path),
                                                "bytes", to_hex(p.stage[i].bytes, p.stage[i].size)));
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:o, s:o}", "proof", "inclusion", "ring", (json_int_t)p.ring, "seq",
                          (json_int_t)p.seq, "record_offset", (json_int_t)p.record_offset, "stages", stages,
                          "checkpoint", to_hex(&p.checkpoint, sizeof p.checkpoint.at));
    gn_journal_proof_free(&p);
    return print(o);
}

int gn_ctl_prove_consistency(const struct gn_ctl *c, const char *dir)
{
    static struct gn_journal_consistency p;
    struct gn_journal_finding finding = {.damage = GN_JOURNAL_SOUND};
    uint64_t from, to;
    if (!number(c, "from", &from) || !number(c, "to", &to))
        return EXIT_FAILURE;
    int rc = gn_journal_prove_consistency(dir, NULL, from, to, &p, &finding);
    if (rc != GN_JOURNAL_OK)
        return fail(&finding, rc);
    return print(json_pack("{s:s, s:o, s:o, s:o}", "proof", "consistency", "from", to_hex(&p.from, sizeof p.from.at),
                           "to", to_hex(&p.to, sizeof p.to.at), "path", path_json(&p.path)));
}

static uint64_t u64_of(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* The proof's stages out of JSON; false when something is not what it must be. */
static bool stages_read(const json_t *list, struct gn_journal_proof *p)
{
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > GN_JOURNAL_PROOF_STAGES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i), *bytes = json_object_get(o, "bytes");
        struct gn_journal_proof_stage *s = &p->stage[i];
        const size_t room = json_string_length(bytes) / 2;
        if (room == 0 || room > GN_JOURNAL_BATCH_BYTES_MAX || room % GN_JOURNAL_BLOCK != 0)
            return false;
        s->bytes = aligned_alloc(GN_JOURNAL_BLOCK, room);
        if (s->bytes == NULL)
            return false;
        p->stages++;
        s->size = (uint32_t)room;
        s->index = u64_of(o, "index");
        s->leaves = u64_of(o, "leaves");
        if (from_hex(bytes, s->bytes, room) != room || !path_read(json_object_get(o, "path"), &s->path))
            return false;
    }
    return true;
}

static int verify_inclusion(const json_t *o, const uint8_t *key)
{
    static struct gn_journal_proof p;
    const struct gn_rec *rec = NULL;
    memset(&p, 0, sizeof p);
    p.ring = (uint32_t)u64_of(o, "ring");
    p.seq = u64_of(o, "seq");
    p.record_offset = (uint32_t)u64_of(o, "record_offset");
    const char *wrong = "the file is not a proof";
    if (stages_read(json_object_get(o, "stages"), &p) &&
        checkpoint_read(json_object_get(o, "checkpoint"), &p.checkpoint))
        wrong = gn_journal_proof_check(&p, key, &rec);
    if (wrong != NULL) {
        fprintf(stderr, "gannetctl: journal: the proof does not hold: %s\n", wrong);
    } else {
        const struct gn_journal_item item = {
            .segment = &(struct gn_journal_segment){.number = p.checkpoint.at.checkpoint.segment},
            .batch = (const struct gn_journal_batch *)(const void *)p.stage[0].bytes,
            .rec = rec,
            .payload = (const uint8_t *)(rec + 1),
            .payload_bytes = rec->bytes - (uint32_t)sizeof *rec,
            .offset = p.record_offset,
        };
        gn_journal_print(stdout, &item);
    }
    gn_journal_proof_free(&p);
    return wrong == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int verify_consistency(const json_t *o, const uint8_t *key)
{
    static struct gn_journal_consistency p;
    const char *wrong = "the file is not a proof";
    if (checkpoint_read(json_object_get(o, "from"), &p.from) && checkpoint_read(json_object_get(o, "to"), &p.to) &&
        path_read(json_object_get(o, "path"), &p.path))
        wrong = gn_journal_consistency_check(&p, key);
    if (wrong != NULL) {
        fprintf(stderr, "gannetctl: journal: the proof does not hold: %s\n", wrong);
        return EXIT_FAILURE;
    }
    printf("checkpoint %llu continues checkpoint %llu\n", (unsigned long long)p.to.at.checkpoint.number,
           (unsigned long long)p.from.at.checkpoint.number);
    return EXIT_SUCCESS;
}

int gn_ctl_verify_proof(const struct gn_ctl *c, const char *dir)
{
    uint8_t key[GN_JOURNAL_PUBLIC_KEY];
    char why[512];
    json_error_t error;
    const char *pem = option(c, "key"), *path = c->argc > 0 ? c->argv[0] : "";
    (void)dir;
    if (pem != NULL && !gn_journal_public_load(pem, key, why, sizeof why)) {
        fprintf(stderr, "gannetctl: journal: %s\n", why);
        return EXIT_FAILURE;
    }
    json_t *o = json_load_file(path, 0, &error);
    if (o == NULL) {
        fprintf(stderr, "gannetctl: journal: verify-proof FILE [key=PUBLIC.pub]: %s: %s\n", path, error.text);
        return EXIT_FAILURE;
    }
    const char *kind = json_string_value(json_object_get(o, "proof"));
    const uint8_t *trusted = pem != NULL ? key : NULL;
    int status = kind != NULL && strcmp(kind, "consistency") == 0 ? verify_consistency(o, trusted)
                                                                  : verify_inclusion(o, trusted);
    if (trusted == NULL)
        fprintf(stderr, "gannetctl: journal: no key= was given: the proof vouches only for itself\n");
    json_decref(o);
    return status;
}
