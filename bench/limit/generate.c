/*
 * Sends UDP frames out of an interface through a packet socket with
 * sendmmsg and without a queueing discipline, at a rate or as fast as it can,
 * and prints {"sent", "errors", "seconds"} as JSON.
 *
 * An error is a frame that the device refused (ENOBUFS: its queue was full).
 * On a TAP a full queue drops silently: count at the receiver.
 */
#include <getopt.h>
#include <math.h>

#include "frame.h"

enum { BATCH = 64, FRAME_ROOM = 2048, MAX_FLOWS = 1 << 20 };

struct options {
  const char *interface;
  /* Frame bytes with the FCS, as benchmarks give them; 0: IMIX. */
  int size;
  double rate;
  double seconds;
  uint32_t flows;
  bool zipf;
  uint64_t seed;
  uint8_t destination[6];
  int cpu;
  int vlan;
};

static const char usage[] =
    "usage: generate [options] INTERFACE\n"
    "  -s SIZE      frame size with FCS, 64 to 1518, or imix (7:4:1 of 64, 570, 1518) [64]\n"
    "  -r PPS       rate, 0: full speed [0]\n"
    "  -t SECONDS   [1]\n"
    "  -f FLOWS     number of flows [1]\n"
    "  -z           choose flows by Zipf's law (s = 1) instead of uniformly\n"
    "  -x SEED      [1]\n"
    "  -d MAC       destination [02:00:00:00:00:fe]\n"
    "  -c CPU       pin to this CPU\n"
    "  -v VLAN      add a tag\n";

/* xorshift64*: the same frames for the same seed. */
static uint64_t next_random(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545f4914f6cdd1d;
}

static void die(const char *option, const char *value) {
  fprintf(stderr, "bad value for -%s: %s\n%s", option, value, usage);
  exit(2);
}

static double number(const char *option, const char *text, double min, double max) {
  char *end;
  const double value = strtod(text, &end);
  if (*end != '\0' || end == text || !(value >= min && value <= max)) die(option, text);
  return value;
}

static struct options parse(int argc, char **argv) {
  struct options o = {.size = 64, .seconds = 1, .flows = 1, .seed = 1, .cpu = -1, .vlan = -1};
  parse_mac("02:00:00:00:00:fe", o.destination);
  for (int option; (option = getopt(argc, argv, "s:r:t:f:zx:d:c:v:")) != -1;) {
    switch (option) {
      case 's':
        o.size = strcmp(optarg, "imix") == 0 ? 0 : (int)number("s", optarg, 64, 1518);
        break;
      case 'r':
        o.rate = number("r", optarg, 0, 1e9);
        break;
      case 't':
        o.seconds = number("t", optarg, 0.01, 1e6);
        break;
      case 'f':
        o.flows = (uint32_t)number("f", optarg, 1, MAX_FLOWS);
        break;
      case 'z':
        o.zipf = true;
        break;
      case 'x':
        o.seed = (uint64_t)number("x", optarg, 1, 9e15);
        break;
      case 'd':
        if (!parse_mac(optarg, o.destination)) die("d", optarg);
        break;
      case 'c':
        o.cpu = (int)number("c", optarg, 0, 1023);
        break;
      case 'v':
        o.vlan = (int)number("v", optarg, 0, 4095);
        break;
      default:
        fputs(usage, stderr);
        exit(2);
    }
  }
  if (argc - optind != 1) {
    fputs(usage, stderr);
    exit(2);
  }
  o.interface = argv[optind];
  return o;
}

/* Flow number i is always the same flow: 5-tuples differ in every field but the protocol. */
static struct flow flow_of(uint32_t i) {
  return (struct flow){.source = 0x0a000000 + (i & 0xffff) + 1,
                       .destination = 0x0a800000 + (i * 2654435761u >> 12),
                       .source_port = (uint16_t)(1024 + (i >> 4) % 60000),
                       .destination_port = (uint16_t)(1024 + i % 60000)};
}

/* The distribution function of Zipf's law over the flows, for choosing by bisection. */
static double *zipf_table(uint32_t flows) {
  double *table = malloc(flows * sizeof *table), sum = 0;
  if (table == NULL) fail("malloc");
  for (uint32_t i = 0; i < flows; i++) table[i] = sum += 1.0 / (i + 1);
  for (uint32_t i = 0; i < flows; i++) table[i] /= sum;
  return table;
}

