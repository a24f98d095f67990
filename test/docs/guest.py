"""
A virtual machine as far as the host can tell: one program that holds a TAP with
a virtio-net header and offloads, as QEMU does for a guest with a virtio-net
card. The guest is the network stack of another namespace: its interface is a
TAP as well, held by this same program, which carries frames from one to the
other, header and all.

    guest.py TAP GUEST_NAMESPACE GUEST_INTERFACE
"""
import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD = 0x400454CA, 0x400454D8, 0x400454D0
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
CLONE_NEWNET = 0x40000000
HEADER_SIZE = 10
SUPER_FRAME = 65536 + HEADER_SIZE


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack("i", HEADER_SIZE))
    fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return fd


def enter(namespace):
    with open("/run/netns/" + namespace) as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns " + namespace)


def carry(source, target):
    try:
        frame = os.read(source, SUPER_FRAME)
        os.write(target, frame)
    except (BlockingIOError, OSError):
        pass  # A TAP that is down or full loses frames, as a cable does.


def main():
    tap, namespace, interface = sys.argv[1:]
    host = open_tap(tap)
    enter(namespace)
    guest = open_tap(interface)
    print("running", flush=True)
    other = {host: guest, guest: host}
    while True:
        for fd in select.select(list(other), [], [])[0]:
            carry(fd, other[fd])


main()
