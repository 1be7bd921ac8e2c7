"""What of a network's input may vary: axis -> name."""

from __future__ import annotations

from collections.abc import Mapping

POSE: Mapping[int, str] = {0: "batch"}
"""Networks that see crops of one size take any number of them."""
PICTURE: Mapping[int, str] = {0: "batch", 2: "32 height", 3: "32 width"}
"""Networks that see whole pictures take them at any size, sides multiples of 32."""
