"""Longer `flask` commands, one noun per file."""

from contextlib import contextmanager

from models.base import db


@contextmanager
def connected():
    """The database open, and closed again if it was not."""
    opened = db.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            db.close()
