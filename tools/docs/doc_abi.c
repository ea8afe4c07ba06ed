#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"
#include "tools/docs/docs.h"

#define BYTE_COLUMNS 9u /* of one byte in a diagram */
#define ROW_BYTES    8u

/* ---- one structure ---- */

static void rule(FILE *to, uint32_t bytes)
{
    (void)fputs("     ", to);
    for (uint32_t i = 0; i < bytes; i++)
        (void)fputs("+--------", to);
    (void)fputs("+\n", to);
}

/* box: `bytes` bytes of a row, with the text in the middle, cut to what fits. */
static void box(FILE *to, const char *text, uint32_t bytes)
{
    int room = (int)(bytes * BYTE_COLUMNS - 1), len = (int)strlen(text);
    if (len > room)
        len = room;
    (void)fprintf(to, "|%*s%.*s%*s", (room - len) / 2, "", len, text, room - len - (room - len) / 2, "");
}

/* What lies at byte `at`: the name of the field and where it ends; a hole is padding. */
static const char *field_at(const struct gn_doc_struct *s, size_t at, size_t *end)
{
    *end = s->bytes;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct gn_doc_field *f = &s->field[i];
        if (at >= f->offset && at < f->offset + f->bytes) {
            *end = f->offset + f->bytes;
            return f->name;
        }
        if (f->offset > at && f->offset < *end)
            *end = f->offset;
    }
    return "-";
}

/* A field longer than a row is one box, and the number of rows that it takes is left to its size. */
static void draw(FILE *to, const struct gn_doc_struct *s)
{
    char text[64];
    (void)fputs("```\n     ", to);
    for (uint32_t i = 0; i < ROW_BYTES; i++)
        (void)fprintf(to, "%*u", i == 0 ? 5 : (int)BYTE_COLUMNS, i);
    (void)fputs("\n", to);
    rule(to, ROW_BYTES);
    for (size_t at = 0; at < s->bytes;) {
        size_t row_end = at + ROW_BYTES, end;
        (void)fprintf(to, "%4zu ", at);
        while (at < row_end && at < s->bytes) {
            const char *name = field_at(s, at, &end);
            if (end > row_end) {
                (void)snprintf(text, sizeof text, "%s (%zu bytes)", name, end - at);
                box(to, text, (uint32_t)(row_end - at));
                at = row_end = end;
                break;
            }
            box(to, name, (uint32_t)(end - at));
            at = end;
        }
        (void)fputs("|\n", to);
        rule(to, ROW_BYTES);
    }
    (void)fputs("```\n\n", to);
}

static void hole(FILE *to, size_t from, size_t end)
{
    if (end > from)
        (void)fprintf(to, "| %zu | %zu | - | | padding, zero |\n", from, end - from);
}

static void structure(FILE *to, const struct gn_doc_struct *s)
{
    size_t at = 0;
    (void)fprintf(to, "\n### %s\n\n%zu bytes, %s", s->name, s->bytes, s->header);
    if (s->writer[0] != 0)
        (void)fprintf(to, "; written by: %s", s->writer);
    (void)fputs(".\n\n", to);
    if (s->drawn)
        draw(to, s);
    (void)fputs("| offset | bytes | field | writer | meaning |\n|---:|---:|---|---|---|\n", to);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct gn_doc_field *f = &s->field[i];
        hole(to, at, f->offset);
        at = f->offset + f->bytes;
        if (f->bytes == 0)
            (void)fprintf(to, "| %zu | to the end | `%s` | ", f->offset, f->name);
        else
            (void)fprintf(to, "| %zu | %zu | `%s` | ", f->offset, f->bytes, f->name);
        (void)fprintf(to, "%s | ", f->writer[0] != 0 ? f->writer : s->writer);
        gn_doc_cell(to, f->meaning);
        (void)fputs(" |\n", to);
    }
    hole(to, at, s->bytes);
}

static void structures(FILE *to, const char *title, const struct gn_doc_struct *s)
{
    (void)fprintf(to, "\n## %s\n", title);
    for (; s->name != NULL; s++)
        structure(to, s);
}

/* ---- the page ---- */

