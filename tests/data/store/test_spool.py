"""What was appended is in the database once, whatever ended in between."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from intel_ml.core.errors import UnavailableError
from intel_ml.data.store.sessions import Store
from intel_ml.data.store.spool import Spool

STATEMENT = (
    "INSERT INTO word SELECT * FROM jsonb_populate_recordset(NULL::word, %s::jsonb) "
    "ON CONFLICT DO NOTHING"
)
APPENDS_AND_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from intel_ml.data.store.spool import Spool
spool = Spool(Path(sys.argv[1]), sys.argv[2], "SELECT %s")
spool.append(['{"id": 1, "said": "kept"}', '{"id": 2, "said": "kept"}'])
os.write(spool._descriptor, b'{"id": 3, "said": "cut o')
os.kill(os.getpid(), signal.SIGKILL)
"""


def row(number: int, said: str = "kept") -> str:
    return json.dumps({"id": number, "said": said})


@pytest.fixture
def words(store: Store) -> Store:
    with store.session() as session:
        session.execute(
            text("CREATE TABLE word (id int PRIMARY KEY, said text CHECK (said <> ''))")
        )
    return store


def seen(store: Store) -> list[int]:
    with store.session() as session:
        return list(session.execute(text("SELECT id FROM word ORDER BY id")).scalars())


def test_what_is_appended_is_there_once_however_often_it_is_drained(
    words: Store, tmp_path: Path
) -> None:
    spool = Spool(tmp_path, words.url, STATEMENT)
    for number in (1, 2, 2, 3):
        spool.append([row(number)])
    spool.flush()
    spool.append([row(3), row(4)])
    spool.flush()
    assert seen(words) == [1, 2, 3, 4]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_killed_before_it_drains_loses_nothing_it_answered(
    words: Store, tmp_path: Path
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", APPENDS_AND_IS_KILLED, str(tmp_path), words.url], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert seen(words) == []
    for _ in range(2):
        spool = Spool(tmp_path, words.url, STATEMENT)
        spool.inherit()
        spool.close()
    assert seen(words) == [1, 2]
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_process_that_lives_is_left_to_it(words: Store, tmp_path: Path) -> None:
    busy, other = (Spool(tmp_path, words.url, STATEMENT) for _ in range(2))
    busy.append([row(1)])
    other.inherit()
    assert seen(words) == []
    busy.close()
    other.close()
    assert seen(words) == [1]


def test_without_a_database_rows_wait_and_are_drained_once_it_is_back(
    words: Store, tmp_path: Path
) -> None:
    away = Spool(tmp_path, "postgresql+psycopg://nobody@127.0.0.1:9/none", STATEMENT)
    away.append([row(1)])
    with pytest.raises(UnavailableError):
        away.flush()
    away.close()
    back = Spool(tmp_path, words.url, STATEMENT)
    back.inherit()
    back.close()
    assert seen(words) == [1]


def test_a_row_the_database_refuses_is_kept_and_holds_up_no_other(
    words: Store, tmp_path: Path
) -> None:
    spool = Spool(tmp_path, words.url, STATEMENT)
    spool.append([row(1), row(2, said=""), row(3)])
    spool.flush()
    spool.close()
    assert seen(words) == [1, 3]
    assert json.loads((tmp_path / "refused.jsonl").read_text())["id"] == 2


def test_what_cannot_be_written_is_an_error_not_a_loss(words: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path, words.url, STATEMENT)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, spool._descriptor)
    with pytest.raises(UnavailableError, match="decision log"):
        spool.append([row(1)])
    os.close(full)
    os.close(spool._descriptor)


def test_a_row_there_is_no_room_for_leaves_the_file_whole(words: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path, words.url, STATEMENT)
    spool.append([row(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = os.fstat(spool._descriptor).st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, hard))
    try:
        with pytest.raises(UnavailableError, match="no room"):
            spool.append([row(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.fstat(spool._descriptor).st_size == size
    spool.append([row(3)])
    spool.close()
    assert seen(words) == [1, 3]
