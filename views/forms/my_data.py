"""The password before all one's data are given, or erased (PRV-4)."""

from wtforms import BooleanField, PasswordField

from models.password import MOST
from views.forms import AtMost, Required, ShopForm, lazy_gettext


def _password():
    return PasswordField(
        lazy_gettext("Fjalëkalimi"),
        [Required(lazy_gettext("Shkruani fjalëkalimin.")), AtMost(MOST)],
        render_kw={"autocomplete": "current-password"},
    )


class DownloadForm(ShopForm):
    take_password = _password()


class EraseForm(ShopForm):
    erase_password = _password()
    understood = BooleanField(
        lazy_gettext("E kuptoj çfarë fshihet dhe çfarë mbetet"),
        [Required(lazy_gettext("Shënojeni që e lexuat."))],
    )


class ConfirmForm(ShopForm):
    """The password of whoever opens the mailed link where they are not logged in."""

    password = _password()
