"""Components of which there are several of a kind: who was not there before has no past of its own, and is compared with that of the others. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from postmortems.diagnosis.model import Values
from postmortems.diagnosis.moments import Moments
from postmortems.diagnosis.scoring import FEWEST

_ONE_OF_SEVERAL = re.compile(r"-\d+(-primary|-replica)?$")


def sibling(one: str, other: str) -> bool:
    """True for components of which there are several of a kind."""
    return _ONE_OF_SEVERAL.sub("", one) == _ONE_OF_SEVERAL.sub("", other)


def past_of_siblings(name: str, values: Mapping[str, Values], moments: Moments) -> Values:
    """Its values, with the mean of its siblings' past where it has none itself."""
    own = values[name]
    if np.count_nonzero(~np.isnan(moments.usual(own))) >= FEWEST:
        return own
    theirs = [moments.usual(its) for other, its in values.items() if other != name and sibling(name, other)]
    return np.concatenate([_means(theirs), moments.unusual(own)]) if theirs else own


def _means(rows: Sequence[Values]) -> Values:
    there = ~np.isnan(rows)
    return np.where(there.any(axis=0), np.nansum(rows, axis=0) / np.maximum(there.sum(axis=0), 1), np.nan)
