"""The short table at the end of a test."""

from collections.abc import Mapping

from .tables import text_table

__all__ = ["result_table"]


def result_table(
    metrics: Mapping[str, float], clips: int, views: int, seconds: float, skipped: int = 0, decoder: str = ""
) -> str:
    """Top-1, top-5, mean class accuracy, clips, views and time, in two columns.

    Args:
        metrics: Of ``AccMetric`` and ``ClassReport``, in 0..1; what is absent is left out.
        clips: Clips that were scored.
        views: Views (clips x crops) per clip.
        skipped: Clips that could not be decoded and were left out.
        decoder: What decoded them.
    """
    mean = metrics.get("report/mean_class_accuracy", metrics.get("acc/mean1"))
    accuracies = {"top-1": metrics.get("acc/top1"), "top-5": metrics.get("acc/top5"), "mean class accuracy": mean}
    rows = [(name, f"{100 * value:.2f} %") for name, value in accuracies.items() if value is not None]
    speed = f" ({clips / seconds:.1f} clips/s)" if seconds > 0 else ""
    tested = f"{clips:,} of {clips + skipped:,} ({skipped:,} skipped)" if skipped else f"{clips:,}"
    rows += [("clips tested", tested), ("views per clip", str(views)), ("time", f"{seconds:.1f} s{speed}")]
    rows += [("decoded by", decoder)] if decoder else []
    return text_table(("test", "result"), rows)
