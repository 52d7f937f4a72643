"""The checkout: what a shopper types on the way from the cart to an order (CHK-1…7)."""

import hashlib
import json
import secrets
from contextlib import suppress
from datetime import timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField, IntegrityError, OperationalError, fn

import config
import crash
from models.base import DEADLOCK, BaseModel, MomentField, db, locked
from models.bss_event import BssEvent
from models.calendar import WISHES, local_day, promised_day
from models.cart import TOUCHED_EVERY, Cart, CartLine, Chosen
from models.catalogue import LANGUAGES
from models.club_ledger import Blocked, NotEnough
from models.club_member import ClubMember, NotMember
from models.club_rate import Rates
from models.document import Document
from models.drawing import picture_path
from models.eligibility import InOpenOrder, Reason
from models.new_number import NumberTaken
from models.number import Number
from models.order import GiftGone, Order, OrderEvent, OrderLine, OutOfStock, storage_label, terms_edition
from models.order_key import OrderKey
from models.order_number import new_number
from models.order_points import OrderPoints
from models.outbox import Mail
from models.payment import Payment
from models.payment_ways import ways
from models.places import place_of
from models.points_choice import PointsChanged, PointsChoice, most_points
from models.standing import reasons_against

# What a shopper types and the overview shows, beside the lines.
_TYPED = (
    "first_name",
    "last_name",
    "email",
    "phone",
    "street",
    "municipality",
    "place",
    "postal_code",
    "note",
    "recipient",
)
# Later ones change no digest where nothing was typed: an overview that is open while the shop is renewed stays good.
_TYPED_LATER = ("gift_note", "wish")

_WHERE = ("street", "municipality", "place", "postal_code")

# What is said of one order, and of no other.
_OF_ONE_ORDER = ("note", "recipient", "gift_note", "wish")

NO_POINTS = {"points_of": None, "points": 0, "points_worth": 0}


class OfferChanged(Exception):
    """A price, a gift or the cart is not what the overview showed: the shopper confirms anew (CAT-5)."""


class TooManyUnpaid(Exception):
    """The same e-mail holds pieces with several unpaid orders already."""


class NotEligible(Exception):
    """The contract of a line is not possible: `reasons` says why, `line_id` for which line (ELG-1…5)."""

    def __init__(self, line_id: int, reasons: list[Reason]):
        super().__init__(", ".join(reason.kind for reason in reasons))
        self.line_id, self.reasons = line_id, reasons


class EmptyCart(Exception):
    """There is nothing to order (CRT-5)."""


class Incomplete(Exception):
    """A step before is not filled in; `step` names the first such one."""

    def __init__(self, step):
        super().__init__(step)
        self.step = step


