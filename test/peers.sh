#!/usr/bin/env bash
# Looks for the programs that some tests talk to: memcached, SIPp, sipsak, openssl, dnsmasq, baresip, Chromium, and Kamailio with its memcached module; and for a
# C compiler, which builds the native UDP sockets.
# On Debian, as root, installs the ones that are missing unless KAMAIKI_NO_INSTALL is set; otherwise says what will be skipped. A SIPp with TLS
# goes into a cache folder: see tls-sipp.sh. Never fails.

PATH=$PATH:/usr/sbin:/usr/local/sbin
policy=/usr/sbin/policy-rc.d

has_kamailio_memcached() {
  compgen -G '/usr/lib*/kamailio/modules/memcached.so' >/dev/null ||
    compgen -G '/usr/lib/*/kamailio/modules/memcached.so' >/dev/null ||
    compgen -G '/usr/local/lib*/kamailio/modules/memcached.so' >/dev/null
}

# Sets `missing` to the names, and `packages` to the Debian packages, of what is not there.
look() {
  missing=()
  packages=()
  command -v memcached >/dev/null || { missing+=(memcached); packages+=(memcached); }
  command -v sipp >/dev/null || { missing+=(sipp); packages+=(sip-tester); }
  command -v sipsak >/dev/null || { missing+=(sipsak); packages+=(sipsak); }
  command -v openssl >/dev/null || { missing+=(openssl); packages+=(openssl); }
  command -v dnsmasq >/dev/null || { missing+=(dnsmasq); packages+=(dnsmasq-base); }
  command -v baresip >/dev/null || { missing+=(baresip); packages+=(baresip-core); }
  command -v cc >/dev/null || { missing+=("a C compiler"); packages+=(gcc libc6-dev); }
  command -v chromium >/dev/null || { missing+=(chromium); packages+=(chromium); }
  command -v kamailio >/dev/null || { missing+=(kamailio); packages+=(kamailio); }
  has_kamailio_memcached || { missing+=("Kamailio's memcached module"); packages+=(kamailio-memcached-modules); }
}

# Installs without starting the packages' own services, which would take the standard ports.
install() {
  local made_policy=no
  if [[ ! -e $policy ]] && printf '#!/bin/sh\nexit 101\n' >"$policy" 2>/dev/null; then
    made_policy=yes
    chmod 755 "$policy"
  fi
  {
    timeout 300 apt-get -q -y update
    DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y install --no-install-recommends "${packages[@]}"
  } </dev/null >/dev/null 2>&1 || echo "test/peers.sh: apt-get could not install ${packages[*]}"
  if [[ $made_policy == yes ]]; then rm -f "$policy"; fi
}

look
if ((${#packages[@]} > 0)) && [[ $(id -u) == 0 && -z ${KAMAIKI_NO_INSTALL:-} ]] && command -v apt-get >/dev/null; then
  echo "test/peers.sh: installing ${packages[*]} (KAMAIKI_NO_INSTALL=1 prevents this)"
  install
  look
fi
tls_sipp=$(dirname "${BASH_SOURCE[0]}")/programs/tls-sipp.sh
if ! bash "$tls_sipp" >/dev/null; then
  if [[ -z ${KAMAIKI_NO_INSTALL:-} ]] && command -v apt-get >/dev/null; then
    echo "test/peers.sh: fetching a SIPp with TLS (KAMAIKI_NO_INSTALL=1 prevents this)"
    bash "$tls_sipp" fetch >/dev/null || missing+=("SIPp with TLS")
  else
    missing+=("SIPp with TLS")
  fi
fi
for name in "${missing[@]}"; do
  echo "test/peers.sh: $name is missing: tests that need it will be skipped"
done
exit 0
