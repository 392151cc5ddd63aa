#!/bin/sh
# Installs the Debian packages the benchmark's peers are made of. Run it as root; no service is started. Exim cannot be
# installed beside Postfix, so it is only unpacked, into bench/bin/exim.
set -eu

cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo 'for root only' >&2; exit 1; }

packages='gcc libc6-dev libssl-dev openssl util-linux iproute2 postfix sasl2-bin libsasl2-modules libsasl2-modules-db
    opendkim postgresql'
exim_libraries='libdb5.3 libgnutls-dane0 libgnutls30 libidn12 libidn2-0 libnsl2 libpcre2-8-0'

# Packages ask policy-rc.d before they start a service; 101 says no. Whatever was there comes back.
policy=/usr/sbin/policy-rc.d
unpacking=$(mktemp -d)
restore() {
    rm -rf "$unpacking"
    rm -f "$policy"
    if [ -e "$policy.postroom" ]; then mv "$policy.postroom" "$policy"; fi
}
if [ -e "$policy" ]; then mv "$policy" "$policy.postroom"; fi
trap restore EXIT
trap 'exit 1' INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
apt-get update -qq
# shellcheck disable=SC2086 # lists of words
apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 $packages $exim_libraries >/dev/null

chmod 755 "$unpacking"
(cd "$unpacking" && apt-get download -qq exim4-daemon-light 2>/dev/null)
rm -rf bin/exim
mkdir -p bin/exim
dpkg -x "$unpacking"/exim4-daemon-light_*.deb bin/exim
ls bin/exim/usr/sbin/exim4
