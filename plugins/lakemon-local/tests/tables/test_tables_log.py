"""A damaged log is noticed and named; what a write acknowledges is safe on disk."""

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakemon_core.domain.errors import DataError


@pytest.fixture
def three_commits(tables, name, numbers, folder_of):
    for start in (0, 10, 20):
        tables.append(name, numbers(start, start + 10))
    return folder_of(name)


def commit(folder, version):
    return folder / "_delta_log" / f"{version:020d}.json"


def test_an_empty_last_commit_is_named_with_the_way_back(tables, name, numbers, three_commits):
    damaged = commit(three_commits, 2)
    damaged.write_text("")
    for use in (
        lambda: tables.scan(name),
        lambda: tables.info(name),
        lambda: tables.append(name, numbers(0, 1)),
        lambda: tables.query(f"SELECT * FROM {name}"),
    ):
        with pytest.raises(DataError, match=r"LM305.*is empty") as caught:
            use()
        assert caught.value.where == str(damaged)
    damaged.rename(three_commits / "set aside")
    assert tables.scan(name).read_all().num_rows == 20
    tables.append(name, numbers(20, 30))
    assert tables.scan(name).read_all().num_rows == 30


@pytest.mark.parametrize("damage", [b"{", b'{"add": ', b"\xff\xfe\x00", b"[1, 2]\n", b"0\n"])
def test_a_last_commit_that_is_no_json_is_named(tables, name, three_commits, damage):
    commit(three_commits, 2).write_bytes(damage)
    with pytest.raises(DataError, match=r"LM305.*commit 2.*is damaged"):
        tables.scan(name)


def test_a_cut_last_commit_is_named(tables, name, three_commits):
    text = commit(three_commits, 2).read_text()
    commit(three_commits, 2).write_text(text[:-20])
    with pytest.raises(DataError, match=r"LM305.*commit 2"):
        tables.scan(name)


def test_a_gap_between_commits_is_named(tables, name, three_commits):
    commit(three_commits, 1).unlink()
    with pytest.raises(DataError, match=r"LM305.*commit 1.*is missing"):
        tables.scan(name)


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x0bb\x1cc", "\r", "\n"])
def test_text_with_other_ends_of_lines_damages_nothing(tables, name, text):
    """Delta writes the smallest and largest value of a column into the commit."""
    tables.append(name, pa.table({text: [text]}))
    assert tables.scan(name).read_all().to_pylist() == [{text: text}]


def test_a_missing_data_file_is_an_error_and_not_fewer_rows(tables, name, three_commits):
    next(three_commits.glob("*.parquet")).unlink()
    with pytest.raises(DataError, match="LM309"):
        tables.scan(name).read_all()


def test_a_table_whose_creation_was_cut_off_is_not_there_yet(tables, name, numbers, three_commits):
    for version in range(3):
        commit(three_commits, version).unlink()
    assert not tables.exists(name)
    tables.append(name, numbers(0, 5))
    assert tables.scan(name).read_all().num_rows == 5


def test_what_was_written_is_on_disk_before_the_write_returns(tables, name, numbers, monkeypatch):
    """Every file of the commit and the folders that name them are synced, data before the commit."""
    synced = []
    sync = os.fsync

    def noting(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    writes = [
        lambda: tables.append(name, numbers(0, 5), batch=("w", 1)),
        lambda: tables.append(name, numbers(5, 9)),
        lambda: tables.replace(name, numbers(100, 101), where=[]),
        lambda: tables.merge(name, numbers(100, 102), on=["n"]),
    ]
    for write in writes:
        synced.clear()
        version = write().version
        folder = Path(tables.info(name).location)
        log = commit(folder, version)
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        data = {
            folder / action[kind]["path"] for action in actions for kind in ("add", "cdc") if kind in action
        }
        assert data
        assert {*data, log, log.parent, folder, folder.parent} <= set(synced)
        assert max(map(synced.index, data)) < synced.index(log) < synced.index(log.parent)


def test_a_log_that_was_cleaned_up_behind_a_checkpoint_is_whole(tables, name, numbers, three_commits):
    DeltaTable(three_commits).create_checkpoint()
    tables.append(name, numbers(30, 40))
    commit(three_commits, 0).unlink()
    commit(three_commits, 1).unlink()
    assert tables.scan(name).read_all().num_rows == 40
    assert tables.changes(name, since=2, columns=["n"]).read_all().num_rows == 10
    assert tables.changes(name, since=0, columns=["n"]) is None


def test_a_table_made_anew_in_the_same_folder_is_not_taken_for_the_one_before(tables, name, folder_of):
    for value in (1, 2):
        tables.append(name, pa.table({"x": [value]}))
        assert tables.scan(name, version=0).read_all().to_pydict() == {"x": [value]}
        shutil.rmtree(folder_of(name))


def test_a_gap_that_a_checkpoint_covers_damages_nothing(tables, name, numbers, three_commits):
    DeltaTable(three_commits).create_checkpoint()
    commit(three_commits, 1).unlink()
    assert tables.scan(name).read_all().num_rows == 30
    for start in (30, 40):
        tables.append(name, numbers(start, start + 10))
    commit(three_commits, 3).unlink()
    with pytest.raises(DataError, match=r"LM305.*commit 3.*is missing"):
        tables.scan(name)


def test_a_version_whose_log_was_cleaned_up_is_named(tables, name, three_commits):
    DeltaTable(three_commits).create_checkpoint()
    for version in (0, 1):
        commit(three_commits, version).unlink()
    with pytest.raises(DataError, match=r"LM314.*version 1.*cleaned up; the newest is 2\."):
        tables.scan(name, version=1)
