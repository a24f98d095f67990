/*
 * One turn of the I/O engine: which port is read how much, what its reads
 * tell of the next turn, and the way of frames, slots and errors through the
 * I/O block. See io.h.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io.h"

/* A read that fails for another reason than "nothing there" may be that frame's fault; so many in a
 * row are not. */
enum { MAX_FAULTS = 16 };

static void note_error(struct io *io, struct io_port *port, int error);

static int clamp(int value, int min, int max) {
  return value < min ? min : value > max ? max : value;
}

/* A slot must hold a whole frame, and a VLAN tag must have room before it. */
static bool is_slot(const struct io *io, int32_t slot) {
  return slot >= VLAN_SIZE && (size_t)slot + IO_SLOT_SIZE <= io->arena_size;
}

/*
 * Super-frames are read few at a time: one that has left the nearest caches
 * before it is written costs more than the turns that a larger batch saves.
 */
enum { LARGE_FRAME = 8192, LARGE_BATCH = 4 };

/* Gives slots to active ports, the first in line first, until slots or ports run out. */
static size_t plan(struct io *io) {
  const int free_count = clamp(io->words[IO_FREE_COUNT], 0, IO_MAX_RX);
  const int budget = clamp(io->words[IO_BUDGET], 1, IO_MAX_RX);
  size_t served = 0;
  int used = 0;
  while (served < io->active_count && used < free_count) {
    struct io_port *port = io->active[served++];
    const int most = port->large ? LARGE_BATCH : budget;
    const int end = clamp(used + clamp(port->want, 1, most), 0, free_count);
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
  int64_t bytes = 0;
  for (int i = 0; i < count; i++) {
    if (reads[i].result >= 0) {
      got++;
      bytes += reads[i].result;
    } else if (reads[i].result != -EAGAIN) {
      faults++;
      error = -reads[i].result;
    }
  }
  /* That a packet socket has dropped a frame that a virtio-net header cannot describe. */
  const bool has_dropped = port->kind == KIND_PACKET && error == EINVAL;
  port->faults = got > 0 || has_dropped ? 0 : port->faults + faults;
  if (got > 0) port->large = bytes > (int64_t)got * LARGE_FRAME;
  if (error != 0 && (!is_passing(error) || port->faults > MAX_FAULTS)) {
    io_fail(io, port, error);
    return;
  }
  /* Told once by a packet socket, whose interface may come up again or may be gone for good. */
  if (error == ENETDOWN) note_error(io, port, error);
  if (got == count) {
    port->want = clamp(2 * got, 2, IO_MAX_RX);
  } else {
    port->want = got + got / 4 + 2;
    if (got == 0 && faults == 0) io_deactivate(io, port);
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

int io_run_turn(struct io *io, int timeout_ms, int notify_fd) {
  int32_t *words = io->words;
  bool slept = false;
  io->woken = false;
  io->tx_failed = 0;
  io->tx_count = clamp(words[IO_TX_COUNT], 0, IO_MAX_TX);
  int received = exchange(io, notify_fd);
  if (received == 0 && timeout_ms > 0 && !io->woken && io->error_count == 0) {
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
  port->want = 1;
  io->active[io->active_count++] = port;
}

static void note_error(struct io *io, struct io_port *port, int error) {
  if (port->error == 0) io->error_count++;
  port->error = error;
}

void io_fail(struct io *io, struct io_port *port, int error) {
  io_deactivate(io, port);
  port->failed = true;
  note_error(io, port, error);
}

void io_drain_event(struct io *io) {
  uint64_t count;
  if (read(io->event_fd, &count, sizeof count) == sizeof count) io->woken = true;
}

void io_deactivate(struct io *io, struct io_port *port) {
  if (!port->active) return;
  port->active = false;
  io->unwatched = true;
  size_t i = 0;
  while (io->active[i] != port) i++;
  memmove(io->active + i, io->active + i + 1, (--io->active_count - i) * sizeof *io->active);
}
