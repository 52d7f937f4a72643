"""Adding a number to the profile (PRO-3)."""

import re

from flask_babel import gettext
from stdnum.mk import edb
from stdnum.si import emso
from wtforms import StringField
from wtforms.validators import StopValidation

from models.new_number import CALLING_CODE
from models.security_code import DIGITS
from views.forms import AtMost, PhoneNumber, Required, ShopForm, ValidationError, lazy_gettext, phone_shape, tidy

WAYS = ("id", "sim")
SIM_DIGITS = 6
ID_DIGITS = 13


def digits_of(text: str | None) -> str:
    """What was typed without what people put between digits."""
    return re.sub(r"[\s.\-/]", "", tidy(text))


class NumberForm(ShopForm):
    phone = StringField(
        lazy_gettext("Numri i telefonit"),
        [Required(lazy_gettext("Shkruani numrin e telefonit.")), AtMost(30), PhoneNumber()],
        filters=[tidy],
        render_kw={
            "type": "tel",
            "autocomplete": "tel",
            "inputmode": "tel",
            "placeholder": phone_shape(),
        },
    )

    def validate_phone(self, field):
        if not field.errors and not self.phone_digits.startswith(CALLING_CODE):
            raise ValidationError(gettext("Shkruani numër celular që fillon me 07."))


class ProofForm(ShopForm):
    """The holder's ID number or the SIM's last digits; only what was chosen is looked at."""

    v = StringField(default=WAYS[0], filters=[lambda value: value if value in WAYS else WAYS[0]])
    id_number = StringField(
        lazy_gettext("Numri amë (EMBG)"),
        filters=[digits_of],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"},
    )
    sim_end = StringField(
        lazy_gettext("6 shifrat e fundit"),
        filters=[digits_of],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"},
    )

    def validate_id_number(self, field):
        if self.v.data != "id":
            raise StopValidation
        if not re.fullmatch(rf"[0-9]{{{ID_DIGITS}}}", field.data, re.ASCII):
            raise ValidationError(gettext("Numri amë ka 13 shifra; shkruajini të gjitha."))
        # A company holds its numbers under its tax number, which has as many digits.
        if not (emso.is_valid(field.data) or edb.is_valid(field.data)):
            raise ValidationError(gettext("Numri amë është shkruar gabim; kontrolloni shifrat."))

    def validate_sim_end(self, field):
        if self.v.data == "sim" and not re.fullmatch(rf"[0-9]{{{SIM_DIGITS}}}", field.data, re.ASCII):
            raise ValidationError(gettext("Shkruani 6 shifrat e fundit të kartelës SIM."))

    @property
    def proof(self) -> dict[str, str]:
        return {"id_number": self.id_number.data} if self.v.data == "id" else {"sim_end": self.sim_end.data}


class CodeForm(ShopForm):
    code = StringField(
        lazy_gettext("Kodi me 6 shifra"),
        [Required(lazy_gettext("Shkruani kodin nga SMS-i."))],
        filters=[digits_of],
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"},
    )

    def validate_code(self, field):
        if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", field.data, re.ASCII):
            raise ValidationError(gettext("Kodi ka 6 shifra."))
