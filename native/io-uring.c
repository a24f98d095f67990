/*
 * The io_uring backend: one system call a turn when there is work.
 *
 * Entries in order: the frames to send, the eventfd to notify, the planned
 * reads, polls of ports that ran empty. TAPs are read and written with
 * RWF_NOWAIT and sockets with MSG_DONTWAIT, so all but the polls complete
 * within the call, in order. More entries than the ring holds go in portions.
 *
 * A poll is one-shot: a busy port has none, so its sender pays for no
 * wake-ups. With every port idle, a turn that does not sleep makes no system
 * call at all (uring_has_news).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io.h"
#include "uring.h"

enum {
  /* A portion. Small, so that the entries stay in the first-level cache. */
  ENTRIES = 256,
  /* A portion and one poll for each of many ports; beyond it the kernel keeps a list. */
  COMPLETIONS = 2048,
  /* Ports with a place in the table of registered descriptors; the others go without. */
  FILE_PORTS = 1024,
};

/* The upper byte of user_data; the rest is an index, or a port and its generation. */
enum tag { TAG_TX = 1, TAG_NOTIFY, TAG_READ, TAG_POLL, TAG_EVENT, TAG_CANCEL };

struct state {
  struct uring ring;
  /* Submitted, and bound to complete at once. */
  int pending;
  bool has_files;
  bool event_watched;
  /* Of the frames in this portion, by entry. */
  struct iovec tx_segments[ENTRIES][2];
  struct msghdr tx_messages[ENTRIES];
  /* Of the planned reads. */
  struct iovec rx_segments[IO_MAX_RX];
  struct msghdr rx_messages[IO_MAX_RX];
  union aux_control rx_control[IO_MAX_RX];
};

static void flush(struct io *io);
static void finish(struct io *io);

static uint64_t tagged(enum tag tag, uint64_t rest) {
  return (uint64_t)tag << 56 | rest;
}

static uint64_t poll_tag(const struct io_port *port) {
  return tagged(TAG_POLL, (uint64_t)port->generation << 16 | (uint64_t)port->number);
}

static struct io_uring_sqe *entry(struct io *io, enum tag tag, uint64_t rest) {
  struct state *state = io->state;
  if (state->ring.filled == state->ring.entries) flush(io);
  struct io_uring_sqe *sqe = uring_entry(&state->ring);
  sqe->user_data = tagged(tag, rest);
  return sqe;
}

enum direction { TX, RX };

static void use_file(struct state *state, struct io_uring_sqe *sqe, const struct io_port *port,
                     enum direction direction) {
  if (state->has_files && port->number < FILE_PORTS) {
    sqe->fd = port->number * 2 + (int)direction;
    sqe->flags |= IOSQE_FIXED_FILE;
  } else {
    sqe->fd = direction == TX ? port->tx_fd : port->rx_fd;
  }
}

static int open_backend(struct io *io) {
  struct state *state = calloc(1, sizeof *state);
  if (state == NULL) return -ENOMEM;
  const int error = uring_open(&state->ring, ENTRIES, COMPLETIONS);
  if (error != 0) {
    free(state);
    return error;
  }
  state->has_files = uring_register_files(&state->ring, FILE_PORTS * 2) == 0;
  io->state = state;
  return 0;
}

static void close_backend(struct io *io) {
  struct state *state = io->state;
  uring_close(&state->ring);
  free(state);
}

static int add_port(struct io *io, struct io_port *port) {
  struct state *state = io->state;
  if (fcntl(port->tx_fd, F_GETFD) < 0) return -errno;
  if (port->rx_fd >= 0 && fcntl(port->rx_fd, F_GETFD) < 0) return -errno;
  if (!state->has_files || port->number >= FILE_PORTS) return 0;
  const unsigned place = (unsigned)port->number * 2;
  const int error = uring_set_file(&state->ring, place + TX, port->tx_fd);
  return error != 0 ? error : uring_set_file(&state->ring, place + RX, port->rx_fd);
}

