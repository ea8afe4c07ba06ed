/* Lays out the shared files and fills them from the config, or joins those that are there. */
#ifndef GN_LAYOUT_H
#define GN_LAYOUT_H

#include "controlplane/appliance/appliance.h"

/* gn_layout_open: after the config is loaded and the directories are there. */
bool gn_layout_open(struct gn_appliance *a, bool fresh, char err[GN_APPLIANCE_ERR_LEN]) GN_MUST_CHECK;

#endif
