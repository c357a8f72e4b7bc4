"""A program in a process of its own, which ends with the block that uses it."""

import subprocess
from types import TracebackType


class Program(subprocess.Popen[str]):
    """Killed where its block fails, which would otherwise wait for ever for its end."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, error, trace)
