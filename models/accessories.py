"""Which accessories fit which devices, in memory: a device page asks for the best few of thousands (CAT-6)."""

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


class Accessories:
    """The accessories of one process that can be bought, by what they fit.

    A target is a device's slug, "brand:…" or "kind:…"; one thread at a time may use it.
    """

    def __init__(self):
        self._of_target: dict[str, list[_Fitting]] = defaultdict(list)
        self._known: dict[int, tuple[tuple[str, ...], _Fitting]] = {}

    def put(self, number: int, fits, look: str, popularity: int) -> None:
        """`look` is what it is drawn as: two cases are alike, a case and a charger are not."""
        self.remove(number)
        fitting = _Fitting(-popularity, number, look)
        self._known[number] = tuple(fits), fitting
        for target in fits:
            insort(self._of_target[target], fitting)

    def remove(self, number: int) -> None:
        fits, fitting = self._known.pop(number, ((), None))
        for target in fits:
            among = self._of_target[target]
            del among[bisect_left(among, fitting)]

    def fitting(self, slug: str, brand: str, kind: str, count: int) -> list[int]:
        """Up to `count` ids for a device: made for it first, then for its maker, then for all of its kind.

        One of each look as long as there are others.
        """
        found = [
            fitting
            for target in (slug, f"brand:{brand}", f"kind:{kind}")
            for fitting in islice(self._of_target.get(target, ()), _LOOKED_AT)
        ]
        looks: dict[str, _Fitting] = {}
        for fitting in found:
            looks.setdefault(fitting.look, fitting)
        chosen = dict.fromkeys(fitting.id for fitting in looks.values())
        chosen.update(dict.fromkeys(fitting.id for fitting in found))
        return list(chosen)[:count]
