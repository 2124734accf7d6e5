#define _GNU_SOURCE
#include "udp-socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Puts `{ address, port }` of a new sender into its place. */
static void learn(socket_t *self, uint32_t place, const address_t *address) {
  napi_env env = self->env;
  char text[ADDRESS_CHARS];
  napi_value senders, sender, value;
  address_print(address, text);
  napi_get_reference_value(env, self->senders, &senders);
  napi_create_object(env, &sender);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, sender, "address", value);
  napi_create_uint32(env, address_port(address), &value);
  napi_set_named_property(env, sender, "port", value);
  napi_set_element(env, senders, place, sender);
  self->known[place] = *address;
}

/* Calls JavaScript from the event loop. What it throws is an uncaught exception. */
static void call(socket_t *self, napi_ref function_ref, size_t count, const napi_value *arguments) {
  napi_env env = self->env;
  napi_value receiver, function, result, thrown;
  napi_get_reference_value(env, self->receiver, &receiver);
  napi_get_reference_value(env, function_ref, &function);
  if (napi_make_callback(env, self->context, receiver, function, count, arguments, &result) != napi_pending_exception) return;
  napi_get_and_clear_last_exception(env, &thrown);
  napi_fatal_exception(env, thrown);
}

static void report(socket_t *self, int error) {
  napi_handle_scope scope;
  napi_value number;
  napi_open_handle_scope(self->env, &scope);
  napi_create_int32(self->env, -error, &number);
  call(self, self->on_error, 1, &number);
  napi_close_handle_scope(self->env, scope);
}

static void report_failed(socket_t *self) {
  napi_handle_scope scope;
  napi_value arguments[2];
  napi_open_handle_scope(self->env, &scope);
  napi_create_int32(self->env, -self->outgoing.error, &arguments[0]);
  napi_create_uint32(self->env, self->outgoing.failed, &arguments[1]);
  self->outgoing.failed = 0;
  call(self, self->on_send_error, 2, arguments);
  napi_close_handle_scope(self->env, scope);
}

uint32_t socket_flush(socket_t *self) {
  if (!outgoing_flush(&self->outgoing, self->fd)) socket_await_writable(self);
  return self->outgoing.queue[0];
}

/* What a turn of the event loop has queued is sent, and what could not be sent is told. */
static void end_turn(socket_t *self) {
  if (self->outgoing.queue[0] > 0) socket_flush(self);
  if (self->outgoing.failed > 0) report_failed(self);
}

static void on_before(uv_prepare_t *before) {
  end_turn(before->data);
}

static void on_after(uv_check_t *after) {
  end_turn(after->data);
}

/* The slab with room for so many bytes, a new one where there is none. */
static napi_value slab_for(socket_t *self, size_t bytes) {
  napi_env env = self->env;
  napi_value slab = NULL;
  if (self->slab != NULL && self->slab_size - self->slab_used >= bytes) {
    napi_get_reference_value(env, self->slab, &slab);
    return slab;
  }
  if (self->slab != NULL) napi_delete_reference(env, self->slab);
  self->slab = NULL;
  size_t size = bytes > SLAB_BYTES ? bytes : SLAB_BYTES;
  void *data;
  if (napi_create_buffer(env, size, &data, &slab) != napi_ok) return NULL;
  napi_create_reference(env, slab, 1, &self->slab);
  self->slab_data = data;
  self->slab_size = size;
  self->slab_used = 0;
  return slab;
}

/* Hands over datagrams from `first` on; returns the first that has to wait, since its sender's place is taken by another of this batch. */
static int deliver(socket_t *self, int first, int end) {
  napi_env env = self->env;
  size_t bytes = 0;
  for (int i = first; i < end; i++) bytes += self->headers[i].msg_len;
  napi_value arguments[2];
  arguments[0] = slab_for(self, bytes);
  if (arguments[0] == NULL) return end; /* No memory: lost, as datagrams may be. */
  self->batch_number++;
  int i = first;
  for (; i < end; i++) {
    const address_t *from = &self->from[i];
    uint32_t place = address_hash(from) & (SENDERS - 1);
    bool is_known = address_equals(&self->known[place], from);
    if (!is_known && self->asked[place] == self->batch_number) break;
    if (!is_known) learn(self, place, from);
    self->asked[place] = self->batch_number;
    size_t length = self->headers[i].msg_len;
    uint32_t *entry = self->batch + (size_t)(i - first) * STRIDE;
    entry[0] = (uint32_t)self->slab_used;
    entry[1] = (uint32_t)length;
    entry[2] = place;
    memcpy(self->slab_data + self->slab_used, self->slots[i].iov_base, length);
    self->slab_used += length;
  }
  napi_create_uint32(env, (uint32_t)(i - first), &arguments[1]);
  call(self, self->on_batch, 2, arguments);
  return i;
}

