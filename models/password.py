"""Passwords: what is taken for one, and how it is kept (PRO-1, PRO-2)."""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

import config

LEAST = 8
MOST = 200

_hasher = PasswordHasher(memory_cost=config.PASSWORD_MEMORY)
# Checking against it takes as long as against a real one: time does not tell whether an e-mail is known.
NOBODYS = _hasher.hash("nobody has this password")

# Those that are tried first, by people and by programs; of the shops' own languages too.
COMMON = frozenset((config.ROOT / "data" / "common_passwords.txt").read_text(encoding="utf-8").split())


class WeakPassword(Exception):
    """Not taken for a password; `reason` is "short", "long", "common" or "email"."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def refuse_weak(password: str, email: str = "") -> None:
    """Raise WeakPassword for one that is short, among the first to be tried, or the e-mail itself.

    Nothing is asked of its letters and signs: such rules make passwords that are forgotten, not ones that are hard
    to guess.
    """
    text = _composed(password)
    if len(text) < LEAST:
        raise WeakPassword("short")
    if len(text) > MOST:
        raise WeakPassword("long")
    plain = text.casefold()
    if plain in COMMON or len(set(plain)) < 3:
        raise WeakPassword("common")
    if email and plain in (email.casefold(), email.casefold().partition("@")[0]):
        raise WeakPassword("email")


def hash_of(password: str) -> str:
    return _hasher.hash(_composed(password))


def opens(password_hash: str, password: str) -> bool:
    """Whether `password` is the one that `password_hash` was made of; takes its time on purpose."""
    try:
        return _hasher.verify(password_hash, _composed(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than are used today."""
    return _hasher.check_needs_rehash(password_hash)


def _composed(password: str) -> str:
    # One keyboard writes ë as one character, another as e with a dieresis.
    return unicodedata.normalize("NFC", password)
