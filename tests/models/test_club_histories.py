"""Thousands of random histories against a model that knows nothing of the ledger (CLB-5, CLB-7, CLB-14, CLB-16).

Another seed: CLUB_SEED=7 pytest tests/models/test_club_histories.py
"""

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from math import inf

import pytest
from peewee import fn

from models.base import IS_SQLITE, db
from models.club_ledger import Blocked, ClubEntry, ClubLot, NotEnough, audit, debit, give_back, lapse_all_due
from models.club_member import ClubMember, NotMember, month_after
from models.club_month import MonthlyCredit
from models.number import Number
from models.subscriber import Holder, Subscriber

SEED = int(os.environ.get("CLUB_SEED", "20260310"))
# The laws are the same on both; a transaction of many rows is what PostgreSQL is slow at.
HISTORIES = 2000 if IS_SQLITE else 300
EURO = 6150
# Months that are told: from before the first ones lapse until after the second ones did.
MONTHS = [date(2025 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(21)]


@dataclass
class Naive:
    """What a member has, counted on one's fingers: parcels with a last day, in the order in which they came."""

    first: date
    parcels: list[list] = field(default_factory=list)
    silent: int = 0
    blocked: bool = False
    ended: bool = False
    # (what each parcel gave, how often points were lost before)
    spent: list[tuple] = field(default_factory=list)
    losses: int = 0

    def good(self, day: date) -> list[list]:
        return sorted((parcel for parcel in self.parcels if parcel[0] >= day and parcel[1]), key=lambda one: one[0])

    def told(self, month: date, euros: int) -> None:
        if self.ended or month < self.first:
            return
        if euros:
            self.parcels.append([date(month.year + 1, 6, 30), euros])
            self.silent, self.blocked = 0, False
        else:
            self.silent += 1
            self.blocked |= self.silent >= 2

    def spend(self, points: int, day: date) -> str:
        if self.ended:
            return "NotMember"
        if self.blocked:
            return "Blocked"
        if sum(parcel[1] for parcel in self.good(day)) < points:
            return "NotEnough"
        given = []
        for parcel in self.good(day):
            part = min(points, parcel[1])
            parcel[1] -= part
            points -= part
            if part:
                given.append((parcel, part))
        self.spent.append((given, self.losses))
        return ""

    def return_(self, which: int, day: date) -> str:
        given, losses = self.spent[which]
        self.spent[which] = ([], losses)
        if self.ended:
            return "NotMember"
        if losses == self.losses:
            for parcel, part in given:
                if parcel[0] >= day:
                    parcel[1] += part
                else:
                    self.parcels.append([day + timedelta(days=30), part])
        return ""

    def lose(self) -> None:
        self.parcels, self.losses = [], self.losses + 1

    def left(self, day: date) -> dict[date, int]:
        sums: dict[date, int] = {}
        for until, points in self.good(day):
            sums[until] = sums.get(until, 0) + points
        return sums


class Histories:
    """So many numbers in the club, each with its own holder, and what the model says of each."""

    def __init__(self, chance: random.Random):
        self.chance, self.count = chance, 0
        Holder.insert_many(
            {"id_number": f"H{n:07}", "segment": "private", "first_name": "A", "last_name": "B"}
            for n in range(HISTORIES)
        ).execute()
        holders = [id for (id,) in Holder.select(Holder.id).order_by(Holder.id).tuples()]
        Subscriber.insert_many(
            {"holder": id, "code": f"S-{id}", "since": date(2020, 1, 1)} for id in holders
        ).execute()
        codes = [id for (id,) in Subscriber.select(Subscriber.id).order_by(Subscriber.id).tuples()]
        Number.insert_many(
            {
                "msisdn": f"3897{n:07}",
                "subscriber": id,
                "sim_end": "123456",
                "kind": chance.choice(("prepaid", "postpaid")),
                "tariff": "",
                "active": True,
            }
            for n, id in enumerate(codes)
        ).execute()
        self.model: dict[int, Naive] = {}
        self.numbers: dict[int, str] = {}
        # Half of them join a month or two later.
        rows = []
        for number in Number.select().order_by(Number.id):
            day = date(2025, chance.choice((10, 10, 11, 12)), 15)
            rows.append(
                {
                    "number": number.id,
                    "language": "sq",
                    "holder": holders[len(rows)],
                    "segment": "private",
                    "kind": number.kind,
                    "joined_at": self.at(day),
                    "earns_from": month_after(day),
                }
            )
        ClubMember.insert_many(rows).execute()
        for member in ClubMember.select(ClubMember, Number).join(Number).order_by(ClubMember.id):
            self.model[member.id] = Naive(member.earns_from)
            self.numbers[member.id] = member.msisdn
        self.entries: dict[int, list[int]] = {id: [] for id in self.model}

    @staticmethod
    def at(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 11, tzinfo=UTC)

    def credit(self, month: date, day: date) -> None:
        run, lines = MonthlyCredit(f"{month:%Y-%m}", self.at(day)), []
        for id, naive in self.model.items():
            euros = self.chance.choice((0, 0, 1, 7, 30))
            naive.told(month, euros)
            # Who spent nothing has no line, or one that says so.
            if euros or self.chance.random() < 0.5:
                lines.append((len(lines) + 2, self.numbers[id], euros * EURO + self.chance.randrange(EURO)))
        self.chance.shuffle(lines)
        # Now and then the run is killed in the middle, and done again.
        for times in self.chance.choice(((1,), (1,), (0.5, 1))):
            for start in range(0, int(len(lines) * times), 500):
                run.credit(lines[start : start + 500])
        run.credit_nothing()

    def spend(self, id: int, day: date) -> None:
        """As the model says: refused for the same reason, or taken."""
        naive, points = self.model[id], self.chance.choice((1, 5, 10, 20, 45))
        self.count += 1
        said, refused = naive.spend(points, day), ""
        try:
            with db.atomic():
                member = ClubMember.hold(id, self.at(day))
                entry = debit(member, points, "voucher", self.at(day), key=f"v{self.count}", about={})
            self.entries[id].append(entry.id)
        except (Blocked, NotEnough, NotMember) as error:
            refused = type(error).__name__
        assert refused == said

    def cancel(self, id: int, day: date) -> None:
        """What was spent comes back; asked for twice it does once."""
        if not self.entries[id]:
            return
        which = self.chance.randrange(len(self.entries[id]))
        said = self.model[id].return_(which, day)
        for _ in range(self.chance.choice((1, 2))):
            try:
                with db.atomic():
                    member = ClubMember.hold(id, self.at(day))
                    give_back(ClubEntry.get_by_id(self.entries[id][which]), member, self.at(day), about={})
                    assert said == ""
            except NotMember:
                assert said == "NotMember"

    def change(self, id: int, day: date) -> None:
        """Another tariff or holder; the job, or whatever touches the member next, follows it."""
        number = Number.get(Number.msisdn == self.numbers[id])
        holder, naive, what = (
            number.subscriber.holder,
            self.model[id],
            self.chance.choice(("business", "kind", "gone")),
        )
        if naive.ended:
            return
        if what == "business" and holder.segment == "private":
            Holder.update(segment="business", company="F").where(Holder.id == holder.id).execute()
            if number.kind == "postpaid":
                naive.lose()
        elif what == "kind" and number.kind == "prepaid":
            Number.update(kind="postpaid").where(Number.id == number.id).execute()
        elif what == "gone":
            Number.update(active=False).where(Number.id == number.id).execute()
            naive.lose()
            naive.ended = True
        if self.chance.random() < 0.5:
            ClubMember.follow_all_services(self.at(day), limit=5000)

    def compare(self, day: date) -> None:
        """Each member's points by their last day: what is left of which shows that the oldest went first."""
        sums: dict[int, dict[date, int]] = {}
        lots = ClubLot.select(ClubLot.member, ClubLot.usable_until, fn.SUM(ClubLot.left)).where(
            ClubLot.left > 0, ClubLot.usable_until >= day
        )
        for id, until, points in lots.group_by(ClubLot.member, ClubLot.usable_until).tuples():
            sums.setdefault(id, {})[until] = points
        wrong = [id for id, naive in self.model.items() if sums.get(id, {}) != naive.left(day)]
        assert wrong == [], (day, len(wrong), sums.get(wrong[0]), self.model[wrong[0]])
        blocked = {
            id for (id,) in ClubMember.select(ClubMember.id).where(ClubMember.blocked_at.is_null(False)).tuples()
        }
        said = {id for id, naive in self.model.items() if naive.blocked}
        ended = {id for id, naive in self.model.items() if naive.ended}
        assert blocked - ended == said - ended


@pytest.mark.rule("CLB-5", "CLB-7", "CLB-14", "CLB-16")
def test_random_histories_add_up_to_what_a_child_would_count():
    chance = random.Random(SEED)  # noqa: S311
    all_ = Histories(chance)
    ids = list(all_.model)
    for month in MONTHS:
        # In the month after it.
        after = (month + timedelta(days=32)).replace(day=1)
        days = sorted(chance.choices(range(1, 28), k=80))
        for day in [after.replace(day=day) for day in days if day < 3]:
            all_.spend(chance.choice(ids), day)
        all_.credit(month, after.replace(day=3))
        for day in [after.replace(day=day) for day in days if day >= 3]:
            act = chance.random()
            step = all_.spend if act < 0.7 else all_.cancel if act < 0.96 else all_.change
            step(chance.choice(ids), day)
        day = after.replace(day=28)
        ClubMember.follow_all_services(all_.at(day), limit=5000, within=inf)
        if chance.random() < 0.6:
            lapse_all_due(all_.at(day), within=inf)
        if not IS_SQLITE:
            # As the server does by itself once rows are committed.
            db.execute_sql("ANALYZE")
        all_.compare(day)
    lapse_all_due(all_.at(date(2027, 12, 31)), within=inf)
    differences = list(audit())
    assert differences == [], (SEED, differences[:5])
    balances = dict(ClubMember.select(ClubMember.id, ClubMember.balance).tuples())
    assert balances == {id: sum(naive.left(date(2027, 12, 31)).values()) for id, naive in all_.model.items()}
    kinds = {kind for (kind,) in ClubEntry.select(ClubEntry.kind).distinct().tuples()}
    assert kinds == {"month", "voucher", "lapsed", "lost", "returned", "blocked", "unblocked"}
