from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from intel_ml.core.errors import UnavailableError
from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store


@pytest.fixture
def server(tmp_path: Path):
    value = EmbeddedPostgres(tmp_path / "server")
    yield value
    value.forget()


def answer(server: EmbeddedPostgres, statement: str) -> int:
    store = Store(server.url("first"))
    try:
        with store.connection() as connection:
            return int(connection.exec_driver_sql(statement).scalar_one())
    finally:
        store.close()


def test_it_starts_once_however_many_ask_and_keeps_its_data(server: EmbeddedPostgres):
    threads = [threading.Thread(target=server.start, args=("first",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = Store(server.url("first"))
    with store.connection() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (n int)")
    store.close()
    server.stop()
    assert not server.is_running
    server.start("first")
    assert answer(server, "SELECT count(*) FROM kept") == 0


def test_it_is_usable_again_after_its_server_was_killed(server: EmbeddedPostgres):
    server.start("first")
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    server.start("first")
    assert answer(server, "SELECT 1") == 1


def test_it_works_below_a_folder_that_others_cannot_enter(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "server")
    server.start("first")
    assert server.is_running
    server.forget()
    assert not server.is_running
    assert not server.data.exists()


def test_a_database_that_is_not_there_is_one_sentence_with_what_to_do(tmp_path: Path):
    store = Store(f"postgresql+psycopg://postgres@/none?host={tmp_path}")
    with pytest.raises(UnavailableError, match=r"database does not answer.*intel-ml up"):
        store.now()
    store.close()
