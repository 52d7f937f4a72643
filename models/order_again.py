"""Ordering again: the devices of a past order, put into the cart as they are sold today (OFF-5, CAT-5, CRT-4).

`look` says of each line what it would be now, or why it cannot be had; it writes nothing. `put` makes the cart hold
what can be had. Done twice, the cart is the same.
"""

from dataclasses import dataclass

import config
from models.base import db, locked
from models.cart import Cart, CartLine, Chosen, NotForSale
from models.catalogue import Device, Tariff, TariffPrice, Variant
from models.eligibility import Reason, ways_left
from models.number import Number
from models.order import Order, OrderLine
from models.payment_ways import CARD, ways
from models.pricing import Price
from models.profile import Profile
from models.standing import reasons_against, standings


@dataclass(frozen=True)
class Again:
    """A line of the past order today. `outcome` is one of:

    in_cart, ready (it can be put there), gone (out of the catalogue), sold_out, not_offered (not in this tariff any
    more), login (a contract on one's own number), number_gone (not the profile's any more), not_allowed (`reasons`
    say why).
    """

    line: OrderLine
    outcome: str
    # Its line of the cart; of what is not allowed, how it was wanted.
    chosen: Chosen | None = None
    wanted: Chosen | None = None
    reasons: tuple[Reason, ...] = ()
    # How it is to be paid, where it was paid otherwise and that is not possible now.
    payment: str | None = None
    # Where it is sold, for who wants something else of it; None where it is not listed.
    device: Device | None = None

    @property
    def price_before(self) -> int | None:
        """What a piece cost then, in minor units, where it costs something else now."""
        if self.chosen is None or self.chosen.price.now == self.line.price:
            return None
        return self.line.price

    @property
    def lost_gift(self) -> dict | None:
        """The gift that came with it then and does not now."""
        return self.line.gift if self.chosen is not None and self.line.gift and self.chosen.gift is None else None

    @property
    def fewer(self) -> int | None:
        """How many pieces the cart holds, where that is fewer than were ordered."""
        if self.outcome != "in_cart" or self.chosen.quantity >= self.line.quantity:
            return None
        return self.chosen.quantity

    @property
    def pays_otherwise(self) -> bool:
        return self.chosen is not None and (self.chosen.line.payment, self.chosen.line.parts) != (
            self.line.payment,
            self.line.parts,
        )

    @property
    def is_as_it_was(self) -> bool:
        """In the cart, with nothing to be told of it."""
        told = (self.price_before, self.lost_gift, self.fewer, self.pays_otherwise or None)
        return self.outcome == "in_cart" and self.chosen.is_available and all(one is None for one in told)


