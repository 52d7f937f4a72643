"""What may still change of an order until it is with the courier: address, contact phone, colours (AFT-1)."""

from dataclasses import dataclass, field

from models.actor import Actor
from models.base import db
from models.bss_event import BssEvent
from models.catalogue import LANGUAGES, Variant
from models.document import Document
from models.drawing import picture_path
from models.order import NotAllowed, Order, OrderLine, OutOfStock
from models.order_key import OrderKey
from models.outbox import Mail
from models.places import place_of
from models.shelf import stock_changed
from models.trail import AuditEntry, record, refuse_changed

# Until dispatch; the card of a gift until it is packed.
CHANGEABLE = frozenset({"awaiting_payment", "confirmed", "packed"})
CARD_CHANGEABLE = CHANGEABLE - {"packed"}
# So often a shopper changes one order in its page: each time is a mail, and an event for the billing system.
BY_SHOPPER_MOST = 20


class AlreadyPacked(NotAllowed):
    """The card of the gift lies in the parcel: it stays as it is."""


class TooOften(NotAllowed):
    """The shopper changed the order BY_SHOPPER_MOST times; the desk may still."""


@dataclass(frozen=True)
class Wanted:
    """How the order is to be. `colours` is line id → variant id, for the lines that get another colour."""

    street: str
    postal_code: str
    municipality: str
    phone: str
    note: str
    # The card of a gift, and the hours that are wished for; None for as they are.
    gift_note: str | None = None
    wish: str | None = None
    colours: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, order: Order, **changed) -> "Wanted":
        """As the order is, but for `changed`."""
        names = ("street", "postal_code", "municipality", "phone", "note")
        return cls(**{name: getattr(order, name) for name in names} | changed)


def colours_of(line: OrderLine) -> list[Variant]:
    """The variants that the line may become, with its own: same device and storage, in stock for all its pieces."""
    return colours_of_all([line])[line.id]


def colours_of_all(lines: list[OrderLine]) -> dict[int, list[Variant]]:
    """As `colours_of`, by the line's id; one query."""
    of_device: dict[int, list[Variant]] = {line.device_id: [] for line in lines}
    if lines:
        variants = Variant.select().where(Variant.device.in_(list(of_device)))
        for variant in variants.order_by(Variant.position, Variant.id):
            of_device[variant.device_id].append(variant)
    return {line.id: [one for one in of_device[line.device_id] if _fits(one, line)] for line in lines}


def _fits(variant: Variant, line: OrderLine) -> bool:
    return variant.id == line.variant_id or (
        variant.listed and variant.storage_gb == line.storage_gb and variant.stock >= line.quantity
    )


def change(order: Order, wanted: Wanted, *, by: Actor, now, mark: str | None = None, why: str = "") -> Order:
    """Change the order, in one transaction with its entry in the trail; returns the order as it is now.

    Prices stay as they were ordered. A packed order whose colour changes is to be packed anew. Nothing wanted
    anew changes and writes nothing. Raises NotAllowed after dispatch, AlreadyPacked for the card of a gift once it is
    packed, TooOften, ChangedMeanwhile when the trail went on after `mark`, OutOfStock where a colour is gone, and
    KeyError for a postal code that is none.
    """
    with db.atomic():
        order = order.relock()
        if order.state not in CHANGEABLE:
            raise NotAllowed(f"{order.number} is {order.state}")
        columns = _columns(wanted)
        if _is_so(order, columns, wanted.colours):
            # Sent twice, or by two who want the same: nobody is told that it changed meanwhile.
            return order
        if mark is not None:
            refuse_changed(order, mark)
        if order.state not in CARD_CHANGEABLE and columns.get("gift_note", order.gift_note) != order.gift_note:
            raise AlreadyPacked(order.number)
        if by.role == "shopper" and _times_changed(order) >= BY_SHOPPER_MOST:
            raise TooOften(order.number)
        before, after = {}, {}
        for name, value in columns.items():
            if getattr(order, name) != value:
                before[name], after[name] = getattr(order, name), value
                setattr(order, name, value)
        recoloured = _recolour(order, wanted.colours, before, after)
        order.save()
        if "phone" in after:
            OrderKey.write(order)
        entry = record(by, "changed", now, order=order, before=before, after=after, why=why)
        if recoloured and order.state == "packed":
            order.move("confirmed", by=by, now=now, why="repack")
        if order.state != "awaiting_payment":
            BssEvent.of_changed_order(order, now)
            Document.issue_all(order, now)
        # Whoever did it: the shopper sees what another hand changed.
        Mail.write_to(
            order.email,
            "order_changed",
            now,
            key=f"order_changed:{entry.id}",
            language=order.language,
            order=order,
            data={"entry": entry.id},
        )
    return order


def _times_changed(order: Order) -> int:
    own = (AuditEntry.order == order, AuditEntry.role == "shopper", AuditEntry.what == "changed")
    return AuditEntry.select().where(*own).count()


def _is_so(order: Order, columns: dict[str, str], colours: dict[int, int]) -> bool:
    """Whether the order is as it is wanted already."""
    if any(getattr(order, name) != value for name, value in columns.items()):
        return False
    own = {line.id: line.variant_id for line in order.lines()} if colours else {}
    return all(own.get(line, number) == number for line, number in colours.items())


def _columns(wanted: Wanted) -> dict[str, str]:
    columns = {
        "street": wanted.street,
        "postal_code": wanted.postal_code,
        "place": place_of(wanted.postal_code).name("sq"),
        "municipality": wanted.municipality,
        "phone": wanted.phone,
        "note": wanted.note,
    }
    if wanted.gift_note is not None:
        columns["gift_note"] = wanted.gift_note
    if wanted.wish is not None:
        columns["wish"] = wanted.wish
    return columns


def _recolour(order: Order, colours: dict[int, int], before: dict, after: dict) -> bool:
    """Take the pieces of the new colours and give those of the old back; whether any changed."""
    wanted = {
        line.id: (line, colours[line.id])
        for line in order.lines()
        if line.id in colours and colours[line.id] != line.variant_id
    }
    if not wanted:
        return False
    ids = [variant for _, variant in wanted.values()]
    variants = {variant.id: variant for variant in Variant.select().where(Variant.id.in_(ids))}
    steps = []
    for line, number in wanted.values():
        variant = variants.get(number)
        if variant is None or variant.device_id != line.device_id or variant.storage_gb != line.storage_gb:
            raise OutOfStock([line.title(order.language)], [line.sku])
        steps += [(number, -line.quantity, line), (line.variant_id, line.quantity, line)]
    # By variant id, as placing an order takes them: two orders never wait for each other in a ring.
    touched = set()
    for number, pieces, line in sorted(steps, key=lambda step: step[:2]):
        moving = Variant.update(stock=Variant.stock + pieces).where(Variant.id == number)
        if pieces < 0:
            moving = moving.where(Variant.stock >= -pieces, Variant.listed)
        if not moving.execute() and pieces < 0:
            raise OutOfStock([line.title(order.language)], [variants[number].sku])
        touched.add(line.device_id)
    for line, number in wanted.values():
        variant = variants[number]
        key = f"colour:{line.position + 1}"
        before[key], after[key] = line.colours, {code: variant.colour(code) for code in LANGUAGES}
        line.variant, line.sku, line.colours = variant, variant.sku, after[key]
        line.picture = picture_path(line.device, variant)
        line.save()
    stock_changed(touched)
    return True
