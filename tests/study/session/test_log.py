"""What was acknowledged is there after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from emc.study.session.log import SessionLog, read_log


def test_records_come_back_in_order_with_their_times(tmp_path: Path):
    log = SessionLog(tmp_path / "a" / "log.jsonl")
    log.append([{"kind": "one"}, {"kind": "two"}])
    log.append([{"kind": "three"}])
    found = read_log(tmp_path / "a" / "log.jsonl")
    assert [record["kind"] for record in found] == ["one", "two", "three"]
    assert all(record["at"].endswith("+00:00") for record in found)


def test_a_record_that_is_sent_again_is_written_once(tmp_path: Path):
    log = SessionLog(tmp_path / "log.jsonl")
    assert len(log.append([{"id": "a", "n": 1}, {"id": "a", "n": 1}])) == 1
    assert log.append([{"id": "a", "n": 1}]) == []
    assert SessionLog(tmp_path / "log.jsonl").append([{"id": "a", "n": 1}]) == []
    assert len(read_log(tmp_path / "log.jsonl")) == 1


def test_a_line_that_a_crash_cut_off_is_left_out_and_the_next_one_is_whole(tmp_path: Path):
    file = tmp_path / "log.jsonl"
    SessionLog(file).append([{"n": 1}])
    with file.open("ab") as opened:
        opened.write(b'{"n":2,"xy":[1')
    log = SessionLog(file)
    assert [record["n"] for record in log.records] == [1]
    log.append([{"n": 3}])
    assert [record["n"] for record in read_log(file)] == [1, 3]


def test_acknowledged_records_survive_kill_9(tmp_path: Path):
    file = tmp_path / "log.jsonl"
    script = (
        "import sys\nfrom pathlib import Path\nfrom emc.study.session.log import SessionLog\n"
        f"log = SessionLog(Path({str(file)!r}))\nn = 0\n"
        "while True:\n n += 1\n log.append([{'n': n}])\n sys.stdout.write(f'{n}\\n')\n sys.stdout.flush()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)][-1]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    found = [record["n"] for record in read_log(file)]
    assert found[:acknowledged] == list(range(1, acknowledged + 1))
