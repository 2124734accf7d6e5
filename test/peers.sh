#!/usr/bin/env bash
# Looks for the programs that some tests talk to: memcached, SIPp, sipsak, openssl, dnsmasq, and Kamailio with its memcached module. On Debian, as
# root, installs the ones that are missing unless KAMAIKI_NO_INSTALL is set; otherwise says what will be skipped. Never fails.

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
    DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -q -y install --no-install-recommends "${packages[@]}"
  } </dev/null >/dev/null 2>&1 || echo "test/peers.sh: apt-get could not install ${packages[*]}"
  if [[ $made_policy == yes ]]; then rm -f "$policy"; fi
}

look
if ((${#packages[@]} > 0)) && [[ $(id -u) == 0 && -z ${KAMAIKI_NO_INSTALL:-} ]] && command -v apt-get >/dev/null; then
  echo "test/peers.sh: installing ${packages[*]} (KAMAIKI_NO_INSTALL=1 prevents this)"
  install
  look
fi
for name in "${missing[@]}"; do
  echo "test/peers.sh: $name is missing: tests that need it will be skipped"
done
exit 0
