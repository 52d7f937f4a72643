"""The picture of a variant: the operator's photo where there is one, else a drawing made of its facts.

A drawing's URL names all that it shows (kind, camera, front camera, colour, wallpaper, view), so that it never
changes, is shared by all variants that look alike, and needs no file or query.
"""

import re

# The rules of templates/pictures/device.svg; raise it when a drawing changes, so that browsers ask anew.
EDITION = "1"

ANGLES = {
    "phone": ("pair", "back", "front", "side", "fan"),
    "tablet": ("pair", "back", "front"),
}
CAMERAS = {
    "phone": ("tri", "strip", "duo", "pro", "bar", "quad", "ring", "solo"),
    "case": ("tri", "strip", "duo", "pro", "bar", "quad", "ring", "solo"),
    "tablet": ("one", "two"),
    "watch": ("round", "square"),
}
KINDS = ("phone", "tablet", "watch", "earbuds", "charger", "case", "sim", "powerbank", "cable")
HOLES = ("dot", "island", "drop")

_NAME = re.compile(
    r"(?P<kind>[a-z]+)-(?P<camera>[a-z]+)-(?P<hole>[a-z]+)-(?P<angle>[a-z]+)"
    r"-(?P<colour>[0-9a-f]{6})(?:-(?P<screen>[0-9a-f]{6}-[0-9a-f]{6}-[0-9a-f]{6}))?"
)


def angles(drawing: dict) -> tuple[str, ...]:
    """The views a device of this drawing has, the one of its card first."""
    return ANGLES.get(drawing.get("kind"), ("pair",))


def picture_path(device, variant, angle: str = "pair") -> str:
    """Where the picture of `variant` seen from `angle` is, below the shop's root."""
    if variant.photo:
        return f"/photos/{variant.photo}"
    return drawing_path(device.drawing, variant.colour_hex, variant.screen, angle)


def drawing_path(drawing: dict, colour_hex: str, screen: str, angle: str) -> str:
    kind = drawing.get("kind", "phone")
    parts = [
        kind,
        drawing.get("camera") or CAMERAS.get(kind, ("none",))[0],
        drawing.get("hole") or "dot",
        angle if angle in angles(drawing) else "pair",
        colour_hex.lstrip("#"),
    ]
    parts += [shade.lstrip("#") for shade in screen.split()]
    return f"/pictures/{EDITION}/{'-'.join(parts)}.svg"


def read_name(name: str) -> dict | None:
    """What a drawing's file name says; None where it names none."""
    match = _NAME.fullmatch(name)
    if not match:
        return None
    facts = match.groupdict()
    kind = facts["kind"]
    if kind not in KINDS or facts["hole"] not in HOLES or facts["angle"] not in ANGLES.get(kind, ("pair",)):
        return None
    if facts["camera"] not in CAMERAS.get(kind, ("none",)):
        return None
    screen = facts["screen"]
    return {
        "kind": kind,
        "cam": facts["camera"],
        "hole": facts["hole"],
        "angle": facts["angle"],
        "color": f"#{facts['colour']}",
        "screen": [f"#{shade}" for shade in screen.split("-")] if screen else None,
    }
