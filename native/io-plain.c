/*
 * The backend of plain system calls: read and write for TAPs, recvmmsg and
 * sendmmsg for packet sockets, epoll to learn which idle port has something.
 *
 * epoll is edge-triggered: an active port is read until it is empty whatever
 * epoll says, and only a port that was found empty needs to be told of. While
 * some port is active, epoll is asked every LOOK_EVERY turns only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io.h"

enum {
  /* A turn takes 20 us or more when busy: an idle port waits at most 0.2 ms for its first frame. */
  LOOK_EVERY = 8,
  EVENTS = 64,
  /* Messages in one recvmmsg or sendmmsg. */
  MESSAGES = 64,
};

struct state {
  int epoll_fd;
  unsigned turns;
  struct mmsghdr messages[MESSAGES];
  struct iovec segments[MESSAGES][2];
  union aux_control control[MESSAGES];
};

static int watch(struct state *state, int fd, uint64_t data) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = data};
  return epoll_ctl(state->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Data of the eventfd's entry; ports have their number. */
static const uint64_t EVENT = UINT64_MAX;

static int open_backend(struct io *io) {
  struct state *state = calloc(1, sizeof *state);
  if (state == NULL) return -ENOMEM;
  state->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  const int error = state->epoll_fd < 0 ? -errno : watch(state, io->event_fd, EVENT);
  if (error != 0) {
    if (state->epoll_fd >= 0) close(state->epoll_fd);
    free(state);
    return error;
  }
  io->state = state;
  return 0;
}

static void close_backend(struct io *io) {
  struct state *state = io->state;
  close(state->epoll_fd);
  free(state);
}

static int add_port(struct io *io, struct io_port *port) {
  return port->rx_fd < 0 ? 0 : watch(io->state, port->rx_fd, (uint64_t)port->number);
}

static void remove_port(struct io *io, struct io_port *port) {
  const struct state *state = io->state;
  if (port->rx_fd >= 0) epoll_ctl(state->epoll_fd, EPOLL_CTL_DEL, port->rx_fd, NULL);
}

static int send_tap(const struct io_frame *frame) {
  const struct iovec segments[] = {{frame->at, frame->size}, {frame->at2, frame->size2}};
  ssize_t sent;
  do {
    sent = frame->size2 == 0 ? write(frame->port->tx_fd, frame->at, frame->size)
                             : writev(frame->port->tx_fd, segments, 2);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

/* Sends `count` collected messages; one that fails does not stop those after it. */
static void send_messages(struct io *io, int fd, int first, int count) {
  struct state *state = io->state;
  int done = 0;
  while (done < count) {
    const int sent = sendmmsg(fd, state->messages + done, (unsigned)(count - done), MSG_DONTWAIT);
    for (int i = 0; i < sent; i++) io_tx_done(io, first + done++, 0);
    if (sent < 0 && errno != EINTR) io_tx_done(io, first + done++, errno);
  }
}

/* The run of frames from `first` on that go to the same socket. @returns how many */
static int send_run(struct io *io, int first, const struct io_frame *frame) {
  struct state *state = io->state;
  struct io_frame next = *frame;
  int count = 0;
  do {
    struct iovec *segments = state->segments[count];
    segments[0] = (struct iovec){next.at, next.size};
    segments[1] = (struct iovec){next.at2, next.size2};
    state->messages[count++].msg_hdr =
        (struct msghdr){.msg_iov = segments, .msg_iovlen = next.size2 > 0 ? 2 : 1};
  } while (count < MESSAGES && first + count < io->tx_count &&
           io_tx_frame(io, first + count, &next) == 0 && next.port == frame->port);
  send_messages(io, frame->port->tx_fd, first, count);
  return count;
}

static void send_all(struct io *io) {
  struct io_frame frame;
  for (int i = 0; i < io->tx_count;) {
    const int error = io_tx_frame(io, i, &frame);
    if (error == 0 && frame.port->kind == KIND_PACKET) {
      i += send_run(io, i, &frame);
    } else {
      io_tx_done(io, i, error != 0 ? error : send_tap(&frame));
      i++;
    }
  }
}

static void read_tap(struct io *io, struct io_read *reads, int count) {
  for (int i = 0; i < count; i++) {
    ssize_t got;
    do {
      got = read(reads[i].port->rx_fd, io->arena + reads[i].slot, IO_SLOT_SIZE);
    } while (got < 0 && errno == EINTR);
    reads[i].result = got < 0 ? -errno : (int32_t)got;
    if (got < 0 && errno == EAGAIN) return;
  }
}

static void read_packets(struct io *io, struct io_read *reads, int count) {
  struct state *state = io->state;
  if (count > MESSAGES) count = MESSAGES;
  for (int i = 0; i < count; i++) {
    state->segments[i][0] = (struct iovec){io->arena + reads[i].slot, IO_SLOT_SIZE};
    state->messages[i].msg_hdr = (struct msghdr){.msg_iov = state->segments[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = &state->control[i],
                                                 .msg_controllen = sizeof(union aux_control)};
  }
  const int got =
      recvmmsg(reads->port->rx_fd, state->messages, (unsigned)count, MSG_DONTWAIT, NULL);
  if (got < 0) reads->result = -errno;
  for (int i = 0; i < got; i++) {
    const int size = (int)state->messages[i].msg_len;
    reads[i].result = size;
    reads[i].shift =
        packet_restore_vlan(io->arena + reads[i].slot, size, &state->messages[i].msg_hdr);
  }
}

static void read_all(struct io *io) {
  for (int i = 0, end; i < io->read_count; i = end) {
    struct io_read *reads = io->reads + i;
    for (end = i + 1; end < io->read_count && io->reads[end].port == reads->port;) end++;
    if (reads->port->kind == KIND_PACKET) {
      read_packets(io, reads, end - i);
    } else {
      read_tap(io, reads, end - i);
    }
  }
}

static void look(struct io *io, int timeout_ms) {
  const struct state *state = io->state;
  struct epoll_event events[EVENTS];
  const int count = epoll_wait(state->epoll_fd, events, EVENTS, timeout_ms);
  for (int i = 0; i < count; i++) {
    const uint64_t data = events[i].data.u64;
    if (data == EVENT) {
      io_drain_event(io);
    } else if (data < io->port_room && io->ports[data] != NULL) {
      io_activate(io, io->ports[data]);
    }
  }
}

static void transfer(struct io *io, int notify_fd) {
  static const uint64_t one = 1;
  struct state *state = io->state;
  send_all(io);
  if (notify_fd >= 0 && write(notify_fd, &one, sizeof one) < 0) {
    /* A full counter is a signal too, and a closed eventfd has no listener. */
  }
  read_all(io);
  if (io->active_count == 0 || ++state->turns % LOOK_EVERY == 0) look(io, 0);
}

const struct io_backend io_plain_backend = {
    .name = "plain",
    .open = open_backend,
    .close = close_backend,
    .add_port = add_port,
    .remove_port = remove_port,
    .transfer = transfer,
    .wait = look,
};
