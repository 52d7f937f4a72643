"""What a shopper asks for after ordering: withdrawal and complaint (AFT-3, AFT-4)."""

import re
import secrets
from typing import ClassVar

from flask import request
from flask_babel import gettext, ngettext
from wtforms import (
    BooleanField,
    FileField,
    HiddenField,
    RadioField,
    SelectMultipleField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice

from models.attachment import BYTES_MAX, MOST, NotAccepted, kind_of
from models.claim import TEXT_MAX, withdrawable
from models.order import Order, OrderLine
from views.forms import AtMost, Required, ShopForm, lazy_gettext

# What a claim is about: the code that is kept → its words.
ABOUT = {
    "not_received": lazy_gettext("E pagova, por nuk e mora"),
    "late": lazy_gettext("Është vonuar"),
    "other": lazy_gettext("Diçka tjetër"),
    "changed_mind": lazy_gettext("Ndërrova mendje"),
    "not_as_described": lazy_gettext("Nuk është si në përshkrim"),
    "wrong_item": lazy_gettext("Erdhi pajisje tjetër"),
    "no_reason": lazy_gettext("Nuk dua ta them arsyen"),
}
COMPLAINTS = ("not_received", "late", "other")
GROUNDS = ("changed_mind", "not_as_described", "wrong_item", "no_reason")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,43}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def paragraphs(text: str | None) -> str:
    """What was typed, with its lines, without control characters."""
    lines = _CONTROL.sub(" ", (text or "").replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return re.sub("\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in lines)).strip()


class ClaimForm(ShopForm):
    # What makes a second press no second claim; the page that shows the form makes it.
    celes = HiddenField()

    class Meta(ShopForm.Meta):
        def wrap_formdata(self, form, formdata):
            # Without one nothing of the request is read: it may be what was too large to read.
            return None if formdata is None else super().wrap_formdata(form, formdata)

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        if not self.is_submitted() or keywords.get("formdata", self) is None:
            self.celes.data = secrets.token_urlsafe(16)

    @property
    def has_key(self) -> bool:
        return bool(_KEY.fullmatch(self.celes.data or ""))


class WithdrawForm(ClaimForm):
    """Of an order, or of those of its `lines` that may go back alone."""

    cka = RadioField(lazy_gettext("Çfarë ktheni"), choices=[], validate_choice=False)
    linjat = SelectMultipleField(lazy_gettext("Pajisjet"), choices=[], validate_choice=False)
    arsyeja = RadioField(
        lazy_gettext("Arsyeja"),
        [Required(lazy_gettext("Zgjidhni arsyen."))],
        choices=[SelectChoice(code, ABOUT[code]) for code in GROUNDS],
        validate_choice=False,
    )
    teksti = TextAreaField(
        lazy_gettext("Doni të shtoni diçka?"),
        [AtMost(TEXT_MAX)],
        filters=[paragraphs],
        render_kw={"rows": 3},
    )
    e_pahapur = BooleanField(lazy_gettext("Pajisja është e pahapur dhe e paaktivizuar."))

    def show(self, order: Order, lines: list[OrderLine]) -> "WithdrawForm":
        alone = [line for line in lines if withdrawable(order, line)]
        self.alone = alone if len(lines) > 1 else []
        self.linjat.choices = [SelectChoice(str(line.id), line) for line in self.alone]
        if not self.alone or not self.cka.data:
            self.cka.data = "gjithe"
        return self

    def validate_cka(self, field):
        if field.data not in ("gjithe", "disa"):
            raise ValidationError(gettext("Zgjidhni çfarë ktheni."))

    def validate_linjat(self, field):
        if self.cka.data != "disa":
            return
        if not field.data:
            raise ValidationError(gettext("Zgjidhni të paktën një pajisje."))
        if not set(field.data) <= {str(line.id) for line in self.alone}:
            raise ValidationError(gettext("Kjo pajisje kthehet vetëm me gjithë porosinë."))

    def validate_arsyeja(self, field):
        if field.data and field.data not in GROUNDS:
            raise ValidationError(gettext("Zgjidhni arsyen."))

    def validate_e_pahapur(self, field):
        if not field.data:
            raise ValidationError(gettext("Tërheqja vlen vetëm për pajisje të pahapur dhe të paaktivizuar."))

    @property
    def lines(self) -> list[int] | None:
        """The ids of the lines that go back; None is the whole order."""
        return [int(one) for one in self.linjat.data] if self.cka.data == "disa" else None


class ComplaintForm(ClaimForm):
    """With the proof of payment; `files` are what was attached, as (name, bytes), once the form is valid."""

    arsyeja = RadioField(
        lazy_gettext("Për çfarë ankoheni"),
        [Required(lazy_gettext("Zgjidhni për çfarë ankoheni."))],
        choices=[SelectChoice(code, ABOUT[code]) for code in COMPLAINTS],
        validate_choice=False,
    )
    teksti = TextAreaField(
        lazy_gettext("Çfarë ka ndodhur"),
        [Required(lazy_gettext("Shkruani çfarë ka ndodhur.")), AtMost(TEXT_MAX)],
        filters=[paragraphs],
        render_kw={"rows": 5},
    )
    deshmia = FileField(
        lazy_gettext("Dëshmia e pagesës"),
        render_kw={"multiple": True, "accept": "application/pdf,image/jpeg,image/png"},
    )
    files: ClassVar[list] = []
    # Whether the card paid something: only then is there a proof of it.
    was_paid = True

    def validate_arsyeja(self, field):
        if field.data and field.data not in COMPLAINTS:
            raise ValidationError(gettext("Zgjidhni për çfarë ankoheni."))

    def validate_deshmia(self, field):
        sent = [file for file in request.files.getlist("deshmia") if file.filename]
        if len(sent) > MOST:
            raise ValidationError(
                gettext("Bashkëngjitni më së shumti %(most)d skedarë; zgjodhët %(have)d.", most=MOST, have=len(sent))
            )
        if not sent and self.arsyeja.data == "not_received" and self.was_paid:
            raise ValidationError(gettext("Bashkëngjitni dëshminë e pagesës, p.sh. ekstraktin e bankës."))
        read = []
        for file in sent:
            data = file.stream.read(BYTES_MAX + 1)
            try:
                kind_of(data)
            except NotAccepted as refused:
                raise ValidationError(told_of_file(refused, file.filename)) from None
            read.append((file.filename, data))
        self.files = read


def told_of_file(refused: NotAccepted, name: str) -> str:
    """Why a file is not taken, and what to do."""
    name = " ".join(re.sub(r"[^\w .()-]+", "_", name).split())[-60:]
    return {
        "empty": gettext("„%(name)s“ është bosh. Zgjidhni një skedar tjetër.", name=name),
        "too_large": gettext("„%(name)s“ është më i madh se 5 MB. Zgjidhni një më të vogël.", name=name),
        "kind": gettext("„%(name)s“ nuk është PDF, JPEG ose PNG. Zgjidhni një nga këto.", name=name),
        "broken": gettext("„%(name)s“ nuk hapet. Ruajeni përsëri dhe provoni edhe një herë.", name=name),
    }[refused.why]


def told_too_large() -> str:
    return ngettext(
        "Skedarët janë tepër të mëdhenj. Lejohet %(num)d skedar deri në 5 MB.",
        "Skedarët janë tepër të mëdhenj. Lejohen %(num)d skedarë deri në 5 MB secili.",
        MOST,
    )
