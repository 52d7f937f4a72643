"""PNG pictures that are drawn when somebody first asks for them, and kept on the disk by what is in them.

A name is the hash of what a picture shows, so a file is never old: it may be deleted at any time, by anybody.
Together they take at most DYQANI_DRAWN_MB; those that were drawn first go first. How much time goes into drawing is
bounded too, for each process: whoever asks for all pictures of the shop at once waits, and nobody else does.
"""

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import config

NAME = re.compile("[0-9a-f]{16}")
# Of each second, this part may go into drawing; so many seconds of it are there for a start, or after a rest.
SHARE = 0.2
RESERVE = 6.0
# After so many new pictures one looks how much there is.
_SWEEP_EVERY = 40


class TooBusy(Exception):
    """Enough was drawn for now; `seconds` until there is time again."""

    def __init__(self, seconds: int):
        super().__init__(seconds)
        self.seconds = seconds


class Effort:
    """Seconds of work that may still be spent: they come back by and by, up to `reserve`."""

    def __init__(self, share: float = SHARE, reserve: float = RESERVE, clock: Callable[[], float] = time.monotonic):
        self.share, self.reserve, self.clock = share, reserve, clock
        self._left, self._seen = reserve, clock()
        self._turn = threading.Lock()

    def spend(self, work: Callable[[], bytes]) -> bytes:
        """What `work` gives; one at a time. Raises TooBusy when the time is used up."""
        with self._turn:
            now = self.clock()
            self._left = min(self.reserve, self._left + (now - self._seen) * self.share)
            self._seen = now
            if self._left <= 0:
                raise TooBusy(1 + int(-self._left / self.share))
            try:
                return work()
            finally:
                self._left -= self.clock() - now


class Drawn:
    """The pictures in one folder, `most` bytes of them."""

    def __init__(self, folder: Path, most: int, effort: Effort | None = None):
        self.folder, self.most = folder, most
        self.effort = effort or Effort()
        self._new = 0

    def path_of(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError("No name of a picture.")
        return self.folder / name[:2] / f"{name}.png"

    def kept(self, name: str) -> bytes | None:
        """The picture of this name, or None."""
        try:
            return self.path_of(name).read_bytes()
        except OSError:
            return None

    def get(self, name: str, draw: Callable[[], bytes]) -> bytes:
        """The picture of this name, drawn by `draw` where it is not there. Raises TooBusy."""
        found = self.kept(name)
        if found is None:
            found = self.effort.spend(draw)
            # A full disk takes no picture away from anybody.
            with suppress(OSError):
                self._put(name, found)
        return found

    def _put(self, name: str, picture: bytes) -> None:
        path = self.path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, scratch = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(picture)
            os.replace(scratch, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(scratch)
            raise
        self._new += 1
        if self._new >= _SWEEP_EVERY:
            self._new = 0
            self.sweep()

    def sweep(self) -> int:
        """Delete the oldest until all fit with room to spare; returns how many went."""
        found = []
        for path in self.folder.glob("*/*"):
            with suppress(OSError):
                known = path.stat()
                found.append((known.st_mtime, known.st_size, path))
        size, gone = sum(one[1] for one in found), 0
        if size <= self.most:
            return 0
        for _, one, path in sorted(found):
            if size <= self.most * 4 // 5:
                break
            with suppress(OSError):
                path.unlink()
                size -= one
                gone += 1
        return gone


drawn = Drawn(config.DRAWN, config.DRAWN_MB * 1_000_000)
