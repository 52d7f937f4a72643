"""Registering, logging in, a forgotten password, and what a profile says of its owner (PRO-1, PRO-2)."""

from flask_babel import gettext
from wtforms import BooleanField, PasswordField, SelectField, StringField

import config
import language
from models.password import MOST, WeakPassword
from views.consent_words import WORDING
from views.forms import AtMost, EmailAddress, PersonName, PhoneNumber, Required, ShopForm, lazy_gettext, tidy


def _first_name():
    return StringField(
        lazy_gettext("Emri"),
        [Required(lazy_gettext("Shkruani emrin.")), AtMost(60), PersonName()],
        filters=[tidy],
        render_kw={"autocomplete": "given-name"},
    )


def _last_name():
    return StringField(
        lazy_gettext("Mbiemri"),
        [Required(lazy_gettext("Shkruani mbiemrin.")), AtMost(60), PersonName()],
        filters=[tidy],
        render_kw={"autocomplete": "family-name"},
    )


def _email(label, autocomplete="email"):
    return StringField(
        label,
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": autocomplete, "inputmode": "email"},
    )


def _present_password(label):
    return PasswordField(
        label,
        [Required(lazy_gettext("Shkruani fjalëkalimin.")), AtMost(MOST)],
        render_kw={"autocomplete": "current-password"},
    )


def _new_password(label):
    return PasswordField(
        label,
        [Required(lazy_gettext("Shkruani fjalëkalimin.")), AtMost(MOST)],
        render_kw={"autocomplete": "new-password"},
    )


def why_weak(error: WeakPassword) -> str:
    """What the shopper reads about a password that is not taken."""
    return {
        "short": gettext("Duhen të paktën 8 shenja."),
        "long": gettext("Ky fjalëkalim është shumë i gjatë."),
        "common": gettext("Këtë fjalëkalim të tjerët e provojnë të parin. Një fjali e shkurtër është më e sigurt."),
        "email": gettext("Fjalëkalimi nuk mund të jetë vetë e-posta."),
    }[error.reason]


class LoginForm(ShopForm):
    email = StringField(
        lazy_gettext("E-posta"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254)],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "username", "inputmode": "email"},
    )
    password = _present_password(lazy_gettext("Fjalëkalimi"))
    remember = BooleanField(lazy_gettext("Më mbaj mend"))


class RegisterForm(ShopForm):
    first_name = _first_name()
    last_name = _last_name()
    email = _email(lazy_gettext("E-posta"))
    password = _new_password(lazy_gettext("Fjalëkalimi"))


class ForgottenForm(ShopForm):
    email = _email(lazy_gettext("E-posta"), "username")


class NewPasswordForm(ShopForm):
    password = _new_password(lazy_gettext("Fjalëkalimi i ri"))


class ProveForm(ShopForm):
    """The password of whoever opens a link on another device than they asked for it on."""

    password = _present_password(lazy_gettext("Fjalëkalimi"))


class DetailsForm(ShopForm):
    first_name = _first_name()
    last_name = _last_name()
    phone = StringField(
        lazy_gettext("Telefoni për kontakt"),
        [AtMost(30)],
        filters=[tidy],
        render_kw={"type": "tel", "autocomplete": "tel"},
    )
    language = SelectField(lazy_gettext("Gjuha e mesazheve"))
    # E.164 digits, or none: nobody must give a phone before an order.
    phone_digits = ""

    def __init__(self, *arguments, **values):
        super().__init__(*arguments, **values)
        self.language.choices = [(code, language.NAMES[code]) for code in config.LANGUAGES]

    def validate_phone(self, field):
        if field.data:
            PhoneNumber()(self, field)


class EmailForm(ShopForm):
    new_email = _email(lazy_gettext("E-posta e re"))
    email_password = _present_password(lazy_gettext("Fjalëkalimi"))


class NewsForm(ShopForm):
    """What the profile agrees to be told of (PRV-2): unchecked until somebody checks it."""

    club_email = BooleanField(WORDING["club_email"])
    club_sms = BooleanField(WORDING["club_sms"])
    cart_email = BooleanField(WORDING["cart_email"])

    def __init__(self, *arguments, **values):
        super().__init__(*arguments, **values)
        if not config.CART_REMINDER_HOURS:
            del self.cart_email


class PasswordForm(ShopForm):
    present = _present_password(lazy_gettext("Fjalëkalimi i tanishëm"))
    password = _new_password(lazy_gettext("Fjalëkalimi i ri"))
