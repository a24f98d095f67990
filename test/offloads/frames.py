"""Sends or receives frames together with their virtio-net headers.

frames.py send IFACE FILE       each line of FILE: a virtio-net header and a frame, in hex
frames.py receive IFACE SOURCE  prints "ready", then a line for each frame from the MAC
                                SOURCE (hex): virtio-net header, VLAN tag that the kernel
                                took off (TPID and TCI, or -), frame, in hex
"""
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 8, 15, 23
SO_RCVBUFFORCE, ETH_P_ALL, VNET_SIZE, MAC_SIZE = 33, 3, 10, 6
AUXDATA = struct.Struct("=IIIHHHH")
VLAN_VALID = 1 << 4


def tag_of(control):
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = AUXDATA.unpack(data[: AUXDATA.size])
            if status & VLAN_VALID:
                return "%04x%04x" % (tpid, tci)
    return "-"


verb, iface, what = sys.argv[1:]
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL) if verb == "receive" else 0)
port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
port.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
port.bind((iface, 0 if verb == "send" else ETH_P_ALL))

if verb == "send":
    with open(what) as lines:
        for line in lines:
            port.send(bytes.fromhex(line.strip()))
else:
    print("ready", flush=True)
    source = bytes.fromhex(what)
    while True:
        data, control, _, _ = port.recvmsg(1 << 17, 1024)
        frame = data[VNET_SIZE:]
        if frame[MAC_SIZE : 2 * MAC_SIZE] == source:
            print(data[:VNET_SIZE].hex(), tag_of(control), frame.hex(), flush=True)
