/*
 * The I/O engine behind `ioTurn`: what its verbs (io.c), its front
 * (io-turn.c) and its two backends (io-uring.c, io-plain.c) share.
 *
 * One turn: the backend writes the frames of IO_TX in order, then the front
 * plans reads, the backend carries them out, and the front settles them into
 * IO_RX and IO_FREE. A planned read is one slot for one port; reads of one
 * port stand together, in order.
 *
 *   plan:  | port 3: r0 r1 r2 r3 | port 7: r4 r5 |
 *   after:   ok ok  -  -           -  -           port 3 stays active, 7 not
 *
 * Ports that had frames in the last turn are active: they are read without
 * asking. The others are watched by the backend (poll, epoll), which makes
 * them active again; watching costs nothing while they are idle.
 *
 * An engine belongs to one thread. The worker writes the I/O block between
 * turns only, but nothing here trusts it: each word is read once, then checked.
 */
#ifndef TAPFLOW_IO_H
#define TAPFLOW_IO_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "addon.h"

/* The I/O block; the same numbers as in src/native.ts. */
enum {
  IO_MAX_RX = 256,
  IO_MAX_TX = 1024,
  RX_STRIDE = 4,
  TX_STRIDE = 6,
  TX_RESULT = 5,
  IO_RX = 16,
  IO_FREE = IO_RX + IO_MAX_RX * RX_STRIDE,
  IO_TX = IO_FREE + IO_MAX_RX,
  IO_WORDS = IO_TX + IO_MAX_TX * TX_STRIDE,
  IO_FREE_COUNT = 0,
  IO_TX_COUNT = 1,
  IO_FREE_USED = 2,
  IO_TX_FAILED = 3,
  IO_WOKEN = 4,
  IO_SLEPT = 5,
  IO_BUDGET = 6,
  IO_ERROR_PORT = 7,
  IO_ERROR_CODE = 8,
  /* A double in words 10 and 11. */
  IO_NOW = 10,
  IO_SLOT_SIZE = 65536 + 512,
};

enum { KIND_TAP = 1, KIND_PACKET = 2, VNET_SIZE = 10, MAX_PORTS = 65536 };

struct io_port {
  int number;
  int kind;
  int tx_fd;
  int rx_fd;
  /* Tells this port's late completions from those of an earlier one of the same number. */
  uint32_t generation;
  /* Read in every turn. */
  bool active;
  /* The backend is watching it. */
  bool watched;
  /* Reading failed for good; stays so until the port is set anew. */
  bool failed;
  /* Reads to plan in the next turn. */
  int want;
  /* The frames of its last good reads were super-frames, by their mean size. */
  bool large;
  /* Failed reads since the last good one that may have been a frame's own fault. */
  int faults;
  /* To be reported in IO_ERROR_CODE. */
  int error;
};

/* A planned read. */
struct io_read {
  struct io_port *port;
  int32_t slot;
  /* Bytes read, or -errno. */
  int32_t result;
  /* A VLAN tag was put back: the frame begins this many bytes before its slot. */
  int32_t shift;
};

/* A checked frame to send. */
struct io_frame {
  struct io_port *port;
  uint8_t *at;
  uint32_t size;
  uint8_t *at2;
  uint32_t size2;
};

struct io;

struct io_backend {
  const char *name;
  /* All return 0 or -errno. */
  int (*open)(struct io *io);
  void (*close)(struct io *io);
  int (*add_port)(struct io *io, struct io_port *port);
  void (*remove_port)(struct io *io, struct io_port *port);
  /*
   * Sends io->tx_count frames (tx_frame), then signals notify_fd if it is not
   * -1, then carries out the planned reads.
   */
  void (*transfer)(struct io *io, int notify_fd);
  /*
   * Sleeps until a port becomes active, the eventfd is signalled (io->woken) or
   * the time is over. timeout_ms 0 only looks, if that is cheap or due.
   */
  void (*wait)(struct io *io, int timeout_ms);
};

struct io {
  struct held held;
  const struct io_backend *backend;
  void *state;
  napi_ref arena_ref, words_ref;
  /* The memory cannot go away under us (SharedArrayBuffer). */
  bool shared;
  uint8_t *arena;
  size_t arena_size;
  int32_t *words;
  int event_fd;

  struct io_port **ports;
  size_t port_room;
  uint32_t generations;
  /* Active ports; the first is read first in the next turn. */
  struct io_port **active;
  size_t active_count;
  /* Some port is neither active nor watched. */
  bool unwatched;
  /* Ports with an error to report. */
  size_t error_count;

  /* Of this turn. */
  int tx_count, tx_failed, read_count;
  bool woken;
  struct io_read reads[IO_MAX_RX];
};

extern const struct io_backend io_uring_backend;
extern const struct io_backend io_plain_backend;

/* The front (io-turn.c), for io.c. */

/* What ioTurn does. @returns frames received */
int io_run_turn(struct io *io, int timeout_ms, int notify_fd);
/* The port is not read until something activates it. */
void io_deactivate(struct io *io, struct io_port *port);

/* The front, for backends. */

/* Checks frame `index` of IO_TX. @returns 0, or the errno to be its result */
int io_tx_frame(struct io *io, int index, struct io_frame *out);
/* Records a frame's result: 0 or a positive errno. */
void io_tx_done(struct io *io, int index, int error);
/* The port has, or may have, something to read (or an error to tell). */
void io_activate(struct io *io, struct io_port *port);
/* The port cannot be watched or read any more. */
void io_fail(struct io *io, struct io_port *port, int error);
/* Reads the eventfd's counter. */
void io_drain_event(struct io *io);

/* Room for the control message that tells of a stripped VLAN tag. */
union aux_control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

/*
 * A packet socket gave a frame of `size` bytes at `frame`: if the kernel took
 * its VLAN tag off, puts it back, moving the headers 4 bytes forward.
 * @returns bytes that the frame became longer at its beginning: 0 or 4
 */
int packet_restore_vlan(uint8_t *frame, int size, const struct msghdr *message);
enum { VLAN_SIZE = 4 };

#endif
