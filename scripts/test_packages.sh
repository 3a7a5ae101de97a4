#!/usr/bin/env bash
# What tests use and pip cannot bring: Chromium for the web page's tests, Prometheus' promtool for the metrics', Qt's
# system libraries and Xvfb for the desktop window's. Where one may not be installed, or does not come in time, its tests
# are skipped and say so; this never fails.
set -u
seconds_max=${TRADEBYTE_PACKAGES_SECONDS:-300}

packages=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || packages+=(chromium)
command -v promtool >/dev/null || packages+=(prometheus)
# Xvfb comes last of these: where it is, all have come.
command -v Xvfb >/dev/null || packages+=(
    libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
    libxcb-xinerama0 libxkbcommon-x11-0 libxcb-image0 libxcb-render-util0 libxcb-randr0 xvfb
)
if [ ${#packages[@]} = 0 ]; then exit 0; fi
if [ "$EUID" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "test packages: no ${packages[*]} here, and no right to install it: the tests that take it are skipped"
    exit 0
fi
echo "test packages: installing ${packages[*]} (Debian's)"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# Only promtool is wanted of prometheus: the server that comes with it is not to be started.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
fi
# The bound is of all together; timeout takes 0 for no bound at all, so one second is the least.
left() { echo $((SECONDS < seconds_max ? seconds_max - SECONDS : 1)); }
timeout -k 5 "$(left)" apt-get update -qq >"$log" 2>&1
for package in "${packages[@]}"; do
    if ! timeout -k 5 "$(left)" apt-get install -y -qq --no-install-recommends "$package" >"$log" 2>&1; then
        echo "test packages: $package did not come, so the tests that take it are skipped: $(tail -n 1 "$log")"
    fi
done
rm -f "$log"
exit 0
