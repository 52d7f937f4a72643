"""What an address or the form of a device's page asks for: variant, contract type, tariff and payment (OFF-1, OFF-2).

One vocabulary for both, so that every choice can be shared as an address.
"""

import re
from dataclasses import dataclass

from flask import url_for

import config
from models.instalments import PARTS

SLUG = re.compile("[a-z0-9-]{1,120}")
TYPES = {"vetem": "device_only", "numer-i-ri": "new_number", config.FACE.contract_word: "besnik24"}
PAYMENTS = {"keste": "instalments", "kartele": "card", "fatura": "first_bill"}
# What a field of the form is called inside, for what the shopper has just chosen.
KEEPS = {"ngjyra": "colour", "memoria": "storage", "lloji": "type", "tarifa": "tariff", "pagesa": "payment"}
# Sent by a form whose contract type was changed without a script: nothing was shown of the new one.
ORDERED = "porosia"

TYPE_WORDS = {code: word for word, code in TYPES.items()}
PAYMENT_WORDS = {code: word for word, code in PAYMENTS.items()}
_KEEP_WORDS = {name: word for word, name in KEEPS.items()} | {"order": ORDERED}
_TARIFF = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,29}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for; None where they did not, or not in words of this shop."""

    colour: str | None = None
    storage: int | None = None
    contract_type: str | None = None
    tariff: str | None = None
    payment: str | None = None
    parts: int | None = None
    view: str = ""
    # What was just chosen, as KEEPS names it: the rest gives way.
    keep: str = ""
    # Which type and variant the form showed that asks, as `shown` writes them; "" for an address.
    shown: str = ""
    # Fields that hold something else than this shop's words.
    garbled: frozenset[str] = frozenset()

    @property
    def was_shown(self) -> bool:
        """Whether a form that says what it showed was sent with the contract type that it showed."""
        return not self.shown or TYPES.get(self.shown.partition(".")[0]) == (self.contract_type or "device_only")

    def follows(self, contract_type: str, sku: str) -> bool:
        """Whether the form that asks shows this variant, and this type or a change of it: a piece will do."""
        shown_type, _, shown_sku = self.shown.partition(".")
        return shown_sku == sku and (self.keep == "type" or TYPES.get(shown_type) == contract_type)

    @classmethod
    def read(cls, args) -> "Wish":
        """From the query of an address, or a form; nothing that stands there is an error here."""
        colour = args.get("ngjyra", "").lower().lstrip("#")
        storage = args.get("memoria", "")
        lloji, tariff, payment, parts = (args.get(name, "") for name in ("lloji", "tarifa", "pagesa", "keste"))
        # Forms and links from before contracts were sold name a type by its code.
        contract_type = TYPES.get(lloji) or (lloji if lloji in TYPE_WORDS else None)
        keep = args.get("mbaj", "")
        read = {
            "lloji": contract_type,
            "tarifa": tariff if _TARIFF.fullmatch(tariff) else None,
            "pagesa": PAYMENTS.get(payment),
            "keste": int(parts) if parts in map(str, PARTS) else None,
        }
        return cls(
            colour=colour if re.fullmatch("[0-9a-f]{6}", colour) else None,
            storage=int(storage) if re.fullmatch("[0-9]{1,6}", storage) else None,
            contract_type=read["lloji"],
            tariff=read["tarifa"],
            payment=read["pagesa"],
            parts=read["keste"],
            view=args.get("pamja", ""),
            keep="order" if keep == ORDERED else KEEPS.get(keep, ""),
            shown=args.get("shfaqur", ""),
            garbled=frozenset(name for name, value in read.items() if value is None and args.get(name)),
        )


# An address without a query, as most are.
NO_WISH = Wish.read({})


def address(slug, colour=None, storage=None, terms=None, view="", keep="", **more) -> str:
    """Where a device is shown with these words; `terms` needs contract_type, tariff's code, payment and parts."""
    contract_type, tariff, payment, parts = terms or ("device_only", None, None, None)
    if contract_type == "device_only":
        contract_type = tariff = payment = parts = None
    return url_for(
        "device.show",
        slug=slug,
        ngjyra=colour,
        memoria=storage,
        lloji=TYPE_WORDS.get(contract_type),
        tarifa=tariff,
        pagesa=PAYMENT_WORDS.get(payment),
        keste=parts,
        pamja=view or None,
        mbaj=_KEEP_WORDS.get(keep),
        **more,
    )


def address_of(chosen) -> str:
    """The device's page with the choice of a line of the cart."""
    line = chosen.line
    terms = (line.contract_type, line.tariff.code if line.tariff_id else None, line.payment, line.parts)
    return address(chosen.device.slug, chosen.variant.colour_code, chosen.variant.storage_gb, terms)
