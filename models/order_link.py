"""The link that opens an order's page for whoever got its mail, without a login (ORD-2)."""

import hashlib
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

import config
from models.order import Order


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
