"""Nothing unsafe: no code from data, no path that leads elsewhere, no name in a shell or a page as more than text."""

import ast
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from dvc.parsing.interpolate import to_str
from PIL import Image

from benchmark.config import settings
from benchmark.data import tiles
from benchmark.errors import BenchmarkError
from benchmark.files import write_text
from benchmark.making import building
from benchmark.reporting.figures.canvas import Picture
from benchmark.reporting.page import Chapter, page
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.results import rows
from benchmark.results.records import Failure
from benchmark.run.cells import RECORD
from benchmark.run.workspace import Run
from benchmark.stages import sample
from models.registry import UnknownModelError, entries
from pipelines.stage import start
from tests.reporting import paged
from tests.reporting.made import made_rows
from tests.tiny import Tiny
from tests.tools import PROJECT, TINY, spec

PACKAGES = ("benchmark", "models", "pipelines", "rendered_cars", "tools", "examples")
SOURCES = [path for name in PACKAGES for path in (PROJECT / name).rglob("*.py")]
NEEDED = {  # calls that are safe with this argument alone
    "torch.load": "weights_only=True",
    "np.load": "allow_pickle=False",
    "Image.open": "formats=",  # without it Pillow would hand a PostScript file to Ghostscript
}
FORBIDDEN = {"eval", "exec", "compile", "os.system", "os.popen", "yaml.load", "pd.read_pickle", "tempfile.mktemp"}
MODULES = {"pickle", "dill", "shelve", "marshal", "joblib", "socket", "urllib", "http", "requests", "ftplib"}
LOADER = "models/registry.py: spec.loader.exec_module"  # of a plug-in that the user names
ADDRESS = "benchmark/execution/cluster.py: socket"  # to find the machine's own address in a cluster


def findings(source: str) -> list[str]:
    return [found for node in ast.walk(ast.parse(source)) for found in _findings(node)]


def _findings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        yield from (name for name in names if name.partition(".")[0] in MODULES)
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        given = [f"{each.arg}={ast.unparse(each.value)}" for each in node.keywords]
        needed = NEEDED.get(name)
        unsafe = needed and not any(argument.startswith(needed) for argument in given)
        if unsafe or name in FORBIDDEN or name.endswith(".exec_module") or "shell=True" in given:
            yield name


@pytest.mark.parametrize(
    "source",
    [
        *("import pickle", "from joblib import load", "import urllib.request", "import os, socket"),
        *("torch.load(path)", "torch.load(path, weights_only=False)", "np.load(path, mmap_mode='r')"),
        *("yaml.load(text, Loader)", "eval(text)", "subprocess.run(line, shell=True)", "Image.open(path)"),
        "spec.loader.exec_module(module)",
    ],
)
def test_unsafe_calls_are_found(source: str) -> None:
    assert findings(source)


def test_the_sources_have_no_unsafe_call() -> None:
    found = [
        f"{path.relative_to(PROJECT).as_posix()}: {what}"
        for path in SOURCES
        for what in findings(path.read_text(encoding="utf-8"))
    ]
    assert found == [ADDRESS, LOADER]


def test_dvc_reaches_for_no_network() -> None:
    config = ConfigParser()
    config.read(PROJECT / ".dvc/config")
    assert dict(config["core"]) == {"analytics": "false", "check_update": "false"}


HOSTILE = "quick; touch pwned; $(touch pwned) `touch pwned` '\""


def test_dvc_hands_names_to_the_shell_as_words() -> None:
    for name, stage in yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items():
        item = dict.fromkeys(stage["matrix"], HOSTILE)
        words = shlex.split(stage["cmd"].replace("${item}", to_str(item)))
        options = [word for key in item for word in (f"--{key}", HOSTILE)]
        assert words == ["python", "-m", f"pipelines.{name}", *options]


@pytest.mark.parametrize("name", [HOSTILE, "../smoke", "/smoke"])
def test_a_stage_refuses_a_profile_that_leads_elsewhere(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    content["profiles"][name] = content["profiles"]["smoke"] | {"name": name}
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["stage", "--profile", name])
    with pytest.raises(SystemExit) as ended:
        start(lambda run: pytest.fail("the stage has begun"))
    assert ended.value.code == 2
    assert "letters, digits" in capsys.readouterr().err
    assert [path.name for path in project.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize("name", ["x; touch pwned", "smoke' ; touch pwned; '", "smoke/e; s/.*/touch pwned/e", ".moke"])
def test_make_takes_a_profile_as_text(tmp_path: Path, name: str) -> None:
    for file in ("Makefile", "params.yaml"):
        shutil.copy(PROJECT / file, tmp_path)
    (tmp_path / ".venv").mkdir()
    for file in ("requirements.lock", "pyproject.toml", ".venv/.ready"):  # the environment is there
        (tmp_path / file).touch()
    before = {path.name for path in tmp_path.iterdir()}
    ended = subprocess.run(["make", "reproduce", f"PROFILE={name}"], cwd=tmp_path, capture_output=True, text=True)
    assert f"error: params.yaml has no profile {name}\n" in ended.stderr
    assert ended.returncode == 2
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "params.yaml").read_bytes() == (PROJECT / "params.yaml").read_bytes()


