"""The demo world: a full catalogue and one profile for each situation the shop must master.

The same every time. Catalogue and profiles are loaded once: what is there already stays as it is. The billing
data are told as of now each time, so that who paid two hours ago still did so tomorrow. Never in production.
"""

import calendar
import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import phonenumbers

import config
from models.base import db
from models.bss_import import BssExtract
from models.calendar import ZONE, local_day
from models.club_ledger import debit
from models.club_lists import GiftList, OfferList, RateList
from models.club_member import ClubMember, month_after
from models.club_month import ClubMonth, first_day, month_of
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import Rates
from models.number import Number, ProfileNumber
from models.price_list import PriceList, TariffList
from models.profile import Profile
from models.second_factor import DEMO_NONCE, SecondFactor
from models.staff import ROLES, Staff
from models.voucher import Voucher

PASSWORD = "dyqani-demo"  # noqa: S105
PROFILES = (
    "eligible",
    "debt",
    "justpaid",
    "paidonline",
    "instalments",
    "almostpaid",
    "newcomer",
    "business",
    "nonumber",
    "blocked",
    "agent",
    "warehouse",
    "clerk",
    "partner",
    "editor",
    "admin",
)


@dataclass(frozen=True)
class Subscription:
    """A subscriber of the demo world with one number or two; amounts in units of the currency."""

    # Before the @; blank: in nobody's profile.
    who: str
    holder_id: str
    months: int
    numbers: tuple[str, ...]
    sim_ends: tuple[str, ...]
    segment: str = "private"
    has_history: bool = True
    # Of the one invoice that was not paid in time: hours since it was paid, or None, and how.
    debt: int = 0
    paid_hours_ago: int | None = None
    paid_through: str = ""
    # Of the Besnik 24 contract on the last number: parts of 24 that are paid, and per cent of the price.
    instalments_paid: int = 0
    percent_paid: int = 0


SUBSCRIPTIONS = (
    Subscription("eligible", "0101990454818", 60, ("38970100001", "38970100011"), ("100001", "100011")),
    Subscription("debt", "0101990454826", 36, ("38970100002",), ("100002",), debt=1899),
    Subscription(
        "justpaid", "0101990454834", 36, ("38970100003",), ("100003",),
        debt=1899, paid_hours_ago=2, paid_through="shop",
    ),
    Subscription(
        "paidonline", "0101990454842", 36, ("38970100004",), ("100004",),
        debt=1899, paid_hours_ago=5, paid_through="online",
    ),
    Subscription(
        "instalments", "0101990454850", 48, ("38970100005", "38970100006"), ("100005", "100006"),
        instalments_paid=12, percent_paid=50,
    ),
    # 19 parts of 24 and a little more.
    Subscription(
        "almostpaid", "0101990454869", 48, ("38970100007", "38970100008"), ("100007", "100008"),
        instalments_paid=19, percent_paid=80,
    ),
    Subscription("newcomer", "0101990454877", 3, ("38970100009",), ("100009",), has_history=False),
    Subscription("business", "4030999999906", 36, ("38970100010",), ("100010",), segment="business"),
    Subscription("blocked", "0101990454885", 36, ("38970100012",), ("100012",)),
    # To be added to a profile: who does it must know the holder's ID or the SIM.
    Subscription("", "0101990450006", 36, ("38970100020",), ("445566",)),
)  # fmt: skip
NEW_NUMBERS = 240


