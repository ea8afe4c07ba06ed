#include "config/schema.h"
#include "dataplane/abi/limits.h"
#include "dataplane/abi/strategy_params.h"
#include "tools/docs/docs.h"

void gn_doc_cell(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fprintf(to, *text == '|' ? "\\|" : "%c", *text);
}

static const char *shown_default(const struct gn_schema_key *k)
{
    if (k->def == NULL)
        return "**required**";
    if (k->def[0] == '\0' || strcmp(k->def, "{}") == 0 || strcmp(k->def, "[]") == 0)
        return "optional";
    return k->def;
}

static void row(FILE *to, const struct gn_schema_key *k)
{
    char allowed[320];

    if (k->type == GN_TYPE_REFUSED) {
        (void)fprintf(to, "| `%s` | refused | | | %s |\n", k->path, k->help);
        return;
    }
    if (k->type == GN_TYPE_MAP)
        (void)snprintf(allowed, sizeof allowed, "%s", "");
    else
        (void)gn_schema_allowed(k, allowed, sizeof allowed);
    (void)fprintf(to, "| `%s` | %s | ", k->path, gn_schema_type_name(k->type));
    gn_doc_cell(to, allowed);
    if (k->unit != NULL && (k->type == GN_TYPE_INT || k->type == GN_TYPE_RATE))
        (void)fprintf(to, " (%s)", k->unit);
    (void)fprintf(to, " | %s | ", shown_default(k));
    gn_doc_cell(to, k->help);
    (void)fprintf(to, " |\n");
}

static void heading(FILE *to, const char *title)
{
    (void)fprintf(to, "\n## %s\n\n| key | type | allowed | default | meaning |\n|---|---|---|---|---|\n", title);
}

static void params(FILE *to)
{
    (void)fprintf(to, "\n## strategies[].params\n\nWhole numbers, in the unit of the table. Kind `client` has none.\n\n"
                      "| kind | key | unit | allowed | default | meaning |\n|---|---|---|---|---|---|\n");
#define GN_X(kind, num, NAME, key, def, lo, hi, unit, help) \
    (void)fprintf(to, "| %s | `%s` | ", #kind, key);        \
    gn_doc_cell(to, unit);                                  \
    (void)fprintf(to, " | %lld..%lld | %lld | %s |\n", (long long)(lo), (long long)(hi), (long long)(def), help);
    GN_STRATEGY_PARAM_TABLE(GN_X)
#undef GN_X
}

static const char intro[] =
    "# Configuration\n\n"
    "Made by `gannet-docs config` from the table in config/schema.c; a test compares them.\n\n"
    "One YAML file describes an appliance. Values with a unit carry it: `200us`, `64MiB`, `1000/s`, `500bps`. A unit "
    "that\n"
    "is missing or wrong, an unknown key, a key that is there twice, an alias, anchor or tag is an error. Every error "
    "names\n"
    "file, line, key, the value found and what is allowed; all errors of a file are reported together, up to 32.\n\n"
    "`x[].y` is the key `y` of each item of the list `x`. An optional key that is left out changes nothing; an "
    "optional\n"
    "map may be left out as a whole, but when it is there, its required keys must be too.\n\n"
    "A risk limit that is not set is a warning, and the gate then rejects: nothing is assumed.\n\n"
    "Samples to start from: config/samples/.\n";

void gn_doc_config(FILE *to)
{
    const struct gn_schema_key *k;
    bool general = true;

    (void)fputs(intro, to);
    heading(to, "general");
    for (uint32_t i = 0; i < gn_schema_len; i++) {
        k = &gn_schema[i];
        bool top = strpbrk(k->path, ".[") == NULL;
        if (top && (k->type == GN_TYPE_MAP || k->type == GN_TYPE_LIST)) {
            general = false;
            heading(to, k->path);
        } else if (top && !general) {
            heading(to, k->path);
        }
        row(to, k);
    }
    params(to);
}

static void limits_heading(FILE *to, const char *title)
{
    (void)fprintf(to,
                  "\n## %s\n\n| bit | limit | unit | allowed | looser | default | meaning |\n"
                  "|---|---|---|---|---|---|---|\n",
                  title);
}

void gn_doc_limits(FILE *to)
{
    (void)fprintf(to, "# Risk limits\n\nMade by `gannet-docs limits` from dataplane/abi/limits.h.\n\n"
                      "A limit of an instrument or of the firm that is not set rejects; one of a venue, account, "
                      "strategy or theme that is\nnot set is that of the scope above it. No member may have a looser "
                      "limit than a scope above it: the configuration does\nnot load, and a change is refused, with "
                      "the sum: `theme tech: max_leverage_bps 500 (5%%), but 3 members x 700 (7%%) = 2100\n(21%%)`.\n\n"
                      "Money is price x quantity x multiplier x exchange rate, in 1/10000 of the base currency. "
                      "Looser: whether a higher or\na lower value allows more; what allows more needs two persons.\n");
#define GN_X(num, NAME, field, unit, lo, hi, looser, def, help)                             \
    (void)fprintf(to, "| %d | `%s` | ", num, #field);                                       \
    gn_doc_cell(to, unit);                                                                  \
    (void)fprintf(to, " | %lld..%lld | %s | %s | %s |\n", (long long)(lo), (long long)(hi), \
                  (looser) > 0   ? "higher"                                                 \
                  : (looser) < 0 ? "lower"                                                  \
                                 : "any",                                                   \
                  def[0] != '\0' ? def : "none", help);
    limits_heading(to, "Of one instrument");
    GN_INSTRUMENT_LIMITS(GN_X)
    limits_heading(to, "Of the firm, and of every venue, account, strategy and theme");
    GN_SCOPE_LIMITS(GN_X)
#undef GN_X
}
