"""What was used at a partner: a page of it, or all for a table (CLB-8)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from models.calendar import ZONE
from models.club_offer import Partner, PartnerOffer
from models.search_text import latin
from models.voucher import LENGTH, Voucher, plain_code

PER_PAGE = 20


class VoucherHistory:
    """The codes that the partner marked used, the last first; `q` is part of a code or of an offer's name.

    `since` and `until` are local days, both included. A page beyond the last one is the last one. Four queries.
    """

    def __init__(
        self, partner: Partner, q: str = "", since: date | None = None, until: date | None = None, page: int = 1
    ):
        self.partner, self.q, self.since, self.until = partner, q, since, until
        self._query = Voucher.used_at_partner(partner)
        if since is not None:
            self._query = self._query.where(Voucher.used_at >= _midnight(since))
        if until is not None:
            self._query = self._query.where(Voucher.used_at < _midnight(until + timedelta(days=1)))
        if q:
            self._query = self._query.where(self._found())
        self.total = self._query.count()
        self.pages = max(1, -(-self.total // PER_PAGE))
        self.page = min(max(1, page), self.pages)
        # A partner that never had one is told otherwise than one that filtered them away.
        self.has_any = bool(self.total) or Voucher.used_at_partner(partner).exists()

    def _found(self):
        words = latin(self.q).split()
        named = [
            offer.id
            for offer in PartnerOffer.select().where(PartnerOffer.partner == self.partner)
            if all(word in latin(" ".join(offer.names.values())) for word in words)
        ]
        found = Voucher.offer.in_(named)
        code = plain_code(self.q)
        return found | Voucher.code.contains(code) if 2 <= len(code) <= LENGTH else found

    def vouchers(self) -> list[Voucher]:
        """Those of the page, with their offers; one query."""
        return list(self._query.paginate(self.page, PER_PAGE))

    def all(self) -> Iterator[Voucher]:
        """All of them, one after the other, in bounded memory."""
        return self._query.iterator()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC)
