"""One small named world for the tests: a few devices, a guest, and the way to an order.

`build()` writes the catalogue into the database in hand; what tests ask of it is found by the names below.
Prices and totals are minor units (1 den is 100).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from models.base import db
from models.cart import Cart
from models.catalogue import Brand, Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.checkout import Checkout
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.order import TRANSITIONS, Order
from models.order_steps import may
from models.payment import Payment
from models.profile import Profile
from models.shelf import relist
from models.subscriber import Holder, Subscriber

# A Tuesday noon in Skopje, without a public holiday in the days after.
NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)

GUEST = {
    "first_name": "Ana",
    "last_name": "Markovska",
    "email": "ana@example.com",
    "phone": "38970123456",
    "street": "Rr. Ilindenit 12",
    "municipality": "MK-609",
    "place": "1200",
    "postal_code": "1200",
}
PASSWORD = "dyqani-demo"


def stands_in(word: str, text: str) -> bool:
    """Whether `word` stands in `text` by itself, in capitals or not: a random token may have its letters."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


PHONE_FACTS = {
    "screen_in": 6.2,
    "screen_tech": "AMOLED",
    "screen_px": "1080x2340",
    "refresh_hz": 120,
    "chipset": "Snapdragon 8 Elite",
    "rear_mp": "50+12+10",
    "front_mp": "12",
    "battery_mah": 4000,
    "network": "5G",
    "os": "Android",
    "os_version": "15",
}


@dataclass
class World:
    """What `build` made: variants by SKU, devices by slug."""

    variants: dict[str, Variant] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    now: datetime = NOW

    def __getitem__(self, sku: str) -> Variant:
        return self.variants[sku]

    def stock(self, sku: str) -> int:
        return Variant.select(Variant.stock).where(Variant.sku == sku).scalar()

    def set_stock(self, sku: str, pieces: int) -> None:
        """How many pieces there are, with the shelf told of it."""
        with db.atomic():
            Variant.update(stock=pieces).where(Variant.sku == sku).execute()
            relist([self.variants[sku].device_id], self.now)

    def gifts(self, slug: str = "galaxy-s25") -> int:
        return Gift.select(Gift.stock).where(Gift.device == self.devices[slug]).scalar()

    def set_gifts(self, pieces: int, slug: str = "galaxy-s25") -> None:
        with db.atomic():
            Gift.update(stock=pieces).where(Gift.device == self.devices[slug]).execute()
            relist([self.devices[slug].id], self.now)


