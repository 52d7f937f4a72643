"""What an agent answers, and what a caller complains of (AFT-3, AFT-4)."""

import secrets

from flask_babel import gettext
from wtforms import HiddenField, RadioField, TextAreaField

from models.claim import TEXT_MAX
from views.desk_words import ABOUT
from views.forms import AtMost, Required, ShopForm, ValidationError, lazy_gettext
from views.forms.claims import COMPLAINTS, paragraphs

DECISIONS = ("prano", "refuzo")


class AnswerForm(ShopForm):
    mark = HiddenField()
    pergjigja = TextAreaField(
        lazy_gettext("Përgjigjja për klientin"),
        [Required(lazy_gettext("Shkruani përgjigjen.")), AtMost(TEXT_MAX)],
        filters=[paragraphs],
        render_kw={"rows": 5},
    )


class DecideForm(ShopForm):
    """Accepting needs no word; a refusal says why."""

    mark = HiddenField()
    vendimi = RadioField(
        lazy_gettext("Vendimi"), [Required(lazy_gettext("Zgjidhni vendimin."))], choices=[], validate_choice=False
    )
    pergjigja = TextAreaField(
        lazy_gettext("Përgjigjja për klientin"), [AtMost(TEXT_MAX)], filters=[paragraphs], render_kw={"rows": 4}
    )

    def validate_vendimi(self, field):
        if field.data not in DECISIONS:
            raise ValidationError(gettext("Zgjidhni vendimin."))

    def validate_pergjigja(self, field):
        if self.vendimi.data == "refuzo" and not field.data:
            raise ValidationError(gettext("Shkruani pse refuzohet: klienti e lexon."))


class ComplaintForm(ShopForm):
    """A complaint that somebody makes by phone."""

    celesi = HiddenField(validators=[AtMost(43)])
    per = RadioField(
        lazy_gettext("Për çfarë ankohet"),
        [Required(lazy_gettext("Zgjidhni për çfarë ankohet."))],
        choices=[(code, ABOUT[code]) for code in COMPLAINTS],
        validate_choice=False,
    )
    teksti = TextAreaField(
        lazy_gettext("Çfarë thotë klienti"),
        [Required(lazy_gettext("Shkruani ankesën.")), AtMost(TEXT_MAX)],
        filters=[paragraphs],
        render_kw={"rows": 4},
    )

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        if not self.celesi.data:
            self.celesi.data = secrets.token_urlsafe(16)

    def validate_per(self, field):
        if field.data not in COMPLAINTS:
            raise ValidationError(gettext("Zgjidhni për çfarë ankohet."))
