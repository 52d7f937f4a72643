"""Where a test lets a process die in the middle of something, as kill -9 would.

DYQANI_CRASH_AT names the point and is heard with DYQANI_ENV=test alone; it is no setting of a shop. The points are
those that no timing from outside can hit for sure.
"""

import os
import signal

import config

_POINT = os.environ.get("DYQANI_CRASH_AT", "") if config.ENV == "test" else ""


def at(point: str) -> None:
    """Die here when this is the point that was asked for."""
    if point == _POINT:
        os.kill(os.getpid(), signal.SIGKILL)
