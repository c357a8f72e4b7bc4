import io
import threading
from typing import Never

from api.log_lines import LogLines


class _Gone(io.RawIOBase):
    """A reader that has gone away."""

    def writable(self) -> bool:
        return True

    def write(self, _line: object) -> Never:
        raise BrokenPipeError


def test_every_line_is_written_once_and_in_the_order_of_its_thread() -> None:
    out = io.BytesIO()
    lines = LogLines(out)

    def talk(name: str) -> None:
        for number in range(500):
            lines.info(f"{name} {number}".encode())

    talkers = [threading.Thread(target=talk, args=(name,)) for name in ("anna", "ben", "cleo")]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    lines.write()
    told = out.getvalue().decode().splitlines()
    assert len(told) == 1_500
    for name in ("anna", "ben", "cleo"):
        assert [line for line in told if line.startswith(name)] == [
            f"{name} {number}" for number in range(500)
        ]


def test_lines_are_written_without_being_asked_for() -> None:
    is_written = threading.Event()

    class Told(io.BytesIO):
        def flush(self) -> None:
            is_written.set()

    out = Told()
    LogLines(out).info(b"a line")
    assert is_written.wait(10)
    assert out.getvalue() == b"a line\n"


def test_a_reader_that_is_gone_stops_nobody() -> None:
    lines = LogLines(io.BufferedWriter(_Gone(), 1))
    for _ in range(3):
        lines.warning(b"a line")
        lines.write()