/* Whether the ring still works after this result of uring_enter. */
static bool is_alive(int result) {
  return result == 0 || result == -EINTR || result == -ETIME;
}

/* Cancels the poll and waits until it is gone: it holds the open file. */
static void remove_port(struct io *io, struct io_port *port) {
  struct state *state = io->state;
  if (port->watched) {
    struct io_uring_sqe *sqe = entry(io, TAG_CANCEL, 0);
    sqe->opcode = IORING_OP_POLL_REMOVE;
    sqe->addr = poll_tag(port);
    flush(io);
    while (port->watched && is_alive(uring_enter(&state->ring, 1, -1))) finish(io);
  }
  if (state->has_files && port->number < FILE_PORTS) {
    uring_set_file(&state->ring, (unsigned)port->number * 2 + TX, -1);
    uring_set_file(&state->ring, (unsigned)port->number * 2 + RX, -1);
  }
}

static void send_frame(struct io *io, int index, const struct io_frame *frame) {
  struct state *state = io->state;
  struct io_uring_sqe *sqe = entry(io, TAG_TX, (uint64_t)index);
  const unsigned place = state->ring.filled - 1;
  struct iovec *segments = state->tx_segments[place];
  use_file(state, sqe, frame->port, TX);
  segments[0] = (struct iovec){frame->at, frame->size};
  segments[1] = (struct iovec){frame->at2, frame->size2};
  const unsigned count = frame->size2 > 0 ? 2 : 1;
  if (frame->port->kind == KIND_PACKET) {
    state->tx_messages[place] = (struct msghdr){.msg_iov = segments, .msg_iovlen = count};
    sqe->opcode = IORING_OP_SENDMSG;
    sqe->addr = (uint64_t)(uintptr_t)&state->tx_messages[place];
    sqe->len = 1;
    sqe->msg_flags = MSG_DONTWAIT;
  } else {
    sqe->opcode = count == 2 ? IORING_OP_WRITEV : IORING_OP_WRITE;
    sqe->addr = count == 2 ? (uint64_t)(uintptr_t)segments : (uint64_t)(uintptr_t)frame->at;
    sqe->len = count == 2 ? 2 : frame->size;
    sqe->rw_flags = RWF_NOWAIT;
  }
  state->pending++;
}

static void notify(struct io *io, int fd) {
  static const uint64_t one = 1;
  struct io_uring_sqe *sqe = entry(io, TAG_NOTIFY, 0);
  sqe->opcode = IORING_OP_WRITE;
  sqe->fd = fd;
  sqe->addr = (uint64_t)(uintptr_t)&one;
  sqe->len = sizeof one;
  sqe->rw_flags = RWF_NOWAIT;
  ((struct state *)io->state)->pending++;
}

static void read_frame(struct io *io, int index) {
  struct state *state = io->state;
  const struct io_read *read = &io->reads[index];
  struct io_uring_sqe *sqe = entry(io, TAG_READ, (uint64_t)index);
  uint8_t *at = io->arena + read->slot;
  use_file(state, sqe, read->port, RX);
  if (read->port->kind == KIND_PACKET) {
    state->rx_segments[index] = (struct iovec){at, IO_SLOT_SIZE};
    state->rx_messages[index] = (struct msghdr){.msg_iov = &state->rx_segments[index],
                                                .msg_iovlen = 1,
                                                .msg_control = &state->rx_control[index],
                                                .msg_controllen = sizeof(union aux_control)};
    sqe->opcode = IORING_OP_RECVMSG;
    sqe->addr = (uint64_t)(uintptr_t)&state->rx_messages[index];
    sqe->len = 1;
    sqe->msg_flags = MSG_DONTWAIT;
  } else {
    sqe->opcode = IORING_OP_READ;
    sqe->addr = (uint64_t)(uintptr_t)at;
    sqe->len = IO_SLOT_SIZE;
    sqe->rw_flags = RWF_NOWAIT;
  }
  state->pending++;
}

static void watch_event(struct io *io) {
  struct state *state = io->state;
  if (state->event_watched) return;
  struct io_uring_sqe *sqe = entry(io, TAG_EVENT, 0);
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->fd = io->event_fd;
  sqe->poll32_events = POLLIN;
  state->event_watched = true;
}

