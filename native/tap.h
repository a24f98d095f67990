/*
 * Opening TAP devices, for tap.c's functions and for the probe of io_uring.
 */
#ifndef TAPFLOW_TAP_H
#define TAPFLOW_TAP_H

#include <net/if.h>
#include <stdbool.h>

/* OFFLOAD_* of src/native.ts. */
enum { OFFLOAD_CSUM = 1, OFFLOAD_TSO4 = 2, OFFLOAD_TSO6 = 4, OFFLOAD_USO = 8 };

/*
 * Opens or joins the TAP `name`, non-blocking, with a virtio-net header of 10
 * bytes; `name` becomes the device's own where it held "%d".
 * @returns a descriptor, or -errno
 */
int tap_open(char name[IFNAMSIZ], bool multi_queue, bool persist);

#endif
