/*
 * The I/O engine's verbs as JavaScript has them, and the table of ports. What
 * a turn does is in io-turn.c; the overview in io.h.
 */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "uring.h"

static const char io_type;

static napi_value io_open(napi_env env, napi_callback_info info);
static napi_value io_set_port(napi_env env, napi_callback_info info);
static napi_value io_del_port(napi_env env, napi_callback_info info);
static napi_value io_turn(napi_env env, napi_callback_info info);
static napi_value io_close(napi_env env, napi_callback_info info);
static napi_value probe_io_uring(napi_env env, napi_callback_info info);
static void forget(struct io *io, struct io_port *port);

bool io_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"ioOpen", io_open}, {"ioSetPort", io_set_port}, {"ioDelPort", io_del_port},
      {"ioTurn", io_turn}, {"ioClose", io_close},      {"probeIoUring", probe_io_uring},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

/* Looks up where the buffers are now: memory that is not shared can be transferred away. */
static bool locate(napi_env env, struct io *io) {
  napi_value arena, words;
  size_t arena_size = 0, word_count = 0;
  void *bytes = NULL, *block = NULL;
  if (napi_get_reference_value(env, io->arena_ref, &arena) != napi_ok ||
      napi_get_reference_value(env, io->words_ref, &words) != napi_ok ||
      napi_get_typedarray_info(env, arena, NULL, &arena_size, &bytes, NULL, NULL) != napi_ok ||
      napi_get_typedarray_info(env, words, NULL, &word_count, &block, NULL, NULL) != napi_ok ||
      word_count < IO_WORDS || block == NULL) {
    return false;
  }
  io->arena = bytes;
  io->arena_size = bytes == NULL ? 0 : arena_size;
  io->words = block;
  return true;
}

static bool is_array(napi_env env, napi_value value, napi_typedarray_type type, size_t length,
                     bool *shared) {
  bool is = false, plain = true;
  napi_typedarray_type actual;
  napi_value buffer;
  size_t actual_length;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, value, &actual, &actual_length, NULL, &buffer, NULL) !=
          napi_ok ||
      napi_is_arraybuffer(env, buffer, &plain) != napi_ok) {
    return false;
  }
  *shared = !plain;
  return actual == type && actual_length >= length;
}

static void io_shut(struct io *io) {
  if (io->backend == NULL) return;
  for (size_t i = 0; i < io->port_room; i++) {
    if (io->ports[i] != NULL) forget(io, io->ports[i]);
  }
  io->backend->close(io);
  io->backend = NULL;
  free(io->ports);
  free(io->active);
}

static void io_free(napi_env env, struct io *io) {
  io_shut(io);
  if (io->arena_ref != NULL) napi_delete_reference(env, io->arena_ref);
  if (io->words_ref != NULL) napi_delete_reference(env, io->words_ref);
  free(io);
}

static void on_dropped(napi_env env, void *data, void *hint) {
  (void)hint;
  held_remove(data);
  io_free(env, data);
}

static const struct io_backend *find_backend(napi_env env, napi_value value) {
  static const struct io_backend *const backends[] = {&io_uring_backend, &io_plain_backend};
  char name[16];
  if (!args_string(env, value, "backend", sizeof name, name)) return NULL;
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
    if (strcmp(name, backends[i]->name) == 0) return backends[i];
  }
  args_range_error(env, "backend", "'io_uring' or 'plain'");
  return NULL;
}

static napi_value io_open(napi_env env, napi_callback_info info) {
  napi_value argv[4], result;
  int event_fd;
  bool arena_shared, words_shared;
  if (!args_get(env, info, 4, argv)) return NULL;
  const struct io_backend *backend = find_backend(env, argv[0]);
  if (backend == NULL) return NULL;
  if (!is_array(env, argv[1], napi_uint8_array, 0, &arena_shared)) {
    return args_type_error(env, "arena", "a Uint8Array");
  }
  if (!is_array(env, argv[2], napi_int32_array, IO_WORDS, &words_shared)) {
    return args_type_error(env, "io", "an Int32Array of at least IO_WORDS words");
  }
  if (!args_fd(env, argv[3], "eventFd", &event_fd)) return NULL;
  struct io *io = calloc(1, sizeof *io);
  if (io == NULL) return throw_errno(env, ENOMEM, "ioOpen", backend->name);
  io->event_fd = event_fd;
  io->shared = arena_shared && words_shared;
  int error = napi_create_reference(env, argv[1], 1, &io->arena_ref) == napi_ok &&
                      napi_create_reference(env, argv[2], 1, &io->words_ref) == napi_ok &&
                      locate(env, io)
                  ? 0
                  : -EINVAL;
  if (error == 0) error = backend->open(io);
  if (error == 0) {
    io->backend = backend;
    result = held_wrap(env, &io->held, &io_type, on_dropped);
    if (result != NULL) return result;
    error = -ENOMEM;
  }
  io_free(env, io);
  return throw_errno(env, -error, "ioOpen", backend->name);
}

