"""Order numbers: short enough to say over the phone, not to be guessed, a mistyped one is recognised (ORD-3)."""

import re
import secrets

from stdnum.iso7064 import mod_37_2

import config

# Without I, L, O and U: they are misread or misheard.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = config.FACE.order_prefix
MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


class MistypedNumber(ValueError):
    """It has not the form of an order number, or its check character does not fit."""


def new_number() -> str:
    """A random number such as DY-7K3M-9QPX-7: 40 random bits and a check character.

    ISO 7064 mod 37-2 finds every wrong character and every swap; its cousin mod 37,36 lets some swaps pass.
    """
    while True:
        body = "".join(secrets.choice(ALPHABET) for _ in range(8))
        check = mod_37_2.calc_check_digit(body)
        # Numbers whose check character could be misread, or is none (*), are passed over.
        if check in ALPHABET:
            return f"{PREFIX}-{body[:4]}-{body[4:]}-{check}"


def read_number(text: str) -> str:
    """The number that `text` means, however it is spaced and cased; raises MistypedNumber."""
    compact = re.sub(r"[^0-9A-Z]", "", text.upper())
    # A number may itself begin with the letters of the prefix, and be said without it.
    body = (compact.removeprefix(PREFIX) if len(compact) > 9 else compact).translate(MISREAD)
    if len(body) != 9 or any(character not in ALPHABET for character in body):
        raise MistypedNumber(text)
    if not mod_37_2.is_valid(body):
        raise MistypedNumber(text)
    return f"{PREFIX}-{body[:4]}-{body[4:8]}-{body[8]}"
