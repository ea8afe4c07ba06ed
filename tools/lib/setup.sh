# What tools/demo and tools/test share: Debian packages, builds. Sourced, not run.
# shellcheck shell=bash

GN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Each with what it is for; demo needs the first list, tests both.
GN_PACKAGES="gcc libc6-dev meson ninja-build pkg-config python3 git ca-certificates libdpdk-dev libcunit1-dev
liburing-dev libssl-dev libyaml-dev libjansson-dev libjemalloc-dev zlib1g-dev libzstd-dev
libsqlite3-dev iproute2"
GN_TEST_PACKAGES="clang clang-format libclang-rt-14-dev strace valgrind ethtool libfuse3-dev fuse3 e2fsprogs xfsprogs
liblwip-dev"

gn_say() { printf '\033[1m==\033[0m %s\n' "$*"; }

gn_as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# gn_install PACKAGES...: installs what is missing, and says what before it does.
gn_install() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "These Debian packages are missing: ${missing[*]}" >&2
        echo "Install them as root (apt-get install ${missing[*]}), then run this again." >&2
        return 1
    fi
    gn_say "installing from Debian: ${missing[*]}"
    gn_as_root apt-get update -q >/dev/null
    gn_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >/tmp/gannet-apt.$$ 2>&1 || {
        tail -n 20 /tmp/gannet-apt.$$ >&2
        return 1
    }
    rm -f /tmp/gannet-apt.$$
}

# gn_build DIR [meson options...]: configures once, builds what changed, shows progress.
gn_build() {
    local dir=$1 log
    shift
    log=$(mktemp)
    if [ ! -f "$GN_ROOT/$dir/build.ninja" ]; then
        gn_say "configuring $dir"
        (cd "$GN_ROOT" && meson setup "$dir" "$@") >"$log" 2>&1 || {
            tail -n 30 "$log" >&2
            return 1
        }
    fi
    gn_say "building $dir"
    if [ -t 1 ]; then
        ninja -C "$GN_ROOT/$dir"
    else
        ninja -C "$GN_ROOT/$dir" --quiet >"$log" 2>&1 || {
            tail -n 60 "$log" >&2
            return 1
        }
    fi
    rm -f "$log"
}
