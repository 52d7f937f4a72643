"""Filters with exact counts, sorting, paging and forgiving search over the whole shelf, in memory (CAT-6).

Each process keeps one `CatalogueIndex` and feeds it what changed. A device has a slot; what a filter can
name is one bit per slot, so that a count is an AND and a population count. The order of each sort is kept
and only mended when devices change. The words are an inverted index whose terms are sorted: the devices of
a beginning ("gal…") are one slice. Where few devices are left, only their slots are looked at: what a search
costs follows what it finds more than how much there is.

Nothing here reads a database, and one thread at a time may use an index.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, reduce
from itertools import islice
from operator import and_, itemgetter

import numpy as np
from rapidfuzz.distance import OSA

from models.search_text import KIND_WORDS, SMALL_WORDS, Word, key_of, stem_so_far, word, words

SORTS = ("popular", "price", "-price", "newest", "relevance")
FLAGS = ("five_g", "in_stock", "discounted", "gift")

# What a query may cost: a longer one is cut, further misspelt words stay as they are.
_QUERY_LENGTH = 120
_QUERY_WORDS = 8
_REPAIRS = 3
_RESPELT = (4, 20)
_CANDIDATES = 24
_NEAREST = 4
# Of so many times as many as are asked for, the nearest in price, the most popular are shown.
_NEAR = 3
# Misspelt words whose candidates are remembered, and large sets of devices whose counts are.
_SPELT = 1024
_COUNTED = 128
# Words with many devices whose devices are kept as a mask, one byte per slot.
_MASKS = 64

_LOAD = 2000
_AFTER_ALL = "\U0010ffff"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Entry:
    """One device as the index takes it in.

    `price` is the lowest price now in minor units, `released` yyyymm, `storages` gigabytes, `colours` colour
    families; `text` is everything else that can be searched for (names in every language, colours, SKUs).
    """

    id: int
    kind: str
    brand: str
    price: int
    released: int
    popularity: int
    storages: tuple[int, ...] = ()
    colours: tuple[str, ...] = ()
    os: str | None = None
    five_g: bool = False
    in_stock: bool = False
    discounted: bool = False
    gift: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list page asks for; prices in minor units, both ends included.

    `sort` is one of SORTS: every sort breaks ties by popularity, then by id. "relevance" without words is
    "popular".
    """

    kind: str | None = None
    q: str = ""
    brands: frozenset[str] = frozenset()
    price_from: int | None = None
    price_to: int | None = None
    storages: frozenset[int] = frozenset()
    colours: frozenset[str] = frozenset()
    os: frozenset[str] = frozenset()
    five_g: bool = False
    in_stock: bool = False
    discounted: bool = False
    gift: bool = False
    # Discounted or with a gift: the list of offers.
    offers: bool = False
    sort: str = "popular"
    page: int = 1
    per_page: int = 12

    def __post_init__(self):
        if self.sort not in SORTS:
            raise ValueError(f"unknown sort {self.sort!r}")
        if self.per_page < 1:
            raise ValueError("per_page must be at least 1")


@dataclass(slots=True)
class Result:
    """A page of devices and what the filters beside it say.

    `facets` has "brand", "storage", "colour" and "os" as (value, count), and each of FLAGS as one
    (True, count). A count is how many devices would be shown if that value alone were chosen in its filter,
    all other filters as they are. `price_min` and `price_max` are those of the devices that all filters but
    the price let through, None without any. `corrected` is the query as understood when a mistake in it was
    forgiven. `nearest` helps an empty result: up to four devices that fulfil the most of what was asked, or, where
    `is_near` is False, the most popular ones because none fulfils any of it.
    """

    ids: list[int]
    total: int
    page: int
    pages: int
    facets: dict[str, list[tuple]]
    price_min: int | None
    price_max: int | None
    corrected: str | None = None
    nearest: list[int] = field(default_factory=list)
    is_near: bool = True


