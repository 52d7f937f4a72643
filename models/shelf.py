"""The shelf: every device as shoppers see it in lists, filters and the search (CAT-2, CAT-6).

`relist` works the Listing rows out inside the transaction of a change. Each process keeps a `CatalogueIndex` of
them and takes in only the rows that changed since the version it knows.
"""

import json
from collections import OrderedDict, defaultdict
from threading import RLock

from peewee import Case, fn

from models.accessories import Accessories
from models.base import db, utcnow
from models.catalogue import (
    LANGUAGES,
    Brand,
    CatalogueVersion,
    Device,
    Gift,
    Listing,
    Promotion,
    Tariff,
    TariffPrice,
    Variant,
)
from models.catalogue_index import CatalogueIndex, Entry, Query, Result
from models.choice import Choice
from models.drawing import picture_path
from models.pricing import device_only_price, monthly_price
from models.search_text import ACCESSORY_WORDS

_BATCH = 400
# Devices whose offers one process keeps, and lists whose results.
_OFFERED = 2_000
_FOUND = 256
# Cards' facts one process keeps: half a kilobyte each.
_CARDS = 12_000


def relist(device_ids, now) -> int:
    """Work out the listings of `device_ids` as of `now` and raise the catalogue's version; returns it.

    Call it inside the transaction that changed the devices: no page may show one without the other.
    """
    ids = sorted(set(device_ids))
    version = CatalogueVersion.next()
    for start in range(0, len(ids), _BATCH):
        rows = list(_listings(ids[start : start + _BATCH], version, now))
        if rows:
            (
                Listing.insert_many(rows)
                .on_conflict(
                    conflict_target=[Listing.device],
                    preserve=[field for field in Listing._meta.sorted_fields if field.name != "device"],
                )
                .execute()
            )
    return version


def relist_due(now) -> int:
    """Take in promotions that started or ended since (CAT-5); returns how many devices changed."""
    due = [row[0] for row in Listing.select(Listing.device).where(Listing.due_at <= now).tuples()]
    if not due:
        return 0
    with db.atomic():
        relist(due, now)
    return len(due)


def _listings(ids, version, now):
    devices = Device.select(Device, Brand).join(Brand).where(Device.id.in_(ids))
    variants = _grouped(Variant.select().where(Variant.device.in_(ids)).order_by(Variant.position), "device_id")
    promotions = _grouped(
        Promotion.select(Promotion, Variant.device).join(Variant).where(Variant.device.in_(ids)).objects(),
        "variant_id",
    )
    gifts = {gift.device_id: gift for gift in Gift.select().where(Gift.device.in_(ids))}
    cheapest = dict(
        TariffPrice.select(Variant.device, fn.MIN(TariffPrice.price))
        .join_from(TariffPrice, Variant)
        .join_from(TariffPrice, Tariff)
        .where(Variant.device.in_(ids), Variant.listed, Tariff.listed, TariffPrice.contract_type == "besnik24")
        .group_by(Variant.device)
        .tuples()
    )
    for device in devices:
        yield _listing(
            device,
            [variant for variant in variants[device.id] if variant.listed],
            promotions,
            gifts.get(device.id),
            cheapest.get(device.id),
            version,
            now,
        )


def card_of(device, variants, promotions, gift, cheapest, now) -> str:
    """The card of a device that need not be in the database, as `Shelf.cards` gives one (DSK-4).

    `promotions` are by the id of their variant; `cheapest` is the lowest price as Besnik 24, or None.
    """
    return json.dumps(_listing(device, variants, defaultdict(list, promotions), gift, cheapest, 0, now)["card"])


def _grouped(query, key):
    groups = defaultdict(list)
    for row in query:
        groups[getattr(row, key)].append(row)
    return groups


