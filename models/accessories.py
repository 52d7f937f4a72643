"""Which accessories fit which devices, in memory: a device page asks for the best few of thousands (CAT-6).

Whom an accessory is for stands in its `fits`: a device's slug, "brand:…" or "kind:…". Where it has a plug, its `port`
must be the device's too: a cable for every phone is for every phone that it goes into.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from itertools import islice
from typing import NamedTuple

# Of one target, so many are looked at to find a varied few.
_LOOKED_AT = 60


class _Fitting(NamedTuple):
    rank: int
    id: int
    look: str
    port: str = ""


class Accessories:
    """The accessories of one process that can be bought, by what they fit.

    A target is a device's slug, "brand:…" or "kind:…"; one thread at a time may use it.
    """

    def __init__(self):
        self._of_target: dict[str, list[_Fitting]] = defaultdict(list)
        self._known: dict[int, tuple[tuple[str, ...], _Fitting]] = {}

    def put(self, number: int, fits, look: str, popularity: int, port: str = "") -> None:
        """`look` is what it is drawn as: two cases are alike, a case and a charger are not. `port` is its plug's."""
        self.remove(number)
        fitting = _Fitting(-popularity, number, look, port)
        self._known[number] = tuple(fits), fitting
        for target in fits:
            insort(self._of_target[target], fitting)

    def remove(self, number: int) -> None:
        fits, fitting = self._known.pop(number, ((), None))
        for target in fits:
            among = self._of_target[target]
            del among[bisect_left(among, fitting)]

    def fitting(self, slug: str, brand: str, kind: str, count: int, port: str = "") -> list[int]:
        """Up to `count` ids for a device: made for it first, then for its maker, then for all of its kind.

        One of each look as long as there are others. What has a plug is for devices with that `port` alone.
        """
        found = [
            fitting
            for target in (slug, f"brand:{brand}", f"kind:{kind}")
            for fitting in islice(
                (one for one in self._of_target.get(target, ()) if one.port in ("", port)), _LOOKED_AT
            )
        ]
        looks: dict[str, _Fitting] = {}
        for fitting in found:
            looks.setdefault(fitting.look, fitting)
        chosen = dict.fromkeys(fitting.id for fitting in looks.values())
        chosen.update(dict.fromkeys(fitting.id for fitting in found))
        return list(chosen)[:count]

    def alike(self, number: int, fits, look: str, count: int) -> list[int]:
        """Up to `count` ids of other accessories of the same look that fit the same, the most popular first."""
        found = sorted(
            {
                fitting
                for target in fits
                for fitting in islice(
                    (one for one in self._of_target.get(target, ()) if one.look == look and one.id != number),
                    _LOOKED_AT,
                )
            }
        )
        return [fitting.id for fitting in found[:count]]
