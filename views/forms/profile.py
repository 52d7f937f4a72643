"""Logging in (PRO-2)."""

from wtforms import BooleanField, PasswordField, StringField

from views.forms import AtMost, Required, ShopForm, lazy_gettext, tidy


class LoginForm(ShopForm):
    email = StringField(
        lazy_gettext("E-posta"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254)],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "username", "inputmode": "email"},
    )
    password = PasswordField(
        lazy_gettext("Fjalëkalimi"),
        [Required(lazy_gettext("Shkruani fjalëkalimin.")), AtMost(200)],
        render_kw={"autocomplete": "current-password"},
    )
    remember = BooleanField(lazy_gettext("Më mbaj mend"))