def test_a_plugin_that_a_run_records_is_not_executed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin, folder = Path("mine.py").resolve(), Path("runs/smoke/models/mine/seed0")
    plugin.write_text(f"{TINY.read_text(encoding='utf-8')}\n\nopen('pwned', 'w').close()\n", encoding="utf-8")
    folder.mkdir(parents=True)
    (folder / RECORD).write_text(json.dumps({"status": "done", "target": str(plugin)}), encoding="utf-8")
    chosen = settings.profile("smoke").model_copy(update={"models": ("mine",)})
    with pytest.raises(BenchmarkError, match=rf"mine was trained from a file .*: give --plugin '{plugin}'"):
        building.check(Run(chosen, Path("runs/smoke"), Path("results")), "mine")
    assert not Path("pwned").exists()
    building.check(Run(chosen, Path("runs/smoke"), Path("results"), plugins=(plugin,)), "mine")
    assert Path("pwned").exists()


@pytest.mark.parametrize("name", ["...py", "-rf.py", "a b.py", "a;b.py"])
def test_a_plugin_has_a_name_that_can_be_a_folder(tmp_path: Path, name: str) -> None:
    shutil.copy(TINY, tmp_path / name)
    with pytest.raises(UnknownModelError, match="at most 64 letters"):
        entries([tmp_path / name])


@pytest.mark.parametrize("kind", ["identity", "fewshot"])
@pytest.mark.parametrize("name", ["../../pwned", "/pwned", "..\\pwned", "a\0b"])
def test_rows_of_a_model_that_leads_elsewhere_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    results = tmp_path / "deep" / "results"
    identity, fewshot = ({name: [0.5]}, {}) if kind == "identity" else ({"ours": [0.5]}, {name: [0.5]})
    rows.write(made_rows(identity, fewshot), results)
    with pytest.raises(BenchmarkError, match=rf"{kind}\.parquet has rows of a model "):
        rows.read(results)


def test_a_picture_in_the_rows_is_a_png(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "ours.png", "EPS")
    with pytest.raises(BenchmarkError, match=r"ours\.png"):
        tiles.read(tmp_path / "ours.png", 32)


@pytest.mark.parametrize("size", [(33, 32), (32, 33), (16, 32)])
def test_a_picture_in_the_rows_holds_whole_tiles(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "ours.png")
    with pytest.raises(BenchmarkError, match=r"ours\.png"):
        tiles.read(tmp_path / "ours.png", 32)


def test_what_is_written_replaces_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine", encoding="utf-8")
    (tmp_path / "identity.csv").symlink_to(tmp_path / "elsewhere")
    write_text(tmp_path / "identity.csv", "new")
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "identity.csv").read_text(encoding="utf-8") == "new"


class Structure(HTMLParser):
    """Collects tags and the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def report(folder: Path, said: str) -> str:
    """Return a page that says one text wherever a text of the data can stand."""
    facts = paged.facts(Failure(cell=said, status=said, reason=said))
    facts = facts.model_copy(update={"name": said, "commit": said, "devices": (said,), "versions": {said: said}})
    sheet = Sheet(said, [Grid([said] * 2, [[said] * 2] * 40, said)] * 2, [said])
    drawn = paged.picture(folder, "flat", 900, 300)
    return page(facts, sheet, [Chapter("Exhibits", [Picture(drawn.path, said, said), sheet])], folder)


def test_the_report_shows_every_text_as_text(tmp_path: Path) -> None:
    hostile = """"'><script>alert(1)</script><img src=x onerror=alert(1)></title></style>--><!--"""
    plain, attacked = (Structure(report(tmp_path, said)).found for said in ("text", hostile))
    assert attacked == plain
    assert ("figcaption", ()) in plain


def turned(folder: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(sample, "_found", lambda *_: (Path(), False))
    monkeypatch.setattr(sample, "_spec", lambda *_: {})
    monkeypatch.setattr(sample.trained, "load", lambda *_: Tiny(spec(image_size=32)).eval())
    run = Run(settings.profile("smoke", PROJECT / "params.yaml"), Path("runs/smoke"), Path("results"), "cpu")
    return sample.sample_images(run, "ours", 0, folder, output)


def draw(folder: Path, *names: str) -> None:
    folder.mkdir()
    for name in names:
        Image.new("RGB", (40, 40), "red").save(folder / name)


def test_a_folder_is_turned_part_by_part(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(Path("own"), "a.png", "b.png", "c.png")
    monkeypatch.setattr(sample, "PART", 2)
    written = turned(Path("own"), Path("out"), monkeypatch)
    assert len(written) == 1 + 3 * 5
    assert {path.name for path in written} == {path.name for path in Path("out").iterdir()}
    with Image.open(Path("out/ours_seed0.png")) as grid:
        assert grid.height == 24 + 2 * 100  # the names of the views are above


def test_two_pictures_are_not_written_to_one_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(Path("own"), "car.png", "car_front.png")  # car_front_left.png: the first from front_left, the second from left
    with pytest.raises(BenchmarkError, match=r"out/car_front_left\.png "):
        turned(Path("own"), Path("out"), monkeypatch)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.png", "a_left.png"], "own/a_left.png is one of the images to be turned and would be lost"),
        (["ours_seed0.png"], "own/ours_seed0.png is one of the images to be turned and would be lost"),
    ],
)
def test_own_pictures_are_not_written_over(
    project: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], said: str
) -> None:
    draw(Path("own"), *names)
    before = {path.name: path.read_bytes() for path in Path("own").iterdir()}
    with pytest.raises(BenchmarkError, match=said):
        turned(Path("own"), Path("own"), monkeypatch)
    assert {path.name: path.read_bytes() for path in Path("own").iterdir()} == before