/* Throws unless the handle is an open engine. */
static struct io *get_io(napi_env env, napi_value value) {
  struct io *io = (struct io *)held_find(env, value, &io_type);
  if (io != NULL && io->backend != NULL) return io;
  args_type_error(env, "handle", "an open I/O engine, as ioOpen returns it");
  return NULL;
}

static int reserve(struct io *io, size_t number) {
  if (number < io->port_room) return 0;
  size_t room = io->port_room == 0 ? 64 : io->port_room;
  while (room <= number) room *= 2;
  struct io_port **ports = realloc(io->ports, room * sizeof *ports);
  if (ports == NULL) return -ENOMEM;
  io->ports = ports;
  struct io_port **active = realloc(io->active, room * sizeof *active);
  if (active == NULL) return -ENOMEM;
  io->active = active;
  memset(ports + io->port_room, 0, (room - io->port_room) * sizeof *ports);
  io->port_room = room;
  return 0;
}

static void forget(struct io *io, struct io_port *port) {
  io_deactivate(io, port);
  if (port->error != 0) io->error_count--;
  io->backend->remove_port(io, port);
  io->ports[port->number] = NULL;
  free(port);
}

static int add_port(struct io *io, int number, int kind, int tx_fd, int rx_fd) {
  const int error = reserve(io, (size_t)number);
  if (error != 0) return error;
  if (io->ports[number] != NULL) forget(io, io->ports[number]);
  struct io_port *port = calloc(1, sizeof *port);
  if (port == NULL) return -ENOMEM;
  *port = (struct io_port){.number = number,
                           .kind = kind,
                           .tx_fd = tx_fd,
                           .rx_fd = rx_fd,
                           .generation = ++io->generations};
  const int added = io->backend->add_port(io, port);
  if (added != 0) {
    free(port);
    return added;
  }
  io->ports[number] = port;
  if (rx_fd >= 0) io_activate(io, port);
  return 0;
}

static napi_value io_set_port(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  int64_t number, kind, tx_fd, rx_fd;
  struct io *io;
  if (!args_get(env, info, 5, argv) || (io = get_io(env, argv[0])) == NULL ||
      !args_int(env, argv[1], "port", 0, MAX_PORTS - 1, &number) ||
      !args_int(env, argv[2], "kind", KIND_TAP, KIND_PACKET, &kind) ||
      !args_int(env, argv[3], "txFd", 0, INT32_MAX, &tx_fd) ||
      !args_int(env, argv[4], "rxFd", -1, INT32_MAX, &rx_fd)) {
    return NULL;
  }
  const int error = add_port(io, (int)number, (int)kind, (int)tx_fd, (int)rx_fd);
  if (error != 0) return throw_errno_fd(env, -error, "ioSetPort", (int)tx_fd);
  return NULL;
}

static napi_value io_del_port(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  int64_t number;
  struct io *io;
  if (!args_get(env, info, 2, argv) || (io = get_io(env, argv[0])) == NULL ||
      !args_int(env, argv[1], "port", 0, MAX_PORTS - 1, &number)) {
    return NULL;
  }
  if ((size_t)number < io->port_room && io->ports[number] != NULL) forget(io, io->ports[number]);
  return NULL;
}

/* The packet path: never throws; misuse reads as "nothing received". */
static napi_value io_turn(napi_env env, napi_callback_info info) {
  napi_value argv[3], result;
  int32_t timeout_ms = 0, notify_fd = -1;
  int received = 0;
  size_t count = 3;
  if (napi_get_cb_info(env, info, &count, argv, NULL, NULL) != napi_ok) return NULL;
  struct io *io = (struct io *)held_find(env, argv[0], &io_type);
  napi_get_value_int32(env, argv[1], &timeout_ms);
  if (napi_get_value_int32(env, argv[2], &notify_fd) != napi_ok) notify_fd = -1;
  if (io != NULL && io->backend != NULL && (io->shared || locate(env, io))) {
    received = io_run_turn(io, timeout_ms, notify_fd);
  }
  return napi_create_int32(env, received, &result) == napi_ok ? result : NULL;
}

static napi_value io_close(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct io *io;
  if (!args_get(env, info, 1, argv) || (io = get_io(env, argv[0])) == NULL) return NULL;
  io_shut(io);
  return NULL;
}

static napi_value probe_io_uring(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  return napi_get_boolean(env, uring_probe(), &result) == napi_ok ? result : NULL;
}
