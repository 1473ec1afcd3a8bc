"""What a TCP connection has carried, by the kernel's own count."""

import socket
import struct

#: struct tcp_info of linux/tcp.h: where the 64 bits tcpi_bytes_received and _sent stand.
_RECEIVED_AT, _SENT_AT, _LENGTH = 128, 200, 208


def carried(connection: socket.socket) -> tuple[int, int]:
    """Bytes sent, those sent again included, and received. Linux 4.19 or newer; else (0, 0).

    Raises OSError for a socket that is closed.
    """
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(info) < _LENGTH:
        return 0, 0
    sent, received = (struct.unpack_from("@Q", info, at)[0] for at in (_SENT_AT, _RECEIVED_AT))
    return sent, received
