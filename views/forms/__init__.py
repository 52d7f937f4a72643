"""Forms, one file per journey; the checks that several of them share are here."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import ValidationError

import config

# What werkzeug makes of bytes that are no UTF-8, and what others put in their place.
_NOT_UTF8 = re.compile("%[89A-F][0-9A-F]|\ufffd")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class ShopForm(FlaskForm):
    """A form in the shop's three languages; CSRF is checked for every POST before a form is read."""

    class Meta:
        csrf = False
        locales = False

        def wrap_formdata(self, form, formdata):
            # A file is never one of our fields: read as a text it would be a server error.
            return request.form if request.files else super().wrap_formdata(form, formdata)

    def wrong_fields(self) -> list:
        return [field for field in self if field.errors]


def tidy(text: str | None) -> str:
    """What was typed, without control characters and doubled spaces, composed (ë is one character)."""
    if not text:
        return ""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


class Required:
    """Something must be typed; `message` says what."""

    field_flags = {"required": True}  # noqa: RUF012

    def __init__(self, message):
        self.message = message

    def __call__(self, form, field):
        if not field.data or not str(field.data).strip():
            raise ValidationError(str(self.message))


class AtMost:
    def __init__(self, most: int):
        self.most = most
        self.field_flags = {"maxlength": most}

    def __call__(self, form, field):
        if _NOT_UTF8.search(field.data or ""):
            # Nobody knows which letter stood there.
            raise ValidationError(gettext("Shkruajeni me shkronja."))
        if field.data and len(field.data) > self.most:
            raise ValidationError(
                gettext(
                    "Lejohen më së shumti %(most)d shkronja; keni %(have)d.",
                    most=self.most,
                    have=len(field.data),
                )
            )


class PersonName:
    def __call__(self, form, field):
        if field.data and not any(character.isalpha() for character in field.data):
            raise ValidationError(gettext("Shkruajeni me shkronja."))


class EmailAddress:
    def __call__(self, form, field):
        address = (field.data or "").strip()
        if "@" not in address:
            raise ValidationError(gettext("I mungon shenja @, p.sh. emri@shembull.mk."))
        try:
            checked = validate_email(
                address, strict=True, check_deliverability=False, test_environment=config.ENV != "production"
            )
        except EmailNotValidError:
            raise ValidationError(gettext("Kontrolloni adresën, p.sh. emri@shembull.mk.")) from None
        if not checked.normalized.isascii():
            raise ValidationError(gettext("Shkruani një adresë me shkronja latine."))
        field.data = checked.normalized


def as_typed(digits: str) -> str:
    """A kept number as it may be typed again: "070 123 456" at home, with + and country code from elsewhere."""
    if not digits:
        return ""
    try:
        number = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return digits
    home = phonenumbers.region_code_for_number(number) == config.COUNTRY
    form = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def phone_shape() -> str:
    """How a mobile number of this country looks: "07X XXX XXX"."""
    example = phonenumbers.example_number_for_type(config.COUNTRY, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return ""
    said = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    return said[:2] + re.sub("[0-9]", "X", said[2:])


class PhoneNumber:
    """A number the courier can call: of this country, or with + and its country code. Kept as E.164 digits."""

    def __call__(self, form, field):
        text = (field.data or "").strip()
        try:
            number = phonenumbers.parse(text, config.COUNTRY)
        except phonenumbers.NumberParseException:
            number = None
        if number is None or not phonenumbers.is_valid_number(number):
            raise ValidationError(gettext("Shkruani numër celular që fillon me 07."))
        kind = phonenumbers.number_type(number)
        if kind not in (
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        ):
            raise ValidationError(gettext("Shkruani numër celular që fillon me 07."))
        form.phone_digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


__all__ = [
    "AtMost",
    "EmailAddress",
    "PersonName",
    "PhoneNumber",
    "Required",
    "ShopForm",
    "ValidationError",
    "as_typed",
    "phone_shape",
    "lazy_gettext",
    "tidy",
]
