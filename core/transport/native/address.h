/* Socket addresses: read, printed, compared. */
#pragma once
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Chars of an address with its zone, and the end. */
#define ADDRESS_CHARS (INET6_ADDRSTRLEN + 1 + IF_NAMESIZE)

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} address_t;

/* Reads a numeric address; 0, or an error number of libuv. */
int address_read(int family, const char *host, uint32_t port, address_t *address);
socklen_t address_length(const address_t *address);
uint32_t address_port(const address_t *address);
void address_set_port(address_t *address, uint32_t port);
/* Prints an address as Node.js does: a link-local one with its zone. */
void address_print(const address_t *address, char text[ADDRESS_CHARS]);
bool address_equals(const address_t *a, const address_t *b);
uint32_t address_hash(const address_t *address);
