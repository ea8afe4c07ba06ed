/* The appliance as the control plane holds it: configuration, the shared files, the journal. Everything else in the
 * control plane is a duty that works on this.
 *
 * Started the first time, it lays out plane, observe and client files and fills them from the config. Started again
 * while the files are there and of the same config, it joins them: the data plane never notices but for the heartbeat.
 */
#ifndef GN_APPLIANCE_H
#define GN_APPLIANCE_H

#include <pthread.h>

#include "config/load.h"
#include "controlplane/alerts/alerts.h"
#include "controlplane/alerts/watch.h"
#include "controlplane/authority/authority.h"
#include "controlplane/command/command.h"
#include "controlplane/flatten/flatten.h"
#include "controlplane/journal/journal.h"
#include "controlplane/kill/tracker.h"
#include "controlplane/reconcile/report.h"
#include "dataplane/abi/region.h"

#define GN_APPLIANCE_ERR_LEN 1024u

struct gn_appliance {
    struct gn_conf_loaded loaded;
    char config_path[GN_APPLIANCE_ERR_LEN];
    const struct gn_conf *conf; /* that of `loaded` */
    struct gn_region plane, observe, client[GN_CLIENTS_MAX];
    struct gn_control *control;
    struct gn_limits *limits;
    struct gn_instruments *instruments;
    struct gn_ring *events; /* ring 0: the control plane's own records; main thread only */
    struct gn_journal *journal;
    struct gn_journal_key *key;    /* signs its checkpoints */
    bool key_beside;               /* it lies in the journal's own folder */
    struct gn_authority authority; /* main thread only */
    struct gn_hands hands;         /* commands to the lcores; main thread only */
    struct gn_alerts alerts;
    struct gn_alert_watch watch;
    struct gn_tracker tracker;
    struct gn_flatten flatten;
    struct gn_reconcile reconcile;
    bool joined;
    pthread_t beat_thread;
    _Atomic uint32_t beat_stop;
};

/* gn_appliance_open: config, files, journal. fresh: lay out anew although files of another config are there; refused
 * while a data plane lives. False with a text in err (several lines when the config has several errors). */
bool gn_appliance_open(struct gn_appliance *a, const char *config_path, bool fresh,
                       char err[GN_APPLIANCE_ERR_LEN]) GN_MUST_CHECK;

/* gn_appliance_start: journal threads and heartbeat begin. */
bool gn_appliance_start(struct gn_appliance *a, char err[GN_APPLIANCE_ERR_LEN]) GN_MUST_CHECK;

/* gn_appliance_close: stops heartbeat and journal; the files stay. The journal's last error, or 0. */
int gn_appliance_close(struct gn_appliance *a);

/* gn_appliance_event: a record in ring 0, to be filled and published; NULL when it is full. */
struct gn_rec *gn_appliance_event(struct gn_appliance *a, uint16_t type, uint32_t payload);
void gn_appliance_publish(struct gn_appliance *a);

/* gn_appliance_say: a lifecycle record with a text. gn_appliance_alert: an alert record, also to stderr. */
void gn_appliance_say(struct gn_appliance *a, const char *text);
void gn_appliance_alert(struct gn_appliance *a, uint32_t code, uint32_t severity, const char *text);

/* gn_appliance_alert_at: the same for an event whose time is known: how late the alert is, is measured. */
void gn_appliance_alert_at(struct gn_appliance *a, uint32_t code, uint32_t severity, uint64_t event_ns,
                           const char *text);

/* gn_appliance_new_password: reads the password of a session again, from where the configuration says, into the region.
 * False with a sentence in err; the old one stays then. */
bool gn_appliance_new_password(struct gn_appliance *a, uint32_t session, char err[GN_APPLIANCE_ERR_LEN]) GN_MUST_CHECK;

/* gn_appliance_pause_ms: waits. */
void gn_appliance_pause_ms(uint32_t ms);

/* gn_now_ns: ns since the Unix epoch. */
uint64_t gn_now_ns(void);

/* gn_appliance_dataplane_alive: a data plane process with this region runs. */
bool gn_appliance_dataplane_alive(const struct gn_control *c);

#endif