class Checkout(BaseModel):
    """One per cart; what was typed stays as long as the cart, and goes with it (CHK-6, PRV-3)."""

    cart = ForeignKeyField(Cart, unique=True, on_delete="CASCADE")
    key = CharField(unique=True, max_length=43)
    first_name = CharField(max_length=60, default="")
    last_name = CharField(max_length=60, default="")
    email = CharField(max_length=254, default="")
    phone = CharField(max_length=20, default="")
    street = CharField(max_length=120, default="")
    municipality = CharField(max_length=10, default="")
    place = CharField(max_length=10, default="")
    postal_code = CharField(max_length=10, default="")
    note = CharField(max_length=200, default="")
    recipient = CharField(max_length=120, default="")
    # What stands on the card of a gift; empty where it is none.
    gift_note = CharField(max_length=200, default="")
    # The hours of the day that the shopper wishes for; the courier calls all the same (DLV-5).
    wish = CharField(max_length=5, default="", constraints=[Check(f"wish IN {('', *WISHES)!r}")])
    payment_way = CharField(max_length=12, default="")
    # Points beside the card payment, and whose (PAY-4).
    points_of = ForeignKeyField(ClubMember, null=True, on_delete="SET NULL")
    points = IntegerField(default=0, constraints=[Check("points >= 0")])
    # What they take off, in minor units, as the overview shows it.
    points_worth = IntegerField(default=0, constraints=[Check("(points_worth > 0) = (points > 0)")])
    # The language to be reminded of this cart in, where a guest asked for that; else empty (PRV-2).
    remind_in = CharField(max_length=2, default="")
    begun_at = MomentField()
    # How many of the steps it has been at, so that each is counted once (models/step_count.py).
    reached = IntegerField(default=0)

    @classmethod
    def of(cls, cart: Cart, now) -> "Checkout":
        """The checkout of `cart`; reading twice at the same moment begins one."""
        if cart.seen_at < now - TOUCHED_EVERY:
            # Who checks out is still there: the cart's days count anew (CRT-4).
            cart.touch(now)
        found = cls.get_or_none(cls.cart == cart)
        if found is not None:
            return found
        cls.insert(cart=cart, key=secrets.token_urlsafe(24), begun_at=now).on_conflict_ignore().execute()
        return cls.get(cls.cart == cart)

    @classmethod
    def renew(cls, cart: Cart) -> None:
        """After an order: a new key, no payment way; who it is for and where it goes stays for the next one."""
        cls.update(
            key=secrets.token_urlsafe(24),
            payment_way="",
            remind_in="",
            reached=0,
            **NO_POINTS,
            **dict.fromkeys(_OF_ONE_ORDER, ""),
        ).where(cls.cart == cart).execute()

    @classmethod
    def forget_ordered(cls, cart: Cart) -> None:
        """Who logs in may be another than who ordered here as a guest: what is left of that order goes (PRV-1).

        Steps that were sent since are of the next order, and stay (CHK-6).
        """
        from models.step_count import STEPS

        at = STEPS.index("data") + 1, STEPS.index("delivery") + 1
        of_cart = (cls.cart == cart) & fn.EXISTS(Order.select(Order.id).where(Order.cart == cart))
        # Whoever is at a step has sent the ones before it; what the step itself showed was the order's.
        cls.delete().where(of_cart, cls.reached <= at[0]).execute()
        cls.update(dict.fromkeys(_WHERE, "")).where(of_cart, cls.reached == at[1]).execute()

    @property
    def has_data(self) -> bool:
        return bool(self.first_name and self.last_name and self.email and self.phone)

    @property
    def has_delivery(self) -> bool:
        return bool(self.street and self.place and self.municipality and self.postal_code)

    def missing_step(self, lines: list[Chosen]) -> str | None:
        """The first step not filled in for these lines, or None when the overview may be confirmed (CHK-1)."""
        if any(chosen.is_contract and not chosen.msisdn for chosen in lines):
            return "number"
        if not self.has_data:
            return "data"
        if not self.has_delivery:
            return "delivery"
        if not self.payment_way:
            return "payment"
        return None

    def digest(self, lines: list[Chosen]) -> str:
        """What the overview of `lines` and of all that was typed promises; it travels in the form (CHK-3, CAT-5).

        Another tab may change the address after it was shown: then it is shown anew.
        """
        typed = [getattr(self, name) for name in _TYPED]
        typed += [[name, getattr(self, name)] for name in _TYPED_LATER if getattr(self, name)]
        if self.points:
            typed += [self.points_of_id, self.points, self.points_worth]
        return hashlib.sha256(json.dumps([digest_of(lines), typed]).encode()).hexdigest()[:32]

    def choose_points(self, choice: PointsChoice, member_id: int | None, points: int) -> None:
        """Pay with so many points of one of the profile's memberships beside the card; with none for 0 (PAY-4).

        Whether they are still there is seen when the order is placed. Raises PointsChanged.
        """
        if points:
            one = choice.check(member_id, points)
            values = {"points_of": one.member, "points": points, "points_worth": choice.worth(points)}
        elif self.points:
            values = NO_POINTS
        else:
            return
        with db.atomic():
            # The cart before the member, whom a new reference makes wait for: as placing the order does.
            locked(Cart.select().where(Cart.id == self.cart_id)).first()
            Checkout.update(**values).where(Checkout.id == self.id).execute()
        for name, value in values.items():
            setattr(self, name, value)

    def points_trouble(self, choice: PointsChoice) -> PointsChanged | None:
        """Why the points that were chosen cannot be used any more; None where they can, or none were."""
        if not self.points:
            return None
        try:
            choice.check(self.points_of_id, self.points)
            _refuse_another_worth(self, choice.rates)
        except PointsChanged as changed:
            return changed
        return None

    @classmethod
    def is_placed(cls, cart: Cart, key: str | None) -> bool:
        """Whether this browser's checkout of that key became an order already (CHK-4)."""
        return bool(key) and Order.select().where(Order.checkout_key == key, Order.cart == cart).exists()

    def place_order(
        self, *, key: str, seen: str, language: str, now, profile=None, segment=None
    ) -> tuple[Order, Payment | None]:
        """Place the order that the overview showed, and begin its payment; none where nothing is due now.

        `key` is the checkout's as the overview held it: placing it again, in another tab or by a double click,
        finds the same order (CHK-4). `seen` is the digest of what was shown (CAT-5). In one transaction: stock,
        gifts, numbers and points are taken, order, lines, first event and payment are written, the cart is emptied.
        Raises OfferChanged, OutOfStock, EmptyCart, Incomplete, TooManyUnpaid, NotEligible, PointsChanged.
        """
        for _ in range(3):
            try:
                return self._place(key, seen, language, now, profile, segment)
            except PointsChanged:
                # What the club saw of the member went with the order; the page is to tell it.
                if self.points_of_id is not None:
                    _look_at(self.points_of_id, now)
                raise
            except OperationalError as error:
                # PostgreSQL ends one of two transactions that wait for each other, such as an order and an import
                # of its devices. Nothing of this one was written, and it may be tried again.
                if db.in_transaction() or getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
        return self._place(key, seen, language, now, profile, segment)

    def _place(self, key, seen, language, now, profile, segment) -> tuple[Order, Payment | None]:
        with db.atomic():
            if locked(Cart.select().where(Cart.id == self.cart_id)).first() is None:
                raise EmptyCart
            placed = Order.get_or_none(Order.checkout_key == key, Order.cart == self.cart_id)
            if placed is not None:
                return placed, Payment.latest_of(placed)
            checkout = Checkout.get_or_none(Checkout.id == self.id)
            if checkout is None:
                raise EmptyCart
            lines = checkout.cart.lines(now, segment)
            if not lines:
                raise EmptyCart
            if missing := checkout.missing_step(lines):
                raise Incomplete(missing)
            numbers = _refuse_ineligible(lines, profile, now)
            member = _points_member(checkout, lines, profile, now)
            due_now = sum(chosen.quote.today for chosen in lines) - checkout.points_worth
            email = checkout.email.strip().lower()
            if due_now and Order.awaiting_payment().where(Order.email == email).count() >= config.UNPAID_PER_EMAIL:
                raise TooManyUnpaid
            gone = [chosen for chosen in lines if not chosen.is_available]
            if gone:
                raise OutOfStock(
                    [title_of(chosen, language) for chosen in gone], [chosen.variant.sku for chosen in gone]
                )
            if key != checkout.key or seen != checkout.digest(lines):
                raise OfferChanged
            try:
                place = place_of(checkout.place)
            except KeyError:
                raise Incomplete("delivery") from None
            order = _create_order(
                checkout_key=key,
                cart=checkout.cart,
                profile=profile,
                # With nothing to be paid at the bank, what there is comes with the bill (PAY-3).
                state="awaiting_payment" if due_now else "confirmed",
                language=language,
                first_name=checkout.first_name,
                last_name=checkout.last_name,
                email=email,
                phone=checkout.phone,
                street=checkout.street,
                place=place.name("sq"),
                municipality=checkout.municipality,
                postal_code=checkout.postal_code,
                note=checkout.note,
                recipient=checkout.recipient,
                gift_note=checkout.gift_note,
                wish=checkout.wish,
                signer=_signer([number.holder for number in numbers] + ([member.holder] if member else [])),
                total=sum(chosen.total for chosen in lines),
                due_now=due_now,
                points=checkout.points,
                points_worth=checkout.points_worth,
                currency=config.CURRENCY,
                placed_at=now,
                payable_until=now + timedelta(minutes=config.PAYABLE_MINUTES),
                promised_on=promised_day(now),
                terms_edition=terms_edition(),
            )
            _write_lines(order, lines)
            OrderKey.write(order)
            try:
                order.take_stock()
            except GiftGone:
                # To somebody who was faster by a moment: what the overview promised is not what there is.
                raise OfferChanged from None
            crash.at("place: stock taken")
            OrderEvent.create(order=order, at=now, state=order.state, author="shopper")
            for chosen in lines:
                if chosen.contract_type == "new_number":
                    try:
                        chosen.new_number.sell(checkout.cart, order, now)
                    except NumberTaken:
                        raise Incomplete("number") from None
            if member is not None:
                try:
                    OrderPoints.hold(order, member.id, order.points, order.points_worth, now)
                except NotEnough as error:
                    raise PointsChanged("too_few", error.usable) from error
                except Blocked as error:
                    raise PointsChanged("blocked") from error
                except NotMember as error:
                    raise PointsChanged("not_yours") from error
                crash.at("place: points held")
            payment = None
            if due_now:
                payment = Payment.begin(order, now)
            else:
                Mail.write("order_confirmed", order, now, key=f"order_confirmed:{order.id}")
                BssEvent.of_order(order, "confirmed", now)
                Document.issue_all(order, now)
            # What another tab put in meanwhile stays for the next order.
            CartLine.delete().where(CartLine.id.in_([chosen.id for chosen in lines])).execute()
            Checkout.renew(checkout.cart)
            crash.at("place: written")
        return order, payment


