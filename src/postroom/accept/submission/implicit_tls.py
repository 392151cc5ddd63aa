"""The port for implicit TLS: a client that speaks plain SMTP there is told so, in words it can read.

Both sides would wait for each other otherwise: the client for a banner, we for a handshake. So the first octet is
looked at, not taken, before TLS begins.
"""

from __future__ import annotations

import asyncio
import socket

from postroom.accept.submission.connection import Connection
from postroom.accept.submission.context import Context
from postroom.accept.submission.limits import client_address
from postroom.types.refusals import PLAIN_ON_TLS_PORT, Refused

SILENCE = 3.0  # a TLS client speaks first; one that is silent waits for a banner
LINGER = 2.0
_HANDSHAKE = b"\x16"  # the content type of a TLS record with a ClientHello (RFC 8446 section 5.1)
_FAREWELL_READS = 64


async def serve(context: Context, listening: socket.socket) -> None:
    """Accept until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            accepted, address = await loop.sock_accept(listening)
        except OSError:  # out of descriptors, or the client is gone already
            await asyncio.sleep(0.1)
            continue
        context.spawn(_open(context, accepted, client_address(address[0])))


async def _open(context: Context, accepted: socket.socket, client: str) -> None:
    refused = context.open.enter(client)
    connection = Connection(context, client)
    try:
        if refused is not None:
            # Words would need a handshake first, and that is just what is too much now.
            context.record(refused, client)
        elif await _first_octet(accepted) == _HANDSHAKE:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=context.tls_context(),
                ssl_handshake_timeout=context.limits.handshake_timeout,
            )
        else:
            context.record(Refused(PLAIN_ON_TLS_PORT), client)
            await _say(accepted, Refused(PLAIN_ON_TLS_PORT).reply(context.settings.link).encode())
    except OSError:
        pass  # the client is gone, or its handshake failed
    finally:
        if not connection.made:
            context.open.leave(client)
            accepted.close()


async def _first_octet(accepted: socket.socket) -> bytes:
    """Look at it without taking it; b"" after some seconds of silence. Raises OSError when the client is gone."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(accepted, readable.set)
    try:
        async with asyncio.timeout(SILENCE):
            await readable.wait()
    except TimeoutError:
        return b""
    finally:
        loop.remove_reader(accepted)
    octet = accepted.recv(1, socket.MSG_PEEK)
    if not octet:
        raise ConnectionResetError("closed before a word")
    return octet


async def _say(accepted: socket.socket, reply: bytes) -> None:
    """Send the last word and see that it arrives: what is unread at close would reset the connection before."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(accepted, reply)
    accepted.shutdown(socket.SHUT_WR)
    try:
        async with asyncio.timeout(LINGER):
            for _ in range(_FAREWELL_READS):
                if not await loop.sock_recv(accepted, 4096):
                    return
    except TimeoutError:
        return