def _listing(device, variants, promotions, gift, cheapest, version, now):
    shown = device.listed and bool(variants)
    in_stock = [variant for variant in variants if variant.stock > 0]
    # The card shows the price of what can be bought; sold out devices keep the price they had.
    offered = in_stock or variants
    prices = [(device_only_price(variant, promotions[variant.id], now), variant) for variant in offered]
    best, face = min(prices, key=lambda pair: (pair[0].now, pair[1].position), default=(None, None))
    boundaries = [
        moment
        for variant in variants
        for promotion in promotions[variant.id]
        for moment in (promotion.starts_at, promotion.ends_at)
        if moment is not None and moment > now
    ]
    private = max(
        (device_only_price(variant, promotions[variant.id], now, "private").percent_off for variant in offered),
        default=0,
    )
    colours, seen = [], set()
    for variant in variants:
        if variant.colour_hex not in seen:
            seen.add(variant.colour_hex)
            colours.append(variant.colour_hex)
    storages = sorted({variant.storage_gb for variant in variants if variant.storage_gb})
    has_gift = bool(gift and gift.stock > 0)
    face = face or (variants[0] if variants else None)
    card = {}
    if face is not None:
        card = {
            "slug": device.slug,
            "kind": device.kind,
            "name": {language: device.full_name(language) for language in LANGUAGES},
            "note": {language: device.note(language) for language in LANGUAGES},
            "picture": picture_path(device, variants[0], "pair"),
            "colours": colours,
            "storages": storages,
            "price": best.now,
            "before": best.before,
            "off": best.percent_off,
            "private_off": private if private > best.percent_off else 0,
            "from": len({price.now for price, _ in prices}) > 1,
            "gift": {language: gift.name(language) for language in LANGUAGES} if has_gift else None,
            "month": monthly_price(cheapest) if cheapest is not None else None,
            "in_stock": bool(in_stock),
        }
    words = [device.brand.name, *(device.full_name(language) for language in LANGUAGES)]
    words += [variant.colour(language) for variant in variants for language in LANGUAGES]
    words += [variant.sku for variant in variants]
    words += [f"{size} GB" for size in storages]
    return {
        "device": device.id,
        "version": version,
        "shown": shown,
        "kind": device.kind,
        "brand": device.brand.name,
        "price": best.now if best else 0,
        "released": device.released,
        "popularity": device.popularity,
        "storages": storages,
        "colours": sorted({variant.colour_family for variant in variants}),
        "os": device.facts.get("os") or None,
        "five_g": device.facts.get("network") == "5G",
        "in_stock": bool(in_stock),
        "discounted": bool(best and best.before),
        "gift": has_gift,
        "text": " ".join(dict.fromkeys(" ".join(words).split())),
        "card": card,
        "due_at": min(boundaries, default=None),
        "changed_at": now,
    }


