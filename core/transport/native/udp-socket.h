/* One UDP socket: what it keeps, and how its datagrams get to JavaScript. */
#pragma once
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

#include "address.h"

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
  /* Holders: the handle of JavaScript, and the poll until it is closed. */
  int holders;
  uv_poll_t poll;
  napi_async_cleanup_hook_handle cleanup;
  napi_async_context context;
  napi_ref receiver;
  napi_ref on_batch;
  napi_ref on_writable;
  napi_ref on_error;
  napi_ref senders;
  napi_ref slab;
  napi_ref batch_ref;
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
} socket_t;

/* A socket around a bound file descriptor; NULL without memory. */
socket_t *socket_new(napi_env env, int fd, int family);
/* Reads from here on. The references and the context must be there. */
void socket_start(socket_t *self);
/* Calls `on_writable` once the system takes datagrams again. */
void socket_await_writable(socket_t *self);
/* Ends it, for good; once is enough. */
void socket_close(socket_t *self);
/* One holder less; the last frees it. */
void socket_release(socket_t *self);
