/* The go-live gate: shown, its checklist signed, and a live appliance armed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/authority/proof.h"
#include "controlplane/journal/sign.h"
#include "tools/gannetctl/ctl.h"

static int sign(const struct gn_ctl *c, const char *path)
{
    char err[512], hex[2 * GN_AUTHORITY_SIG + 1];
    uint8_t sig[GN_AUTHORITY_SIG];
    if (c->as == NULL || access(c->key, F_OK) != 0) {
        fprintf(stderr, "gannetctl: golive sign: allowed: gannetctl --as NAME --key FILE golive sign CHECKLIST\n");
        return EXIT_FAILURE;
    }
    json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *signatures = json_is_object(list) ? json_incref(json_object_get(list, "signatures")) : NULL;
    if (json_is_object(list))
        json_object_del(list, "signatures");
    char *text = json_is_object(list) ? json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) : NULL;
    struct gn_journal_key *key = gn_journal_key_load(c->key, err, sizeof err);
    bool ok = text != NULL && key != NULL && gn_journal_sign(key, text, strlen(text), sig);
    if (ok) {
        gn_hex(sig, sizeof sig, hex);
        if (signatures == NULL)
            signatures = json_array();
        json_array_append_new(signatures, json_pack("{s:s, s:s}", "person", c->as, "sig", hex));
        json_object_set(list, "signatures", signatures);
        ok = json_dump_file(list, path, JSON_INDENT(1)) == 0;
    }
    if (!ok)
        fprintf(stderr, "gannetctl: golive sign: %s: %s\n", path,
                text == NULL  ? "no JSON object can be read there"
                : key == NULL ? err
                              : "cannot be written");
    gn_journal_key_free(key);
    free(text);
    json_decref(signatures);
    json_decref(list);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int gn_ctl_golive(struct gn_ctl *c)
{
    int status;
    if (c->argc == 2 && strcmp(c->argv[0], "sign") == 0)
        return sign(c, c->argv[1]);
    json_t *reply = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "golive"), false);
    const json_t *rows = gn_ctl_part(c, reply, "items", &status);
    if (rows != NULL) {
        gn_ctl_table(rows, "item,pass,found,mend");
        printf("\nfor the checklist: instance %s, config %s\n", gn_ctl_str(reply, "instance"),
               gn_ctl_str(reply, "config"));
    }
    if (status == EXIT_SUCCESS && !json_is_true(json_object_get(reply, "complete")))
        status = EXIT_FAILURE;
    json_decref(reply);
    return status;
}

int gn_ctl_arm(struct gn_ctl *c)
{
    struct gn_ctl_words w;
    char typed[64] = "";
    int status;
    if (!gn_ctl_words(c, 0, &w) || w.why[0] == 0) {
        fprintf(stderr, "gannetctl: arm: a reason is needed: gannetctl --as NAME --key FILE arm WHY...\n");
        return EXIT_FAILURE;
    }
    fprintf(stderr, "This lets the appliance send orders to the exchange. Type the name of the instance: ");
    if (fgets(typed, sizeof typed, stdin) == NULL)
        return EXIT_FAILURE;
    typed[strcspn(typed, "\n")] = 0;
    json_t *word = gn_ctl_ask(c, json_pack("{s:s}", "cmd", "kill_word"), false);
    json_t *reply = gn_ctl_act(c, json_pack("{s:s, s:s, s:I, s:s, s:s}", "cmd", "arm", "confirm", typed, "word",
                                            (json_int_t)gn_ctl_int(word, "word"), "who", c->who, "why", w.why));
    if (gn_ctl_part(c, reply, "armed", &status) != NULL)
        printf("%s is armed\n", gn_ctl_str(reply, "armed"));
    json_decref(reply);
    json_decref(word);
    return status;
}
