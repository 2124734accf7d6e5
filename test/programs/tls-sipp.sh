#!/usr/bin/env bash
# Prints the path of a SIPp that can do TLS; without one, prints nothing and exits 1. The SIPp of Debian 12 is built without TLS, and the one of Debian 13
# (3.7.3 with wolfSSL) cannot send by it. With the argument `fetch` and no such SIPp here, the one of Debian 14 is unpacked, with the libraries it needs,
# into a cache folder of the user: nothing of the system is changed. apt-get gets it from the mirror that this machine uses, and checks the signatures.

RELEASE=forky
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kamaiki/sipp-tls
script=$cache/sipp

has_tls() {
  [[ -x $1 ]] && "$1" -v 2>/dev/null | grep -q -- '-TLS' && ! ldd "$1" 2>/dev/null | grep -q wolfssl
}

# Prints the path of the first one there is.
find_sipp() {
  local program
  for program in "$(command -v sipp)" "$script"; do
    if has_tls "$program"; then
      echo "$program"
      return 0
    fi
  done
  return 1
}

fetch() {
  local mirror work loader
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' | awk '$1 ~ /\/debian\/$/ && $2 == "main" { print $1; exit }')
  [[ -n $mirror ]] || return 1
  mkdir -p "$cache" && work=$(mktemp -d "$cache/work.XXXXXX") || return 1
  trap 'rm -rf "$work"' RETURN
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
  touch "$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $RELEASE main" >"$work/sources.list"
  # An empty dpkg status: whatever SIPp needs is fetched too, down to the C library.
  local apt=(timeout 120 apt-get -q -y -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" -o Dir::State::extended_states="$work/extended"
    -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)")
  "${apt[@]}" update && "${apt[@]}" install --download-only --no-install-recommends sip-tester || return 1
  local package
  for package in "$work"/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root" || return 1
  done
  loader=$(cd "$work/root" && ls usr/lib*/ld-linux* | head -n 1)
  [[ -n $loader ]] || return 1
  rm -rf "$cache/root"
  mv "$work/root" "$cache/root"
  {
    echo '#!/bin/sh'
    echo "root='$cache/root'"
    echo "exec \"\$root/$loader\" --library-path \"\$(dirname \"\$root\"/usr/lib/*/libc.so.6)\" \"\$root/usr/bin/sipp\" \"\$@\""
  } >"$work/sipp"
  chmod 755 "$work/sipp"
  mv "$work/sipp" "$script"
}

find_sipp && exit 0
if [[ ${1:-} == fetch ]] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
  fetch </dev/null >/dev/null 2>&1
  find_sipp && exit 0
fi
exit 1
