/*
 * The I/O engine's front: JavaScript's five verbs, checks of the I/O block,
 * and the book-keeping of which port is read how much. See io.h.
 */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "uring.h"

/* A read that fails for another reason than "nothing there" may be that frame's fault; so many in a
 * row are not. */
enum { MAX_FAULTS = 16 };

static const char io_type;

static napi_value io_open(napi_env env, napi_callback_info info);
static napi_value io_set_port(napi_env env, napi_callback_info info);
static napi_value io_del_port(napi_env env, napi_callback_info info);
static napi_value io_turn(napi_env env, napi_callback_info info);
static napi_value io_close(napi_env env, napi_callback_info info);
static napi_value probe_io_uring(napi_env env, napi_callback_info info);
static int turn(struct io *io, int timeout_ms, int notify_fd);

bool io_register(napi_env env, napi_value exports) {
  static const struct function functions[] = {
      {"ioOpen", io_open}, {"ioSetPort", io_set_port}, {"ioDelPort", io_del_port},
      {"ioTurn", io_turn}, {"ioClose", io_close},      {"probeIoUring", probe_io_uring},
  };
  return register_functions(env, exports, functions, sizeof functions / sizeof *functions);
}

/* ---- JavaScript's side ------------------------------------------------- */

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
    if (io->ports[i] == NULL) continue;
    io->backend->remove_port(io, io->ports[i]);
    free(io->ports[i]);
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

static void deactivate(struct io *io, struct io_port *port) {
  if (!port->active) return;
  port->active = false;
  io->unwatched = true;
  size_t i = 0;
  while (io->active[i] != port) i++;
  memmove(io->active + i, io->active + i + 1, (--io->active_count - i) * sizeof *io->active);
}

