"""The shop's promotions as the desk lists them (DSK-4, CAT-5)."""

from dataclasses import dataclass, field

from models.catalogue import Brand, Device, Promotion, Variant

PER_PAGE = 30
# What runs now, what begins later, what is over; all of them.
TIMES = ("now", "later", "over", "all")


@dataclass
class PromotionList:
    time: str = "now"
    page: int = 1
    total: int = 0
    rows: list[Promotion] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    @classmethod
    def find(cls, time: str, page: int, now) -> "PromotionList":
        """Two queries; those that end first come first."""
        found = cls(time if time in TIMES else "now")
        where = []
        open_end = Promotion.ends_at.is_null() | (Promotion.ends_at > now)
        match found.time:
            case "now":
                where = [open_end, Promotion.starts_at.is_null() | (Promotion.starts_at <= now)]
            case "later":
                where = [open_end, Promotion.starts_at > now]
            case "over":
                where = [Promotion.ends_at <= now]
        query = Promotion.select().where(*where) if where else Promotion.select()
        found.total = query.count()
        found.page = min(max(1, page), found.pages)
        rows = Promotion.select(Promotion, Variant, Device, Brand).join(Variant).join(Device).join(Brand)
        if where:
            rows = rows.where(*where)
        found.rows = list(
            rows.order_by(Promotion.ends_at.is_null(), Promotion.ends_at, Promotion.id)
            .limit(PER_PAGE)
            .offset((found.page - 1) * PER_PAGE)
        )
        return found