static uint32_t bisect(const double *table, uint32_t flows, double where) {
  uint32_t low = 0, high = flows - 1;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (table[middle] < where) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/*
 * The order of flows. Uniform: all flows in a random order, over and over, so
 * that each is met. Zipf: a million draws, over and over.
 */
static uint32_t *choose_flows(const struct options *o, uint32_t *count) {
  uint64_t state = o->seed;
  const uint32_t n = *count = o->zipf ? MAX_FLOWS : o->flows;
  uint32_t *order = malloc(n * sizeof *order);
  if (order == NULL) fail("malloc");
  if (o->zipf) {
    double *table = zipf_table(o->flows);
    for (uint32_t i = 0; i < n; i++) {
      order[i] = bisect(table, o->flows, (double)(next_random(&state) >> 11) * 0x1p-53);
    }
    free(table);
    return order;
  }
  for (uint32_t i = 0; i < n; i++) {
    const uint32_t j = (uint32_t)(next_random(&state) % (i + 1));
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}

/* Sizes in a fixed order that spreads 7:4:1 evenly. */
static int imix_size(uint64_t i) {
  static const int sizes[12] = {64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 570, 64};
  return sizes[i % 12];
}

struct batch {
  struct mmsghdr messages[BATCH];
  struct iovec segments[BATCH];
  uint8_t frames[BATCH][FRAME_ROOM];
  uint8_t source[6];
};

/* The FCS is the wire's business: 4 bytes less than the nominal size; a tag comes on top. */
static void fill(const struct options *o, struct batch *batch, int slot, uint64_t number,
                 uint32_t flow_number) {
  const int nominal = o->size != 0 ? o->size : imix_size(number);
  const int size = nominal - ETH_FCS_LEN + (o->vlan >= 0 ? 4 : 0);
  const struct flow flow = flow_of(flow_number);
  put_headers(batch->frames[slot], size, o->destination, batch->source, o->vlan, &flow);
  batch->segments[slot].iov_len = (size_t)size;
}

static void prepare(struct batch *batch) {
  for (int i = 0; i < BATCH; i++) {
    batch->segments[i].iov_base = batch->frames[i];
    batch->messages[i].msg_hdr = (struct msghdr){.msg_iov = &batch->segments[i], .msg_iovlen = 1};
  }
}

static uint64_t sent, errors;

/* A refused frame is counted and the rest of the batch still goes. */
static void send_batch(int fd, struct batch *batch, int count) {
  for (int done = 0; done < count;) {
    const int result = sendmmsg(fd, batch->messages + done, (unsigned)(count - done), 0);
    if (result > 0) {
      done += result;
      sent += (uint64_t)result;
    } else if (result < 0 && errno == EINTR) {
      if (stopping) return;
    } else if (result < 0 && (errno == ENOBUFS || errno == EAGAIN)) {
      done++;
      errors++;
    } else {
      fail("sendmmsg");
    }
  }
}

/* How many frames are due; at full speed a whole batch always is. */
static int due(const struct options *o, int64_t elapsed, uint64_t number) {
  if (o->rate == 0) return BATCH;
  const double ahead = (double)elapsed * 1e-9 * o->rate - (double)number;
  return ahead <= 0 ? 0 : ahead > BATCH ? BATCH : (int)ahead;
}

int main(int argc, char **argv) {
  static struct batch batch;
  const struct options o = parse(argc, argv);
  uint32_t order_count;
  const uint32_t *order = choose_flows(&o, &order_count);
  const int fd = open_packet_socket(o.interface, 0);
  interface_mac(fd, o.interface, batch.source);
  prepare(&batch);
  pin(o.cpu);
  stop_on_signals();
  const int64_t start = now_ns();
  const int64_t length = (int64_t)(o.seconds * 1e9);
  int64_t elapsed = 0;
  /* With one size and one flow, the frames of a batch never change. */
  const bool fixed = o.size != 0 && o.flows == 1;
  for (int i = 0; i < BATCH; i++) fill(&o, &batch, i, 0, 0);
  for (uint64_t number = 0; !stopping && elapsed < length; elapsed = now_ns() - start) {
    const int count = due(&o, elapsed, number);
    for (int i = 0; i < count && !fixed; i++) {
      fill(&o, &batch, i, number + (uint64_t)i, order[(number + (uint64_t)i) % order_count]);
    }
    send_batch(fd, &batch, count);
    number += (uint64_t)count;
  }
  printf("{\"sent\": %lu, \"errors\": %lu, \"seconds\": %.6f}\n", sent, errors,
         (double)elapsed * 1e-9);
  return 0;
}
