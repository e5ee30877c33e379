"""The eight classes of the mini data set: four processes, each forwards and reversed in time."""

__all__ = ["CLASSES", "MOTIONS", "is_reversed", "motion_of"]

# The forward process of each pair, and the names of the process and of its time reversal.
_PAIRS = (
    ("rightward", "Moving something left to right", "Moving something right to left"),
    ("upward", "Moving something up", "Moving something down"),
    ("approaching", "Moving something closer to the camera", "Moving something away from the camera"),
    ("clockwise", "Turning something clockwise", "Turning something counter-clockwise"),
)

MOTIONS: tuple[str, ...] = tuple(motion for motion, _, _ in _PAIRS)
CLASSES: tuple[str, ...] = tuple(name for _, forward, reverse in _PAIRS for name in (forward, reverse))


def motion_of(label: int) -> str:
    """Name the forward process that class ``label`` is, or is the reversal of."""
    return MOTIONS[label // 2]


def is_reversed(label: int) -> bool:
    """Say whether class ``label`` shows its process backwards."""
    return label % 2 == 1
