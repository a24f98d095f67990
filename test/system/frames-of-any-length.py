"""Sends frames of every size from one byte up, and with lying headers, from the interface named."""
import socket
import sys

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
broadcast = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x99"
for kind in (b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x08\x06", b"\x88\x47", b"\x00\x10"):
    for size in range(0, 120):
        for fill in (b"\x00", b"\x45", b"\xff"):
            try:
                s.send(broadcast + kind + fill * size)
            except OSError:
                pass  # the kernel itself refuses the shortest
