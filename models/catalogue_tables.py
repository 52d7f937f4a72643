"""The small tables that editors keep: tariffs, makers, partners with their offers, gifts of the club (DSK-4, CLB-17).

Each save is one transaction with its entry in the trail; of two editors of one row the second is told. Nothing is
deleted: a tariff is unlisted, and what is offered for points ends on a day.
"""

from datetime import date, timedelta

from peewee import IntegrityError, fn

from models.actor import Actor
from models.base import db, locked
from models.calendar import local_day
from models.catalogue import Brand, CatalogueVersion, Device, Listing, Tariff, TariffPrice, Variant
from models.club_lists import BACK_DATED, GiftList, OfferList
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import BackDated
from models.places import municipality_of, place_of
from models.shelf import relist
from models.shop_row import TEXTS, ShopRow
from models.shops import from_file
from models.trail import record, refuse_changed_subject

PER_PAGE = 30
# More devices than these are listed anew by the worker, a few seconds later.
AT_ONCE = 500
LANGUAGES = ("sq", "mk", "en")


class Refused(ValueError):
    """What keeps a row from being saved: `problems` are (column, reason)."""

    def __init__(self, *problems: tuple[str, str]):
        super().__init__("; ".join(f"{column}: {reason}" for column, reason in problems))
        self.problems = problems


def relist_soon(devices, now) -> None:
    """Work out the listings of `devices`, a query of their ids: at once where they are few, else by the worker."""
    ids = [id for (id,) in devices.limit(AT_ONCE + 1).tuples()]
    if len(ids) <= AT_ONCE:
        relist(ids, now)
        return
    Listing.update(due_at=now).where(Listing.device.in_(devices)).execute()
    CatalogueVersion.next()