def _points_member(checkout: Checkout, lines: list[Chosen], profile, now) -> ClubMember | None:
    """Whose points are used, or None; raises PointsChanged where they cannot be (PAY-4)."""
    if not checkout.points:
        return None
    member = ClubMember.of_profile_by(profile, checkout.points_of_id) if profile else None
    if member is None:
        raise PointsChanged("not_yours")
    rates = Rates(local_day(now))
    if checkout.points > (most := most_points(lines, rates)):
        raise PointsChanged("too_many", most)
    _refuse_another_worth(checkout, rates)
    return member


def _refuse_another_worth(checkout: Checkout, rates: Rates) -> None:
    # CLB-17: a rate counts from its day on, and what the overview showed is promised.
    if checkout.points % rates.step or checkout.points_worth != rates.worth(checkout.points):
        raise PointsChanged("worth")


def _look_at(member_id: int, now) -> None:
    with db.atomic(), suppress(NotMember, ClubMember.DoesNotExist):
        ClubMember.hold(member_id, now)


def _signer(holders) -> str:
    """Who alone may receive the order: each number's holder, and whose points it was paid with (DLV-3)."""
    return ", ".join(dict.fromkeys(holder.name for holder in holders))


def _refuse_ineligible(lines: list[Chosen], profile, now) -> list[Number]:
    """The own numbers of the Besnik 24 lines, each held until the transaction ends (ELG-5).

    Raises Incomplete("number") where a number is not the profile's any more, Incomplete("payment") where a line may
    not be paid so (PAY-1), NotEligible with all reasons against a contract.
    """
    contracts = [chosen for chosen in lines if chosen.is_contract]
    if not contracts:
        return []
    own = {number.id: number for number in Number.of_profile(profile)} if profile else {}
    wanted = {chosen.line.number_id for chosen in contracts if chosen.contract_type == "besnik24"}
    if not wanted <= own.keys():
        raise Incomplete("number")
    # Two orders for one number take turns, in one order: the second sees what the first one wrote.
    for _ in locked(Number.select().where(Number.id.in_(sorted(wanted))).order_by(Number.id)):
        pass
    for chosen in contracts:
        if chosen.line.payment not in ways(chosen.contract_type, profile is not None, bool(own)):
            raise Incomplete("number" if chosen.contract_type == "besnik24" and not profile else "payment")
        reasons = reasons_against(chosen, list(own.values()), lines, now)
        if reasons:
            raise NotEligible(chosen.id, reasons)
    return [own[number] for number in sorted(wanted)]


