"""Finding the program, and calling it for answers that come at once."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from typing import Sequence, Union

from ._errors import error_of

PathLike = Union[str, "os.PathLike[str]"]

_BUILDS = ("build", "build-debug", "build-asan")  # of CMakePresets.json


def program() -> pathlib.Path:
    """The program that does the work: SOUK_PROGRAM, that of the build tree around this package, or `souk` on the PATH.

    Raises FileNotFoundError where none of them is there.
    """
    named = os.environ.get("SOUK_PROGRAM", "")
    if named:
        if not os.access(named, os.X_OK) or os.path.isdir(named):
            raise FileNotFoundError(f"SOUK_PROGRAM = {named}: is no program that can be run")
        return pathlib.Path(named).absolute()
    repository = pathlib.Path(__file__).resolve().parents[3]
    if (repository / "CMakePresets.json").is_file():
        for build in _BUILDS:
            if os.access(repository / build / "souk", os.X_OK):
                return repository / build / "souk"
    found = shutil.which("souk")
    if found is None:
        raise FileNotFoundError("the program 'souk' is not found: build it, or name it in SOUK_PROGRAM or the PATH")
    return pathlib.Path(found).absolute()


def call(words: Sequence[str]) -> bytes:
    """What `souk WORDS` prints. Raises SoukError where it ends with an error."""
    ended = subprocess.run([str(program()), *words], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ended.returncode != 0:
        raise error_of(ended.returncode, ended.stderr.decode(errors="replace"))
    return ended.stdout


def call_for_text(words: Sequence[str]) -> str:
    """The same as text."""
    return call(words).decode()


def version() -> str:
    """Version and commit of the program, and of the libraries it computes with."""
    return call_for_text(["--version"])
