"""All that the shop keeps about one person, and handing it to an authority, with a record of who got what (PRV-5).

What belongs to a person is found along the foreign keys: whatever row points to a row of theirs is theirs, but for
the links of OF_ANOTHER. A table that comes new is so part of it by itself; a test asks of each whether it is. Which
columns nobody is told stands in `models/personal.py`.

A profile gets its own data from the same walk (PRV-4), which then goes less far: a number that two profiles share
does not lead from one to the other, and what people at work wrote for each other stays here.
"""

from datetime import date, datetime, timedelta

from peewee import ForeignKeyField, fn

from models import personal
from models.actor import SHOPPER, Actor
from models.base import db
from models.bill_payment import unpaid_of
from models.cart import Cart
from models.checkout import Checkout
from models.club_member import ClubMember, FixedService
from models.consent import Consent
from models.contract import Contract
from models.erasure import Erasure
from models.invoice import Invoice
from models.mark import mark_of
from models.new_number import CALLING_CODE
from models.number import Number, ProfileNumber
from models.order import Order, OrderLine
from models.order_number import MistypedNumber, read_number
from models.outbox import Mail
from models.profile import Attempt, Profile
from models.refusal import Refusal
from models.registration import Registration
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from models.trail import record
from models.watch import Watch

# A statement has at most so many ids: databases take no more than some ten thousand values in one.
BATCH = 500
# Times a day that a profile may take its data.
TAKEN_A_DAY = 5


class NobodyFound(Exception):
    """No profile, order or number is known by what was given."""


def person_of(text: str) -> dict:
    """Model → ids of the rows that the person's data begin with; `text` is an e-mail, a number or an order's number.

    A number brings its holder with it; an e-mail the profile, its numbers and the orders made with it. Raises
    NobodyFound.
    """
    text = text.strip()
    if "@" in text:
        roots = _of_email(text.lower())
    else:
        roots = _of_order(text) or _of_number("".join(filter(str.isdigit, text)))
    if not any(roots.values()):
        raise NobodyFound(text)
    return roots


def _ids(query) -> set[int]:
    return {number for (number,) in query.tuples()}


def _batches(ids):
    ids = sorted(ids)
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _of_email(email: str) -> dict:
    profiles = _ids(Profile.select(Profile.id).where(Profile.email == email))
    # Of a profile that was erased the proof of its consents is left, and is found by who knows the e-mail.
    erased = Erasure.select(Erasure.profile).where(Erasure.mark == mark_of(email))
    return {
        Profile: profiles,
        Order: _ids(Order.select(Order.id).where(Order.email == email)),
        **_typed(fn.LOWER(Checkout.email) == email),
        Number: _ids(ProfileNumber.select(ProfileNumber.number).where(ProfileNumber.profile.in_(profiles))),
        Registration: _ids(Registration.select(Registration.id).where(Registration.email == email)),
        Mail: _ids(Mail.select(Mail.id).where(fn.LOWER(Mail.recipient) == email)),
        Watch: _ids(Watch.select(Watch.id).where(Watch.email == email)),
        # What the mailbox agreed to as a guest's.
        Consent: _ids(Consent.select(Consent.id).where((Consent.email == email) | Consent.profile.in_(erased))),
        Erasure: _ids(Erasure.select(Erasure.id).where(Erasure.mark == mark_of(email))),
        Refusal: _ids(Refusal.select(Refusal.id).where(Refusal.mark == mark_of(email))),
    }


def _typed(condition) -> dict:
    """What was typed and not ordered; a guest's with the cart, a profile's without, which may be another person."""
    typed = Checkout.select(Checkout.id).where(condition)
    carts = Checkout.select(Checkout.cart).join(Cart).where(condition, Cart.profile.is_null())
    return {Checkout: _ids(typed), Cart: _ids(carts)}


def _of_order(text: str) -> dict:
    try:
        order = Order.of_number(read_number(text))
    except MistypedNumber:
        return {}
    return {Order: {order.id}} if order is not None else {}


def _of_number(digits: str) -> dict:
    if not digits:
        return {}
    msisdn = f"{CALLING_CODE}{digits[1:]}" if digits.startswith("0") else digits
    lines = OrderLine.select(OrderLine.order).where(OrderLine.msisdn == msisdn)
    numbers = _ids(Number.select(Number.id).where(Number.msisdn == msisdn))
    subscribers = _ids(Number.select(Number.subscriber).where(Number.id.in_(numbers)))
    return {
        Number: numbers,
        Subscriber: subscribers,
        Holder: _ids(Subscriber.select(Subscriber.holder).where(Subscriber.id.in_(subscribers))),
        Order: _ids(Order.select(Order.id).where((Order.phone == msisdn) | Order.id.in_(lines))),
        **_typed(Checkout.phone == msisdn),
        Sms: _ids(Sms.select(Sms.id).where(Sms.recipient == msisdn)),
    }


def data_of(roots: dict) -> dict[str, list[dict]]:
    """Table → its rows that are of the person, without secrets; tables without any are left out."""
    return _tables(_walk(roots, _leads_on), personal.untold)