class CatalogueIndex:
    """The shelf of one process. `version` is what the last `update` or `remove` was told.

    `packing`: how many new word-and-device pairs wait until they are packed; a few waiting cost little, and
    packing takes some tens of milliseconds with 50,000 devices.
    """

    def __init__(self, packing: int = 16_384):
        self.version = 0
        self._slots: dict[int, int] = {}
        self._room = 0
        self._used = 0
        self._free: list[int] = []
        self._dead: list[int] = []
        self._alive = np.zeros(0, bool)
        self._ids = np.zeros(0, np.int64)
        self._price = np.zeros(0, np.int64)
        self._popularity = np.zeros(0, np.int64)
        self._released = np.zeros(0, np.int64)
        self._print = np.zeros(0, np.int64)
        self._facets = {name: _Facet() for name in ("kind", "brand", "storage", "colour", "os", "flag")}
        self._facets["flag"].rows(FLAGS)
        self._rows = _Rows()
        self._terms = _Terms(packing)
        self._orders = {sort: np.zeros(0, np.intp) for sort in ("popular", "price", "-price", "newest")}
        # The place of each slot in these orders, and the prices of "price".
        self._ranks = dict(self._orders)
        self._prices = np.zeros(0, np.int64)
        self._everyone = _bits(self._alive)
        self._nobody = np.zeros(0, bool)
        # All devices that a list begins with, by its kind (None is any), and their slots, by sort and kind.
        self._wholes: dict[str | None, _Devices] = {}
        self._of_kind: dict[tuple[str, str], np.ndarray] = {}
        self._candidates: dict[tuple, list[tuple[str, bool]]] = {}
        # What was counted in a large set: lists that differ in words, order or page alone often show the same one.
        self._counted: OrderedDict[bytes, dict] = OrderedDict()

    def __len__(self) -> int:
        return len(self._slots)

    # Taking in

    def update(self, entries: Iterable[Entry], version: int) -> None:
        """Insert `entries`, or put them in the place of those with the same ids.

        The index is then of `version`. `entries` may be a generator: only a few thousand are held at once.
        """
        moved: dict[int, None] = {}
        gone: list[int] = []
        entries = iter(entries)
        while batch := {entry.id: entry for entry in islice(entries, _LOAD)}:
            self._place(batch.values(), moved, gone)
        if moved or gone:
            self._settle(moved, gone)
        self.version = version

    def remove(self, ids: Iterable[int], version: int | None = None) -> None:
        """Forget the devices with these ids; unknown ids are passed over."""
        gone = [self._slots.pop(number) for number in set(ids) if number in self._slots]
        for slot in gone:
            self._bury(slot)
        if gone:
            self._settle({}, gone)
        if version is not None:
            self.version = version

    def _place(self, batch, moved, gone):
        fresh, kept = [], []
        for entry in batch:
            # Most changes are of price or stock and leave the words alone.
            mark = hash((entry.kind, entry.brand, entry.text, entry.storages, entry.os, entry.five_g))
            slot = self._slots.get(entry.id)
            if slot is not None:
                gone.append(slot)
                moved.pop(slot, None)
                if self._print[slot] == mark:
                    kept.append(slot)
                else:
                    # Its words stay filed until the terms are packed: the slot may not be reused before.
                    self._bury(slot)
                    slot = None
            if slot is None:
                slot = self._new_slot()
                self._slots[entry.id] = slot
                self._ids[slot] = entry.id
                self._print[slot] = mark
                self._alive[slot] = True
                fresh.append((slot, entry))
            moved[slot] = None
            self._price[slot] = entry.price
            self._popularity[slot] = entry.popularity
            self._released[slot] = entry.released
        for facet in self._facets.values():
            facet.clear(kept)
        slots = [self._slots[entry.id] for entry in batch]
        tags = [[] for _ in slots]
        for name, facet in self._facets.items():
            values_of = [_values(entry, name) for entry in batch]
            facet.set(slots, values_of)
            if name != "kind":
                self._rows.extend(tags, name, values_of)
        self._rows.set(slots, tags)
        for slot, entry in fresh:
            self._terms.add(slot, *_indexed(entry))
        self._tidy()

    def _new_slot(self):
        if self._free:
            return self._free.pop()
        if self._used == self._room:
            # Whole 64-bit words, and a third more each time.
            self._room = -(-max(1024, self._room * 4 // 3) // 64) * 64
            for name in ("_alive", "_ids", "_price", "_popularity", "_released", "_print"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros(self._room - len(old), old.dtype)]))
            for facet in self._facets.values():
                facet.widen(self._room // 64)
            self._rows.lengthen(self._room)
        self._used += 1
        return self._used - 1

    def _bury(self, slot):
        self._alive[slot] = False
        self._dead.append(slot)
        for facet in self._facets.values():
            facet.clear([slot])

    def _tidy(self, at_rest=False):
        if self._terms.wants_packing(at_rest) or len(self._dead) > max(1024, len(self._slots) // 4):
            self._terms.pack(self._alive)
            self._free += self._dead
            self._dead.clear()

    def _settle(self, moved, gone):
        self._mend_orders(moved, gone)
        self._tidy(at_rest=True)
        self._everyone = _bits(self._alive)
        self._nobody = np.zeros(self._room, bool)
        self._nobody.setflags(write=False)
        self._wholes.clear()
        self._of_kind.clear()
        self._candidates.clear()
        self._counted.clear()

    def _sort_keys(self, sort, slots):
        popular = (self._ids[slots], -self._popularity[slots])
        if sort == "popular":
            return popular
        if sort == "newest":
            return (*popular, -self._released[slots])
        return (*popular, self._price[slots] if sort == "price" else -self._price[slots])

    def _mend_orders(self, moved, gone):
        everything = len(moved) * 64 > len(self._slots)
        if everything:
            slots = np.flatnonzero(self._alive)
        else:
            slots = np.fromiter(moved, np.intp, len(moved))
            stays = np.ones(self._room, bool)
            stays[gone] = False
        for sort, order in self._orders.items():
            ordered = slots[np.lexsort(self._sort_keys(sort, slots))]
            if not everything:
                order = order[stays[order]]

                def key(slot, sort=sort):
                    return tuple(int(part) for part in reversed(self._sort_keys(sort, slot)))

                places = [bisect_left(order, key(slot), key=key) for slot in ordered]
                ordered = np.insert(order, places, ordered) if places else order
            self._orders[sort] = ordered
            self._ranks[sort] = np.zeros(self._room, np.int32)
            self._ranks[sort][ordered] = np.arange(len(ordered))
        self._prices = self._price[self._orders["price"]]
        self._rows.rank(self._ranks["popular"], self._ranks["price"])

    # Asking

    def search(self, query: Query) -> Result:
        """The page that `query` asks for, with the counts of its filters."""
        whole = self._whole(query.kind)
        everyone = whole.bits
        asked = self._understand(query.q) if query.q.strip() else None
        if query.offers:
            everyone = everyone & self._facets["flag"].any_of(["discounted", "gift"])
        if asked is not None:
            everyone = everyone & _bits(asked.hits)
        filters = self._filters(query)

        def those(filters):
            # Many a filter leaves nobody out: what is known of the whole list need not be worked out again.
            bits = reduce(and_, filters, everyone)
            found = whole if bits is whole.bits else _Devices(bits)
            return whole if found.count == whole.count else found

        shown = those(filters.values())
        total = shown.count

        def without(name):
            if name not in filters:
                return shown
            return those(bits for other, bits in filters.items() if other != name)

        facets = {
            name: _listed(self._numbers(name, without(name)), chosen, by_value=name == "storage")
            for name, chosen in _chosen(query)
        }
        for flag in FLAGS:
            facets[flag] = [(True, dict(self._numbers("flag", without(flag))).get(flag, 0))]
        pages = max(1, -(-total // query.per_page))
        page = min(max(1, query.page), pages)
        price_min, price_max = self._price_range(query, without("price"))
        result = Result(
            ids=[],
            total=total,
            page=page,
            pages=pages,
            facets=facets,
            price_min=price_min,
            price_max=price_max,
            corrected=asked.corrected if asked else None,
        )
        if total:
            slots = self._sorted(query, asked, shown, (page - 1) * query.per_page)
            result.ids = self._ids[slots].tolist()
        else:
            result.nearest, result.is_near = self._nearest(query, asked, filters)
        return result

    def suggest(self, q: str, limit: int = 6) -> list[int]:
        """Ids of the devices that someone still typing `q` may mean, the likeliest first.

        The last word may be unfinished. Devices that have the words whole, and in their maker's or model's
        name, come before others; then the more popular ones.
        """
        asked = self._understand(q, typing=True)
        hits = _Devices(_bits(asked.hits & self._alive))
        if limit < 1 or not hits.count:
            return []

        leading = [self._terms.leading(match.ranges, self._room) for match in asked.matches]

        def score(slots):
            return sum(
                match.exact[slots].view(np.uint8) * np.uint8(2) + leads[slots].view(np.uint8)
                for match, leads in zip(asked.matches, leading, strict=True)
            )

        return self._ids[self._by_score(hits, score, 0, limit)].tolist()

    def near(self, number: int, kind: str, count: int) -> list[int]:
        """Ids of up to `count` others of `kind` that are in stock and cost about as much as the device `number`.

        Of the nearest few the most popular, best first; none that costs half as much again, or two thirds.
        """
        slot = self._slots.get(number)
        if slot is None:
            return []
        order, price = self._order("price", kind), int(self._price[slot])
        prices = self._price[order]
        within = order[np.searchsorted(prices, price * 2 // 3) : np.searchsorted(prices, price * 3 // 2, "right")]
        there = _mask(self._facets["flag"].any_of(["in_stock"]))
        within = within[there[within] & (within != slot)]
        nearest = within[np.argsort(np.abs(self._price[within] - price), kind="stable")[: count * _NEAR]]
        places = np.sort(self._ranks["popular"][nearest])[:count]
        return self._ids[self._orders["popular"][places]].tolist()

    def _whole(self, kind) -> "_Devices":
        """All devices of a kind, or all, as they are until the next change."""
        whole = self._wholes.get(kind)
        if whole is None:
            bits = self._everyone
            if kind is not None:
                bits = bits & self._facets["kind"].any_of([kind])
            whole = _Devices(bits, is_whole=True)
            # An address cannot make this grow: kinds that no device has are not kept.
            if kind is None or whole.count:
                self._wholes[kind] = whole
        return whole

    def _order(self, sort, kind) -> np.ndarray:
        """The slots of a kind, or all, in the order of `sort`: who looks for phones need not pass every case."""
        if kind is None:
            return self._orders[sort]
        order = self._of_kind.get((sort, kind))
        if order is None:
            order = self._orders[sort]
            order = self._of_kind[sort, kind] = order[self._whole(kind).mask.take(order)]
        return order

    def _filters(self, query):
        filters = {}
        for name, chosen in _chosen(query):
            if chosen:
                filters[name] = self._facets[name].any_of(chosen)
        for flag in FLAGS:
            if getattr(query, flag):
                filters[flag] = self._facets["flag"].any_of([flag])
        if query.price_from is not None or query.price_to is not None:
            # Places in the order of prices are half as wide as prices.
            places, fits = self._ranks["price"], None
            first = 0 if query.price_from is None else bisect_left(self._prices, query.price_from)
            if first:
                fits = places >= first
            last = len(self._prices)
            if query.price_to is not None:
                last = bisect_right(self._prices, query.price_to)
            if last < len(self._prices):
                cheap = places < last
                fits = cheap if fits is None else fits & cheap
            filters["price"] = self._everyone if fits is None else _bits(fits)
        return filters

    def _numbers(self, name, devices) -> list[tuple]:
        """How many of the devices have each value of a facet: (value, count), in the order in which they came."""
        counted = self._counted_of(devices)
        if name not in counted:
            if devices.is_few:
                counted |= self._rows.numbers(self._rows_of(devices))
            else:
                counted[name] = self._facets[name].numbers(devices)
        return counted.get(name, [])

    def _rows_of(self, devices):
        """The rows of a few devices, got together once for all that is asked of them."""
        if devices.rows is None:
            devices.rows = self._rows.of(devices.slots)
        return devices.rows

    def _counted_of(self, devices):
        """What is known of this set so far; a small one is counted again in less time than it would be found."""
        if devices.is_few or devices.is_whole:
            return devices.counted
        key = devices.key
        counted = self._counted.get(key)
        if counted is None:
            counted = self._counted[key] = {}
            if len(self._counted) > _COUNTED:
                self._counted.popitem(last=False)
        else:
            self._counted.move_to_end(key)
        return counted

    def _price_range(self, query, devices):
        if not devices.count:
            return None, None
        if devices.is_few:
            ranks = self._rows_of(devices).view(np.int32)[:, 1]
            return tuple(self._price.take(self._orders["price"].take([ranks.min(), ranks.max()])).tolist())
        counted = self._counted_of(devices)
        if "price" not in counted:
            ends = [
                self._price[end]
                for kind in (self._facets["kind"].values() if query.kind is None else [query.kind])
                # A kind without any would be gone through to its end.
                if query.kind is not None or (devices.bits & self._facets["kind"].any_of([kind])).any()
                for order in [self._order("price", kind)]
                for end in (*_take(order, devices.mask, 0, 1), *_take(order[::-1], devices.mask, 0, 1))
            ]
            counted["price"] = int(min(ends)), int(max(ends))
        return counted["price"]

    def _sorted(self, query, asked, devices, offset):
        if query.sort != "relevance" or asked is None:
            sort = "popular" if query.sort == "relevance" else query.sort
            if devices.is_few:
                ranks = self._ranks[sort].take(devices.slots)
                return self._orders[sort].take(_least(ranks, offset, query.per_page))
            return _take(self._order(sort, query.kind), devices.mask, offset, query.per_page)

        def score(slots):
            return sum(match.exact[slots].view(np.uint8) for match in asked.matches)

        return self._by_score(devices, score, offset, query.per_page)

    def _by_score(self, devices, score, offset, count):
        """`count` slots of the devices from `offset` on, the best score first, then the most popular.

        `score(slots)` gives theirs; it is asked for a few slots or for all, as a slice.
        """
        if devices.is_few:
            keys = self._rows_of(devices).view(np.int32)[:, 0] - score(devices.slots).astype(np.int32) * self._room
            # A key is a rank again without the score in it.
            return self._orders["popular"].take(_least(keys, offset, count) % self._room)
        scores = score(slice(None))
        found = []
        for level in range(int(scores.max()), -1, -1):
            mask = devices.mask & (scores == level)
            found.append(_take(self._orders["popular"], mask, offset, count))
            count -= len(found[-1])
            if not count:
                break
            offset = max(0, offset - int(np.count_nonzero(mask)))
        return np.concatenate(found)

    def _nearest(self, query, asked, filters):
        """Devices that fulfil as much as can be: filters are given up first, the kind next, words last.

        With them, whether they fulfil any of it.
        """
        score = np.zeros(self._room, np.int16)
        for bits in filters.values():
            score += _mask(bits)
        if query.kind is not None:
            score += _mask(self._facets["kind"].any_of([query.kind])).astype(np.int16) * 16
        for match in asked.matches if asked else ():
            if match.hits.any():
                score += match.hits.astype(np.int16) * 32
        found = []
        for level in np.flatnonzero(np.bincount(score))[::-1]:
            found += _take(self._orders["popular"], score == level, 0, _NEAREST - len(found)).tolist()
            if len(found) == _NEAREST:
                break
        return self._ids[found].tolist(), bool(found) and bool(score[found[0]] > 0)

    # Understanding words

    def _understand(self, q, typing=False) -> "_Asked":
        if len(q) > _QUERY_LENGTH:
            q = q[:_QUERY_LENGTH].rsplit(None, 1)[0]
        asked = list({found.key: found for found in words(q)}.values())
        asked = [found for found in asked if found.key not in SMALL_WORDS] or asked
        asked = asked[:_QUERY_WORDS]
        if not asked:
            return _Asked([], np.zeros(self._room, bool))
        tried = None
        for attempt in self._letters_joined(asked), asked:
            if attempt is not None:
                tried = self._matched(attempt, typing)
                if tried.hits.any():
                    return tried
        return self._repaired(asked, tried, typing)

    def _letters_joined(self, asked):
        """The words with a letter and what follows as one ("s 25", "i phone"); None if nothing is to join."""
        joined = []
        for found in asked:
            before = joined[-1] if joined else None
            if before is not None and len(before.raw) == 1 and before.raw.isalpha():
                both = word(before.raw + found.raw)
                if found.raw[0].isdecimal() or self._terms.has(both.key, True):
                    joined[-1] = both
                    continue
            joined.append(found)
        return joined if len(joined) < len(asked) else None

    def _matched(self, asked, typing=False):
        matches = [self._match(found, typing and found is asked[-1]) for found in asked]
        return _Asked(matches, self._common(matches))

    def _common(self, matches):
        hits = [match.hits for match in matches]
        return reduce(and_, hits) if hits else self._alive

    def _match(self, found: Word, unfinished=False) -> "_Match":
        """The devices of one word: whole, or as a beginning if it has two letters or is being typed.

        A number is not the beginning of a longer number, but of a model or a measure (128 in 128gb); from
        four digits on it may be the beginning of a code.
        """
        exact = np.zeros(self._room, bool)
        match = _Match(found.raw, exact, exact, [])
        self._mark(match, exact, found.key, found.key + "\0")
        match.hits = exact.copy()
        if unfinished or min(len(found.raw), len(found.stem)) > 1:
            begins = found.stem
            # The whole word is marked already.
            after = begins + "\0" if begins == found.key else begins
            if begins.isdecimal() and len(begins) < 4 and not unfinished:
                after = begins + ":"
            self._mark(match, match.hits, after, begins + _AFTER_ALL)
            if unfinished and found.raw.endswith("p") and found.raw.isalpha():
                # "ip" is on its way to "iphone".
                self._mark(match, match.hits, begins[:-1] + "f", begins[:-1] + "f" + _AFTER_ALL)
        return self._living(match)

    def _living(self, match):
        if self._dead:
            match.hits &= self._alive
        return match

    def _mark(self, match, hits, first, before):
        self._terms.mark(first, before, hits)
        match.ranges.append((first, before))

    def _repaired(self, asked, tried, typing):
        """The words with what kept them from matching put right: spaces first, then one letter in a word."""
        asked, matches = list(asked), list(tried.matches)
        missing = not all(match.hits.any() for match in matches)
        at = 0
        while at + 1 < len(asked):
            if not missing or not (matches[at].hits.any() and matches[at + 1].hits.any()):
                joined = word(asked[at].raw + asked[at + 1].raw)
                match = self._match(joined, typing and at + 2 == len(asked))
                rest = matches[:at] + matches[at + 2 :]
                if match.hits.any() and (missing or (self._common(rest) & match.hits).any()):
                    asked[at : at + 2], matches[at : at + 2] = [joined], [match]
            at += 1
        repairs = 0
        for at in reversed(range(len(asked))):
            if matches[at].hits.any() or repairs == _REPAIRS:
                continue
            repairs += 1
            rest = self._common(match for match in matches if match.hits.any())
            better = self._respelt(asked[at], rest) or self._split(asked[at], rest)
            if better:
                matches[at : at + 1] = better
        common = self._common(matches)
        if not common.any() and not missing:
            for at, found in enumerate(asked[:_REPAIRS]):
                rest = self._common(matches[:at] + matches[at + 1 :])
                better = self._respelt(found, rest, thoroughly=False) if rest.any() else None
                if better and (rest & better[0].hits).any():
                    matches[at : at + 1] = better
                    common = self._common(matches)
                    break
        understood = " ".join(match.shown for match in matches)
        changed = understood != " ".join(match.shown for match in tried.matches)
        return _Asked(matches, common, understood if changed else None)

    def _respelt(self, found: Word, rest, thoroughly=True):
        """`found` with one letter put right, so that it matches, if possible together with `rest`."""
        if not _RESPELT[0] <= len(found.raw) <= _RESPELT[1] or not found.raw.isalpha():
            return None
        best, most = None, (False, False, 0, 0)
        for level in (_as_heard, _as_written, _beginnings) if thoroughly else (_as_heard,):
            for term, whole in self._likely(level, found):
                match = self._match_term(term, whole)
                here, anywhere = int(np.count_nonzero(match.hits & rest)), int(np.count_nonzero(match.hits))
                likely = OSA.distance(match.shown, found.raw, score_cutoff=1) <= 1
                if anywhere and (here > 0, likely, here, anywhere) > most:
                    best, most = match, (here > 0, likely, here, anywhere)
            # What only sounds alike must not win over what is written alike.
            if most[0] and (most[1] or level is not _as_heard):
                break
        return [best] if best else None

    def _likely(self, level, found):
        """What `found` may be meant to be, as `level` finds it; many people make the same mistake."""
        key = (level, found)
        likely = self._candidates.get(key)
        if likely is None:
            if len(self._candidates) >= _SPELT:
                self._candidates.clear()
            likely = self._candidates[key] = level(found, self._terms)
        return likely

    def _match_term(self, term, whole):
        match = _Match(self._terms.written(term), np.zeros(self._room, bool), self._nobody, [])
        self._mark(match, match.hits, term, term + ("\0" if whole else _AFTER_ALL))
        return self._living(match)

    def _split(self, found: Word, rest):
        """`found` as two words written together; between letters and digits first."""
        raw = found.raw
        edges = [at for at in range(1, len(raw)) if raw[at - 1].isalpha() and raw[at].isdecimal()]
        edges += [at for at in range(1, len(raw)) if raw[at - 1].isdecimal() and raw[at].isalpha()]
        edges += [at for at in range(2, len(raw) - 1) if at not in edges]
        for at in edges:
            first, second = word(raw[:at]), word(raw[at:])
            if not (self._terms.has(first.key, True) and self._terms.has(second.stem, False)):
                continue
            parts = [self._match(first), self._match(second)]
            if (parts[0].exact & parts[1].hits & rest).any():
                return parts
        return None


@dataclass(slots=True)
class _Match:
    """The devices of one word: all, and those that have it whole; and the ranges of terms that it stands for."""

    shown: str
    hits: np.ndarray
    exact: np.ndarray
    ranges: list[tuple[str, str]]


@dataclass(slots=True)
class _Asked:
    matches: list[_Match]
    hits: np.ndarray
    corrected: str | None = None


class _Devices:
    """A set of devices: one bit per slot; where there are few of them, their slots say the same for less."""

    def __init__(self, bits, is_whole=False):
        self.bits = bits
        self.is_whole = is_whole
        self.count = _count(bits)
        self.is_few = self.count * _FEW < len(bits) * 64
        self.counted: dict = {}
        self.rows: np.ndarray | None = None

    @cached_property
    def key(self) -> bytes:
        return self.bits.tobytes()

    @cached_property
    def mask(self) -> np.ndarray:
        return _mask(self.bits)

    @cached_property
    def places(self) -> np.ndarray:
        """The 64-bit words that have any."""
        return np.flatnonzero(self.bits)

    @cached_property
    def slots(self) -> np.ndarray:
        if len(self.places) * 4 > len(self.bits):
            return np.flatnonzero(self.mask)
        at = np.flatnonzero(_mask(self.bits[self.places]))
        return (self.places[at >> 6] << 6) + (at & 63)


class _Facet:
    """The values of one filter, each with one bit per slot."""

    def __init__(self):
        self._row: dict = {}
        self._values: list = []
        self._bits = np.zeros((0, 0), np.uint64)

    def rows(self, values) -> list[int]:
        for value in values:
            if value not in self._row:
                self._row[value] = len(self._values)
                self._values.append(value)
        if len(self._values) > len(self._bits):
            more = np.zeros((max(4, len(self._values) * 4 // 3), self._bits.shape[1]), np.uint64)
            more[: len(self._bits)] = self._bits
            self._bits = more
        return [self._row[value] for value in values]

    def widen(self, width):
        more = np.zeros((len(self._bits), width), np.uint64)
        more[:, : self._bits.shape[1]] = self._bits
        self._bits = more

    def clear(self, slots):
        for slot in slots:
            self._bits[:, slot >> 6] &= ~(np.uint64(1) << np.uint64(slot & 63))

    def set(self, slots, values_of):
        """Set the bits of each slot's values; the bits of a slot that had some are cleared before."""
        rows = self.rows([value for values in values_of for value in values])
        at = np.repeat(np.array(slots, np.int64), [len(values) for values in values_of])
        np.bitwise_or.at(self._bits, (rows, at >> 6), np.uint64(1) << (at & 63).astype(np.uint64))

    def any_of(self, values) -> np.ndarray:
        rows = [self._row[value] for value in values if value in self._row]
        if len(rows) == 1:
            return self._bits[rows[0]]
        return np.bitwise_or.reduce(self._bits[rows], axis=0)

    def numbers(self, devices) -> list[tuple]:
        """(value, count) of each value, in the order in which they came."""
        both = self._bits[: len(self._values)] & devices.bits
        numbers = np.bitwise_count(both).sum(axis=1, dtype=np.uint32).tolist()
        return list(zip(self._values, numbers, strict=True))

    def values(self) -> list:
        return self._values


class _Rows:
    """What is asked of a few devices, as a short row of numbers for each slot.

    It has the slot's places among the popular and among the cheap ones, 32 bits each, and the values it has. Side by
    side they cost one way to the memory instead of many.
    """

    _RANKS = 4

    def __init__(self):
        # By facet: its values and their numbers.
        self._named: dict[str, dict] = {}
        self._all = np.zeros((0, 16), np.uint16)

    def lengthen(self, room):
        self._reshape(room, self._all.shape[1])

    def _reshape(self, room, width):
        more = np.zeros((room, width), np.uint16)
        more[: len(self._all), : self._all.shape[1]] = self._all
        self._all = more

    def rank(self, popular, cheap):
        """Note the places of all slots."""
        ranks = self._all.view(np.int32)
        ranks[:, 0], ranks[:, 1] = popular, cheap

    def extend(self, tags, name, values_of):
        """Add to each list of `tags` the numbers of the values that its slot has in the facet `name`."""
        named = self._named.setdefault(name, {})
        for tag, values in zip(tags, values_of, strict=True):
            for value in dict.fromkeys(values):
                number = named.get(value)
                if number is None:
                    # Zero fills the rows.
                    number = named[value] = 1 + sum(map(len, self._named.values()))
                tag.append(number)

    def set(self, slots, tags):
        """Note the values of these slots."""
        width = self._RANKS + max(map(len, tags), default=0)
        if width > self._all.shape[1]:
            self._reshape(len(self._all), width + width % 2)
        width = self._all.shape[1] - self._RANKS
        self._all[slots, self._RANKS :] = [tag + [0] * (width - len(tag)) for tag in tags]

    def of(self, slots) -> np.ndarray:
        return self._all.take(slots, axis=0)

    def numbers(self, rows) -> dict[str, list[tuple]]:
        """By facet: (value, count) of the values that occur in these rows, which must be of different slots."""
        counts = np.bincount(rows[:, self._RANKS :].ravel()).tolist()
        known = len(counts)
        return {
            name: [(value, counts[number]) for value, number in named.items() if number < known and counts[number]]
            for name, named in self._named.items()
        }


class _Terms:
    """An inverted index: sorted terms, packed, and beside them those that came since the last packing."""

    def __init__(self, packing):
        self._packing = packing
        self._packed: list[str] = []
        self._words: list[str] = []
        self._starts = np.zeros(1, np.int64)
        self._slots = np.zeros(0, np.int32)
        self._leads = np.zeros(0, bool)
        self._recent: dict[str, array] = {}
        self._recent_sorted: list[str] = []
        self._recent_new: list[str] = []
        self._recent_size = 0
        self._written: dict[str, str] = {}
        self._masks: dict[tuple[int, int], np.ndarray] = {}

    def add(self, slot, found: list[Word], leading: int):
        """File a slot under the words found; the first `leading` of them name the maker and the model."""
        code, recent = slot * 2 + 1, self._recent
        for at, each in enumerate(found):
            if at == leading:
                code = slot * 2
            for term in each.terms:
                postings = recent.get(term)
                if postings is None:
                    postings = recent[term] = array("i")
                    self._recent_new.append(term)
                    if each.raw != term and len(term) > 2 and term.isalpha():
                        self._written.setdefault(term, each.raw)
                postings.append(code)
                self._recent_size += 1

    def written(self, term) -> str:
        """The term as a shopper would write it."""
        return self._written.get(term) or next(
            (self._written[t] for t in self._between(term, term + _AFTER_ALL) if t in self._written), term
        )

    def mark(self, first, before, hits):
        """Set `hits` at each slot that has a term from `first` up to `before`."""
        start, stop = self._packed_between(first, before)
        if (stop - start) * _FEW > len(hits):
            hits |= self._mask_of(start, stop, len(hits))
        elif start < stop:
            # An array is addressed by numbers of its own width in half the time.
            hits[self._slots[start:stop].astype(np.intp)] = True
        for term in self._recent_between(first, before):
            hits[np.frombuffer(self._recent[term], np.int32) >> 1] = True

    def _mask_of(self, start, stop, room) -> np.ndarray:
        """The slots filed from `start` up to `stop`, which are many: what has a word like "phone" or "black"."""
        mask = self._masks.get((start, stop))
        if mask is None or len(mask) != room:
            if len(self._masks) >= _MASKS:
                self._masks.clear()
            mask = self._masks[start, stop] = np.zeros(room, bool)
            mask[self._slots[start:stop]] = True
        return mask

    def leading(self, ranges, room) -> np.ndarray:
        """True at each slot whose maker or model is named by a term of these ranges, each without its end."""
        found = np.zeros(room, bool)
        for first, before in ranges:
            start, stop = self._packed_between(first, before)
            found[self._slots[start:stop][self._leads[start:stop]]] = True
            for term in self._recent_between(first, before):
                codes = np.frombuffer(self._recent[term], np.int32)
                found[codes[(codes & 1).astype(bool)] >> 1] = True
        return found

    def _packed_between(self, first, before):
        at = bisect_left(self._packed, first)
        return int(self._starts[at]), int(self._starts[bisect_left(self._packed, before, at)])

    def has(self, term, whole) -> bool:
        """Whether `term` occurs whole, or else as a beginning (perhaps only in devices that are gone)."""
        for terms in (self._packed, self._recent_terms()):
            at = bisect_left(terms, term)
            if at < len(terms) and (terms[at] == term if whole else terms[at].startswith(term)):
                return True
        return False

    def begin_word(self, begun) -> bool:
        """Whether a term of letters alone may begin so: there are few of these beside codes and measures."""
        words = self._words
        at = bisect_left(words, begun)
        if at < len(words) and words[at].startswith(begun):
            return True
        words = self._recent_terms()
        at = bisect_left(words, begun)
        return at < len(words) and words[at].startswith(begun)

    def have_word(self, term) -> bool:
        """Whether `term`, of letters alone, occurs."""
        at = bisect_left(self._words, term)
        return (at < len(self._words) and self._words[at] == term) or term in self._recent

    def frequency(self, term, whole) -> int:
        before = term + ("\0" if whole else _AFTER_ALL)
        start, stop = self._packed_between(term, before)
        return int(stop - start) + sum(len(self._recent[t]) for t in self._recent_between(term, before))

    def _between(self, first, before) -> Iterator[str]:
        yield from self._packed[bisect_left(self._packed, first) : bisect_left(self._packed, before)]
        yield from self._recent_between(first, before)

    def _recent_between(self, first, before):
        terms = self._recent_terms()
        return terms[bisect_left(terms, first) : bisect_left(terms, before)]

    def _recent_terms(self):
        if len(self._recent_new) > 32:
            self._recent_sorted = sorted(self._recent_sorted + self._recent_new)
        else:
            for term in self._recent_new:
                insort(self._recent_sorted, term)
        self._recent_new.clear()
        return self._recent_sorted

    def wants_packing(self, at_rest) -> bool:
        # While loading, packing again and again must not cost more than the load.
        waiting = self._packing if at_rest else max(self._packing * 16, len(self._slots) // 2)
        return self._recent_size > waiting

    def pack(self, alive):
        """Put the recent terms among the packed ones, and drop the postings of slots that are not `alive`."""
        self._masks.clear()
        recent = self._recent_terms()
        codes = np.frombuffer(b"".join(self._recent[term].tobytes() for term in recent), np.int32)
        sizes = np.array([len(self._recent[term]) for term in recent], np.int64)
        self._recent, self._recent_sorted, self._recent_size = {}, [], 0
        stays = alive[codes >> 1]
        codes, sizes = codes[stays], np.diff(_starts(sizes, stays))
        stays = alive[self._slots]
        if not stays.all():
            self._slots, self._leads = self._slots[stays], self._leads[stays]
            self._starts = _starts(np.diff(self._starts), stays)

        packed = self._packed
        places = [bisect_left(packed, term) for term in recent]
        old = np.array(
            [at < len(packed) and packed[at] == term for at, term in zip(places, recent, strict=True)], bool
        )
        places = np.array(places, np.int64)
        into = np.repeat(self._starts[places], sizes)
        self._slots = np.insert(self._slots, into, codes >> 1)
        self._leads = np.insert(self._leads, into, (codes & 1).astype(bool))
        counts = np.diff(self._starts)
        counts[places[old]] += sizes[old]
        counts = np.insert(counts, places[~old], sizes[~old])
        terms = sorted(packed + [term for term, known in zip(recent, old, strict=True) if not known])
        self._packed = [term for term, count in zip(terms, counts.tolist(), strict=True) if count]
        self._words = [term for term in self._packed if term.isalpha()]
        self._starts = _starts(counts[counts > 0])


def _starts(sizes, stays=None):
    """Where each run of `sizes` starts, and the last ends, when only what `stays` is kept."""
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    if stays is None or stays.all():
        return starts
    return np.concatenate([[0], np.cumsum(stays, dtype=np.int32)])[starts]


def _listed(numbers, chosen, by_value) -> list[tuple]:
    """(value, count) of the values that occur or are chosen, the most frequent first or by value."""
    found = [pair for pair in numbers if pair[1]]
    if chosen:
        occur = {value for value, _ in found}
        found += [(value, 0) for value in chosen if value not in occur]
    found.sort()
    if not by_value:
        found.sort(key=itemgetter(1), reverse=True)
    return found


def _values(entry, name):
    match name:
        case "kind":
            return (entry.kind,)
        case "brand":
            return (entry.brand,)
        case "storage":
            return entry.storages
        case "colour":
            return entry.colours
        case "os":
            return () if entry.os is None else (entry.os,)
    return [flag for flag in FLAGS if getattr(entry, flag)]


def _chosen(query):
    return (
        ("brand", query.brands),
        ("storage", query.storages),
        ("colour", query.colours),
        ("os", query.os),
    )


# The maker, and the two words after it: "Samsung Galaxy S25", but not "Samsung case for Galaxy S25".
_LEADING = 2


def _indexed(entry) -> tuple[list[Word], int]:
    """The distinct words an entry is found by, and how many of them name the maker and the model."""
    distinct = {found.key: found for found in words(entry.brand)}
    leading = len(distinct) + _LEADING
    for found in words(entry.text, compounds=True):
        if found.key not in distinct:
            distinct[found.key] = found
    for found in _facts(entry.kind, entry.storages, entry.os, entry.five_g):
        if found.key not in distinct:
            distinct[found.key] = found
    return list(distinct.values()), leading


@lru_cache(maxsize=1024)
def _facts(kind, storages, os, five_g):
    """The words for what a name may leave out."""
    facts = [KIND_WORDS.get(kind, ""), os or "", "5G" if five_g else ""]
    for size in storages:
        facts.append(f"{size}GB")
        if size % 1024 == 0:
            facts.append(f"{size // 1024}TB")
    return words(" ".join(facts))


def _edits(written, exists) -> Iterator[str]:
    """All that is one insertion, deletion, replacement or transposition away.

    Each edit leaves what is before it alone, so none is made that has a beginning that does not exist.
    """
    for at in range(len(written) + 1):
        before, after = written[:at], written[at:]
        if before and not exists(before):
            return
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in _LETTERS:
            begun = before + letter
            if exists(begun):
                if after:
                    yield begun + after[1:]
                yield begun + after


def _as_heard(found, terms):
    """The terms that sound one letter different."""
    return _likeliest(_edits(found.key, terms.begin_word), terms, True)


def _as_written(found, terms):
    """The terms that are written one letter differently: "ihpone" and "galazy" sound two letters wrong."""
    edits = _edits(found.raw, lambda begun: terms.begin_word(stem_so_far(begun)))
    return _likeliest(map(key_of, edits), terms, True)


def _beginnings(found, terms):
    """The beginnings of terms that sound one letter different."""
    return _likeliest(_edits(found.stem, lambda begun: terms.has(begun, False)), terms, False)


def _likeliest(edits, terms, whole):
    """The edits that are terms, or else begin one; the most frequent ones if there are many."""
    known = {term for term in edits if len(term) > 2 and (terms.have_word(term) if whole else terms.has(term, False))}
    likely = sorted(known, key=lambda term: (-terms.frequency(term, whole), term))
    return [(term, whole) for term in likely[:_CANDIDATES]]


def _bits(mask):
    return np.packbits(mask, bitorder="little").view(np.uint64)


# One slot in so many is few: going through them is less work than through all.
_FEW = 16


def _mask(bits):
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(bool)


def _count(bits):
    return int(np.bitwise_count(bits).sum(dtype=np.uint32))


def _least(keys, offset, count):
    """`count` of the keys after the `offset` least of them, in their order; `keys` may be shuffled."""
    end = offset + count
    if end < len(keys):
        keys.partition(end)
        keys = keys[:end]
    keys.sort()
    return keys[offset:end]


def _take(order, mask, offset, count):
    """`count` slots of `order` that are in `mask`, after the first `offset` of them."""
    found, start, size = [], 0, 512
    while count and start < len(order):
        part = order[start : start + size]
        part = part[mask[part]]
        found.append(part[offset : offset + count])
        count -= len(found[-1])
        offset = max(0, offset - len(part))
        start += size
        size *= 4
    return np.concatenate(found) if found else order[:0]