static void watch_port(struct io *io, struct io_port *port) {
  struct io_uring_sqe *sqe = entry(io, TAG_POLL, 0);
  use_file(io->state, sqe, port, RX);
  sqe->user_data = poll_tag(port);
  sqe->opcode = IORING_OP_POLL_ADD;
  sqe->poll32_events = POLLIN;
  port->watched = true;
}

static void watch_all(struct io *io) {
  watch_event(io);
  if (!io->unwatched) return;
  io->unwatched = false;
  for (size_t i = 0; i < io->port_room; i++) {
    struct io_port *port = io->ports[i];
    if (port == NULL || port->rx_fd < 0) continue;
    if (!port->active && !port->watched && !port->failed) watch_port(io, port);
  }
}

static void on_read(struct io *io, uint64_t index, int result) {
  struct state *state = io->state;
  struct io_read *read = &io->reads[index];
  read->result = result;
  if (read->port->kind == KIND_PACKET && result >= 0) {
    read->shift = packet_restore_vlan(io->arena + read->slot, result, &state->rx_messages[index]);
  }
}

static void on_poll(struct io *io, uint64_t rest, int result) {
  const size_t number = rest & 0xffff;
  struct io_port *port = number < io->port_room ? io->ports[number] : NULL;
  if (port == NULL || port->generation != (uint32_t)(rest >> 16)) return;
  port->watched = false;
  if (result == -ECANCELED) return;
  if (result < 0) {
    io_fail(io, port, -result);
  } else {
    io_activate(io, port);
  }
}

static void on_event(struct io *io) {
  ((struct state *)io->state)->event_watched = false;
  io_drain_event(io);
}

static void complete(struct io *io, uint64_t user_data, int result) {
  struct state *state = io->state;
  const uint64_t rest = user_data & 0xffffffffffffff;
  switch ((enum tag)(user_data >> 56)) {
    case TAG_TX:
      io_tx_done(io, (int)rest, result < 0 ? -result : 0);
      state->pending--;
      break;
    case TAG_READ:
      on_read(io, rest, result);
      state->pending--;
      break;
    case TAG_NOTIFY:
      state->pending--;
      break;
    case TAG_POLL:
      on_poll(io, rest, result);
      break;
    case TAG_EVENT:
      on_event(io);
      break;
    case TAG_CANCEL:
      break;
  }
}

static void finish(struct io *io) {
  struct state *state = io->state;
  uint64_t user_data;
  int result;
  while (uring_next(&state->ring, &user_data, &result)) complete(io, user_data, result);
}

/* Submits what is filled; returns when all of it but polls has completed. */
static void flush(struct io *io) {
  struct state *state = io->state;
  uring_enter(&state->ring, 0, -1);
  finish(io);
  while (state->pending > 0 && is_alive(uring_enter(&state->ring, 1, -1))) finish(io);
  state->pending = 0;
}

static void transfer(struct io *io, int notify_fd) {
  struct state *state = io->state;
  struct io_frame frame;
  for (int i = 0; i < io->tx_count; i++) {
    const int error = io_tx_frame(io, i, &frame);
    if (error != 0) {
      io_tx_done(io, i, error);
    } else {
      send_frame(io, i, &frame);
    }
  }
  if (notify_fd >= 0) notify(io, notify_fd);
  for (int i = 0; i < io->read_count; i++) read_frame(io, i);
  watch_all(io);
  if (state->ring.filled > 0 || uring_has_news(&state->ring)) flush(io);
}

static void wait(struct io *io, int timeout_ms) {
  struct state *state = io->state;
  watch_all(io);
  uring_enter(&state->ring, 1, timeout_ms);
  finish(io);
}

const struct io_backend io_uring_backend = {
    .name = "io_uring",
    .open = open_backend,
    .close = close_backend,
    .add_port = add_port,
    .remove_port = remove_port,
    .transfer = transfer,
    .wait = wait,
};
