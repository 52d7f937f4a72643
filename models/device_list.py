"""All devices as the desk lists them: those that the shop does not show, too (DSK-4)."""

from dataclasses import dataclass, field

from peewee import JOIN, Case, fn

from models.catalogue import Device, Gift, Listing, Variant
from models.device_draft import DeviceDraft

PER_PAGE = 30
STATES = ("all", "shown", "hidden", "sold_out", "draft")


@dataclass
class Row:
    device: Device
    listing: Listing
    stock: int = 0
    variants: int = 0
    has_draft: bool = False


@dataclass
class DeviceList:
    """One page: `q` are words that names or SKUs contain, `kind` and `state` narrow it."""

    q: str = ""
    kind: str = ""
    state: str = "all"
    page: int = 1
    total: int = 0
    rows: list[Row] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    @classmethod
    def find(cls, q: str = "", kind: str = "", state: str = "all", page: int = 1) -> "DeviceList":
        """Three queries, however many devices there are."""
        found = cls(q, kind, state if state in STATES else "all", page)
        where = found._conditions()
        counted = Device.select(fn.COUNT(Device.id))
        if found.q or found.state != "all":
            counted = found._joined(counted)
        found.total = (counted.where(*where) if where else counted).scalar()
        found.page = min(max(1, page), found.pages)
        rows = list(
            found._joined(Device.select(Device, Listing, DeviceDraft.id.alias("draft_id")))
            .where(Listing.device.is_null(False), *where)
            .order_by(*found._order())
            .limit(PER_PAGE)
            .offset((found.page - 1) * PER_PAGE)
        )
        found.rows = [Row(row, getattr(row, "listing", None), has_draft=_draft_of(row) is not None) for row in rows]
        of_id = {row.device.id: row for row in found.rows}
        sums = (
            Variant.select(Variant.device, fn.SUM(Variant.stock), fn.COUNT(Variant.id))
            .where(Variant.device.in_(list(of_id)), Variant.listed)
            .group_by(Variant.device)
        )
        for device, stock, variants in sums.tuples():
            of_id[device].stock, of_id[device].variants = stock, variants
        return found

    def _order(self):
        """The newest first; of what was searched for, what it names exactly, then the most popular."""
        if not self.q:
            return (Device.id.desc(),)
        return Case(None, [(Device.slug == self.q, 0)], 1), Listing.popularity.desc(), Device.id.desc()

    def _joined(self, query):
        query = query.join_from(Device, Listing, on=(Listing.device == Device.id), attr="listing")
        return query.join_from(
            Device, DeviceDraft, JOIN.LEFT_OUTER, on=(DeviceDraft.device == Device.id), attr="draft"
        )

    def _conditions(self) -> list:
        conditions = []
        if self.kind:
            conditions.append(Device.kind == self.kind)
        for word in self.q.split()[:6]:
            conditions.append(Listing.text.contains(word) | Device.slug.contains(word))
        match self.state:
            case "shown":
                conditions.append(Listing.shown)
            case "hidden":
                conditions.append(~Listing.shown)
            case "sold_out":
                conditions += [Listing.shown, ~Listing.in_stock]
            case "draft":
                conditions.append(DeviceDraft.id.is_null(False))
        return conditions


def _draft_of(row):
    draft = getattr(row, "draft", None)
    return draft.id if draft is not None else getattr(row, "draft_id", None)


def new_drafts(limit: int = 100) -> list[DeviceDraft]:
    """Drafts of devices that the shop does not have yet, the latest first."""
    return list(
        DeviceDraft.select().where(DeviceDraft.device.is_null()).order_by(DeviceDraft.changed_at.desc()).limit(limit)
    )


def live_gift(device: Device) -> Gift | None:
    return Gift.get_or_none(Gift.device == device)