class Shelf:
    """What one process knows of the shelf; `fresh()` makes it true for the catalogue's present version.

    Its threads take turns: the index is for one at a time.
    """

    def __init__(self):
        self.index = CatalogueIndex()
        self.accessories = Accessories()
        self.version = -1
        self._choices: dict[Query, Result] = {}
        self._found: OrderedDict[Query, Result] = OrderedDict()
        self._cards: OrderedDict[int, str] = OrderedDict()
        # Slug → the version it was looked up at, and what is offered of it.
        self._offered: dict[str, tuple[int, Choice | None]] = {}
        self._turn = RLock()

    def fresh(self) -> "Shelf":
        """Take in what changed since the last call: one query when nothing did."""
        current = CatalogueVersion.current()
        if current != self.version:
            with self._turn:
                if current != self.version:
                    self._take_in(current)
        return self

    def search(self, query: Query) -> Result:
        """The page that `query` asks for; the last ones are kept while nothing changes."""
        with self._turn:
            result = self._found.get(query)
            if result is None:
                result = self._found[query] = self.index.search(query)
                if len(self._found) > _FOUND:
                    self._found.popitem(last=False)
            else:
                self._found.move_to_end(query)
            return result

    def suggest(self, q: str, limit: int = 6) -> list[int]:
        with self._turn:
            return self.index.suggest(q, limit)

    def choices(self, query: Query) -> Result:
        """What can be chosen at all in the list of `query`, which has no filters yet; kept while nothing changes.

        There are a few such lists, but as many searches as people type.
        """
        if query.q:
            return self.search(query)
        with self._turn:
            if query not in self._choices:
                self._choices[query] = self.index.search(query)
            return self._choices[query]

    def offered(self, slug: str) -> Choice | None:
        """The colours, storages and prices of a device, or None; no query while the catalogue stays as it is."""
        version, choice = self._offered.get(slug, (None, None))
        if version != self.version:
            version, choice = self.version, Choice.of_slug(slug, utcnow())
            # Nobody can fill the memory with addresses of devices that do not exist.
            if choice is not None:
                if len(self._offered) >= _OFFERED:
                    self._offered.clear()
                self._offered[slug] = version, choice
        return choice

    def accessories_for(self, device, count: int) -> list[int]:
        """Up to `count` ids of accessories that fit `device` and can be bought."""
        with self._turn:
            port = device.facts.get("port", "")
            return self.accessories.fitting(device.slug, device.brand.name, device.kind, count, port)

    def similar_to(self, device, count: int) -> list[int]:
        """Up to `count` ids of what somebody may take instead, and can be bought: devices of its kind that cost about
        as much; for an accessory, others of its look for the same."""
        with self._turn:
            if device.kind == "accessory":
                look = device.drawing.get("kind", "")
                return self.accessories.alike(device.id, device.fits, look, count)
            return self.index.near(device.id, device.kind, count)

    def _take_in(self, current):
        if current < self.version:  # another database, or one that was restored
            self.index, self.accessories, self.version = CatalogueIndex(), Accessories(), -1
            self._cards.clear()
        gone = []
        columns = (
            Listing.device,
            Listing.shown,
            Listing.kind,
            Listing.brand,
            Listing.price,
            Listing.released,
            Listing.popularity,
            Listing.storages,
            Listing.colours,
            Listing.os,
            Listing.five_g,
            Listing.in_stock,
            Listing.discounted,
            Listing.gift,
            Listing.text,
            Device.fits.cast("text"),
            Device.drawing.cast("text"),
            # Of the few that have a plug to fit.
            Case(None, [(Listing.kind == "accessory", Device.facts.cast("text"))], None),
        )
        changed = Listing.select(*columns).join(Device).where(Listing.version > self.version).tuples().iterator()

        def entries():
            for row in changed:
                (number, shown, kind, brand, price, released, popularity, storages, colours, *rest) = row
                os, five_g, in_stock, discounted, gift, text, fits, drawing, facts = rest
                self._cards.pop(number, None)
                if kind == "accessory":
                    look = json.loads(drawing).get("kind", "")
                    text = f"{text} {ACCESSORY_WORDS.get(look, '')}"
                    if shown and in_stock:
                        port = json.loads(facts).get("port", "")
                        self.accessories.put(number, json.loads(fits), look, popularity, port)
                    else:
                        self.accessories.remove(number)
                if not shown:
                    gone.append(number)
                    continue
                yield Entry(
                    id=number,
                    kind=kind,
                    brand=brand,
                    price=price,
                    released=released,
                    popularity=popularity,
                    storages=tuple(storages),
                    colours=tuple(colours),
                    os=os,
                    five_g=five_g,
                    in_stock=in_stock,
                    discounted=discounted,
                    gift=gift,
                    text=text,
                )

        self.index.update(entries(), current)
        if gone:
            self.index.remove(gone)
        self._choices.clear()
        self._found.clear()
        self.version = current

    def cards(self, device_ids) -> list[str]:
        """The card facts of `device_ids` as JSON texts, in that order, true for the version that `fresh` took in.

        One query where some of them were not asked for lately. A text is the key under which a drawn card may be
        kept.
        """
        ids = list(device_ids)
        with self._turn:
            version = self.version
            known = {number: self._cards[number] for number in ids if number in self._cards}
            for number in known:
                self._cards.move_to_end(number)
        if missing := [number for number in ids if number not in known]:
            read = self._read_cards(missing)
            known |= read
            with self._turn:
                # What changed meanwhile may have been read as it was before.
                if version == self.version:
                    self._cards.update(read)
                    while len(self._cards) > _CARDS:
                        self._cards.popitem(last=False)
        return [known[number] for number in ids if number in known]

    def popular_cards(self, count: int) -> list[str]:
        """The cards of the `count` most popular devices."""
        ids = self.index.search(Query(per_page=count)).ids
        return [card for start in range(0, len(ids), _BATCH) for card in self.cards(ids[start : start + _BATCH])]

    @classmethod
    def cards_now(cls, device_ids) -> list[str]:
        """As `cards`, but as the database has them now, whatever this process knows; one query."""
        ids = list(device_ids)
        found = cls._read_cards(ids) if ids else {}
        return [found[number] for number in ids if number in found]

    @staticmethod
    def _read_cards(ids: list[int]) -> dict[int, str]:
        # Each list asks it: building the query anew would take longer than its answer.
        places = ", ".join([db.param] * len(ids))
        rows = db.execute_sql(
            f"SELECT device_id, CAST(card AS TEXT) FROM listing WHERE shown AND device_id IN ({places})",  # noqa: S608
            ids,
        )
        return dict(rows.fetchall())

    @staticmethod
    def cards_of(slugs, count: int) -> list[str]:
        """The cards of the most popular `count` devices of these slugs; one query."""
        rows = (
            Listing.select(Listing.card.cast("text"))
            .join(Device)
            .where(Device.slug.in_(list(slugs)), Listing.shown)
            .order_by(Listing.popularity.desc())
            .limit(count)
        )
        return [card for (card,) in rows.tuples()]


shelf = Shelf()


def stock_changed(device_ids) -> None:
    """A variant sold out or came back: the devices' cards and filters follow in the same transaction."""
    if device_ids:
        relist(device_ids, utcnow())
