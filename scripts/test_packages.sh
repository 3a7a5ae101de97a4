#!/usr/bin/env bash
# What tests use and pip cannot bring: Chromium for the web page's tests. Where it may not be installed, or does not come
# in time, those tests are skipped and say so; this never fails.
set -u
seconds_max=${TRADEBYTE_PACKAGES_SECONDS:-240}

if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then exit 0; fi
if [ "$EUID" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "test packages: no chromium here, and no right to install it: the web page's browser tests are skipped"
    exit 0
fi
echo "test packages: installing chromium (Debian's package)"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! timeout -k 5 "$seconds_max" sh -c \
    'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium' >"$log" 2>&1; then
    echo "test packages: chromium did not come, so the web page's browser tests are skipped: $(tail -n 1 "$log")"
fi
rm -f "$log"
exit 0
