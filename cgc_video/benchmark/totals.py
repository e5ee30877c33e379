"""The layers of a network added up, each as often as the network holds it."""

from collections.abc import Sequence

from .layer_cases import LayerCase
from .run import Row

__all__ = ["TOTAL", "with_totals"]

TOTAL = "all gated layers"


def with_totals(rows: Sequence[Row], layers: Sequence[LayerCase]) -> list[Row]:
    """Append a row per pass and formulation with the sum of the medians; none where a layer has no time."""
    found = {(row.case, row.mode, row.formulation): row for row in rows}
    totals: dict[tuple[str, str], Row] = {}
    for mode, formulation in dict.fromkeys((row.mode, row.formulation) for row in rows):
        own = [found.get((layer.name, mode, formulation)) for layer in layers]
        if any(row is None or row.median_ms is None for row in own):
            continue
        milliseconds = sum(layer.count * row.median_ms for layer, row in zip(layers, own, strict=True))
        operations = sum(layer.count * layer.operations(mode == "training") for layer in layers)
        total = Row(TOTAL, f"{sum(layer.count for layer in layers)} layers", mode, formulation, milliseconds)
        total.gflops = operations / milliseconds / 1e6
        if plain := totals.get((mode, "plain"), total if formulation == "plain" else None):
            total.time_ratio = milliseconds / plain.median_ms
        totals[mode, formulation] = total
    return [*rows, *totals.values()]