class Repeat:
    """Putting one order into a cart again, for who is at the other end."""

    def __init__(self, order: Order, profile: Profile | None, numbers: list[Number], segment: str | None, now):
        self.order, self.profile, self.numbers, self.segment, self.now = order, profile, numbers, segment, now
        self.lines = order.lines()
        variants = Variant.select(Variant, Device).join(Device)
        found = variants.where(Variant.id.in_([line.variant_id for line in self.lines]))
        self._variants = {variant.id: variant for variant in found}
        codes = {line.tariff["code"] for line in self.lines if line.tariff}
        tariffs = Tariff.select().where(Tariff.code.in_(codes)) if codes else []
        self._tariffs = {tariff.code: tariff for tariff in tariffs}
        prices = (
            TariffPrice.select().where(
                TariffPrice.variant.in_(list(self._variants)), TariffPrice.tariff.in_(list(self._tariffs.values()))
            )
            if codes
            else []
        )
        self._offered = {(one.variant_id, one.tariff_id, one.contract_type): one.price for one in prices}
        self._known = standings([number.holder.id for number in numbers], now) if codes else {}

    def look(self, cart: Cart | None) -> list[Again]:
        """Each line of the order as it is today; at most eight queries, however many lines there are."""
        chosen = cart.lines(self.now, self.segment) if cart is not None else []
        return [self._look(line, chosen) for line in self.lines]

    def put(self, cart: Cart) -> list[Again]:
        """Put into `cart` what can be had, and say of each line what became of it.

        In one transaction with the cart's row held: two presses at once put everything there once. A line that is
        there already stays, with the larger number of pieces. Raises Cart.DoesNotExist.
        """
        with db.atomic():
            cart = locked(Cart.select().where(Cart.id == cart.id)).get()
            for line in self.lines:
                # Anew for each: the line before may have taken its number, or its gift.
                again = self._look(line, cart.lines(self.now, self.segment))
                if again.outcome == "ready":
                    self._add(cart, again)
                elif again.outcome == "in_cart" and not line.is_contract:
                    self._raise(cart, again.chosen.line, line.quantity)
        return self.look(cart)

    def _look(self, line: OrderLine, lines: list[Chosen]) -> Again:
        variant = self._variants[line.variant_id]
        device = variant.device if variant.device.listed else None
        there = next((chosen for chosen in lines if self._is(chosen, line)), None)
        if there is not None:
            return Again(line, "in_cart", there, device=device)
        if device is None or not variant.listed:
            return Again(line, "gone", device=device)
        payment, number, reasons = line.payment, None, []
        if line.is_contract:
            tariff = self._tariffs.get(line.tariff["code"])
            offered = tariff is not None and tariff.listed
            if not offered or (variant.id, tariff.id, line.contract_type) not in self._offered:
                return Again(line, "not_offered", device=device)
            if line.contract_type == "besnik24":
                if self.profile is None:
                    return Again(line, "login", device=device)
                number = next((one for one in self.numbers if one.msisdn == line.msisdn), None)
                if number is None:
                    return Again(line, "number_gone", device=device)
            payment, wanted, reasons = self._payment(line, variant, number, lines)
            if reasons:
                return Again(line, "not_allowed", wanted=wanted, reasons=tuple(reasons), device=device)
        if variant.stock < 1:
            return Again(line, "sold_out", device=device)
        return Again(line, "ready", payment=payment, device=device)

    def _is(self, chosen: Chosen, line: OrderLine) -> bool:
        """Whether a line of the cart is what the order's was: the same piece, contract, tariff and own number."""
        if (chosen.variant.id, chosen.contract_type) != (line.variant_id, line.contract_type):
            return False
        if not line.is_contract:
            return True
        same = chosen.tariff is not None and chosen.tariff.code == line.tariff["code"]
        return same and (line.contract_type != "besnik24" or chosen.msisdn == line.msisdn)

    def _payment(self, line: OrderLine, variant: Variant, number: Number | None, lines):
        """As it was paid then, else by card; the line as it would be, and what stands against it (PAY-1, ELG-1…5)."""
        offered = self._offered[(variant.id, self._tariffs[line.tariff["code"]].id, line.contract_type)]
        open_ways = ways(line.contract_type, self.profile is not None, bool(self.numbers))
        wanted = line.payment if line.payment in open_ways else CARD
        for payment in dict.fromkeys((wanted, CARD)):
            made = CartLine(variant=variant, contract_type=line.contract_type, payment=payment, number=number)
            one = Chosen(made, Price(offered), now=self.now)
            reasons = reasons_against(
                one, self.numbers, lines, self.now, number=number, payment=payment, known=self._known
            )
            if payment in ways_left([payment], reasons):
                return payment, one, []
        return CARD, one, reasons

    def _add(self, cart: Cart, again: Again) -> None:
        line, variant = again.line, self._variants[again.line.variant_id]
        more = {}
        if line.is_contract:
            # The parts of an order that is paid otherwise now belong to instalments alone.
            parts = line.parts if again.payment == line.payment else None
            more = {"tariff": self._tariffs[line.tariff["code"]], "payment": again.payment, "parts": parts}
        try:
            made = cart.add(variant, self.now, self.segment, contract_type=line.contract_type, **more)
        except NotForSale:
            # Sold, or taken out, since it was read: the look that follows says so.
            return
        if line.contract_type == "besnik24":
            cart.choose_number(made.id, next(one for one in self.numbers if one.msisdn == line.msisdn))
        elif not line.is_contract:
            self._raise(cart, made, line.quantity)

    def _raise(self, cart: Cart, held: CartLine, quantity: int) -> None:
        """As many pieces as were ordered, or as there are; never fewer than the cart holds."""
        stock = self._variants[held.variant_id].stock
        wanted = min(quantity, stock, config.LINE_QUANTITY_MAX)
        if wanted > held.quantity:
            cart.set_quantity(held.id, wanted)
