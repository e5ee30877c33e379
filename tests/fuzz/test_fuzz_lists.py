"""Annotation lists and class files: whatever is in them, they are read, or refused by a sentence that names them."""

import pytest
from hypothesis import strategies as st
from mmaction.registry import DATASETS
from mmengine.registry import DefaultScope

from cgc_video.datasets.lists import KINDS, read_classes, read_list

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(3600)]

LISTS = [
    b"a.mp4 0\nb c.mp4 1\n\n\xef\xbb\xbfd.mp4 2\n",
    b"folder/one 12 0\nfolder two 3 1\n",
    "n\u00e4me \u2028 x.mp4 3\r\ny.mp4 007\r\n".encode(),
]
CLASSES = [b"Going left\nGoing right\nPush [something]\n", "\ufeffeins\r\nzwei\r\n".encode()]
# characters on which lines and numbers may be split in the wrong place
LETTERS = st.sampled_from(list("ab/. 0129-\\\n\r\t\0\x0b\x1c\x85\u2028\u00a0\ud7ff\ufeff\u0663\u00b2e+_"))
LINE = st.builds(
    lambda path, numbers: " ".join([path, *numbers]),
    st.text(LETTERS, max_size=300),
    st.lists(st.one_of(st.integers(-3, 9).map(str), st.integers().map(str), st.just("9" * 5000)), max_size=3),
)


def texts(damaged, originals):
    """Lists as people have them, damaged; lines of odd characters and numbers; plain bytes."""
    return st.one_of(damaged(originals), st.lists(LINE, max_size=6).map(lambda lines: "\n".join(lines).encode()))


@pytest.mark.parametrize("kind", KINDS)
def test_lists(fuzz, damaged, names_file, rewrite, kind):
    """A list that is read gives samples; each is then opened, and most are not there."""
    with DefaultScope.overwrite_default_scope("mmaction"):
        assert sum(_use(rewrite("list.txt", data), kind, names_file) for data in LISTS)  # loads what reads them, too
        outcome = fuzz(texts(damaged, LISTS), lambda data: _use(rewrite("list.txt", data), kind, names_file), few=40)
    assert outcome.refused


def _use(path, kind: str, names_file) -> bool:
    entries = []
    if not names_file(lambda: entries.extend(read_list(path, kind, num_classes=1000)), path):
        return False
    assert entries
    if kind == "images":
        return True
    common = {"ann_file": str(path), "test_mode": True}
    if kind == "video":
        steps = [{"type": "VideoOpen"}]
        dataset = {"type": "ListedVideos", "data_prefix": {"video": str(path.parent)}, "pipeline": steps, **common}
    else:
        steps = [{"type": "FrameOpen"}]
        layout = {"filename_tmpl": "{:05}.jpg", "start_index": 1, "data_prefix": {"img": str(path.parent)}}
        dataset = {"type": "ListedFrames", "pipeline": steps, **layout, **common}
    built = DATASETS.build(dataset)
    assert len(built) == len(entries)
    names_file(lambda: built[0], built.get_data_info(0).get("filename") or built.get_data_info(0)["frame_dir"])
    return True


def test_class_files(fuzz, damaged, names_file, rewrite):
    def use(data: bytes) -> bool:
        path = rewrite("classes.txt", data)
        return names_file(lambda: read_classes(path), path)

    fuzz(texts(damaged, CLASSES), use, few=40)
