"""dvc.yaml: what each stage says it depends on is what it imports, and all it names exists."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark import settings
from benchmark.sources import closure
from models.registry import entries
from tests.tools import PROJECT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PARAMS: dict[str, Any] = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
PROFILES: dict[str, Any] = PARAMS["profiles"]
WITH_MODELS = ("train", "identity", "collect")  # these load models by name


def source_files(stage: str) -> set[Path]:
    files: set[Path] = set()
    for dep in STAGES[stage]["deps"]:
        path = PROJECT / dep
        files.update([path] if path.suffix == ".py" else path.rglob("*.py"))
    return files


def relative(paths: set[Path]) -> list[str]:
    return sorted(path.relative_to(PROJECT).as_posix() for path in paths)


@pytest.mark.parametrize("stage", STAGES)
def test_sources_are_the_import_closure(stage: str) -> None:
    models = [entry.source for entry in entries().values()] if stage in WITH_MODELS else []
    imported = set(closure(f"pipelines.{stage}", *(path for path in models if path.is_relative_to(PROJECT))))
    assert relative(imported) == relative(source_files(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_named_exists(stage: str) -> None:
    for dep in STAGES[stage]["deps"]:
        assert dep.startswith(("runs/${item.profile}/", "results/")) or (PROJECT / dep).exists(), dep


@pytest.mark.parametrize("stage", STAGES)
def test_data_dependencies_are_made_by_other_stages(stage: str) -> None:
    made = {out if isinstance(out, str) else next(iter(out)) for other in STAGES.values() for out in other["outs"]}
    for dep in STAGES[stage]["deps"]:
        inside = [out for out in made if out == dep or out.startswith(f"{dep}/")]
        assert inside or not dep.startswith(("runs/", "results/")), dep


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("stage", STAGES)
def test_parameters_exist_in_every_profile(stage: str, profile: str) -> None:
    for parameter in STAGES[stage].get("params", []):
        value = PARAMS
        for key in parameter.replace("${item.profile}", profile).split("."):
            value = value[key]


@pytest.mark.parametrize("profile", PROFILES)
def test_there_is_a_training_stage_for_every_model_of_a_profile(profile: str) -> None:
    assert STAGES["train"]["matrix"]["model"] == "${models}"
    assert set(settings.profile(profile, PROJECT / "params.yaml").models) <= set(PARAMS["models"])


def test_no_stage_depends_on_command_line_or_tests() -> None:
    for stage in STAGES:
        assert not {"benchmark/cli.py", "benchmark/options.py"} & set(relative(source_files(stage)))
        assert not any(dep.startswith(("tests", "README")) for dep in STAGES[stage]["deps"])


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_its_module(stage: str) -> None:
    assert STAGES[stage]["cmd"] == f"python -m pipelines.{stage} ${{item}}"
    assert (PROJECT / "pipelines" / f"{stage}.py").is_file()


def test_checkpoints_persist_and_results_do_not() -> None:
    for stage in ("collect", "report"):
        assert all(isinstance(out, str) for out in STAGES[stage]["outs"])
    for stage in ("extractor", "train", "identity"):
        assert [next(iter(out.values())) for out in STAGES[stage]["outs"]] == [{"persist": True}]
