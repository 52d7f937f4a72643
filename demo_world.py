"""The demo world: a full catalogue and one profile for each situation the shop must master.

The same every time. Catalogue and profiles are loaded once: what is there already stays as it is. The billing
data are told as of now each time, so that who paid two hours ago still did so tomorrow. Never in production.
"""

import calendar
import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

import config
from models.base import db
from models.bss_import import BssExtract
from models.calendar import local_day
from models.number import Number, ProfileNumber
from models.price_list import PriceList, TariffList
from models.profile import Profile

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
    data = config.ROOT / "data"
    report = PriceList(data / "catalogue.csv", TariffList(data / "tariffs.csv")).load(now)
    with db.atomic():
        before = {msisdn for (msisdn,) in Number.select(Number.msisdn).tuples()}
        billed = BssExtract(billing_files(now)).load(now)
        profiles = _profiles(now)
        _add_numbers(now, before, profiles)
    added = sum(count.added for count in billed.values())
    if not (report.added or report.changed or report.tariffs or profiles or added):
        moved = any(count.changed for count in billed.values())
        return "The demo world is there already" + ("; its bills are as of now." if moved else ".")
    return (
        f"The demo world is loaded: {report.added + report.changed} devices in {report.variants} variants, "
        f"{report.tariffs} tariffs, {len(profiles)} profiles (password {PASSWORD}), "
        f"{billed['numbers.csv'].added} numbers, {billed['new_numbers.csv'].added} new numbers."
    )


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
    }
    for one in SUBSCRIPTIONS:
        code = f"DEMO-{one.numbers[0][-2:]}"
        names = ["Demo", (one.who or "Added").capitalize(), ""]
        if one.segment == "business":
            names = ["", "", "Demo Business"]
        tables["subscribers.csv"].append(
            [code, one.holder_id, one.segment, *names, months_before(today, one.months), _yes(one.has_history)]
        )
        for msisdn, sim_end in zip(one.numbers, one.sim_ends, strict=True):
            tables["numbers.csv"].append([msisdn, code, sim_end, "postpaid", "linja-m"])
        if one.debt:
            paid_at = "" if one.paid_hours_ago is None else (now - timedelta(hours=one.paid_hours_ago)).isoformat()
            days = [today - timedelta(days=25), today - timedelta(days=10)]
            tables["invoices.csv"].append([f"{code}-2", code, *days, one.debt, paid_at, one.paid_through])
        if one.months > 2:
            # One that was paid in time.
            days = [today - timedelta(days=55), today - timedelta(days=40)]
            paid_at = (now - timedelta(days=45)).isoformat()
            tables["invoices.csv"].append([f"{code}-1", code, *days, 899, paid_at, "bank"])
        if one.instalments_paid:
            started = months_before(today, one.instalments_paid)
            ends = months_before(today, one.instalments_paid - 24)
            price = 24_000
            tables["contracts.csv"].append(
                [f"{code}-K", one.numbers[-1], "besnik24", "Samsung Galaxy A56", started, ends, price]
                + [24, one.instalments_paid, price * one.percent_paid // 100]
            )
    return {name: _csv(rows) for name, rows in tables.items()}


def months_before(day: date, months: int) -> date:
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
        yield f"3897{index % 3}{index * 7919 % 800_000 + 200_000}"


def _add_numbers(now, before: set[str], profiles: set[str]) -> None:
    """Add the numbers of the table to their profiles where number or profile is new.

    What a visitor took out of a profile stays out.
    """
    for one in SUBSCRIPTIONS:
        email = f"{one.who}@example.com"
        for msisdn in one.numbers if one.who else ():
            if msisdn in before and email not in profiles:
                continue
            profile, number = Profile.get(Profile.email == email), Number.get(Number.msisdn == msisdn)
            ProfileNumber.insert(profile=profile, number=number, added_at=now).on_conflict_ignore().execute()


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
