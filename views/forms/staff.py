"""What is typed to get to work, and about who works here (DSK-5)."""

from wtforms import StringField

from views.forms import AtMost, Required, ShopForm, lazy_gettext, tidy


class FactorForm(ShopForm):
    """Its field has a name that no page of the desk has, for what another form sent may go along."""

    kodi_im = StringField(
        lazy_gettext("Kodi me 6 shifra"),
        [Required(lazy_gettext("Shkruani kodin nga aplikacioni.")), AtMost(40)],
        filters=[tidy],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    )