def _write_lines(order: Order, lines: list[Chosen]) -> None:
    try:
        with db.atomic():
            OrderLine.insert_many(
                [_ordered(order, chosen, position) for position, chosen in enumerate(lines)]
            ).execute()
    except IntegrityError:
        # The number is in an order that is open, though nothing of it was seen a moment ago (ELG-5).
        for chosen in lines:
            taken = chosen.contract_type == "besnik24" and chosen.msisdn
            other = OrderLine.select(OrderLine, Order).join(Order).where(OrderLine.taken == taken).first()
            if taken and other is not None:
                reason = InOpenOrder(order=other.order.number)
                raise NotEligible(chosen.id, [reason]) from None
        raise


def _create_order(**fields) -> Order:
    # Forty random bits meet once in a blue moon; then another number is drawn.
    for _ in range(5):
        try:
            with db.atomic():
                return Order.create(number=new_number(), **fields)
        except IntegrityError:
            if Order.select().where(Order.checkout_key == fields["checkout_key"]).exists():
                raise
    raise RuntimeError("No free order number was drawn in five tries.")


def title_of(chosen: Chosen, language: str) -> str:
    name = chosen.device.full_name(language)
    size = chosen.variant.storage_gb
    return f"{name}, {storage_label(size)}" if size else name