static const char files[] =
    "# The shared files, byte by byte\n\n"
    "Made by `gannet-docs abi` from the structures of dataplane/abi with `offsetof` and `sizeof`; a test compares "
    "them.\n"
    "\n"
    "All numbers are little-endian. Offsets are from the start of the structure, in bytes. Places in a file are "
    "offsets,\n"
    "never pointers. Fields that different processes or lcores write while trading lie on different cache lines, "
    "mostly\n"
    "128 bytes apart. Words that say when other data may be read (indices of rings, kill words, heartbeats, "
    "generations,\n"
    "magics) are C11 atomics; the comment at each declaration names the load that its store pairs with. Orders, "
    "positions\n"
    "and counters are plain fields of one writer: a reader may meet a row in the middle of a change.\n\n"
    "## Files\n\n"
    "Of instance `demo` with `huge_dir` empty; with it set, the files are there instead.\n\n"
    "| kind | file | made by | written by | read by |\n|---|---|---|---|---|\n"
    "| 1 plane | `<run_dir>/gannet-demo-plane` | control plane | both planes; `gannetctl kill` when the control plane "
    "is "
    "dead | both planes, `gannetctl` |\n"
    "| 2 observe | `<run_dir>/gannet-demo-observe` | control plane | control plane once, then the feed stage | anybody "
    "with the right to read the file |\n"
    "| 3 client | `<run_dir>/gannet-demo-client-<name>` | control plane | that client, and the strategy host | the "
    "same |\n"
    "| 4 private | `<run_dir>/gannet-demo-own` | data plane | data plane | data plane, its next life |\n\n"
    "`<run_dir>/plane`, `<run_dir>/observe` and `<run_dir>/client-<name>` are symbolic links to the first three. "
    "Files\n"
    "are made with mode 0600 under another name and renamed, so that a file of that name is never half-sized; whoever\n"
    "has an older one mapped keeps it.\n\n"
    "A file starts with `struct gn_region_hdr`: identity, then the table of sections by number. Sections start at\n"
    "multiples of 128 bytes. The magic is stored last (release); `gn_region_attach` loads it first (acquire), then\n"
    "refuses another kind, ABI version, layout hash, size or configuration and any section outside the file, and "
    "names\n"
    "both sides of what differs.\n\n"
    "A client file may be written by its client in every byte. The strategy host takes the place and the size of its\n"
    "rings from the configuration, keeps its own indices (dataplane/abi/ring_peer.h), and copies a record before it "
    "looks\n"
    "at it.\n";

static void sections(FILE *to)
{
    (void)fputs("\n## Sections\n\n| number | name | what is in it |\n|---:|---|---|\n", to);
#define GN_X(num, NAME, name, help) (void)fprintf(to, "| %d | `%s` | %s |\n", num, name, help);
    GN_SECTIONS(GN_X)
#undef GN_X
    (void)fputs(
        "\nNumbers 1 to 31 are of the plane file, 32 to 34 of the observe file, 35 of a client file, from 40 on of "
        "the\nprivate file, whose contents belong to the modules that lay them out (dataplane/lcore/wiring.c).\n",
        to);
}

static void rings(FILE *to)
{
    (void)fprintf(
        to,
        "\n## Rings and records\n\n"
        "One producer, one consumer. Indices count cells of %u bytes and never go back; cell i lies at `data + (i "
        "mod cells) * %u`.\nA record is contiguous, starts with `struct gn_rec` and takes `bytes` rounded up to "
        "whole cells, at most %u bytes.\nA record that does not fit before the end of the buffer is preceded by a "
        "pad: type 0, `bytes` up to the end.\nRecords of which `head` has not passed the end do not exist.\n\n"
        "| ring | file | producer | consumer | full means |\n|---|---|---|---|---|\n"
        "| event ring 0 | plane | control plane | journal | the record is refused |\n"
        "| event ring 1.. | plane | lcore 0.. | journal | trading is killed |\n"
        "| intents | client | client | strategy host | the client's call returns an error |\n"
        "| reports | client | strategy host | client | the report is dropped, counted, and leaves a jump in the "
        "sequence |\n"
        "| stage rings | private | a lcore | a lcore | market data and intents: the producer waits; reports: "
        "dropped, counted |\n\n"
        "| type | name | payload | meaning |\n|---:|---|---|---|\n"
        "| 0 | pad | - | rest of the buffer |\n",
        GN_RING_CELL, GN_RING_CELL, GN_REC_BYTES_MAX);
#define GN_X(num, NAME, name, payload, help) \
    (void)fprintf(to, "| %d | %s | `struct %s`, %zu bytes | %s |\n", num, name, #payload, sizeof(struct payload), help);
    GN_EVENTS(GN_X)
#undef GN_X
    (void)fputs("\n`md_packet` is followed by the packet's bytes.\n", to);
}

void gn_doc_abi(FILE *to)
{
    (void)fputs(files, to);
    sections(to);
    rings(to);
    structures(to, "Header, rings, client file", gn_doc_abi_base);
    structures(to, "Records", gn_doc_abi_event);
    structures(to, "Control, limits, counters", gn_doc_abi_control);
    structures(to, "Orders, positions, sessions, prices", gn_doc_abi_trade);
    structures(to, "Configuration", gn_doc_abi_conf);
}
