#!/bin/bash
# Installs the Debian packages named as arguments, without starting any service they bring: clusters and tests start
# what they need themselves, apart from the machine's own. Does nothing (and needs no root) if all are installed.
# "package=program" is left alone where the program is there: another vendor's package of containerd must not be
# replaced, or the containers it runs would end.
set -euo pipefail

missing=()
PATH=$PATH:/usr/sbin:/sbin
for argument in "$@"; do
    package=${argument%%=*}
    if [ "$package" != "$argument" ] && command -v "${argument#*=}" >/dev/null; then
        continue
    fi
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing system packages: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]});" >&2
    echo "without them, tests that need them fail and say so." >&2
    exit 0
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
