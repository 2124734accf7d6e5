/* One UDP socket: what it keeps, and how its datagrams get to JavaScript. */
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "address.h"
#include "outgoing.h"

/* Datagrams read at a time, as many as libuv reads in a turn. */
#define BATCH 32
/* The longest datagram, bytes. */
#define DATAGRAM_BYTES 65536
/* Buffer that datagrams are cut from, bytes: it lives as long as any of them. */
#define SLAB_BYTES 16384
/* Numbers for each datagram in `batch`: offset and length in the slab, the sender's place in `senders`. */
#define STRIDE 3
/* Senders that are known by an object at a time. A power of two. */
#define SENDERS 1024

typedef struct {
  napi_env env;
  int fd;
  int family;
  bool is_open;
  /* Holders: the handle of JavaScript, and the event loop until all that is in it is closed. */
  int holders;
  int in_loop;
  uv_poll_t poll;
  /* Before the event loop waits, and after: what has been queued by then is sent. */
  uv_prepare_t before;
  uv_check_t after;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref receiver;
  napi_ref on_batch;
  napi_ref on_writable;
  napi_ref on_error;
  napi_ref on_send_error;
  napi_ref senders;
  napi_ref slab;
  napi_ref batch_ref;
  napi_ref queue_ref;
  napi_ref outgoing_ref;
  uint32_t *batch;
  char *slab_data;
  size_t slab_size;
  size_t slab_used;
  /* Who has each place; of no family where it is free. */
  address_t known[SENDERS];
  /* The last batch in which a sender's place was asked for, so that none is taken twice in one. */
  uint32_t asked[SENDERS];
  uint32_t batch_number;
  struct mmsghdr headers[BATCH];
  struct iovec slots[BATCH];
  address_t from[BATCH];
  char *memory;
  outgoing_t outgoing;
} socket_t;

/* A socket around a bound file descriptor; NULL without memory. */
socket_t *socket_new(napi_env env, int fd, int family);
/* Reads from here on. The references and the context must be there. */
void socket_start(socket_t *self);
/* Sends what is queued, as far as the system takes it; what it does not goes as soon as it does. Datagrams that wait for that. */
uint32_t socket_flush(socket_t *self);
/* Calls `on_writable` once the system takes datagrams again, and what was queued has been sent. */
void socket_await_writable(socket_t *self);
/* Ends it, for good; once is enough. */
void socket_close(socket_t *self);
/* One holder less; the last frees it. */
void socket_release(socket_t *self);
