"""The network that fails on demand fails as it says."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.ports import held_port
from tests.harness.postgres import Postgres

PATIENCE_SECONDS = 60
SILENCE_SECONDS = 0.2


class EchoServer(socketserver.ThreadingTCPServer):
    """Answers every byte with itself and remembers what it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Echo)
        self.port: int = self.server_address[1]
        self.got = b""


class Echo(socketserver.BaseRequestHandler):
    server: EchoServer

    def handle(self) -> None:
        try:
            while chunk := self.request.recv(65_536):
                self.server.got += chunk
                self.request.sendall(chunk)
        except ConnectionResetError:
            return


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: EchoServer) -> Iterator[ChaosProxy]:
    with ChaosProxy(echo.port) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: ChaosProxy) -> Iterator[socket.socket]:
    with _connect(proxy) as client:
        yield client


def test_a_healthy_proxy_passes_everything_on(client: socket.socket, proxy: ChaosProxy) -> None:
    sent = bytes(range(256)) * 4_000
    threading.Thread(target=client.sendall, args=(sent,)).start()
    assert _receive(client, len(sent)) == sent
    assert proxy.traffic.accepted == 1
    assert proxy.traffic.up_bytes == proxy.traffic.down_bytes == len(sent)


def test_a_client_that_leaves_is_let_go_at_the_server(
    client: socket.socket, proxy: ChaosProxy, echo: EchoServer
) -> None:
    client.sendall(b"bye")
    client.close()
    _wait_for(lambda: echo.got == b"bye")
    with _connect(proxy) as next_client:
        next_client.sendall(b"!")
        assert _receive(next_client, 1) == b"!"


def test_dropped_answers_were_requests_the_server_got(
    client: socket.socket, proxy: ChaosProxy, echo: EchoServer
) -> None:
    proxy.faults.drop_down = True
    client.sendall(b"pay")
    _wait_for(lambda: echo.got == b"pay")
    assert _is_silent(client)
    proxy.heal()
    client.sendall(b"again")
    assert _receive(client, 5) == b"again"


def test_dropped_requests_never_reach_the_server(
    client: socket.socket, proxy: ChaosProxy, echo: EchoServer
) -> None:
    proxy.faults.drop_up = True
    client.sendall(b"pay")
    assert _is_silent(client)
    assert echo.got == b""


def test_a_black_hole_keeps_bytes_until_it_is_healed(
    client: socket.socket, proxy: ChaosProxy, echo: EchoServer
) -> None:
    proxy.faults.blackhole = True
    client.sendall(b"pay")
    assert _is_silent(client)
    assert echo.got == b""
    proxy.heal()
    assert _receive(client, 3) == b"pay"


def test_a_cut_resets_open_connections_and_spares_new_ones(
    client: socket.socket, proxy: ChaosProxy
) -> None:
    client.sendall(b"!")
    assert _receive(client, 1) == b"!"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with _connect(proxy) as next_client:
        next_client.sendall(b"?")
        assert _receive(next_client, 1) == b"?"


def test_a_cut_after_some_bytes_up_holds_back_the_last_of_them(
    client: socket.socket, proxy: ChaosProxy, echo: EchoServer
) -> None:
    proxy.faults.cut_after_up_bytes = 4
    client.sendall(b"one")
    assert _receive(client, 3) == b"one"
    client.sendall(b"two")
    with pytest.raises(ConnectionResetError):
        client.recv(3)
    assert echo.got == b"one"
    assert proxy.faults.cut_after_up_bytes is None


def test_a_delay_counts_for_each_way(client: socket.socket, proxy: ChaosProxy) -> None:
    proxy.faults.delay_seconds = 0.1
    sent_at = time.monotonic()
    client.sendall(b"!")
    assert _receive(client, 1) == b"!"
    assert time.monotonic() - sent_at >= 0.2


def test_a_refusing_proxy_and_a_missing_server_reset_the_client(proxy: ChaosProxy) -> None:
    proxy.faults.refuse = True
    with pytest.raises(ConnectionResetError):
        _first_byte(proxy)
    with (
        held_port() as port,
        ChaosProxy(port) as to_nobody,
        pytest.raises(ConnectionResetError),
    ):
        _first_byte(to_nobody)


def test_the_lost_answer_to_a_commit_leaves_the_row_committed(
    postgres: Postgres, postgres_url: str
) -> None:
    with ChaosProxy(postgres.port) as proxy:
        _execute(proxy.route(postgres_url), "CREATE TABLE paid (amount_minor integer)")
        proxy.faults.lose_answer_to = b"COMMIT"
        with pytest.raises(psycopg2.OperationalError):
            _execute(proxy.route(postgres_url), "INSERT INTO paid VALUES (500)")
        _execute(proxy.route(postgres_url), "INSERT INTO paid VALUES (700)")
    with closing(psycopg2.connect(postgres_url)) as session, session.cursor() as cursor:
        cursor.execute("SELECT amount_minor FROM paid ORDER BY 1")
        assert cursor.fetchall() == [(500,), (700,)]


def _connect(proxy: ChaosProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=PATIENCE_SECONDS)


def _first_byte(proxy: ChaosProxy) -> bytes:
    with _connect(proxy) as client:  # a fast reset can arrive while connecting
        return client.recv(1)


def _receive(client: socket.socket, length: int) -> bytes:
    got = b""
    while len(got) < length:
        chunk = client.recv(length - len(got))
        assert chunk, f"the connection ended after {len(got)} of {length} bytes"
        got += chunk
    return got


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)


def _is_silent(client: socket.socket) -> bool:
    client.settimeout(SILENCE_SECONDS)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        client.settimeout(PATIENCE_SECONDS)


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute(statement)
        session.commit()
