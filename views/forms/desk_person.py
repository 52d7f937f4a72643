"""What an authority's request says (PRV-5)."""

from wtforms import StringField

from views.forms import AtMost, Required, ShopForm, lazy_gettext, tidy


class PersonForm(ShopForm):
    personi = StringField(
        lazy_gettext("E-posta, numri i telefonit ose numri i porosisë"),
        [Required(lazy_gettext("Shkruani për kë është kërkesa.")), AtMost(120)],
        filters=[tidy],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    autoriteti = StringField(
        lazy_gettext("Autoriteti që kërkon"),
        [Required(lazy_gettext("Shkruani kush i kërkon.")), AtMost(160)],
        filters=[tidy],
    )
    numri = StringField(
        lazy_gettext("Numri i kërkesës"),
        [Required(lazy_gettext("Shkruani numrin e kërkesës.")), AtMost(80)],
        filters=[tidy],
        render_kw={"autocomplete": "off"},
    )
    baza = StringField(
        lazy_gettext("Baza ligjore"),
        [Required(lazy_gettext("Shkruani bazën ligjore.")), AtMost(200)],
        filters=[tidy],
    )
