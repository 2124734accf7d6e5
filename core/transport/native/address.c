#include "address.h"

#include <string.h>
#include <uv.h>

int address_read(int family, const char *host, uint32_t port, address_t *address) {
  memset(address, 0, sizeof *address);
  return family == AF_INET ? uv_ip4_addr(host, (int)port, &address->v4) : uv_ip6_addr(host, (int)port, &address->v6);
}

socklen_t address_length(const address_t *address) {
  return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

uint32_t address_port(const address_t *address) {
  return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

void address_set_port(address_t *address, uint32_t port) {
  if (address->any.sa_family == AF_INET) address->v4.sin_port = htons((uint16_t)port);
  else address->v6.sin6_port = htons((uint16_t)port);
}

void address_print(const address_t *address, char text[ADDRESS_CHARS]) {
  if (address->any.sa_family == AF_INET) {
    uv_ip4_name(&address->v4, text, ADDRESS_CHARS);
    return;
  }
  uv_ip6_name(&address->v6, text, ADDRESS_CHARS);
  if (!IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr) || address->v6.sin6_scope_id == 0) return;
  size_t length = strlen(text);
  size_t room = ADDRESS_CHARS - length - 1;
  text[length] = '%';
  if (uv_if_indextoiid(address->v6.sin6_scope_id, text + length + 1, &room) != 0) text[length] = '\0';
}

bool address_equals(const address_t *a, const address_t *b) {
  if (a->any.sa_family != b->any.sa_family) return false;
  if (a->any.sa_family == AF_INET)
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr && a->v4.sin_port == b->v4.sin_port;
  return a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
         memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

uint32_t address_hash(const address_t *address) {
  uint32_t hash = address_port(address) * 2654435761u;
  if (address->any.sa_family == AF_INET) {
    hash ^= address->v4.sin_addr.s_addr * 2246822519u;
  } else {
    uint32_t words[4];
    memcpy(words, &address->v6.sin6_addr, sizeof words);
    for (int i = 0; i < 4; i++) hash = (hash ^ words[i]) * 2246822519u;
  }
  return hash ^ (hash >> 15);
}
