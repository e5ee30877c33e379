"""The short table at the end of a test."""

from collections.abc import Mapping

from .tables import text_table

__all__ = ["result_table"]


def result_table(
    metrics: Mapping[str, float],
    clips: int,
    views: int,
    seconds: float,
    skipped: int = 0,
    decoder: str = "",
    unit: str = "clip",
) -> str:
    """The headline metrics, clips, views and time, in two columns.

    Args:
        metrics: Of ``AccMetric``, ``ClassReport``, ``TagAccuracy`` (in 0..1) and ``BLEU``; what is absent is left out.
        clips: Clips that were scored.
        views: Views (clips x crops) per clip.
        skipped: Clips that could not be decoded and were left out.
        decoder: What decoded them; ``"none"`` is left out.
        unit: What a sample is, such as ``"clip"``; others than clips have one view, which is left out.
    """
    mean = metrics.get("report/mean_class_accuracy", metrics.get("acc/mean1"))
    accuracies = {"top-1": metrics.get("acc/top1"), "top-5": metrics.get("acc/top5"), "mean class accuracy": mean}
    accuracies["tag accuracy"] = metrics.get("tagging/accuracy")
    rows = [(name, f"{100 * value:.2f} %") for name, value in accuracies.items() if value is not None]
    if (bleu := metrics.get("translation/bleu")) is not None:
        rows += [("BLEU", f"{bleu:.2f}"), ("brevity penalty", f"{metrics['translation/brevity_penalty']:.3f}")]
    speed = f" ({clips / seconds:.1f} {unit}s/s)" if seconds > 0 else ""
    tested = f"{clips:,} of {clips + skipped:,} ({skipped:,} skipped)" if skipped else f"{clips:,}"
    if wrong := metrics.get("scored/counted_wrong"):
        tested += f" ({wrong:,.0f} undecodable, counted as wrong)"
    rows += [(f"{unit}s tested", tested)]
    rows += [(f"views per {unit}", str(views))] if unit == "clip" else []
    rows += [("time", f"{seconds:.1f} s{speed}")]
    rows += [("decoded by", decoder)] if decoder not in ("", "none") else []
    return text_table(("test", "result"), rows)
