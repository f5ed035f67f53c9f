"""A program at work for as long as it takes: its progress, its end, and how it is interrupted."""

from __future__ import annotations

import atexit
import contextlib
import re
import signal
import subprocess
import sys
import threading
import weakref
from typing import Any, Callable, List, Optional, Sequence

from ._errors import SoukError, error_of
from ._program import program

_PROGRESS = re.compile(r"round \d+/\d+  |\d+ of \d+ runs done")
_AT_WORK: "weakref.WeakSet[Job]" = weakref.WeakSet()


def shows_progress() -> bool:
    """Whether somebody looks: standard error is a terminal, or this is a notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return sys.stderr.isatty() or type(shell).__name__ == "ZMQInteractiveShell"


class Job:
    """`souk WORDS` in the background. Its ranks are in a process group of their own: a Ctrl-C is passed on once."""

    def __init__(self, words: Sequence[str], held: contextlib.ExitStack, progress: Optional[bool]):
        """Starts it.

        held: a context, entered already, that is left at the end, with the error if there is one. progress: show it;
        None: where somebody looks.
        """
        self._held = held
        self._shown = shows_progress() if progress is None else progress
        self._width = 0  # of the line of progress that is on the screen
        self.messages: List[str] = []
        self.output: List[str] = []
        self.progress = ""
        self.error: Optional[SoukError] = None  # that it ended with
        self._heard = threading.Condition()
        self._process = subprocess.Popen(
            [str(program()), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stderr, self._take_message), daemon=True),
            threading.Thread(target=self._read, args=(self._process.stdout, self.output.append), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        _AT_WORK.add(self)

    def _read(self, pipe: Any, take: Callable[[str], None]) -> None:
        for line in pipe:
            with self._heard:
                take(line.rstrip("\n"))
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()

    def _take_message(self, line: str) -> None:
        if _PROGRESS.match(line):
            self.progress = line
            self._show(line, final=False)
            return
        self.messages.append(line)
        self._show(line, final=True)

    def _show(self, line: str, final: bool) -> None:
        if not self._shown:
            return
        sys.stderr.write("\r" + line.ljust(self._width) + ("\n" if final else ""))
        sys.stderr.flush()
        self._width = 0 if final else len(line)

    @property
    def running(self) -> bool:
        """Whether the program is still at work."""
        return self._process.poll() is None

    def wait_for(self, find: Callable[[], Optional[str]]) -> Optional[str]:
        """What `find` finds in what the program has said so far, as soon as it does; None where it ends before."""
        with self._heard:
            while (found := find()) is None and any(reader.is_alive() for reader in self._readers):
                self._heard.wait(0.1)
        return found

    def wait(self) -> None:
        """Waits for the end. Raises SoukError; a KeyboardInterrupt ends it, after a checkpoint, and goes on."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            self.interrupt()
            raise
        self._end()
        if self.error is not None:
            raise self.error

    def interrupt(self) -> None:
        """Ends the program as Ctrl-C does: after the round in hand and a checkpoint. Waits for that."""
        if self.running:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait()
        except KeyboardInterrupt:  # the second one is meant
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._end()

    def _end(self) -> None:
        if self not in _AT_WORK:  # it was over before
            return
        _AT_WORK.discard(self)
        for reader in self._readers:
            reader.join()
        if self._width:
            self._show(self.progress, final=True)
        self._process.stdout.close()
        self._process.stderr.close()
        try:
            with self._held:
                if self._process.returncode != 0:
                    raise error_of(self._process.returncode, "\n".join(self.messages))
        except SoukError as error:
            self.error = error


@atexit.register
def _interrupt_all() -> None:
    """Jobs end with Python, so that they can be resumed and nothing computes on unseen."""
    for job in list(_AT_WORK):
        job.interrupt()