def load(now) -> str:
    """Load what is missing of the demo world as of `now`, and say what that was.

    Raises BadLines, having changed no device, when data/catalogue.csv or data/tariffs.csv is not in order.
    """
    report = PriceList(_file("catalogue.csv"), TariffList(_file("tariffs.csv"))).load(now)
    with db.atomic():
        before = {msisdn for (msisdn,) in Number.select(Number.msisdn).tuples()}
        billed = BssExtract(billing_files(now)).load(now)
        profiles = _profiles(now)
        _add_numbers(now, before, profiles)
        members = _club(now)
        _staff(now, profiles)
    added = sum(count.added for count in billed.values())
    if not (report.added or report.changed or report.tariffs or profiles or added or members):
        moved = any(count.changed for count in billed.values())
        return "The demo world is there already" + ("; its bills are as of now." if moved else ".")
    return (
        f"The demo world is loaded: {report.added + report.changed} devices in {report.variants} variants, "
        f"{report.tariffs} tariffs, {len(profiles)} profiles (password {PASSWORD}), "
        f"{billed['numbers.csv'].added} numbers, {billed['new_numbers.csv'].added} new numbers."
    )


def _file(name: str) -> Path:
    """A list of the demo world: the brand's own, where its folder has one."""
    return config.FACE.file(name) or config.ROOT / "data" / name


def here(msisdn: str) -> str:
    """One of the numbers of the table, as a mobile number of the shop's own country."""
    if config.COUNTRY == "MK":
        return msisdn
    example = phonenumbers.example_number_for_type(config.COUNTRY, phonenumbers.PhoneNumberType.MOBILE)
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    return digits[:-6] + msisdn[-6:]


