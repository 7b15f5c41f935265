"""One POST to network addresses that were looked up before: within a time, and without following redirects."""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from saastracker.errors import Unavailable
from saastracker_webhook.targets import Target

CONNECT_SECONDS = 5.0  # for each of the host's addresses
ADDRESSES_MAX = 3  # that are tried
SECONDS = 15.0  # from then to the end of the answer, however slowly that trickles in
ANSWER_MAX = 64 * 1024  # bytes of it that are read


def post(target: Target, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]) -> int:
    """The answer's status. Raises Unavailable if there is none."""
    host = target.host[:100]
    try:
        with _connected(target, addresses) as connection:
            connection.request("POST", target.path, body, dict(headers))
            answer = connection.getresponse()
            with suppress(OSError, http.client.HTTPException, ValueError):
                answer.read(ANSWER_MAX)  # it has answered already: this only lets it finish
            return answer.status
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(f"The certificate of {host} is not valid: {error.verify_message}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        told = str(error) if isinstance(error, TimeoutError) else type(error).__name__
        raise Unavailable(f"{host} cannot be reached, or answers nothing that is HTTP: {told}.") from error


@contextmanager
def _connected(target: Target, addresses: Sequence[str]) -> Iterator[http.client.HTTPConnection]:
    """A connection, TLS included, that ends when the time is over. Raises TimeoutError then."""
    kind = http.client.HTTPSConnection if target.secure else http.client.HTTPConnection
    connection = kind(target.host, target.port)
    connected = _connect(target, addresses)
    connected.settimeout(SECONDS)
    if target.secure:  # the handshake waits until the time runs
        context = ssl.create_default_context()
        connected = context.wrap_socket(connected, server_hostname=target.host, do_handshake_on_connect=False)
    connection.sock = connected
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)  # not that of TLS, which another thread is using

    timer = threading.Timer(SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        if isinstance(connected, ssl.SSLSocket):
            connected.do_handshake()
        yield connection
    except (OSError, http.client.HTTPException, ValueError):
        if late.is_set():
            raise TimeoutError(f"it took longer than {SECONDS:.0f} s") from None
        raise
    finally:
        timer.cancel()
        connection.close()


def _connect(target: Target, addresses: Sequence[str]) -> socket.socket:
    *others, last = addresses[:ADDRESSES_MAX]
    for ip in others:
        with suppress(OSError):
            return socket.create_connection((ip, target.port), CONNECT_SECONDS)
    return socket.create_connection((last, target.port), CONNECT_SECONDS)
