"""Who signs an order's contracts, each by the whole name that stood in the order when it was placed (DLV-3)."""

from models.club_member import ClubMember
from models.number import Number
from models.order import Order, OrderLine
from models.order_points import OrderPoints
from models.subscriber import Holder

BETWEEN = ", "


def signers_of(order: Order) -> list[str]:
    """The names in `order.signer`, which has them one after the other; empty for an order without a contract.

    A company's name may have a comma of its own: "ABC, DOO" is one signer, and nobody is let in as "DOO". What is not
    the whole name of a holder of one of the order's numbers is left together. Two queries where there is a comma.
    """
    parts = order.signer.split(BETWEEN) if order.signer else []
    if len(parts) < 2:
        return parts
    known, found, rest = _holders(order), [], []
    while parts:
        length = max((n for n in range(1, len(parts) + 1) if BETWEEN.join(parts[:n]) in known), default=0)
        if length == 0:
            rest.append(parts.pop(0))
            continue
        found += [BETWEEN.join(rest)] if rest else []
        found.append(BETWEEN.join(parts[:length]))
        parts, rest = parts[length:], []
    return found + ([BETWEEN.join(rest)] if rest else [])


def number_of(order: Order, line: OrderLine) -> Number | None:
    """The number of a Besnik 24 line with its holder, while that is one of the order's signers.

    None for another line, and where the number became somebody else's: who has it now signs nothing.
    """
    if line.contract_type != "besnik24":
        return None
    number = Number._with_holder().where(Number.msisdn == line.msisdn).first()
    return number if number is not None and number.holder.name in signers_of(order) else None


def _holders(order: Order) -> set[str]:
    own = OrderLine.select(OrderLine.msisdn).where(OrderLine.order == order, OrderLine.contract_type == "besnik24")
    names = {number.holder.name for number in Number._with_holder().where(Number.msisdn.in_(own))}
    if order.points:
        names |= {
            member.holder.name
            for member in ClubMember.select(ClubMember, Holder)
            .join(Holder)
            .join_from(ClubMember, OrderPoints)
            .where(OrderPoints.order == order)
        }
    return names