def build(now: datetime = NOW) -> World:
    """The catalogue of the tests.

    galaxy-s25: phone with a gift (S25-BLACK-128 at 52.800 den, 20 pieces; S25-BLUE-256 at 57.600 den, 3 pieces).
    iphone-16: phone without gift or promotion (IP16-PINK-128 at 64.990 den, 5 pieces; IP16-BLACK-256, sold out).
    redmi-14: phone with 10 % off for everybody (REDMI-GREEN-128, 12.000 den, now 10.800 den, 8 pieces).
    pixel-9: phone with 20 % off for private subscribers alone (PIXEL-WHITE-128, 48.000 den, 4 pieces).
    tab-a9: tablet (TAB-GREY-64, 11.990 den, 6 pieces).
    kellef-s25: case for the Galaxy (CASE-BLACK, 990 den, 40 pieces).
    sim-pripejd: prepaid SIM (SIM-PREPAID, 300 den, 100 pieces).

    With tariff linja-m (899 den a month) S25-BLACK-128 costs 25.920 den as Besnik 24, 28.800 den with a new number.
    """
    world = World(now=now)
    with db.atomic():
        brands = {
            name: Brand.create(name=name) for name in ("Samsung", "Apple", "Xiaomi", "Google", "Spigen", "Dyqani")
        }
        tariff = Tariff.create(code="linja-m", name="Linja M", monthly_price=89_900, internet_gb=30, position=2)

        def device(slug, kind, brand, name, drawing, variants, *, popularity=0, facts=None, fits=(), names=None):
            names = names or {}
            made = Device.create(
                slug=slug,
                kind=kind,
                brand=brands[brand],
                name_sq=name,
                name_mk=names.get("mk", name),
                name_en=names.get("en", name),
                released=202502,
                popularity=popularity,
                facts=facts or {},
                drawing=drawing,
                fits=list(fits),
            )
            world.devices[slug] = made
            for position, (sku, colour, storage, price, stock) in enumerate(variants):
                sq, mk, en, hex_value, family = colour
                world.variants[sku] = Variant.create(
                    device=made,
                    sku=sku,
                    position=position,
                    colour_sq=sq,
                    colour_mk=mk,
                    colour_en=en,
                    colour_hex=hex_value,
                    colour_family=family,
                    storage_gb=storage,
                    ram_gb=8 if storage else None,
                    price=price,
                    stock=stock,
                )
            return made

        black = ("E zezë", "Црна", "Black", "#1f2023", "black")
        blue = ("Blu", "Сина", "Blue", "#a4bddc", "blue")
        pink = ("Rozë", "Розова", "Pink", "#f2b6c6", "pink")
        green = ("E gjelbër", "Зелена", "Green", "#9fb8a3", "green")
        white = ("E bardhë", "Бела", "White", "#f4f4f0", "white")
        grey = ("Gri", "Сива", "Grey", "#8a8d91", "grey")

        galaxy = device(
            "galaxy-s25",
            "phone",
            "Samsung",
            "Galaxy S25",
            {"kind": "phone", "camera": "tri", "hole": "dot"},
            [("S25-BLACK-128", black, 128, 5_280_000, 20), ("S25-BLUE-256", blue, 256, 5_760_000, 3)],
            popularity=100,
            facts=PHONE_FACTS,
        )
        Gift.create(
            device=galaxy,
            name_sq="Kufje Galaxy Buds FE",
            name_mk="Слушалки Galaxy Buds FE",
            name_en="Galaxy Buds FE earbuds",
            sku="BUDS-FE",
            stock=10,
        )
        device(
            "iphone-16",
            "phone",
            "Apple",
            "iPhone 16",
            {"kind": "phone", "camera": "duo", "hole": "island"},
            [("IP16-PINK-128", pink, 128, 6_499_000, 5), ("IP16-BLACK-256", black, 256, 7_199_000, 0)],
            popularity=90,
            facts={**PHONE_FACTS, "os": "iOS", "os_version": "18"},
        )
        device(
            "redmi-14",
            "phone",
            "Xiaomi",
            "Redmi 14",
            {"kind": "phone", "camera": "quad", "hole": "drop"},
            [("REDMI-GREEN-128", green, 128, 1_200_000, 8)],
            popularity=50,
            facts={**PHONE_FACTS, "network": "4G"},
        )
        device(
            "pixel-9",
            "phone",
            "Google",
            "Pixel 9",
            {"kind": "phone", "camera": "bar", "hole": "dot"},
            [("PIXEL-WHITE-128", white, 128, 4_800_000, 4)],
            popularity=40,
            facts=PHONE_FACTS,
        )
        device(
            "tab-a9",
            "tablet",
            "Samsung",
            "Galaxy Tab A9",
            {"kind": "tablet", "camera": "one"},
            [("TAB-GREY-64", grey, 64, 1_199_000, 6)],
            popularity=30,
            facts={"screen_in": 8.7, "os": "Android", "network": "none"},
        )
        device(
            "kellef-s25",
            "accessory",
            "Spigen",
            "Këllëf për Galaxy S25",
            {"kind": "case", "camera": "tri"},
            [("CASE-BLACK", black, None, 99_000, 40)],
            fits=["galaxy-s25"],
            names={"mk": "Футрола за Galaxy S25", "en": "Case for Galaxy S25"},
        )
        device(
            "sim-pripejd",
            "prepaid_sim",
            "Dyqani",
            "SIM kartelë në pripejd",
            {"kind": "sim"},
            [("SIM-PREPAID", white, None, 30_000, 100)],
            names={"mk": "Припејд SIM-картичка", "en": "Prepaid SIM"},
        )
        Promotion.create(variant=world["REDMI-GREEN-128"], percent=10)
        Promotion.create(variant=world["PIXEL-WHITE-128"], percent=20, segment="private")
        galaxy_black = world["S25-BLACK-128"]
        TariffPrice.create(variant=galaxy_black, tariff=tariff, contract_type="besnik24", price=2_592_000)
        TariffPrice.create(variant=galaxy_black, tariff=tariff, contract_type="new_number", price=2_880_000)
        relist([made.id for made in world.devices.values()], now)
    return world


def cart_with(world: World, *skus: str, now: datetime | None = None, profile: Profile | None = None) -> Cart:
    """A new cart with one piece of each SKU."""
    now = now or world.now
    cart = Cart.begin(now)
    for sku in skus:
        cart.add(Variant.get(Variant.sku == sku), now)
    if profile is not None:
        cart = cart.join(profile, now)
    return cart


def checkout_of(cart: Cart, now: datetime = NOW, **typed: str) -> Checkout:
    """The cart's checkout with every step filled in."""
    checkout = Checkout.of(cart, now)
    for name, value in {**GUEST, "payment_way": "card", **typed}.items():
        setattr(checkout, name, value)
    checkout.save()
    return checkout


