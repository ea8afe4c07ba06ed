/* Rings, records, the header of a file, a client file. Rows of docs/abi.md: what offsetof and sizeof cannot say. */
#include "dataplane/abi/region.h"
#include "tools/docs/abi_rows.h"

static const struct gn_doc_field rec_fields[] = {
    F(gn_rec, bytes, "", "header + payload, unpadded: 32 to GN_REC_BYTES_MAX"),
    F(gn_rec, type, "", "enum gn_ev, 0 = pad"),
    F(gn_rec, source, "", "ring number: who wrote it"),
    F(gn_rec, flags, "", "journal: order session that it is about, + 1; 0 = of none"),
    F(gn_rec, seq, "",
      "of this ring, contiguous from 1; in a report ring to a client a jump counts reports that had no room"),
    F(gn_rec, time_ns, "", "input time of the step that wrote it, ns since the Unix epoch"),
    F(gn_rec, corr, "",
      "correlation: market-data sequence or order id that caused it, or bit 63 and seq: its own cause"),
};

static const struct gn_doc_field ring_fields[] = {
    F(gn_ring, magic, "", "\"gnring01\"; written last"),
    F(gn_ring, cells, "", "power of two, 256 to 2^24"),
    F(gn_ring, source, "", "number that the producer puts into gn_rec.source"),
    F(gn_ring, head, "producer", "cells published; store release, load acquire"),
    F(gn_ring, pending, "producer", "cells reserved, >= head; not kept in client rings"),
    F(gn_ring, tail_seen, "producer", "last tail the producer loaded; not kept in client rings"),
    F(gn_ring, next_seq, "producer", "sequence of the next record; not kept in client rings"),
    F(gn_ring, tail, "consumer", "cells released; store release, load acquire"),
    F(gn_ring, last_seq, "consumer", "sequence of the last record released; stored before tail"),
    A(gn_ring, data, "producer", "cells of 64 bytes"),
};

static const struct gn_doc_field client_block_fields[] = {
    F(gn_client_block, ring_bytes, "", "of each ring; intents from the client first, reports to it behind"),
    F(gn_client_block, index, "", "of the client in the configuration"),
    F(gn_client_block, strategy, "", "index of the strategy that it is"),
    F(gn_client_block, beat, "client", "moved by the client"),
};

static const struct gn_doc_field region_section_fields[] = {
    F(gn_region_section, offset, "", "from the start of the file, multiple of GN_GUARD; 0 = not there"),
    F(gn_region_section, bytes, "", "0 = not there"),
};

static const struct gn_doc_field region_hdr_fields[] = {
    F(gn_region_hdr, magic, "", "0x74656e6e61472121; written last"),
    F(gn_region_hdr, abi_version, "", "GN_ABI_VERSION"),
    F(gn_region_hdr, kind, "", "enum gn_region_kind"),
    F(gn_region_hdr, layout_hash, "", "gn_abi_layout_hash: of the sizes and offsets on this page"),
    F(gn_region_hdr, bytes, "", "of the whole file"),
    F(gn_region_hdr, epoch, "", "of the appliance: one more at every fresh region, part of every order id"),
    F(gn_region_hdr, build_id, "", "of the program that made the file, for messages"),
    F(gn_region_hdr, config_sha256, "", "of the YAML file"),
    F(gn_region_hdr, instance, "", "name of the appliance"),
    F(gn_region_hdr, section, "", "by section number"),
};

const struct gn_doc_struct gn_doc_abi_base[] = {
    S(rec, "producer", true, "dataplane/abi/ring.h"),
    S(ring, "maker", false, "dataplane/abi/ring.h"),
    S(client_block, "control plane", true, "dataplane/abi/client.h"),
    S(region_section, "maker", true, "dataplane/abi/region.h"),
    S(region_hdr, "maker", false, "dataplane/abi/region.h"),
    {0},
};
