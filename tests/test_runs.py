"""Runs by their names: what is stored of one, how others find it, and what is removed."""

import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli import main
from benchmark.config import settings
from benchmark.config.choosing import open_run
from benchmark.errors import BenchmarkError
from benchmark.files import write_json
from benchmark.run import runs
from benchmark.run.workspace import KEPT, RUNS, Run
from tests.tools import TINY


def command(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["benchmark", *line.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def store(name: str = "mine", **options: Any) -> Run:
    """Store a run of changed settings, as `benchmark run --name` does."""
    options = {"profile": "smoke", "changes": ("fewshot.steps=4", "data.root=null")} | options
    run = open_run(("ours",), (5,), 2, name=name, plugins=(TINY,), **options)
    runs.store(run)
    return run


def made(run: Run, place: str, status: str = "done") -> Path:
    folder = run.folder / place
    write_json(folder / "run.json", {"status": status, "reason": ""})
    (folder / "content").write_bytes(b"0" * 2**20)
    return folder


@pytest.mark.usefixtures("project")
def test_a_run_is_found_by_its_name_with_all_its_settings() -> None:
    run = store()
    found = open_run(stored="mine")
    assert found == replace(run, plugins=())  # which are executed only where they are named
    assert open_run(stored="mine", plugins=(TINY,)) == run
    assert (found.settings.fewshot.steps, found.settings.models, found.settings.seeds) == (4, ("ours",), 2)
    assert open_run(("unet",), stored="mine").settings.models == ("unet",)
    assert open_run(name="mine").settings == run.settings


@pytest.mark.usefixtures("project")
def test_the_run_of_a_profile_has_the_settings_of_the_file() -> None:
    assert open_run(stored="smoke").settings == settings.profile("smoke")
    assert open_run(stored="smoke").folder == RUNS / "smoke"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stored": "mien"}, "there is no run mien.*did you mean mine"),
        ({"stored": "../mine"}, "there is no run"),
        ({"stored": "mine", "profile": "smoke"}, "leave out --profile"),
        ({"stored": "mine", "changes": ("seeds=2",)}, "leave out --profile, --set"),
        ({"name": "mine", "changes": ("fewshot.steps=5",)}, r"of other settings \(fewshot.steps changed from 4 to 5\)"),
        ({"name": "smoke"}, "a profile has this name"),
        ({"name": "a/b"}, "use up to 64 letters"),
        ({"name": "mien"}, "there is no run mien.*did you mean mine"),
        ({"name": ""}, "use up to 64 letters"),
        ({"stored": ""}, "there is no run without a name"),
    ],
)
def test_what_contradicts_itself_is_one_sentence(options: dict[str, Any], said: str) -> None:
    store()
    with pytest.raises(BenchmarkError, match=said):
        open_run(**options)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("content", [b"", b"{}", b'{"settings": {"name": "x"}}', b"\xff"])
def test_a_damaged_file_is_named(
    content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store()
    (RUNS / "mine" / "settings.json").write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"mine/settings\.json"):
        open_run(stored="mine")
    assert command("runs", monkeypatch) == 0
    assert "is damaged" in capsys.readouterr().out
    monkeypatch.setattr(settings, "active_name", lambda *args: "smoke")
    store(profile=None)  # its settings, given again, mend it
    assert open_run(stored="mine").settings.fewshot.steps == 4


@pytest.mark.usefixtures("project")
def test_a_request_holds_the_rows_that_are_wanted() -> None:
    run = store()
    some = replace(run, settings=run.settings.model_copy(update={"models": ("ours", "unet")}))
    first, second = runs.request(run), runs.request(some)
    assert first != second
    assert runs.request(run) == first
    assert runs.opened(str(second)).settings.models == ("ours", "unet")


@pytest.mark.usefixtures("project")
def test_the_list_says_how_runs_differ_and_how_far_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store()
    made(run, "models/ours/seed0")
    made(run, "models/ours/seed1", "interrupted")
    (RUNS / "smoke").mkdir()
    assert command("runs", monkeypatch) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["smoke", "nothing", "yet;", "0", "MB"],
        ["mine", "1", "done,", "1", "interrupted;", "2", "MB"],
        ["smoke", "with", "fewshot.steps=4"],
    ]


@pytest.mark.usefixtures("project")
def test_what_no_run_needs_is_removed_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store()
    needed = made(run, "models/ours/seed0")
    kept = made(replace(run, folder=RUNS / KEPT), "models/ours/seed0/0123")
    left, fresh = RUNS / "mine" / ".a.elsewhere.1.part", RUNS / "mine" / ".b.elsewhere.1.part"
    for path in (left, fresh):
        path.mkdir()
    os.utime(left, (time.time() - 10**6,) * 2)
    assert command("clean --dry-run", monkeypatch) == 0
    said = capsys.readouterr().out
    assert str(RUNS / KEPT) in said
    assert "would free: 1.0 MB" in said
    assert kept.exists()
    assert command("clean", monkeypatch) == 0
    assert "freed: 1.0 MB" in capsys.readouterr().out
    assert needed.exists()
    assert fresh.exists()
    assert not (RUNS / KEPT).exists()
    assert not left.exists()


@pytest.mark.usefixtures("project")
def test_a_named_run_is_removed_unless_a_process_works_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = store()
    folder = made(run, "models/ours/seed0", "running")
    with run.lock("models/ours/seed0"):
        assert command("clean mine", monkeypatch) == 2
    assert "a process is at work in the run mine (models/ours/seed0)" in capsys.readouterr().err
    assert folder.exists()
    assert command("clean mine", monkeypatch) == 0
    assert not run.folder.exists()
    assert command("clean mine", monkeypatch) == 2


@pytest.mark.usefixtures("project")
def test_results_are_named_by_a_run_or_a_folder() -> None:
    store()
    assert runs.results("mine") == RUNS / "mine" / "results"
    assert runs.results("quick") == Path("results")
    assert runs.results("elsewhere/results") == Path("elsewhere/results")
    shutil.copytree(RUNS / "mine", "mine")
    assert runs.results("mine") == Path("mine")


@pytest.mark.usefixtures("project")
def test_a_copied_folder_is_a_run_of_its_own() -> None:
    run = store()
    shutil.copytree(run.folder, RUNS / "copied")
    assert open_run(stored="copied").folder == RUNS / "copied"
    assert open_run(stored="copied").results == RUNS / "copied" / "results"
