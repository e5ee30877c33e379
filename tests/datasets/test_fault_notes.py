"""Notes that many processes write into one file."""

from multiprocessing import get_context

from cgc_video.datasets.fault_notes import Fault, FaultNotes


def _note_many(path: str, process: int) -> None:
    notes = FaultNotes(path)
    for number in range(100):
        notes.add(Fault(f"videos/{number % 50}.mp4", f"seen by {process} " + "x" * 200, "replaced"))


def test_many_processes_write_whole_lines_and_each_file_is_read_once(tmp_path):
    path = str(tmp_path / "notes.jsonl")
    reader = FaultNotes(path)
    assert reader.read_new() == []
    context = get_context("fork")
    writers = [context.Process(target=_note_many, args=(path, process)) for process in range(4)]
    for writer in writers:
        writer.start()
    found = []
    while any(writer.is_alive() for writer in writers):
        found += reader.read_new()
    found += reader.read_new()
    assert all(writer.exitcode == 0 for writer in writers)
    assert sorted(fault.file for fault in found) == sorted(f"videos/{number}.mp4" for number in range(50))
    assert len(reader.path.read_text().splitlines()) == 400


def test_a_line_that_is_still_being_written_waits(tmp_path):
    path = tmp_path / "notes.jsonl"
    odd = Fault("a\ud800 b\n.mp4", "empty", "replaced")  # any path goes
    assert FaultNotes(path).add(odd) == 1
    assert FaultNotes(path).add(Fault("b.mp4", "cut", "replaced")) == 2
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    reader = FaultNotes(path)
    assert reader.read_new() == [odd]
    path.write_bytes(whole)
    assert [fault.file for fault in reader.read_new()] == ["b.mp4"]
