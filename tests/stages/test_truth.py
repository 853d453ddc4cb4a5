"""The table of artefacts says no less than what is read while each is made: settings, modules, other artefacts."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from pydantic import BaseModel

from benchmark.config import settings
from benchmark.config.settings import override
from benchmark.run import cache, sources
from benchmark.run.artifacts import NEUTRAL, TABLE, Artifact
from benchmark.run.workspace import Run
from benchmark.stages.data import prepare_data
from benchmark.stages.pipeline import run_everything
from tests.stages.small import small_run, with_pictures
from tests.tools import PROJECT, TINY


class Watched:
    """Settings that note which of their values are read."""

    def __init__(self, section: BaseModel, seen: set[str], prefix: str = "") -> None:
        self._section, self._seen, self._prefix = section, seen, prefix

    def __getattr__(self, name: str) -> Any:
        value, key = getattr(self._section, name), f"{self._prefix}{name}"
        if isinstance(value, BaseModel):
            return Watched(value, self._seen, f"{key}.")
        self._seen.add(key if name in type(self._section).model_fields else self._prefix.removesuffix("."))
        return value


class Traced:
    """Everything that was read while one artefact was made."""

    def __init__(self) -> None:
        self.settings: set[str] = set()
        self.files: set[str] = set()
        self.artifacts: set[str] = set()
        self.fingerprint: dict[str, Any] = {}

    def call(self, frame: FrameType, event: str, argument: object) -> None:
        """Note the file of a function that is called; what an import executes is no call."""
        if event == "call" and frame.f_code.co_name != "<module>":
            self.files.add(frame.f_code.co_filename)


@contextmanager
def traced(found: dict[Artifact, Traced]) -> Iterator[None]:
    """Trace everything that is made in the block."""
    called, cell = cache._called, Artifact.cell

    def watched(target: str, *arguments: Any) -> Any:
        if not target.endswith(":make"):
            return called(target, *arguments)
        run, artifact, folder = arguments
        trace = Traced()
        trace.fingerprint = artifact.cell(run).record["fingerprint"]
        found[artifact] = trace
        inner = replace(run, settings=Watched(run.settings, trace.settings))

        def noted(artifact: Artifact, run: Run) -> Any:
            trace.artifacts.add(artifact.place)
            return cell(artifact, run)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Artifact, "cell", noted)
            threading.setprofile(trace.call)
            sys.setprofile(trace.call)
            try:
                return called(target, inner, artifact, folder)
            finally:
                sys.setprofile(None)
                threading.setprofile(None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "_called", watched)
        yield


RENDERED = {
    "models": ["tiny"],
    "data.auxiliary": 3,
    "data.standard": 2,
    "data.rendered": {"identities": 5, "scarce": 0, "images": [14, 14], "size": 32, "seed": 0},
    "data.image_size": 16,
    "fewshot.shots": [],
    "evaluation.nc": [2],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[Artifact, Traced]:
    """Every artefact of the smallest run of photographs, and the oracle of one of rendered cars."""
    every: dict[Artifact, Traced] = {}
    with small_run(tmp_path_factory.mktemp("truth")) as run, traced(every):
        models = override(run.settings, {"models": ["tiny", "ours"], "training.warm_up": {"steps": 2}})
        with with_pictures(run) as bringing:
            run_everything(replace(bringing, settings=models))
    smoke = override(settings.profile("smoke", PROJECT / "params.yaml"), RENDERED)
    with pytest.MonkeyPatch.context() as patch, traced(every):
        patch.chdir(tmp_path_factory.mktemp("rendered"))
        rendered = Run(smoke, Path("runs/rendered"), Path("results"), "cpu", (TINY,))
        prepare_data(rendered)
        cache.ensure(rendered, Artifact("oracle"))
    return every


def test_every_row_of_the_table_is_traced(found: dict[Artifact, Traced]) -> None:
    assert {artifact.kind for artifact in found} == TABLE.keys()


def test_every_setting_that_is_read_stands_in_the_row(found: dict[Artifact, Traced]) -> None:
    pace = {"training.tensorboard", "training.samples_every", "training.checkpoint_minutes"}
    place = {"data.root", "data.rendered"}  # where images lie; their content counts
    for artifact, trace in found.items():
        neutral = {"data.root"}
        neutral |= pace | place if artifact.kind in ("store", "generator") else set()
        neutral |= {"training.checkpoint_minutes"} if artifact.kind.endswith("_judge") else set()
        told = artifact.row.settings
        missing = {key for key in trace.settings if not any(f"{key}.".startswith(f"{own}.") for own in told)}
        assert missing <= neutral, artifact.place


def test_every_module_that_is_executed_is_hashed(found: dict[Artifact, Traced]) -> None:
    neutral = {sources.label(file) for module in NEUTRAL if (file := sources._file(module))}
    for artifact, trace in found.items():
        hashed = trace.fingerprint["sources"].keys()
        paths = [Path(file) for file in trace.files if file.endswith(".py")]
        own = {sources.label(path) for path in paths if path.is_relative_to(PROJECT) or path.name == "tiny.py"}
        executed = {label for label in own if not label.startswith(("tests/", ".venv"))}
        assert executed - neutral <= hashed, artifact.place


def test_every_artefact_that_is_opened_is_an_input(found: dict[Artifact, Traced]) -> None:
    for artifact, trace in found.items():
        inputs = trace.fingerprint["inputs"].keys()
        assert trace.artifacts - {artifact.place} <= inputs, artifact.place


def test_modules_that_are_neutral_exist() -> None:
    assert all(sources._file(module) for module in NEUTRAL)
