/*
 * UDP sockets for Node.js that read and send many datagrams at a time: recvmmsg into memory that is kept for it, one call of JavaScript for all of them, and no
 * object for each but a slice of a shared buffer; sendmmsg, without a call from JavaScript, of what it has written into shared memory. `node:dgram` reads and sends
 * one at a time, and makes a buffer of 64 KiB and an address object for each that it reads.
 *
 * Linux; Node-API 8. What JavaScript sees is declared in ../native-binding.ts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "udp-socket.h"

static napi_value throw_system(napi_env env, const char *syscall, int error) {
  napi_value code, message, thrown, number;
  char text[128];
  snprintf(text, sizeof text, "%s %s", syscall, uv_err_name(-error));
  napi_create_string_utf8(env, uv_err_name(-error), NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &thrown);
  napi_create_int32(env, -error, &number);
  napi_set_named_property(env, thrown, "errno", number);
  napi_throw(env, thrown);
  return NULL;
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  socket_release(data);
}

/* A bound socket in `*fd`; 0, or the number of the error, with the call that failed. */
static int bind_socket(const address_t *address, int buffer_bytes, int *fd, const char **syscall) {
  int on = 1;
  int family = address->any.sa_family;
  *syscall = "socket";
  *fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (*fd < 0) return errno;
  *syscall = "bind";
  if (family == AF_INET6) setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  setsockopt(*fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  if (bind(*fd, &address->any, address_length(address)) == 0) return 0;
  int error = errno;
  close(*fd);
  return error;
}

static napi_ref keep(napi_env env, napi_value owner, const char *name) {
  napi_value value;
  napi_ref reference = NULL;
  if (napi_get_named_property(env, owner, name, &value) == napi_ok) napi_create_reference(env, value, 1, &reference);
  return reference;
}

static void set_number(napi_env env, napi_value object, const char *name, int number) {
  napi_value value;
  napi_create_int32(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

static int option_of(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  getsockopt(fd, SOL_SOCKET, option, &value, &length);
  return value;
}

/* What `open` returns: `{ handle, address, port, receiveBytes, sendBytes }`. */
static napi_value opened(napi_env env, socket_t *self) {
  napi_value result, value;
  address_t own;
  socklen_t length = sizeof own;
  char text[ADDRESS_CHARS];
  getsockname(self->fd, &own.any, &length);
  address_print(&own, text);
  napi_create_object(env, &result);
  napi_create_external(env, self, on_collected, NULL, &value);
  napi_set_named_property(env, result, "handle", value);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "address", value);
  set_number(env, result, "port", (int)address_port(&own));
  set_number(env, result, "receiveBytes", option_of(self->fd, SO_RCVBUF));
  set_number(env, result, "sendBytes", option_of(self->fd, SO_SNDBUF));
  return result;
}

/* Keeps a typed array for as long as the socket is open; its bytes stay where they are. */
static napi_ref keep_array(napi_env env, napi_value owner, const char *name, void **data, size_t *length) {
  napi_value value;
  napi_get_named_property(env, owner, name, &value);
  napi_get_typedarray_info(env, value, NULL, length, data, NULL, NULL);
  return keep(env, owner, name);
}

/* open(address, port, bufferBytes, { onBatch, onWritable, onError, onSendError, senders, batch, queue, outgoing }) */
static napi_value open_socket(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4], value;
  char host[ADDRESS_CHARS];
  size_t length;
  uint32_t port;
  int32_t buffer_bytes;
  address_t address;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  if (napi_get_value_string_utf8(env, arguments[0], host, sizeof host, &length) != napi_ok ||
      napi_get_value_uint32(env, arguments[1], &port) != napi_ok ||
      napi_get_value_int32(env, arguments[2], &buffer_bytes) != napi_ok)
    return throw_system(env, "bind", EINVAL);
  if (address_read(strchr(host, ':') == NULL ? AF_INET : AF_INET6, host, port, &address) != 0)
    return throw_system(env, "bind", EINVAL);
  int fd;
  const char *syscall;
  int error = bind_socket(&address, buffer_bytes, &fd, &syscall);
  if (error != 0) return throw_system(env, syscall, error);
  socket_t *self = socket_new(env, fd, address.any.sa_family);
  if (self == NULL) {
    close(fd);
    return throw_system(env, "malloc", ENOMEM);
  }
  self->on_batch = keep(env, arguments[3], "onBatch");
  self->on_writable = keep(env, arguments[3], "onWritable");
  self->on_error = keep(env, arguments[3], "onError");
  self->senders = keep(env, arguments[3], "senders");
  self->on_send_error = keep(env, arguments[3], "onSendError");
  self->batch_ref = keep_array(env, arguments[3], "batch", (void **)&self->batch, NULL);
  self->queue_ref = keep_array(env, arguments[3], "queue", (void **)&self->outgoing.queue, NULL);
  self->outgoing_ref = keep_array(env, arguments[3], "outgoing", (void **)&self->outgoing.bytes, &self->outgoing.size);
  napi_create_reference(env, arguments[3], 1, &self->receiver);
  napi_create_string_utf8(env, "UDP", NAPI_AUTO_LENGTH, &value);
  napi_async_init(env, arguments[3], value, &self->context);
  socket_start(self);
  return opened(env, self);
}

static socket_t *socket_of(napi_env env, napi_value handle) {
  void *data = NULL;
  return napi_get_value_external(env, handle, &data) == napi_ok && ((socket_t *)data)->is_open ? data : NULL;
}

/* Most arguments of a function that returns a number. */
#define ARGUMENTS 4

/* Calls `run` with the arguments and returns its number; what is not given is undefined. */
static napi_value number_of(napi_env env, napi_callback_info info, int (*run)(napi_env, const napi_value *)) {
  size_t count = ARGUMENTS;
  napi_value arguments[ARGUMENTS], result;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_create_int32(env, run(env, arguments), &result);
  return result;
}

static int send_datagram(napi_env env, const napi_value *arguments) {
  void *bytes;
  size_t length, host_length;
  char host[ADDRESS_CHARS];
  uint32_t port;
  address_t address;
  socket_t *self = socket_of(env, arguments[0]);
  if (self == NULL) return -EBADF;
  if (napi_get_buffer_info(env, arguments[1], &bytes, &length) != napi_ok ||
      napi_get_value_string_latin1(env, arguments[2], host, sizeof host, &host_length) != napi_ok ||
      napi_get_value_uint32(env, arguments[3], &port) != napi_ok || port == 0 || port > UINT16_MAX ||
      address_read(self->family, host, port, &address) != 0)
    return -EINVAL;
  ssize_t sent = sendto(self->fd, bytes, length, MSG_DONTWAIT, &address.any, address_length(&address));
  return sent < 0 ? -errno : (int)sent;
}

/* send(handle, bytes, address, port): bytes sent, or an error number below 0. */
static napi_value send_to(napi_env env, napi_callback_info info) {
  return number_of(env, info, send_datagram);
}

/* The socket that is the only argument; NULL once it is closed. */
static socket_t *only_argument(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value handle;
  napi_get_cb_info(env, info, &count, &handle, NULL, NULL);
  return socket_of(env, handle);
}

/* awaitWritable(handle): calls `onWritable` once the socket takes datagrams again. */
static napi_value await_writable(napi_env env, napi_callback_info info) {
  socket_t *self = only_argument(env, info);
  if (self != NULL) socket_await_writable(self);
  return NULL;
}

static int flush_queue(napi_env env, const napi_value *arguments) {
  socket_t *self = socket_of(env, arguments[0]);
  return self == NULL ? 0 : (int)socket_flush(self);
}

/* flush(handle): sends what is queued; datagrams of it that the system does not take now. */
static napi_value flush(napi_env env, napi_callback_info info) {
  return number_of(env, info, flush_queue);
}

static int learn_destination(napi_env env, const napi_value *arguments) {
  char host[ADDRESS_CHARS];
  size_t length;
  uint32_t place;
  socket_t *self = socket_of(env, arguments[0]);
  if (self == NULL) return -EBADF;
  if (napi_get_value_uint32(env, arguments[1], &place) != napi_ok || place >= DESTINATIONS ||
      napi_get_value_string_latin1(env, arguments[2], host, sizeof host, &length) != napi_ok ||
      address_read(self->family, host, 0, &self->outgoing.destinations[place]) != 0)
    return -EINVAL;
  return 0;
}

/* setDestination(handle, place, address): 0, or an error number below 0. */
static napi_value set_destination(napi_env env, napi_callback_info info) {
  return number_of(env, info, learn_destination);
}

/* close(handle) */
static napi_value close_handle(napi_env env, napi_callback_info info) {
  socket_t *self = only_argument(env, info);
  if (self != NULL) socket_close(self);
  return NULL;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"open", open_socket},
                   {"send", send_to},
                   {"setDestination", set_destination},
                   {"flush", flush},
                   {"awaitWritable", await_writable},
                   {"close", close_handle}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