def _ordered(order: Order, chosen: Chosen, position: int) -> dict:
    device, variant = chosen.device, chosen.variant
    gift = chosen.gift
    return {
        "order": order,
        "variant": variant,
        "device": device,
        "position": position,
        "sku": variant.sku,
        "contract_type": chosen.line.contract_type,
        "names": {language: device.full_name(language) for language in LANGUAGES},
        "colours": {language: variant.colour(language) for language in LANGUAGES},
        "storage_gb": variant.storage_gb,
        "quantity": chosen.quantity,
        "price": chosen.price.now,
        "before": chosen.price.before,
        "picture": picture_path(device, variant),
        "gift": {"id": gift.id, **{language: gift.name(language) for language in LANGUAGES}} if gift else None,
        "tariff": {
            "code": chosen.tariff.code,
            "name": chosen.tariff.name,
            "monthly_price": chosen.tariff.monthly_price,
        }
        if chosen.is_contract
        else None,
        "msisdn": chosen.msisdn if chosen.is_contract else "",
        "payment": chosen.line.payment,
        "parts": chosen.line.parts,
        "taken": chosen.msisdn if chosen.contract_type == "besnik24" else None,
    }


def digest_of(lines: list[Chosen]) -> str:
    """What an overview promises of its lines, as a short text."""
    promise = [
        [
            chosen.id,
            chosen.variant.sku,
            chosen.quantity,
            chosen.price.now,
            chosen.gift.id if chosen.gift else None,
            *(
                [
                    chosen.contract_type,
                    chosen.tariff and [chosen.tariff.code, chosen.tariff.monthly_price],
                    chosen.line.payment,
                    chosen.line.parts,
                    chosen.msisdn,
                ]
                if chosen.is_contract
                else []
            ),
        ]
        for chosen in lines
    ]
    return hashlib.sha256(json.dumps(promise).encode()).hexdigest()[:32]
