"""The colours of a brand as tokens, and whether people can read them (WCAG 2.2, AA)."""

import re
from collections.abc import Iterator

# The custom properties of static/css/tokens.css; brand.toml names them with _ for -.
TOKENS = (
    *("bg", "surface", "stage", "line", "edge", "ink", "ink_2"),
    *("accent", "accent_2", "accent_soft", "on_accent"),
    *("promo", "promo_soft", "promo_ink", "on_promo"),
    *("ok", "ok_soft", "warn", "warn_soft", "bad", "bad_soft"),
    *("focus", "awning_a", "awning_b", "bar", "on_bar"),
)
TEXT, CONTROL = 4.5, 3.0
_GROUNDS = ("bg", "surface", "stage")
# (what is read, on what, at least): text 4.5, borders of controls and the focus ring 3.
PAIRS = (
    *((ink, ground, TEXT) for ink in ("ink", "ink_2", "accent", "accent_2") for ground in _GROUNDS),
    *((tone, f"{tone}_soft", TEXT) for tone in ("ok", "warn", "bad")),
    *((tone, ground, TEXT) for tone in ("ok", "warn", "bad") for ground in ("bg", "surface")),
    *(("accent", "accent_soft", TEXT), ("ink", "accent_soft", TEXT)),
    *(("on_accent", "accent", TEXT), ("on_accent", "accent_2", TEXT)),
    *(("on_promo", "promo", TEXT), ("promo_ink", "promo_soft", TEXT), ("on_bar", "bar", TEXT)),
    *(("edge", ground, CONTROL) for ground in ("bg", "surface")),
    *(("focus", ground, CONTROL) for ground in _GROUNDS),
)


def is_colour(value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' relative luminances, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))


def mix(one: str, other: str) -> str:
    """The colour half-way between two."""
    halves = ((first + second) // 2 for first, second in zip(_parts(one), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in halves)


def stronger(colour: str, ground: str, least: float) -> str:
    """`colour` moved away from a white or black `ground` until it stands out by `least`."""
    far = 0 if ground == "#ffffff" else 255
    for step in range(101):
        moved = "#" + "".join(f"{part + (far - part) * step // 100:02x}" for part in _parts(colour))
        if contrast(moved, ground) >= least:
            return moved
    return "#000000" if far == 0 else "#ffffff"


def too_faint(face) -> Iterator[str]:
    """What of a face's colours is hard to read, each in a sentence with the ratio it has and the one it needs."""
    for scheme, colours in (("light", face.light), ("dark", face.dark)):
        for ink, ground, least in PAIRS:
            ratio = contrast(colours[ink], colours[ground])
            if ratio < least:
                yield (
                    f"{scheme}: {ink} {colours[ink]} on {ground} {colours[ground]} has {ratio:.2f} : 1, "
                    f"at least {least:g} : 1 is needed"
                )
    for scheme, ground in (("light", face.light["stage"]), ("dark", face.dark["bg"])):
        ratio = contrast(face.mark_in_mail, ground)
        if ratio < CONTROL:
            yield (
                f"mails, {scheme}: the mark {face.mark_in_mail} on {ground} has {ratio:.2f} : 1, "
                f"at least {CONTROL:g} : 1 is needed"
            )
