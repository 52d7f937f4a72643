"""What clerks and partners type (CLB-1, CLB-8, CLB-13)."""

import re
from datetime import date

import phonenumbers
from flask_babel import gettext
from wtforms import RadioField, StringField

import config
from models.new_number import CALLING_CODE
from views.forms import AtMost, Required, ShopForm, ValidationError, lazy_gettext, phone_shape, tidy
from views.forms.numbers import digits_of

_FIXED = re.compile(r"(?=.*[A-Z])[A-Z0-9][A-Z0-9_./-]{1,28}[A-Z0-9]")
_QUIET = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}


class CustomerForm(ShopForm):
    """A mobile number, or the code of a fixed service: `msisdn` or `fixed` says which."""

    msisdn = fixed = ""

    numri = StringField(
        lazy_gettext("Numri ose kodi i shërbimit fiks"),
        [Required(lazy_gettext("Shkruani numrin që thotë klienti.")), AtMost(40)],
        filters=[tidy],
        render_kw={**_QUIET, "placeholder": phone_shape()},
    )

    def validate_numri(self, field):
        text = field.data.upper()
        try:
            number = phonenumbers.parse(text, config.COUNTRY)
        except phonenumbers.NumberParseException:
            number = None
        if number is not None and phonenumbers.is_valid_number(number) and not re.search("[A-Z]", text):
            digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
            if digits.startswith(CALLING_CODE):
                self.msisdn = digits
                return
        if not _FIXED.fullmatch(text.replace(" ", "")):
            raise ValidationError(gettext("Shkruani një numër që fillon me 07, ose kodin e shërbimit fiks."))
        self.fixed = text.replace(" ", "")


class GiftForm(CustomerForm):
    """Which gift, and for a fixed service which phone the code goes to."""

    dhurata = StringField(validators=[AtMost(20)])
    telefoni = StringField(validators=[AtMost(20)])


class JoinForm(CustomerForm):
    """Who joins: the phone, and the language of what the club writes."""

    telefoni = StringField(validators=[AtMost(20)])
    gjuha = RadioField(lazy_gettext("Gjuha e mesazheve"), validate_choice=False)


class MemberCodeForm(ShopForm):
    code = StringField(
        lazy_gettext("Kodi që thotë anëtari"),
        [Required(lazy_gettext("Shkruani kodin që anëtari mori me SMS."))],
        filters=[digits_of],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false", "maxlength": "12"},
    )

    def validate_code(self, field):
        if not re.fullmatch(r"[0-9]{6}", field.data, re.ASCII):
            raise ValidationError(gettext("Kodi ka 6 shifra."))


class VoucherForm(ShopForm):
    kodi = StringField(
        lazy_gettext("Kodi i klientit"),
        [Required(lazy_gettext("Shkruani kodin që tregon klienti.")), AtMost(40)],
        filters=[tidy],
        render_kw={**_QUIET, "placeholder": "K7F4 9Q2M"},
    )


def day_of(text: str | None) -> date | None:
    """A day as a date field sends it, or None."""
    try:
        day = date.fromisoformat(text or "") if len(text or "") == 10 else None
    except ValueError:
        return None
    # Before and after there is nothing, and a day more or less must still be one.
    return day if day is not None and 2000 <= day.year <= 2200 else None
