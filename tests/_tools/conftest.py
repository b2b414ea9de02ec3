"""
The layer that tests of the tools look into.
"""

from __future__ import annotations

from tests.layers import built_layer, layer_folder, wheels

__all__ = ["built_layer", "layer_folder", "wheels"]