def place(checkout: Checkout, now: datetime = NOW, language: str = "sq", **changed) -> tuple[Order, Payment]:
    """Confirm the overview as it stands now, or as `changed` says."""
    if "seen" not in changed:
        changed["seen"] = checkout.digest(checkout.cart.lines(now))
    return checkout.place_order(**{"key": checkout.key, "language": language, "now": now, **changed})


def ordered(world: World, *skus: str, now: datetime | None = None, language: str = "sq") -> tuple[Order, Payment]:
    """A placed order of one piece of each SKU, waiting for its payment."""
    now = now or world.now
    return place(checkout_of(cart_with(world, *skus, now=now), now), now, language)


def profile(email: str = "arben@example.com", now: datetime = NOW) -> Profile:
    """A profile with the password PASSWORD and a verified e-mail."""
    made = Profile(
        email=email, first_name="Arben", last_name="Osmani", phone="38970654321", created_at=now, verified_at=now
    )
    made.set_password(PASSWORD)
    made.save()
    return made


def own_number(
    owner: Profile,
    msisdn: str = "38970100001",
    *,
    months: int = 60,
    segment: str = "private",
    has_history: bool = True,
    holder_of: Number | None = None,
    now: datetime = NOW,
) -> Number:
    """A number added to the profile of `owner`; its holder, a subscriber for `months`, has this one alone.

    Or it is one more of the holder, and the subscriber code, of another number.
    """
    if holder_of is None:
        names = {"first_name": "Arben", "last_name": "Osmani"}
        holder = Holder.create(id_number=f"01019904{msisdn[-5:]}", segment=segment, **names)
        since = (now - timedelta(days=30.5 * months)).date()
        code = Subscriber.create(holder=holder, code=f"S-{msisdn}", since=since, has_history=has_history)
    else:
        code = holder_of.subscriber
    number = Number.create(msisdn=msisdn, subscriber=code, sim_end=msisdn[-6:], kind="postpaid", tariff="linja-m")
    ProfileNumber.create(profile=owner, number=number, added_at=now)
    return number


def owes(number: Number, amount: int = 189_900, *, paid_hours_ago: float | None = None, through="shop", now=NOW):
    """An invoice of the number's subscriber code that was not paid in time, or was paid too late."""
    day = now.date()
    invoice = Invoice.create(
        subscriber=number.subscriber,
        number=f"F-{number.msisdn}",
        amount=amount,
        issued_on=day - timedelta(days=30),
        due_on=day - timedelta(days=5),
    )
    if paid_hours_ago is not None:
        invoice.pay(now - timedelta(hours=paid_hours_ago), through)
    return invoice


def has_device(number: Number, percent: int, now=NOW) -> Contract:
    """A Besnik 24 contract of the number in 24 instalments, so much of it paid."""
    day = now.date()
    return Contract.create(
        number=number,
        code=f"K-{number.msisdn}",
        device="Samsung Galaxy A56",
        started_on=day - timedelta(days=300),
        ends_on=day + timedelta(days=400),
        price=2_400_000,
        paid=24_000 * percent,
        instalments=24,
        instalments_paid=24 * percent // 100,
    )


def contract_line(
    cart: Cart,
    sku: str = "S25-BLACK-128",
    contract_type: str = "besnik24",
    payment: str = "instalments",
    parts: int | None = 24,
    *,
    number: Number | NewNumber | None = None,
    now: datetime = NOW,
):
    """A line of the cart with tariff linja-m, for `number`: an own one for Besnik 24, or a free one of the pool."""
    tariff = Tariff.get(Tariff.code == "linja-m")
    parts = parts if payment == "instalments" else None
    variant = Variant.get(Variant.sku == sku)
    line = cart.add(variant, now, contract_type=contract_type, tariff=tariff, payment=payment, parts=parts)
    if isinstance(number, NewNumber):
        number.hold(cart, now)
        number.attach(line, now)
    elif number is not None:
        cart.choose_number(line.id, number)
    return line


def in_state(order: Order, state: str) -> Order:
    """The order brought to `state` by the tables alone, along the steps of ORD-4: nothing else happens on the way."""
    ways = [[order.state]]
    for way in ways:
        if way[-1] == state:
            break
        ways += [[*way, after] for after in sorted(TRANSITIONS[way[-1]]) if after not in way]
    else:
        raise ValueError(f"No way leads from {order.state} to {state}.")
    for step in way[1:]:
        Order.update(state=step).where(Order.id == order.id).execute()
    return Order.get_by_id(order.id)


def move(order: Order, state: str, now: datetime = NOW) -> None:
    """Take the step by whom it is allowed."""
    order.move(state, by="admin" if may("admin", order.state, state) else "system", now=now)


def later(minutes: float = 0, **more) -> datetime:
    """A moment after NOW."""
    return NOW + timedelta(minutes=minutes, **more)