def worth(denars: int) -> int:
    """An amount of the table in the shop's own currency, in whole units."""
    return denars if config.CURRENCY == "MKD" else max(1, denars * 100 // 6150)


def billing_files(now) -> dict[str, bytes]:
    """The billing system's extract as of `now`, as `flask bss import` reads it (docs/bss.md)."""
    today = local_day(now)
    tables = {
        "subscribers.csv": [
            ["code", "holder_id", "segment", "first_name", "last_name", "company", "since", "has_history"]
        ],
        "numbers.csv": [["msisdn", "subscriber", "sim_end", "kind", "tariff"]],
        "invoices.csv": [["number", "subscriber", "issued_on", "due_on", "amount", "paid_at", "paid_through"]],
        "contracts.csv": [
            [
                "code",
                "msisdn",
                "kind",
                "device",
                "started_on",
                "ends_on",
                "price",
                "instalments",
                "instalments_paid",
                "paid",
            ]
        ],
        "new_numbers.csv": [["msisdn"], *([msisdn] for msisdn in _new_numbers())],
        "fixed_services.csv": [
            ["code", "subscriber", "kind", "package"],
            ["DEMO-FX-01", "DEMO-01", "bundle", "duo-300"],
        ],
    }
    for one in SUBSCRIPTIONS:
        code = f"DEMO-{one.numbers[0][-2:]}"
        names = ["Demo", (one.who or "Added").capitalize(), ""]
        if one.segment == "business":
            names = ["", "", "Demo Business"]
        tables["subscribers.csv"].append(
            [code, one.holder_id, one.segment, *names, same_day_before(today, one.months), _yes(one.has_history)]
        )
        for msisdn, sim_end in zip(one.numbers, one.sim_ends, strict=True):
            tables["numbers.csv"].append([here(msisdn), code, sim_end, "postpaid", "linja-m"])
        if one.debt:
            paid_at = "" if one.paid_hours_ago is None else (now - timedelta(hours=one.paid_hours_ago)).isoformat()
            days = [today - timedelta(days=25), today - timedelta(days=10)]
            tables["invoices.csv"].append([f"{code}-2", code, *days, worth(one.debt), paid_at, one.paid_through])
        if one.months > 2:
            # One that was paid in time.
            days = [today - timedelta(days=55), today - timedelta(days=40)]
            paid_at = (now - timedelta(days=45)).isoformat()
            tables["invoices.csv"].append([f"{code}-1", code, *days, worth(899), paid_at, "bank"])
        if one.instalments_paid:
            started = same_day_before(today, one.instalments_paid)
            ends = same_day_before(today, one.instalments_paid - 24)
            price = worth(24_000)
            tables["contracts.csv"].append(
                [f"{code}-K", here(one.numbers[-1]), "besnik24", "Samsung Galaxy A56", started, ends, price]
                + [24, one.instalments_paid, price * one.percent_paid // 100]
            )
    return {name: _csv(rows) for name, rows in tables.items()}


def same_day_before(day: date, months: int) -> date:
    """The same day of the month so many months before, or after where `months` is negative; else its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _csv(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _new_numbers():
    """Scattered over three prefixes, so that a search by digits has something to choose from."""
    for index in range(NEW_NUMBERS):
        yield here(f"3897{index % 3}{index * 7919 % 800_000 + 200_000}")


def _add_numbers(now, before: set[str], profiles: set[str]) -> None:
    """Add the numbers of the table to their profiles where number or profile is new.

    What a visitor took out of a profile stays out.
    """
    for one in SUBSCRIPTIONS:
        email = f"{one.who}@example.com"
        for msisdn in map(here, one.numbers if one.who else ()):
            if msisdn in before and email not in profiles:
                continue
            profile, number = Profile.get(Profile.email == email), Number.get(Number.msisdn == msisdn)
            ProfileNumber.insert(profile=profile, number=number, added_at=now).on_conflict_ignore().execute()


@dataclass(frozen=True)
class Membership:
    """A member of the demo world's club, and the points that its months bring by now."""

    msisdn: str
    who: str
    months: int
    points: int
    # The last months that are told, in which nothing was earned.
    idle: int = 0
    # (months ago, offer, code, days until it was used or None): codes of partners, good and used and over.
    vouchers: tuple[tuple[int, str, str, int | None], ...] = ()


MEMBERSHIPS = (
    Membership(
        "38970100001", "eligible", 26, 4_200,
        vouchers=((14, "FLETE", "H7M2X4QN", 3), (9, "SHESHI", "P3DW8K6T", None), (0, "KINEMA", "K7F49Q2M", None)),
    ),
    Membership("38970100012", "blocked", 16, 600, idle=2),
)  # fmt: skip
# Per cent of an average month, over and over.
_MONTHS = (90, 115, 80, 100, 125, 90)
# Day of the month on which the demo's operator tells what was spent in the month before.
TOLD_ON = 3


# Whose codes partner@ checks.
PARTNER = "kinema-qendra"


def _staff(now, profiles: set[str]) -> None:
    """The desk's roles, each with the profile of its name; one that was taken away stays away."""
    nobody = not Staff.select().exists()
    partner = Partner.get_or_none(Partner.code == PARTNER) or Partner.select().order_by(Partner.id).first()
    for role in ROLES:
        email = f"{role}@example.com"
        if nobody or email in profiles:
            Staff.add(Profile.of_email(email), role, now, partner if role == "partner" else None)
    for one in Staff.everybody():
        # Where somebody connected an app of their own, it stays.
        if one.profile.email in {f"{role}@example.com" for role in ROLES}:
            SecondFactor.insert(profile=one.profile, nonce=DEMO_NONCE, since=now).on_conflict_ignore().execute()


def _club(now) -> int:
    """Rates, offers, gifts and members with their history; returns how many members are new.

    A member's history is written once: entries of the ledger are never changed.
    """
    today = local_day(now)
    RateList(_file("club_rates.csv")).load(today)
    if not PartnerOffer.select().exists():
        OfferList(_file("club_offers.csv")).load(today)
    if not ClubGift.select().exists():
        GiftList(_file("club_gifts.csv")).load(today)
    new = 0
    for one in MEMBERSHIPS:
        number = Number.get(Number.msisdn == here(one.msisdn))
        if not ClubMember.select().where(ClubMember.number == number).exists():
            _join(one, number, now)
            new += 1
    return new


def _join(one: Membership, number: Number, now) -> None:
    today = local_day(now)
    began = same_day_before(today, one.months)
    profile = Profile.get(Profile.email == f"{one.who}@example.com")
    member = ClubMember.join_number(number, _noon(began), language="sq", profile=profile)
    told, month = [], month_of(month_after(began))
    while _noon(_told_on(month)) <= now:
        told.append(month)
        month = month_of(month_after(first_day(month)))
    spent = [(_noon(same_day_before(today, ago) - timedelta(days=2)), *more) for ago, *more in one.vouchers]
    # Of a brand's own partners nobody has a code yet.
    spent = [voucher for voucher in spent if PartnerOffer.of_code(voucher[1], local_day(voucher[0])) is not None]
    for index, month in enumerate(told):
        at = _noon(_told_on(month))
        # On 1 July what was earned two years before lapses.
        for moment in (_noon(month_after(first_day(month))), at):
            for voucher in [voucher for voucher in spent if voucher[0] < moment]:
                _convert(member, *voucher)
                spent.remove(voucher)
            with db.atomic():
                ClubMember.hold(member.id, moment)
        share, left = _MONTHS[index % len(_MONTHS)], len(told) - one.idle - index
        if left <= 0:
            euros = 0
        elif left == 1:
            euros = _missing(one, member, spent, now)
        elif Rates(today).last_day(first_day(month).year) >= today:
            euros = _missing(one, member, spent, now) * share // 100 // left
        else:
            # What is over by now.
            euros = one.points * share // 100 // 12
        # Not to the denar: a month has some cents over its full euros.
        ClubMonth.take(member.id, month, euros * Rates(today)["euro", ""] + 900, at)
    for voucher in spent:
        _convert(member, *voucher)
    with db.atomic():
        ClubMember.hold(member.id, now)


def _missing(one: Membership, member: ClubMember, spent: list, now) -> int:
    """What must still be earned, so that the member has the points of the table now."""
    today, good, missing = local_day(now), 0, one.points
    lots = list(ClubMember.get_by_id(member.id).lots)
    for lot in lots:
        good += lot.left if lot.usable_until >= today else 0
    for at, offer, _, _ in spent:
        # What has lapsed since pays for it first.
        lapsed = sum(lot.left for lot in lots if local_day(at) <= lot.usable_until < today)
        missing += max(0, PartnerOffer.of_code(offer, local_day(at)).points - lapsed)
    return missing - good


def _convert(member: ClubMember, at, code: str, drawn: str, used_after: int | None) -> None:
    """A code at a partner that was drawn at that time: its SMS and mail went then."""
    offer = PartnerOffer.of_code(code, local_day(at))
    about = {"offer": offer.id, "partner": offer.partner.name, "names": offer.names, "channel": "web"}
    with db.atomic():
        held = ClubMember.hold(member.id, at)
        entry = debit(held, offer.points, "voucher", at, key=f"demo:{drawn}", about=about)
        Voucher.create(
            entry=entry,
            member=held,
            offer=offer,
            code=drawn,
            channel="web",
            until=local_day(at) + timedelta(days=offer.days),
            used_at=None if used_after is None else at + timedelta(days=used_after),
        )


def _told_on(month: str) -> date:
    return month_after(first_day(month)) + timedelta(days=TOLD_ON - 1)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


def _profiles(now) -> set[str]:
    emails = [f"{name}@example.com" for name in PROFILES]
    there = {email for (email,) in Profile.select(Profile.email).where(Profile.email.in_(emails)).tuples()}
    missing = [email for email in emails if email not in there]
    if not missing:
        return set()
    model = Profile()
    # One hash for all: they have one password, and each hash takes a tenth of a second on purpose.
    model.set_password(PASSWORD)
    rows = [
        {
            "email": email,
            "password_hash": model.password_hash,
            "first_name": "Demo",
            "last_name": email.partition("@")[0].capitalize(),
            "language": "sq",
            "created_at": now - timedelta(days=365),
            "verified_at": now - timedelta(days=365),
        }
        for email in missing
    ]
    Profile.insert_many(rows).on_conflict_ignore().execute()
    return set(missing)