class _Table:
    """What the pages need of a table. `columns` are shown and typed; `fixed` ones once, when a row is made."""

    model = None
    word = ""
    columns: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def query(self):
        return self.model.select()

    def page(self, number: int) -> tuple[list, int, int]:
        """(rows, the page's number, how many rows there are)."""
        total = self.model.select().count()
        number = min(max(1, number), max(1, -(-total // PER_PAGE)))
        return list(self.query().limit(PER_PAGE).offset((number - 1) * PER_PAGE)), number, total

    def find(self, id: int):
        return self.query().where(self.model.id == id).first()

    def subject(self, row) -> str:
        return f"{self.word}:{row.id}"

    def values(self, row) -> dict:
        """The row by column; days as ISO texts."""
        return {name: getattr(row, name) for name in self.columns}

    def save(self, row, values: dict, *, by: Actor, now, mark: str | None = None):
        """Write `values`, a value or None for each column, into `row`, or into a new one for None; returns the row.

        A save that changes nothing writes nothing. Raises Refused, ChangedMeanwhile.
        """
        with db.atomic():
            if row is not None:
                row = locked(self.model.select().where(self.model.id == row.id)).get()
                row = self.find(row.id)
            before = self.values(row) if row is not None else {}
            changed = {name: value for name, value in values.items() if before.get(name) != value}
            if row is not None and not changed:
                return row
            if row is not None and mark is not None:
                refuse_changed_subject(self.subject(row), mark)
            try:
                with db.atomic():
                    row = self.write(row, {**before, **values}, before, now)
            except IntegrityError:
                raise Refused((self.fixed[0], "is taken")) from None
            after = self.values(row)
            names = [name for name in after if before.get(name) != after[name]]
            record(
                by,
                "edited",
                now,
                subject=self.subject(row),
                before={name: before.get(name) for name in names if before},
                after={name: after[name] for name in names},
            )
        return row

    def write(self, row, values: dict, before: dict, now):
        raise NotImplementedError


class Tariffs(_Table):
    model = Tariff
    word = "tariff"
    columns = ("code", "name", "monthly_price", "internet_gb", "minutes", "sms", "position", "listed")
    fixed = ("code",)

    def query(self):
        return Tariff.select().order_by(Tariff.listed.desc(), Tariff.position, Tariff.id)

    def write(self, row, values, before, now):
        if row is None:
            row = Tariff.create(**values)
        else:
            Tariff.update(**values).where(Tariff.id == row.id).execute()
            row = self.find(row.id)
        if before and before["listed"] != row.listed:
            # The month's price on a card is that of the cheapest tariff.
            priced = (
                Variant.select(Variant.device)
                .join(TariffPrice)
                .where(TariffPrice.tariff == row, TariffPrice.contract_type == "besnik24")
                .distinct()
            )
            relist_soon(priced, now)
        else:
            CatalogueVersion.next()
        return row


class Brands(_Table):
    model = Brand
    word = "brand"
    columns = ("name",)
    fixed = ()

    def query(self):
        return Brand.select().order_by(Brand.name)

    def write(self, row, values, before, now):
        name = values["name"]
        twin = Brand.select().where(fn.LOWER(Brand.name) == name.lower())
        if row is not None:
            twin = twin.where(Brand.id != row.id)
        if twin.exists():
            raise Refused(("name", "is taken"))
        if row is None:
            return Brand.create(name=name)
        Brand.update(name=name).where(Brand.id == row.id).execute()
        old, new = f"brand:{before['name']}", f"brand:{name}"
        # Accessories that fit all of its devices name it.
        for device in Device.select(Device.id, Device.fits).where(Device.kind == "accessory"):
            if old in device.fits:
                fits = [new if one == old else one for one in device.fits]
                Device.update(fits=fits).where(Device.id == device.id).execute()
        relist_soon(Device.select(Device.id).where(Device.brand == row), now)
        return self.find(row.id)


class Partners(_Table):
    model = Partner
    word = "partner"
    columns = ("code", "name", "place")
    fixed = ("code",)

    def query(self):
        return Partner.select().order_by(Partner.name, Partner.id)

    def write(self, row, values, before, now):
        if row is None:
            return Partner.create(**values)
        Partner.update(**values).where(Partner.id == row.id).execute()
        return self.find(row.id)


class _Offered(_Table):
    """Lines that count from a day on: what counts already stays, and a change is a line of its own (CLB-17)."""

    lists = OfferList
    texts = tuple(f"{stem}_{language}" for stem in ("name", "detail") for language in LANGUAGES)

    def query(self):
        return self.model.select().order_by(self.model.since.desc(), self.model.code, self.model.id)

    def values(self, row):
        told = {name: getattr(row, name) for name in self.columns if name not in self.texts}
        for language in LANGUAGES:
            told[f"name_{language}"] = row.names.get(language, "")
            told[f"detail_{language}"] = row.details.get(language, "")
        told["since"] = row.since.isoformat()
        told["until"] = row.until.isoformat() if row.until else None
        return told

    def write(self, row, values, before, now):
        today = local_day(now)
        line = self.line(dict(values))
        line["since"] = date.fromisoformat(line["since"])
        line["until"] = date.fromisoformat(line["until"]) if line["until"] else None
        for name in self.texts:
            line[name] = line[name] or ""
        if (
            row is None
            and self.model.select().where(self.model.code == line["code"], self.model.since == line["since"]).exists()
        ):
            raise Refused(("since", "is taken"))
        lists = self.lists(None)
        if problems := list(lists.wrong(line)):
            raise Refused(*problems)
        try:
            lists.write(line, today)
            lists.finish(today)
        except BackDated:
            raise Refused(("since", BACK_DATED)) from None
        except ValueError as error:
            raise Refused(error.args) from None
        return self.query().where(self.model.code == line["code"], self.model.since == line["since"]).get()

    def line(self, values: dict) -> dict:
        """As a line of the list."""
        return values

    def next_line(self, row, now) -> dict:
        """The values of a line that follows `row` from tomorrow on."""
        return {**self.values(row), "since": (local_day(now) + timedelta(days=1)).isoformat(), "until": None}


class Offers(_Offered):
    model = PartnerOffer
    word = "offer"
    columns = ("code", "since", "until", "partner", "points", "days", *_Offered.texts)
    fixed = ("code", "since")

    def query(self):
        return (
            PartnerOffer.select(PartnerOffer, Partner)
            .join(Partner)
            .order_by(PartnerOffer.since.desc(), PartnerOffer.code, PartnerOffer.id)
        )

    def values(self, row):
        return {**super().values(row), "partner": row.partner.code}

    def line(self, values):
        partner = Partner.get_or_none(Partner.code == values["partner"])
        if partner is None:
            raise Refused(("partner", "is blank"))
        return {**values, "partner_name": partner.name, "place": partner.place}


class ClubGifts(_Offered):
    model = ClubGift
    lists = GiftList
    word = "club_gift"
    columns = ("code", "since", "until", "points", "sku", *_Offered.texts)
    fixed = ("code", "since")

    def line(self, values):
        # Pieces come by movements.
        return {**values, "stock": 0, "sku": values["sku"] or ""}


class Shops(_Table):
    """The operator's shops (AFT-5). The first change takes over those of the file."""

    model = ShopRow
    word = "shop"
    columns = (*TEXTS, "listed")

    def query(self):
        return ShopRow.select().order_by(ShopRow.listed.desc(), ShopRow.id)

    def write(self, row, values, before, now):
        try:
            municipality_of(values["municipality"])
        except KeyError:
            raise Refused(("municipality", "is blank")) from None
        try:
            place_of(values["postal_code"])
        except KeyError:
            raise Refused(("postal_code", "is blank")) from None
        CatalogueVersion.next()
        if row is None:
            ShopRow.adopt(from_file())
            return ShopRow.create(**values)
        ShopRow.update(**values).where(ShopRow.id == row.id).execute()
        return self.find(row.id)

    def adopt(self, *, by: Actor, now) -> int:
        """Take over the shops of the file; 0 when they are kept here already."""
        with db.atomic():
            count = ShopRow.adopt(from_file())
            if count:
                record(by, "shops_adopted", now, subject="shop:all", after={"rows": count})
        return count


TABLES = {
    "tarifat": Tariffs(),
    "ofertat": Offers(),
    "dhuratat": ClubGifts(),
    "partneret": Partners(),
    "markat": Brands(),
    "dyqanet": Shops(),
}
