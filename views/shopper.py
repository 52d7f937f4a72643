"""The person at the other end of a request: cart, profile, language. Loaded only when asked for."""

from flask import g, request
from flask_login import current_user

import config
from models.base import utcnow
from models.cart import TOUCHED_EVERY, Cart, Chosen
from models.number import Number
from models.quote import Quote, together
from views.respond import keep_cookie

COOKIE = "cart"


class PersonalInKept(RuntimeError):
    """A page that is kept for everybody asked for something of one person."""


class Shopper:
    def __init__(self):
        self.now = utcnow()
        self._cart = None
        # Whether the cookie's cart is another profile's: asked once.
        self._is_foreign = False
        self._lines: list[Chosen] | None = None
        self._numbers: list[Number] | None = None

    @property
    def token(self) -> str | None:
        return request.cookies.get(COOKIE)

    @property
    def profile(self):
        return current_user._get_current_object() if current_user.is_authenticated else None

    @property
    def numbers(self) -> list[Number]:
        """The numbers that were added to the profile, with their holders (PRO-5); none for a guest. One query."""
        if self._numbers is None:
            self._numbers = Number.of_profile(self.profile) if self.profile is not None else []
        return self._numbers

    @property
    def segment(self) -> str | None:
        """Which promotions apply (CAT-5, ELG-6): "private", "business", or None where nobody knows.

        Who has numbers of both kinds may buy as a private subscriber.
        """
        if not self.numbers:
            return None
        return "private" if any(number.holder.is_private for number in self.numbers) else "business"

    @property
    def cart(self) -> Cart | None:
        """The cart this browser holds, or None; never begins one.

        A profile's cart is for who is logged in to it alone: the next person at a browser that was closed finds none,
        and it waits for its profile's next login (CRT-4, PRV-1). Asking who is in costs a query for such a cart only.
        """
        if self._cart is None and self.token and not self._is_foreign:
            held = Cart.of_token(self.token)
            self._is_foreign = held is not None and held.profile_id is not None and not self._is_in(held.profile_id)
            self._cart = None if self._is_foreign else held
            if self._cart is not None and self._cart.seen_at < self.now - TOUCHED_EVERY:
                # Its days count from the last visit, not from the last choice (CRT-4).
                self._cart.touch(self.now)
                g.cart_token = self._cart.token
        return self._cart

    def _is_in(self, profile_id: int) -> bool:
        profile = self.profile
        return profile is not None and profile.id == profile_id

    def cart_to_fill(self) -> Cart:
        """The cart, begun when there is none: the answer carries its cookie (CRT-4)."""
        if self.cart is None:
            self._cart = Cart.begin(self.now)
            if self.profile is not None:
                # Begun after the login: it is the profile's all the same, and waits there for the next one.
                self._cart = self._cart.join(self.profile, self.now)
                self._lines = None
        g.cart_token = self._cart.token
        return self._cart

    def take_cart(self, cart: Cart) -> None:
        self._cart, self._lines = cart, None
        g.cart_token = cart.token

    def lines(self) -> list[Chosen]:
        if self._lines is None:
            self._lines = self.cart.lines(self.now, lambda: self.segment) if self.cart else []
        return self._lines

    def forget_lines(self) -> None:
        self._lines = None

    @property
    def count(self) -> int:
        return sum(chosen.quantity for chosen in self.lines())

    @property
    def total(self) -> int:
        """Of all devices, however they are paid; minor units."""
        return sum(chosen.total for chosen in self.lines())

    @property
    def due(self) -> Quote:
        """What the cart costs now, on the first bill and each month."""
        return together(chosen.quote for chosen in self.lines())


def shopper() -> Shopper:
    """This request's shopper. Raises PersonalInKept while a page for everybody is rendered."""
    if g.get("keeping"):
        raise PersonalInKept("A kept page must leave a hole for what is personal.")
    if "shopper" not in g:
        g.shopper = Shopper()
    return g.shopper


def carry_cart(response):
    """Give the browser its cart for CART_DAYS more."""
    token = g.get("cart_token")
    if token:
        keep_cookie(response, COOKIE, token, config.CART_DAYS)
    return response
