/* Datagrams that are sent together: one system call for all that a turn of the event loop had to send. JavaScript writes them into memory that both see. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "address.h"

/* Datagrams that wait at most. */
#define QUEUE 64
/* Numbers at the beginning of `queue`: datagrams that wait, and their bytes, which stand in `bytes` one behind the other. */
#define QUEUE_HEAD 2
/* Numbers for each datagram behind these: length, place of its destination, port. */
#define QUEUE_STRIDE 3
/* Addresses that are known by a number at a time. */
#define DESTINATIONS 1024

typedef struct {
  uint32_t *queue;
  char *bytes;
  size_t size;
  address_t destinations[DESTINATIONS];
  /* Datagrams that the system refused for good since that was last told, and its last reason. */
  uint32_t failed;
  int error;
  address_t to[QUEUE];
  struct mmsghdr headers[QUEUE];
  struct iovec slots[QUEUE];
} outgoing_t;

/* Sends what waits, in order. False where the system takes no more now: the rest waits on. */
bool outgoing_flush(outgoing_t *self, int fd);
