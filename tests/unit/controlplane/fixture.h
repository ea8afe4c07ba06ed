/* A control plane without its process: the real appliance on a folder of its own, commands given as JSON, and the
 * people who sign them.
 */
#ifndef GN_TEST_CONTROLPLANE_FIXTURE_H
#define GN_TEST_CONTROLPLANE_FIXTURE_H

#include "controlplane/admin/commands.h"
#include "controlplane/kill/triggers.h"
#include "tests/gn_test.h"

struct fixture {
    char dir[64];
    struct gn_appliance a;
    struct gn_triggers triggers;
};

/* fixture_open: with further lines of YAML; NULL: one person suffices. The appliance is started. */
struct fixture *fixture_open(const char *more);
void fixture_close(struct fixture *f);

/* fixture_again: the control plane's next life on the same folder. */
void fixture_again(struct fixture *f);

/* fixture_people: YAML of anna (risk), bert (risk, trader), carl (trader, operator), each with a key made of a seed. */
const char *fixture_people(void);

/* fixture_ask: a request as a format of jansson's json_pack; the answer is the caller's. fixture_sign: the same, signed
 * by that person now. */
json_t *fixture_ask(struct fixture *f, const char *fmt, ...);
json_t *fixture_sign(struct fixture *f, const char *person, json_t *request);

/* fixture_ok: the answer is yes; it is given back. fixture_error: its error, "" when it is yes; good until the next. */
bool fixture_ok(json_t *answer);
const char *fixture_error(json_t *answer);

#endif
