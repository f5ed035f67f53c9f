"""What the program ends with, as exceptions."""

from __future__ import annotations

import signal


class SoukError(RuntimeError):
    """The program ended with an error, whose sentence is the message. exit_code: the program's."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class InputError(SoukError, ValueError):
    """Something given is wrong: a field, an argument, a file (exit code 2)."""


class RunFailed(SoukError):
    """The run, or a run of a sweep, failed or was killed; the message says why."""


class InternalError(SoukError):
    """A fault of Souk (exit code 70)."""


class Interrupted(SoukError):
    """Somebody ended the run by a signal, after a checkpoint: it can be resumed (exit codes 130 and 143)."""


# How a resumable end is said on a terminal; not the reason of anything.
_ADVICE = "the same command with --resume continues"


def sentence_in(stderr: str) -> str:
    """The last message that the program printed, without its name in front; it may have several lines."""
    lines = [line for line in stderr.splitlines() if line.strip() and not line.endswith(_ADVICE)]
    begin = max((i for i, line in enumerate(lines) if line.startswith("souk: ")), default=0)
    return "\n".join(lines[begin:]).removeprefix("souk: ")


def error_of(exit_code: int, stderr: str) -> SoukError:
    """The exception for an exit code other than 0; negative: minus the signal that killed the program."""
    ends = (130, 143, -signal.SIGINT, -signal.SIGTERM)  # the last two before it listens to them: nothing was begun
    kinds = {2: InputError, 3: RunFailed, 70: InternalError, **dict.fromkeys(ends, Interrupted)}
    fallback = f"souk was killed by signal {-exit_code}" if exit_code < 0 else f"souk ended with exit code {exit_code}"
    return kinds.get(exit_code, RunFailed)(sentence_in(stderr) or fallback, exit_code)
