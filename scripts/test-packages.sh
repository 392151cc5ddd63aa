#!/bin/sh
# Installs the Debian packages the tests use: other mail programs, PHP's mail libraries, strace, a browser. It does so only
# as root, and only when asked with POSTROOM_TEST_APT=1 (continuous integration does); tests that miss a program are
# skipped and say so. No service is started.
set -eu

packages='swaks libnet-ssleay-perl postfix opendkim msmtp php-cli php-mbstring php-intl libphp-phpmailer
    php-symfony-mailer strace curl chromium chromium-headless-shell'

[ "${POSTROOM_TEST_APT:-}" = 1 ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo 'POSTROOM_TEST_APT=1 is for root only; nothing installed' >&2
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo 'POSTROOM_TEST_APT=1 needs apt-get; nothing installed' >&2
    exit 0
fi
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"

missing=''
for package in $packages; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed \
        || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

# Packages ask policy-rc.d before they start a service; 101 says no. Whatever was there comes back.
policy=/usr/sbin/policy-rc.d
restore() {
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
echo "installing for the tests:$missing"
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 $missing >/dev/null
