"""The Unity SDK in a small game: compiled by Mono outside Unity, driven line by line."""

import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.needing import missing

PACKAGE = Path(__file__).parents[2] / "contrib" / "sdk-unity"
WAIT_SECONDS = 30
SPEED = 300  # seconds of the client in one second: a batch waits 0.1 s, the first repetition 2 to 3 ms
HTTP = "-r:System.Net.Http"


def compiled(into: Path, *options: str) -> Path:
    """What Mono's compiler makes of `options`, as C# 7 and without a warning."""
    compiler = shutil.which("mcs")
    if compiler is None or shutil.which("mono") is None:
        missing("Mono is not installed: apt-get install mono-mcs mono-runtime libmono-system-net-http4.0-cil")
    command = [compiler, "-nologo", "-langversion:7", "-warn:4", "-warnaserror", HTTP, f"-out:{into}", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return into


def sources(*folders: str) -> list[str]:
    return [str(path) for folder in folders for path in sorted((PACKAGE / folder).rglob("*.cs"))]


class Game:
    """A game that runs; `options` are those of the driver."""

    def __init__(self, program: Path, **options: object) -> None:
        self._process = subprocess.Popen(
            ["mono", str(program), *(f"{name}={value}" for name, value in options.items())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.warnings: list[str] = []
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._answer()
        except BaseException:
            self.kill()
            raise

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            kind, _, text = line.rstrip("\n").partition(" ")
            if kind == "warning":
                self.warnings.append(text)
            else:
                self._answers.put(text)
        self._answers.put(None)

    def _answer(self) -> str:
        answer = self._answers.get(timeout=WAIT_SECONDS)
        assert answer is not None, "The game ended, its last words are on stderr."
        return answer

    def tell(self, *words: object) -> str:
        assert self._process.stdin
        self._process.stdin.write("\t".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def track(self, name: str, *, kind: str = "design", value: object = "", dim01: str = "", message: str = "") -> None:
        self.tell("track", kind, name, value, dim01, message)

    def waiting(self) -> int:
        """How many events the server has not answered yet."""
        return int(self.tell("state").split()[0])

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not true():
            assert time.monotonic() < deadline, self.warnings
            time.sleep(0.01)

    def sent(self) -> None:
        """Waits until no event waits."""
        self.until(lambda: self.waiting() == 0)

    def quit(self) -> int:
        """Ends it as its player does; the milliseconds that the SDK took.

        Mono's own end, behind the SDK's, hangs now and then on a busy machine, so it is not waited for.
        """
        took = int(self.tell("quit"))
        self.kill()
        return took

    def kill(self) -> None:
        """Ends it as a crash does."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe and not pipe.closed:
                pipe.close()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None