def own_data(profile: Profile, now) -> dict[str, list[dict]]:
    """Table → the rows that `profile` may have of itself (PRV-4); tables without any are left out.

    Its numbers come with what its pages show of them: running contracts, unpaid invoices, the club's points. Not with
    the holder's name and ID, for a family shares a number; nor with who had the number before.
    """
    numbers = Number.of_profile(profile)
    roots = {
        Profile: {profile.id},
        Number: {number.id for number in numbers},
        Contract: _ids(
            Contract.running(now).select(Contract.id).where(Contract.number.in_([number.id for number in numbers]))
        ),
        Invoice: {invoice.id for invoice in unpaid_of(profile)},
        FixedService: {service.id for service in FixedService.of_profile(profile)},
        ClubMember: {member.id for member in ClubMember.of_profile(profile)},
    }
    told = _tables(_walk(roots, _leads_on_for_owner), lambda table: personal.untold(table) | _internal(table))
    return {table: rows for table, rows in told.items() if not personal.TABLES[table].withheld}


def _internal(table: str) -> frozenset:
    return personal.TABLES[table].internal


# What a membership leads its owner to: its points and what became of them. A cart or an order that somebody else paid
# with the same number's points is not theirs.
OF_MEMBERS = frozenset({"club_entry", "club_lot", "club_movement", "club_month", "club_notice", "club_service"})
OF_MEMBERS |= {"club_topup", "voucher", "gift_handout"}


# Links from what one person wrote to what is another's. Two people order at one browser, and so from one cart; a
# family pays with the points of one number. Whose an order or a checkout is, its profile and its contact say.
OF_ANOTHER = frozenset({("order", "cart"), ("checkout", "points_of")})


def _leads_on(parent, model, field) -> bool:
    table = model._meta.table_name
    return (table, field.name) not in personal.WORKERS | OF_ANOTHER and table not in personal.KEYS


def _leads_on_for_owner(parent, model, field) -> bool:
    if not _leads_on(parent, model, field) or parent in (Number, FixedService, Contract, Invoice):
        return False
    # Which memberships are the profile's is asked of its numbers: what it joined may be another's number by now.
    if model is ClubMember:
        return False
    of_member = parent is ClubMember or parent._meta.table_name in OF_MEMBERS
    return not of_member or model._meta.table_name in OF_MEMBERS


def _walk(roots: dict, leads_on) -> dict:
    """Model → ids: the roots, and whatever leads to a row of them by a foreign key that `leads_on` follows."""
    from models import MODELS

    found = {model: set(ids) for model, ids in roots.items() if ids}
    queue = list(found)
    while queue:
        parent = queue.pop()
        for model in MODELS:
            for field in model._meta.sorted_fields:
                if not isinstance(field, ForeignKeyField) or field.rel_model is not parent:
                    continue
                if not leads_on(parent, model, field):
                    continue
                key = model._meta.primary_key
                new = set()
                for ids in _batches(found[parent]):
                    new |= _ids(model.select(key).where(field.in_(ids)))
                new -= found.get(model, set())
                if new:
                    found.setdefault(model, set()).update(new)
                    queue.append(model)
    return found


def _tables(found: dict, hidden) -> dict[str, list[dict]]:
    from models import MODELS

    ordered = [model for model in MODELS if found.get(model)]
    return {model._meta.table_name: _rows(model, found[model], hidden(model._meta.table_name)) for model in ordered}


def _rows(model, ids, hidden) -> list[dict]:
    key = model._meta.primary_key
    return [
        {name: _plain(value) for name, value in row.items() if name not in hidden}
        for some in _batches(ids)
        for row in model.select().where(key.in_(some)).order_by(key).dicts()
    ]


def _plain(value):
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def take_out(profile: Profile, now) -> dict:
    """What `profile` takes along: its data, with its record in the trail (PRV-4).

    Raises LockedOut when it did so TAKEN_A_DAY times within a day: each time is much to look for.
    """
    tries = Attempt.begin({f"data:{profile.id}": TAKEN_A_DAY}, timedelta(days=1), now)
    try:
        with db.atomic():
            tables = own_data(profile, now)
            rows = sum(len(rows) for rows in tables.values())
            record(SHOPPER, "data_taken", now, subject=f"profile:{profile.id}", after={"rows": rows})
    except Exception:
        Attempt.take_back(tries)
        raise
    return {"person": profile.email, "made_at": now.isoformat(), "tables": tables}


def disclose(text: str, *, by: Actor, authority: str, reference: str, ground: str, now) -> dict:
    """The person's data for an authority, with its record in the trail; nothing is given without one (PRV-5).

    Raises NobodyFound.
    """
    with db.atomic():
        tables = data_of(person_of(text))
        record(
            by,
            "disclosed",
            now,
            subject=f"person:{text.strip()}"[:160],
            after={
                "authority": authority,
                "reference": reference,
                "rows": sum(len(rows) for rows in tables.values()),
            },
            why=ground,
        )
    return {
        "person": text.strip(),
        "authority": authority,
        "reference": reference,
        "ground": ground,
        "made_at": now.isoformat(),
        "tables": tables,
    }
