"""The link that opens an order's page for whoever got its mail, without a login (ORD-2)."""

import base64
import hashlib
import hmac
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

import config
from models.order import Order
from models.order_number import read_number


class BadLink(Exception):
    """The token was not signed by this shop, or was altered."""


@lru_cache(maxsize=1)
def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key(), salt="order-link", signer_kwargs={"digest_method": hashlib.sha256})


def sign(order: Order) -> str:
    """A token for `order` that is safe in a URL. It does not expire: the mail is kept as a receipt."""
    return _serializer().dumps(order.number)


def read(token: str | None) -> str:
    """The number of the order that `token` opens; raises BadLink."""
    try:
        number = _serializer().loads(token or "")
    except (BadData, ValueError, TypeError) as error:
        raise BadLink from error
    if not isinstance(number, str):
        raise BadLink
    return number


# Of the mark that signs a short link: 50 bits, beside a number that nobody guesses either.
SHORT_MARK = 10


def sign_short(order: Order) -> str:
    """As `sign`, in so few letters that an SMS has room for it (DLV-5)."""
    compact = order.number.replace("-", "")
    return compact + _mark(compact)


def read_short(code: str) -> str:
    """The number of the order that a short link opens; raises BadLink."""
    compact, mark = code[:-SHORT_MARK], code[-SHORT_MARK:]
    if not code.isascii() or not hmac.compare_digest(_mark(compact), mark):
        raise BadLink
    return read_number(compact)


def _mark(compact: str) -> str:
    digest = hmac.new(config.secret_key().encode(), f"order-sms:{compact}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:SHORT_MARK]
