# Shared by the scripts: where things are, what has to be installed. Source it; it changes to the project's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian packages that the build needs; each line of output names what is missing and why.
BUILD_PACKAGES=(libsqlite3-dev libpq-dev libcurl4-openssl-dev libpcre2-dev libedit-dev libffi-dev libjansson-dev libsodium-dev
    libqrencode-dev libhiredis-dev libssl-dev libarchive-dev)

# Where `make simulators` says how its services are reached.
SIMULATORS=.build/simulators.env

# use_simulators : takes these settings over while they run, unless services are set up already.
use_simulators() {
    local process
    [ -z "${TANDEM_OAUTH:-}" ] && [ -r "$SIMULATORS" ] || return 0
    process=$(sed -nE '1s/^# process ([0-9]+)$/\1/p' "$SIMULATORS")
    [ -n "$process" ] && grep -qs '^tandem-simula' "/proc/$process/comm" || return 0
    say "tandem: with the simulated services of 'make simulators'"
    set -a
    # shellcheck source=/dev/null
    . "$SIMULATORS"
    set +a
}

say() { printf '%s\n' "$*" >&2; }

need_swift() {
    if ! command -v swift >/dev/null 2>&1; then
        say "tandem: no 'swift' on the PATH. Install Swift 6.3 for Linux, then run this again."
        exit 69
    fi
}

# install_missing PACKAGE... : installs what dpkg does not know as installed; says which; needs root or sudo.
install_missing() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "tandem: installing Debian packages: ${missing[*]}"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            say "tandem: neither root nor sudo. Install them by hand, then run this again: apt-get install ${missing[*]}"
            exit 77
        fi
        sudo=(sudo)
    fi
    local log
    log=$(mktemp)
    if ! { "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"; } \
        </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "tandem: apt-get could not install them; its last words are above."
        exit 69
    fi
    rm -f "$log"
}

# build CONFIGURATION [ARGUMENT...] : builds with one progress line on a terminal, a line now and then elsewhere.
build() {
    local configuration=$1 log status=0
    shift
    log=$(mktemp)
    say "tandem: building ($configuration); the first time takes some minutes"
    set +e
    swift build -c "$configuration" "$@" </dev/null 2>&1 | tee "$log" | progress
    status=${PIPESTATUS[0]}
    set -e
    if [ "$status" -ne 0 ]; then
        grep -E 'error:|warning: could not|cannot find' "$log" | head -n 40 >&2 || true
        say "tandem: the build failed; the whole output is in $log"
        exit 70
    fi
    rm -f "$log"
}

progress() {
    local line last=0 now columns
    columns=$( (tput cols) 2>/dev/null || echo 80)
    while IFS= read -r line; do
        case $line in
        \[*/*\]*)
            if [ -t 2 ]; then
                printf '\r\033[K%.*s' "$((columns - 1))" "$line" >&2
            else
                now=$SECONDS
                if [ $((now - last)) -ge 15 ]; then
                    printf '  %s\n' "${line%% *}" >&2
                    last=$now
                fi
            fi
            ;;
        esac
    done
    [ -t 2 ] && printf '\r\033[K' >&2
    return 0
}

# fingerprint : changes whenever a file that the build reads changes, appears or goes.
fingerprint() {
    {
        swift_version_line
        find Host Plugins PluginSDK Package.swift registry.json -type f -printf '%p %s %T@\n' | LC_ALL=C sort
    } | sha256sum | cut -d' ' -f1
}

swift_version_line() {
    local path
    path=$(command -v swift)
    stat -L -c '%n %s %Y' "$path"
}
