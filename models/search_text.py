"""Words as a shopper means them, whatever the script, the diacritics or the spelling (CAT-6).

The same rules fold what is indexed and what is asked, so the two meet:

1. Lower case; Macedonian Cyrillic to Latin; diacritics dropped (ë → e, ç → c).
2. Letters and digits that stand together stay together ("s25", "a56"). A number takes the unit after
   it ("256 GB" → "256gb"), a plus sign after a word is the word ("S25+" → "s25 plus").
3. Sounds: ph → f, ch/ck/c/q → k, x → ks, w → v, y/j → i, sh → s, zh/dz → z, th → t, dh → d, gh → g,
   xh → g, oo → u, ee → i, ue → u; doubled letters count once; a final e after three letters is silent.
   In words with digits (model codes, SKUs) only single letters are folded.
4. A small table of spellings that no rule reaches ("ajfon" is "iphone", "kabllo" is "cable").
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_LATIN = str.maketrans(
    {
        **dict(zip("абвгдезијклмнопрстуфхц", "abvgdezijklmnoprstufhc", strict=True)),
        **{"ѓ": "gj", "ђ": "gj", "ж": "zh", "ѕ": "dz", "љ": "lj", "њ": "nj", "ќ": "q", "ћ": "q", "ч": "ch"},
        **{"џ": "xh", "ш": "sh", "щ": "sht", "й": "j", "ѝ": "i", "ы": "i", "ѐ": "e", "ё": "e", "э": "e"},
        **{"đ": "dj", "ø": "o", "ł": "l", "ı": "i", "ß": "ss", "™": " ", "®": " ", "©": " "},
        **{"ю": "ju", "я": "ja", "ъ": None, "ь": None},
    }
)
_ACCENTS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"\d{1,2}[.,]\d(?!\d)[^\W_]*|[^\W_]+")
_NUMBER = re.compile(r"[\d.,]+")
_PLUS = re.compile(r"(?<=[^\W_])\+")
_UNITS = frozenset(["gb", "tb", "mb", "mah", "w", "mp", "mm", "cm", "m", "g", "hz", "ghz", "inch"])

_SOUND = re.compile(r"ph|sh|zh|xh|ch|th|dh|gh|ck|dz|oo|ee|ue|[cqwyjx]")
_SOUNDS = {
    **{"ph": "f", "sh": "s", "zh": "z", "xh": "g", "ch": "k", "th": "t", "dh": "d", "gh": "g", "ck": "k"},
    **{"dz": "z", "oo": "u", "ee": "i", "ue": "u"},
    **{"c": "k", "q": "k", "w": "v", "y": "i", "j": "i", "x": "ks"},
}
# Letters that may sound different with the next one.
_JOINING = "".join({pair[0] for pair in _SOUNDS if len(pair) == 2})
_LETTERS = str.maketrans({"c": "k", "q": "k", "w": "v", "y": "i", "j": "i", "x": "ks"})
_DOUBLE = re.compile(r"([^\d])\1+")

# The first of each row is what the others mean.
_SPELLINGS = (
    "iphone ajfon aifon ajfoun",
    "ipad ajpad",
    "apple epl ejpl epëll",
    "airpods erpods ерподс",
    "xiaomi shaomi sjaomi",
    "oneplus vanplas уанплас",
    "nothing nating натинг",
    "realme rialmi риалми",
    "watch voch воч",
    "buds bads бадс",
    "lite lajt лајт",
    "note nout ноут",
    "wireless vajrles вајрлес",
    "powerbank pauerbank павербанк",
    "cable kabel kabllo kabëll kabli кабли cables",
    "tablet tableta tabletat таблети",
    "phone telefon telefona telefoni телефони",
    "grey gray",
)

# Shoppers name the sort of thing they look for; the names of devices seldom do.
KIND_WORDS = {
    "phone": "telefon celular celularë smartphone мобилен phone",
    "tablet": "tablet",
    "accessory": "pajisje shtesë aksesor додатоци accessory",
    "prepaid_sim": "sim kartelë pripejd prepaid припејд картичка card",
}

# The same of accessories, by what they are drawn as: no maker calls its "Buds" headphones.
ACCESSORY_WORDS = {
    "earbuds": "kufje dëgjuese слушалки headphones earphones earbuds",
    "watch": "orë ora smartwatch часовник",
    "charger": "karikues mbushës полнач адаптер charger adapter",
    "case": "mbrojtëse këllëf футрола маска case cover",
    "cable": "kabllo кабел cable",
    "powerbank": "bateri батерија powerbank battery",
}

# Small words between the ones that matter: "këllëf për iPhone" is a "këllëf iPhone".
_SMALL_WORDS = "për dhe me за со for with and the"


class Word(NamedTuple):
    """A word of a text or a query.

    `raw` is what was written (lower case, Latin, without diacritics), `key` what it is compared by as a
    whole word, `stem` what it is compared by as the beginning of one, `terms` all it is indexed under.
    """

    raw: str
    key: str
    stem: str
    terms: tuple[str, ...]


def latin(text: str) -> str:
    """Lower case, in Latin letters, without diacritics."""
    if text.isascii():
        return text.lower()
    # Composed first: ѓ and ќ would otherwise fall apart into г and к with an accent.
    text = unicodedata.normalize("NFC", text).lower().translate(_LATIN)
    return text if text.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", text))


def _sounds(raw: str) -> str:
    if not raw.isalpha():
        return raw.replace(",", ".").translate(_LETTERS)
    return _DOUBLE.sub(r"\1", _SOUND.sub(lambda found: _SOUNDS[found[0]], raw))


def _whole(stem: str) -> str:
    return stem[:-1] if len(stem) > 3 and stem.endswith("e") and stem.isalpha() else stem


def _rows() -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    means: dict[str, str] = {}
    spelt: dict[str, tuple[str, ...]] = {}
    for row in _SPELLINGS:
        stems = [_sounds(latin(word)) for word in row.split()]
        key = _whole(stems[0])
        spelt[key] = tuple(dict.fromkeys(stems))
        means |= {_whole(stem): key for stem in stems}
    return means, spelt


_MEANS, _SPELT = _rows()


def key_of(raw: str) -> str:
    """The key of the word written as `raw`."""
    key = _whole(_sounds(raw))
    return _MEANS.get(key, key)


@lru_cache(maxsize=8192)
def stem_so_far(begun: str) -> str:
    """What the stem of every word that begins with `begun` begins with."""
    return _sounds(begun.rstrip(_JOINING))


@lru_cache(maxsize=4096)
def word(raw: str) -> Word:
    """The word written as `raw` (one word, as `latin` leaves it)."""
    stem, key = _sounds(raw), key_of(raw)
    # Under each spelling, too, so that half a word typed in any of them already finds it.
    return Word(raw, key, stem, tuple(dict.fromkeys((key, stem, *_SPELT.get(key, ())))))


@lru_cache(maxsize=4096)
def _words_in(piece: str) -> tuple[tuple[Word, ...], tuple[Word, ...], bool]:
    """The words of a text without spaces, both parts of a compound as one, and whether a unit comes first."""
    piece = latin(piece)
    if piece.isalnum():
        return (word(piece),), (), piece in _UNITS
    if "+" in piece:
        piece = _PLUS.sub(" plus ", piece)
    parts = _WORD.findall(piece)
    plain = tuple(map(word, parts))
    if len(parts) == 2 and parts[0].isalpha() and piece == "-".join(parts):
        return plain, (word("".join(parts)),), False
    return plain, (), bool(parts) and parts[0] in _UNITS


def words(text: str, compounds: bool = False) -> list[Word]:
    """The words of a text in order; with `compounds` also "wifi" for "Wi-Fi" and "usbc" for "USB-C"."""
    found: list[Word] = []
    for plain, joined, unit in map(_words_in, text.split()):
        if unit and found and _NUMBER.fullmatch(found[-1].raw):
            found[-1] = word(found[-1].raw + plain[0].raw)
            plain = plain[1:]
        found += plain
        if joined and compounds:
            found += joined
    return found


def tokens(text: str) -> list[str]:
    """What the words of a text are compared by: `tokens("Галакси") == tokens("galaxy")`."""
    return [found.key for found in words(text)]


SMALL_WORDS = frozenset(tokens(_SMALL_WORDS))
