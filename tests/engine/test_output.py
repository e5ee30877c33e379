"""What cannot be written is found out before the work for it."""

import pytest

from cgc_video.engine.output import check_writable
from cgc_video.errors import UserError


def test_a_folder_is_made(tmp_path):
    check_writable(str(tmp_path / "new" / "x.pkl"))
    assert (tmp_path / "new").is_dir()


def test_what_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/x.pkl cannot be written: .*; name another place\.$"):
        check_writable(str(tmp_path / "file" / "x.pkl"))
    with pytest.raises(UserError, match="is a folder; name a file"):
        check_writable(str(tmp_path))
