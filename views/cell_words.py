"""What is wrong with a cell of a table, in the words of the page's language (CAT-7, DSK-4).

The models say it in English, as the command prints it; forms and the page of an import say the same to people.
"""

import re
from functools import lru_cache

from views.forms import lazy_gettext

# What the models say, as a pattern → what people read; its placeholders are the pattern's groups.
_SAID = (
    (r"is blank", lazy_gettext("Plotësoni këtë fushë.")),
    (
        r"must be a whole number in digits alone, such as 12990, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani numër të plotë, vetëm me shifra, jo „%(cell)s“."),
    ),
    (
        r"must be from (?P<low>\S+) to (?P<high>\S+), not (?P<cell>.*)",
        lazy_gettext("Lejohet nga %(low)s deri %(high)s."),
    ),
    (r"must be from (?P<low>\S+) to (?P<high>\S+)", lazy_gettext("Lejohet nga %(low)s deri %(high)s.")),
    (
        r"must be a number such as 6 or 6\.7, with a point, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani numër, p.sh. 6 ose 6.7, jo „%(cell)s“."),
    ),
    (
        r"must look like (?P<example>.+), not “(?P<cell>.*)”",
        lazy_gettext("Shkruajeni si %(example)s, jo „%(cell)s“."),
    ),
    (
        r"has (?P<have>\d+) characters, at most (?P<most>\d+) fit",
        lazy_gettext("Lejohen më së shumti %(most)s shkronja; keni %(have)s."),
    ),
    (
        r"must be # and six hexadecimal digits such as #2c2c2f, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani ngjyrën si #2c2c2f, jo „%(cell)s“."),
    ),
    (
        r"must be (?P<count>\d+) colours with spaces between, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani %(count)s ngjyra me hapësirë mes tyre, jo „%(cell)s“."),
    ),
    (
        r"must be a year and a month such as 2025-03, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani vitin dhe muajin, p.sh. 2025-03, jo „%(cell)s“."),
    ),
    (
        r"must be a day or a moment such as 2025-11-03T09:00, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani ditën ose orën, p.sh. 2025-11-03T09:00, jo „%(cell)s“."),
    ),
    (r"must be a day.*", lazy_gettext("Shkruani ditën, p.sh. 2025-11-03.")),
    (r"must be a file's name alone, without a folder", lazy_gettext("Shkruani vetëm emrin e skedarit, pa dosje.")),
    (r"names the kind “(?P<cell>.*)”; there are .*", lazy_gettext("Nuk ka lloj „%(cell)s“.")),
    (
        r"must name slugs, kind:… or brand:…, not “(?P<cell>.*)”",
        lazy_gettext("Shkruani adresa pajisjesh, kind:… ose brand:…, jo „%(cell)s“."),
    ),
    (r"must be (?P<words>.+) or (?P<last>\S+), not “.*”", lazy_gettext("Lejohet %(words)s ose %(last)s.")),
    (r"is blank, but (?P<other>\S+) is not", lazy_gettext("Plotësoni të tria gjuhët, ose asnjërën.")),
    (r"is blank, but there is a gift", lazy_gettext("Shkruani sa copë ka nga dhurata.")),
    (r"belongs to a gift, but .* are blank", lazy_gettext("Shkruani edhe emrin e dhuratës.")),
    (r"is for accessories alone", lazy_gettext("Vlen vetëm për pajisje shtesë.")),
    (r"is blank; an accessory must look like one of .*", lazy_gettext("Zgjidhni si vizatohet pajisja shtesë.")),
    (
        r"of a (?P<kind>\w+) can be (?P<shapes>.+), not “.*”",
        lazy_gettext("Ky vizatim ka këto kamera: %(shapes)s."),
    ),
    (
        r"is given beside promo_percent; a promotion has one of them",
        lazy_gettext("Një promocion ka përqindje ose çmim, jo të dyja."),
    ),
    (
        r"belongs to a promotion, but promo_percent and promo_price are blank",
        lazy_gettext("Shkruani përqindjen ose çmimin e promocionit."),
    ),
    (r"is not below the price", lazy_gettext("Çmimi i promocionit duhet të jetë nën çmimin e pajisjes.")),
    (r"is not after promo_from", lazy_gettext("Fundi i promocionit duhet të jetë pas fillimit.")),
    (
        r"must be blank: only phones and tablets are sold with a tariff",
        lazy_gettext("Vetëm celularët dhe tabletët shiten me tarifë; lëreni bosh."),
    ),
    (
        r"has the colour, storage and memory of line (?P<line>\d+)",
        lazy_gettext("Ka ngjyrën dhe memorien e rreshtit %(line)s."),
    ),
    (
        r"has the colour, storage and memory of (?P<sku>.+)",
        lazy_gettext("Ka ngjyrën dhe memorien e variantit %(sku)s."),
    ),
    (r"has more than (?P<most>\d+) variants", lazy_gettext("Një pajisje ka më së shumti %(most)s variante.")),
    (r"is a variant of (?P<slug>.+)", lazy_gettext("Ky SKU është i pajisjes %(slug)s.")),
    (r"is “(?P<cell>.*)”, but “(?P<known>.*)” elsewhere", lazy_gettext("Prodhuesi shkruhet „%(known)s“.")),
    (
        r"names “(?P<cell>.*)”, which is (neither in the file nor|not) in the shop",
        lazy_gettext("„%(cell)s“ nuk është në dyqan."),
    ),
    (
        r"is (?P<here>.*), but (?P<first>.*) on line (?P<line>\d+) of the same device",
        lazy_gettext("Ndryshon nga rreshti %(line)s i së njëjtës pajisje: %(here)s, atje %(first)s."),
    ),
    (
        r"came before; the rows of a device must stand together",
        lazy_gettext("Kjo pajisje erdhi më parë; rreshtat e saj duhet të jenë bashkë."),
    ),
    (r"is on line (?P<line>\d+), too", lazy_gettext("Është edhe në rreshtin %(line)s.")),
    (r"there is no tariff “(?P<cell>.*)”; load the tariffs first", lazy_gettext("Nuk ka tarifë „%(cell)s“.")),
    (
        r"is no column of a price list; is it (?P<near>\S+)\?",
        lazy_gettext("Nuk është kolonë e listës së çmimeve. Mos është %(near)s?"),
    ),
    (r"is no column of a price list", lazy_gettext("Nuk është kolonë e listës së çmimeve.")),
    (r"this column is missing", lazy_gettext("Kjo kolonë mungon.")),
    (r"is there twice", lazy_gettext("Është dy herë.")),
    (r"has no name", lazy_gettext("Nuk ka emër.")),
    (
        r"has (?P<have>\d+) cells, the header has (?P<most>\d+)",
        lazy_gettext("Ka %(have)s fusha, koka ka %(most)s."),
    ),
    (
        r"has a quotation mark that is not closed, or text after one that is",
        lazy_gettext("Një thonjëz nuk mbyllet, ose ka tekst pas saj."),
    ),
    (r"is longer than (?P<most>\S+) bytes", lazy_gettext("Rreshti është tepër i gjatë.")),
    (r"is not written in UTF-8; .*", lazy_gettext("Nuk është në UTF-8; ruajeni si „CSV UTF-8“.")),
    (r"the file is UTF-16; .*", lazy_gettext("Skedari është në UTF-16; ruajeni si „CSV UTF-8“.")),
    (
        r"has a character that nobody sees \((?P<code>U\+[0-9A-F]+)\)",
        lazy_gettext("Ka një shenjë të padukshme (%(code)s); shkruajeni përsëri."),
    ),
    (
        r"has a character that was lost when the file was made \(U\+FFFD\)",
        lazy_gettext("Një shenjë humbi kur u bë skedari; shkruajeni përsëri."),
    ),
    (r"the file is empty|the file has no devices", lazy_gettext("Skedari është bosh.")),
    (r"the file changed while it was read", lazy_gettext("Skedari ndryshoi gjatë leximit.")),
    (r".*means something else in an SMS", lazy_gettext("Ky kod ka kuptim tjetër në SMS.")),
    (r"is before since", lazy_gettext("Dita e fundit është para së parës.")),
    (r"is over: the last day may be.*", lazy_gettext("Dita e fundit mund të jetë sot ose më vonë.")),
    (
        r"is over, or counts already: .*",
        lazy_gettext("Ajo që vlen tashmë nuk ndryshon: shkruani një rresht të ri nga një ditë tjetër."),
    ),
)


@lru_cache(maxsize=1)
def _patterns():
    return [(re.compile(pattern, re.DOTALL), text) for pattern, text in _SAID]


def reason_text(reason: str) -> str:
    """A reason of the models in words of this page's language; one that has none stays as it is."""
    for pattern, text in _patterns():
        match = pattern.fullmatch(reason)
        if match:
            return str(text) % match.groupdict() if match.groupdict() else str(text)
    return reason


def has_words(reason: str) -> bool:
    return any(pattern.fullmatch(reason) for pattern, _ in _patterns())
