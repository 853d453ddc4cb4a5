"""dvc.yaml: what each stage depends on is no less than the table of artefacts says, and all it names exists."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmark.config import settings
from benchmark.run.artifacts import NEUTRAL, TABLE
from benchmark.run.sources import closure
from pipelines.record import record
from tests.tools import PROJECT

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PARAMS: dict[str, Any] = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
PROFILES: dict[str, Any] = PARAMS["profiles"]
MADE = {  # kinds of artefacts that a stage makes
    "filter": ["store"],
    "extractor": ["identity_judge", "view_judge"],
    "warm_start": ["warm_start"],
    "train": ["generator"],
    "identity": ["oracle", "outputs", "samples", "quality", "outcomes"],
    "fewshot": ["oracle", "episodes", "recognition"],
}


@pytest.mark.parametrize("stage", MADE)
def test_parameters_are_all_settings_of_what_a_stage_makes(stage: str) -> None:
    named = {each.removeprefix("profiles.${item.profile}.") for each in STAGES[stage]["params"]}
    for kind in MADE[stage]:
        for key in TABLE[kind].settings:
            assert any(f"{key}.".startswith(f"{each}.") for each in named), f"{kind}: {key}"


def test_everything_in_the_table_is_made_by_a_stage() -> None:
    made = {kind for kinds in MADE.values() for kind in kinds}
    assert made == TABLE.keys() - {"external"}  # which the user brings


@pytest.mark.parametrize("stage", MADE)
def test_the_code_of_a_stage_is_in_the_folders_that_it_names(stage: str) -> None:
    for path in closure(*(TABLE[kind].module for kind in MADE[stage]), without=NEUTRAL):
        folder = path.relative_to(PROJECT).parts[0]
        assert folder in STAGES[stage]["deps"], path


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


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_its_module(stage: str) -> None:
    assert STAGES[stage]["cmd"] == f"python -m pipelines.{stage} ${{item}}"
    assert (PROJECT / "pipelines" / f"{stage}.py").is_file()


def test_checkpoints_persist_and_results_do_not() -> None:
    for stage in ("collect", "report"):
        assert all(isinstance(out, str) for out in STAGES[stage]["outs"])
    for stage in ("extractor", "train", "identity"):
        assert [next(iter(out.values())) for out in STAGES[stage]["outs"]] == [{"persist": True}]


def test_what_a_profile_leaves_out_has_an_empty_folder_to_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"active": "nine_views"}), encoding="utf-8")
    (tmp_path / "results" / "rows").mkdir(parents=True)
    monkeypatch.setattr("subprocess.call", lambda _: 0)
    assert record() == 0
    assert (tmp_path / "runs/nine_views/fewshot").is_dir()
    trained = {path.name for path in (tmp_path / "runs/nine_views/models").iterdir()}
    assert trained == set(PARAMS["models"])