static void forget(struct io *io, struct io_port *port) {
  deactivate(io, port);
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
    received = turn(io, timeout_ms, notify_fd);
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

/* ---- One turn ---------------------------------------------------------- */

static int clamp(int value, int min, int max) {
  return value < min ? min : value > max ? max : value;
}

/* A slot must hold a whole frame, and a VLAN tag must have room before it. */
static bool is_slot(const struct io *io, int32_t slot) {
  return slot >= VLAN_SIZE && (size_t)slot + IO_SLOT_SIZE <= io->arena_size;
}

/* Gives slots to active ports, the first in line first, until slots or ports run out. */
static size_t plan(struct io *io) {
  const int free_count = clamp(io->words[IO_FREE_COUNT], 0, IO_MAX_RX);
  const int budget = clamp(io->words[IO_BUDGET], 1, IO_MAX_RX);
  size_t served = 0;
  int used = 0;
  while (served < io->active_count && used < free_count) {
    struct io_port *port = io->active[served++];
    const int end = clamp(used + clamp(port->want, 1, budget), 0, free_count);
    for (; used < end; used++) {
      const int32_t slot = io->words[IO_FREE + used];
      if (!is_slot(io, slot)) goto out;
      io->reads[used] = (struct io_read){.port = port, .slot = slot, .result = -EAGAIN};
    }
  }
out:
  io->read_count = used;
  return served;
}

static bool is_passing(int error) {
  return error == EINVAL || error == EIO || error == ENETDOWN || error == ENOBUFS ||
         error == ENOMEM || error == EMSGSIZE || error == EINTR;
}

/* Writes the received frames out and puts the used slots first. */
static int deliver(struct io *io) {
  int32_t unused[IO_MAX_RX];
  int used = 0, left = 0;
  for (int i = 0; i < io->read_count; i++) {
    const struct io_read *read = &io->reads[i];
    if (read->result < 0) {
      unused[left++] = read->slot;
      continue;
    }
    int32_t *rx = io->words + IO_RX + used * RX_STRIDE;
    rx[0] = read->port->number;
    rx[1] = read->slot - read->shift;
    rx[2] = read->result + read->shift;
    rx[3] = 0;
    io->words[IO_FREE + used++] = read->slot;
  }
  memcpy(io->words + IO_FREE + used, unused, (size_t)left * sizeof *unused);
  return used;
}

/*
 * What one port's reads tell of the next turn. After a full batch there may
 * be much more: double. Otherwise the queue was emptied, and about as much
 * will have come by the next turn: a quarter above that, since each read in
 * vain costs a fifth of a good one, and each missing one a turn's delay.
 */
static void settle_port(struct io *io, struct io_port *port, const struct io_read *reads,
                        int count) {
  int got = 0, faults = 0, error = 0;
  for (int i = 0; i < count; i++) {
    if (reads[i].result >= 0) {
      got++;
    } else if (reads[i].result != -EAGAIN) {
      faults++;
      error = -reads[i].result;
    }
  }
  port->faults = got > 0 ? 0 : port->faults + faults;
  if (error != 0 && (!is_passing(error) || port->faults > MAX_FAULTS)) {
    io_fail(io, port, error);
  } else if (got == count) {
    port->want = clamp(2 * got, 2, IO_MAX_RX);
  } else {
    port->want = got + got / 4 + 2;
    if (got == 0 && faults == 0) deactivate(io, port);
  }
}

/* The ports served go to the end of the line; if all were, the first one does. */
static void rotate(struct io *io, size_t served) {
  struct io_port *first[16];
  if (io->active_count < 2) return;
  if (served >= io->active_count) served = 1;
  if (served > sizeof first / sizeof *first) served = sizeof first / sizeof *first;
  memcpy(first, io->active, served * sizeof *first);
  memmove(io->active, io->active + served, (io->active_count - served) * sizeof *first);
  memcpy(io->active + io->active_count - served, first, served * sizeof *first);
}

static int settle(struct io *io, size_t served) {
  const int received = deliver(io);
  rotate(io, served);
  for (int i = 0, end; i < io->read_count; i = end) {
    struct io_port *port = io->reads[i].port;
    for (end = i + 1; end < io->read_count && io->reads[end].port == port;) end++;
    settle_port(io, port, io->reads + i, end - i);
  }
  return received;
}

static int exchange(struct io *io, int notify_fd) {
  const size_t served = plan(io);
  io->backend->transfer(io, notify_fd);
  return settle(io, served);
}

static void report_time(struct io *io) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  const double milliseconds = (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
  memcpy(io->words + IO_NOW, &milliseconds, sizeof milliseconds);
}

/* One error a turn is told; the next turn tells the next. */
static void report_error(struct io *io) {
  io->words[IO_ERROR_PORT] = -1;
  io->words[IO_ERROR_CODE] = 0;
  for (size_t i = 0; io->error_count > 0 && i < io->port_room; i++) {
    struct io_port *port = io->ports[i];
    if (port == NULL || port->error == 0) continue;
    io->words[IO_ERROR_PORT] = port->number;
    io->words[IO_ERROR_CODE] = port->error;
    port->error = 0;
    io->error_count--;
    return;
  }
}

static int turn(struct io *io, int timeout_ms, int notify_fd) {
  int32_t *words = io->words;
  bool slept = false;
  io->woken = false;
  io->tx_failed = 0;
  io->tx_count = clamp(words[IO_TX_COUNT], 0, IO_MAX_TX);
  const bool sent = io->tx_count > 0;
  int received = exchange(io, notify_fd);
  if (received == 0 && !sent && timeout_ms > 0 && !io->woken && io->error_count == 0) {
    const bool can_receive = words[IO_FREE_COUNT] > 0;
    if (io->active_count == 0 || !can_receive) {
      slept = true;
      io->backend->wait(io, timeout_ms);
    }
    io->tx_count = 0;
    if (io->active_count > 0 && can_receive) received = exchange(io, -1);
  }
  words[IO_FREE_USED] = received;
  words[IO_TX_FAILED] = io->tx_failed;
  words[IO_WOKEN] = io->woken;
  words[IO_SLEPT] = slept;
  report_time(io);
  report_error(io);
  return received;
}

/* ---- For backends ------------------------------------------------------ */

static bool is_segment(const struct io *io, int32_t at, int32_t size) {
  return at >= 0 && size >= 0 && (size_t)at + (size_t)size <= io->arena_size;
}

int io_tx_frame(struct io *io, int index, struct io_frame *out) {
  const int32_t *tx = io->words + IO_TX + index * TX_STRIDE;
  const int32_t number = tx[0], at = tx[1], size = tx[2], at2 = tx[3], size2 = tx[4];
  if (number < 0 || (size_t)number >= io->port_room || io->ports[number] == NULL) return ENODEV;
  if (size < VNET_SIZE || !is_segment(io, at, size) || size2 < 0 ||
      (size2 > 0 && !is_segment(io, at2, size2))) {
    return EINVAL;
  }
  *out = (struct io_frame){.port = io->ports[number],
                           .at = io->arena + at,
                           .size = (uint32_t)size,
                           .at2 = io->arena + (size2 > 0 ? at2 : 0),
                           .size2 = (uint32_t)size2};
  return 0;
}

void io_tx_done(struct io *io, int index, int error) {
  io->words[IO_TX + index * TX_STRIDE + TX_RESULT] = error;
  if (error != 0) io->tx_failed++;
}

void io_activate(struct io *io, struct io_port *port) {
  if (port->active || port->failed) return;
  port->active = true;
  /* Most wake-ups are for one frame. */
  port->want = 4;
  io->active[io->active_count++] = port;
}

void io_fail(struct io *io, struct io_port *port, int error) {
  deactivate(io, port);
  if (port->error == 0) io->error_count++;
  port->failed = true;
  port->error = error;
}

void io_drain_event(struct io *io) {
  uint64_t count;
  if (read(io->event_fd, &count, sizeof count) == sizeof count) io->woken = true;
}
