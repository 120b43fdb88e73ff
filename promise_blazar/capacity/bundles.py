# SPDX-License-Identifier: Apache-2.0
"""Bundles of one provider as columns: what one unit of a booking takes, by resource class."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from promise_blazar.capacity.arrays import IntArray, fitted
from promise_blazar.capacity.rows import Rows
from promise_blazar.model.booking import WHOLE
from promise_blazar.model.resource_classes import INSTANCE

_NOTHING: Final = np.zeros(0, dtype=np.int64)


class Bundles:
    """Each bundle has a place, by its id."""

    def __init__(
        self,
        places: Mapping[int, int] = MappingProxyType({}),
        amounts: Mapping[str, IntArray] = MappingProxyType({}),
    ) -> None:
        self._places = dict(places)
        self._amounts = dict(amounts)

    def copy(self) -> "Bundles":
        """The same bundles; others may be put without changing these."""
        return Bundles(self._places, self._amounts)

    def put(self, bundle_id: int, amounts: Mapping[str, int]) -> None:
        """What one unit of a booking takes, by class."""
        place = self._places.setdefault(bundle_id, len(self._places))
        for name in self._amounts.keys() | amounts.keys():
            column = fitted(self._amounts.get(name, _NOTHING), len(self._places))
            column[place] = amounts.get(name, 0)
            self._amounts[name] = column

    def __contains__(self, bundle_id: int) -> bool:
        return bundle_id in self._places

    def place(self, bundle_id: int) -> int:
        """The bundle's place in rows. Raises ``KeyError`` for one that was not put."""
        return self._places[bundle_id]

    @property
    def ids(self) -> list[int]:
        """The bundles' ids, by their places."""
        return list(self._places)

    @property
    def classes(self) -> list[str]:
        """The classes that any bundle takes something of."""
        return sorted(self._amounts)

    def use(self, rows: Rows, resource_class: str) -> IntArray:
        """What each row takes of a class; int64, one entry per row, 0 for a whole host."""
        if resource_class not in self._amounts:
            return np.zeros(len(rows), dtype=np.int64)
        return np.where(
            rows.bundle == WHOLE, 0, self._column(resource_class)[rows.bundle] * rows.units
        )

    def charge(self, rows: Rows, resource_class: str) -> IntArray:
        """What each row is charged of a class; int64, one entry per row, 0 for a whole host.

        Each slot is charged an INSTANCE besides what it takes, unless it names that itself.
        """
        charge = self.use(rows, resource_class)
        if resource_class == INSTANCE and self._places:
            unnamed = self._column(INSTANCE) == 0
            charge = np.where(unnamed[rows.bundle] & (rows.bundle != WHOLE), rows.units, charge)
        return charge

    def _column(self, resource_class: str) -> IntArray:
        return fitted(self._amounts.get(resource_class, _NOTHING), len(self._places))
