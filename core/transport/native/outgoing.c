#define _GNU_SOURCE
#include "outgoing.h"

#include <errno.h>
#include <string.h>

/* Makes headers of what waits; returns how many. */
static uint32_t prepare(outgoing_t *self) {
  uint32_t count = self->queue[0] < QUEUE ? self->queue[0] : QUEUE;
  size_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t *entry = self->queue + QUEUE_HEAD + (size_t)i * QUEUE_STRIDE;
    if (entry[0] > self->size - at || entry[1] >= DESTINATIONS) return i;
    self->to[i] = self->destinations[entry[1]];
    address_set_port(&self->to[i], entry[2]);
    self->slots[i] = (struct iovec){.iov_base = self->bytes + at, .iov_len = entry[0]};
    self->headers[i].msg_hdr = (struct msghdr){
        .msg_name = &self->to[i],
        .msg_namelen = address_length(&self->to[i]),
        .msg_iov = &self->slots[i],
        .msg_iovlen = 1,
    };
    at += entry[0];
  }
  return count;
}

/* Lets those from `first` to `end` wait on, and forgets the others. */
static void leave_waiting(outgoing_t *self, uint32_t first, uint32_t end) {
  uint32_t *entries = self->queue + QUEUE_HEAD;
  size_t bytes = 0;
  for (uint32_t i = first; i < end; i++) bytes += self->slots[i].iov_len;
  if (bytes > 0) memmove(self->bytes, self->slots[first].iov_base, bytes);
  memmove(entries, entries + (size_t)first * QUEUE_STRIDE, (size_t)(end - first) * QUEUE_STRIDE * sizeof *entries);
  self->queue[0] = end - first;
  self->queue[1] = (uint32_t)bytes;
}

bool outgoing_flush(outgoing_t *self, int fd) {
  uint32_t count = prepare(self);
  uint32_t next = 0;
  while (next < count) {
    int sent = sendmmsg(fd, self->headers + next, count - next, MSG_DONTWAIT);
    if (sent > 0) {
      next += (uint32_t)sent;
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      leave_waiting(self, next, count);
      return false;
    } else if (errno != EINTR) {
      /* It says so of the first that it was given. */
      self->error = errno;
      self->failed++;
      next++;
    }
  }
  self->queue[0] = self->queue[1] = 0;
  return true;
}