static void on_readable(socket_t *self) {
  for (int i = 0; i < BATCH; i++) self->headers[i].msg_hdr.msg_namelen = sizeof self->from[i];
  int count = recvmmsg(self->fd, self->headers, BATCH, MSG_DONTWAIT, NULL);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) report(self, errno);
    return;
  }
  for (int first = 0; first < count && self->is_open;) {
    napi_handle_scope scope;
    napi_open_handle_scope(self->env, &scope);
    first = deliver(self, first, count);
    napi_close_handle_scope(self->env, scope);
  }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  socket_t *self = poll->data;
  if (status < 0) {
    /* libuv stops at an error of the socket, such as ICMP brings; asking for it clears it. Datagrams may wait to be sent. */
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(self->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    socket_await_writable(self);
    report(self, error != 0 ? error : -status);
    return;
  }
  if ((events & UV_WRITABLE) != 0 && outgoing_flush(&self->outgoing, self->fd)) {
    napi_handle_scope scope;
    uv_poll_start(poll, UV_READABLE, on_poll);
    napi_open_handle_scope(self->env, &scope);
    call(self, self->on_writable, 0, NULL);
    napi_close_handle_scope(self->env, scope);
  }
  if ((events & UV_READABLE) != 0 && self->is_open) on_readable(self);
}

void socket_release(socket_t *self) {
  if (--self->holders > 0) return;
  free(self->memory);
  free(self);
}

static void on_closed(uv_handle_t *handle) {
  socket_t *self = handle->data;
  if (--self->in_loop > 0) return;
  napi_ref references[] = {self->receiver, self->on_batch,  self->on_writable, self->on_error,     self->on_send_error,
                           self->senders,  self->batch_ref, self->queue_ref,   self->outgoing_ref, self->slab};
  for (size_t i = 0; i < sizeof references / sizeof *references; i++)
    if (references[i] != NULL) napi_delete_reference(self->env, references[i]);
  napi_async_destroy(self->env, self->context);
  napi_remove_async_cleanup_hook(self->cleanup);
  socket_release(self);
}

void socket_close(socket_t *self) {
  if (!self->is_open) return;
  self->is_open = false;
  uv_poll_stop(&self->poll);
  close(self->fd);
  uv_close((uv_handle_t *)&self->poll, on_closed);
  uv_close((uv_handle_t *)&self->before, on_closed);
  uv_close((uv_handle_t *)&self->after, on_closed);
}

static void on_cleanup(napi_async_cleanup_hook_handle hook, void *data) {
  (void)hook;
  socket_close(data);
}

socket_t *socket_new(napi_env env, int fd, int family) {
  socket_t *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->memory = malloc((size_t)BATCH * DATAGRAM_BYTES);
  if (self->memory == NULL) {
    free(self);
    return NULL;
  }
  self->env = env;
  self->fd = fd;
  self->family = family;
  self->is_open = true;
  self->holders = 2;
  for (int i = 0; i < BATCH; i++) {
    self->slots[i].iov_base = self->memory + (size_t)i * DATAGRAM_BYTES;
    self->slots[i].iov_len = DATAGRAM_BYTES;
    self->headers[i].msg_hdr.msg_name = &self->from[i];
    self->headers[i].msg_hdr.msg_iov = &self->slots[i];
    self->headers[i].msg_hdr.msg_iovlen = 1;
  }
  return self;
}

void socket_start(socket_t *self) {
  uv_loop_t *loop;
  napi_get_uv_event_loop(self->env, &loop);
  uv_poll_init(loop, &self->poll, self->fd);
  self->poll.data = self;
  uv_poll_start(&self->poll, UV_READABLE, on_poll);
  uv_prepare_init(loop, &self->before);
  self->before.data = self;
  uv_prepare_start(&self->before, on_before);
  uv_check_init(loop, &self->after);
  self->after.data = self;
  uv_check_start(&self->after, on_after);
  /* The poll alone keeps the process running. */
  uv_unref((uv_handle_t *)&self->before);
  uv_unref((uv_handle_t *)&self->after);
  self->in_loop = 3;
  napi_add_async_cleanup_hook(self->env, on_cleanup, self, &self->cleanup);
}

void socket_await_writable(socket_t *self) {
  uv_poll_start(&self->poll, UV_READABLE | UV_WRITABLE, on_poll);
}
