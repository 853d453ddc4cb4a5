"""params.yaml: what is refused, in which words, and what the profiles hold."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from benchmark.config.plain_yaml import PlainYAMLError, parse
from benchmark.config.settings import (
    NINE,
    Profile,
    active_name,
    did_you_mean,
    load,
    override,
    profile,
    validated,
    with_dataset,
)
from benchmark.errors import BenchmarkError
from tests.tools import PROJECT

PARAMS = PROJECT / "params.yaml"
NAMES = list(yaml.safe_load(PARAMS.read_text(encoding="utf-8"))["profiles"])


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_is_valid(name: str) -> None:
    assert profile(name, PARAMS).name == name


def test_the_active_profile_is_the_default() -> None:
    assert profile(None, PARAMS) == profile(active_name(PARAMS), PARAMS)


def test_the_paper_s_setting_for_cars() -> None:
    settings = profile("compcars", PARAMS)
    data, training, evaluation = settings.data, settings.training, settings.evaluation
    assert (data.dataset, data.image_size, data.auxiliary, data.standard) == ("compcars", 224, 0.8, None)
    assert (data.minimum_images, len(data.views)) == (10, 5)
    assert data.views == ("left", "front_left", "front", "front_right", "right")
    assert (training.batch_size, training.learning_rate_factor, training.width) == (64, 1.0, 1.0)
    assert (training.generator_steps, training.attribute_weight) == (1, 5.0)
    assert evaluation.nc == (20, 50, 80, 120, 200)
    assert evaluation.test_share == 0.2
    assert (settings.fewshot.ways, settings.fewshot.shots, settings.fewshot.generated) == (20, (5, 10), 20)


def test_the_paper_s_setting_for_faces() -> None:
    settings = profile("multipie", PARAMS)
    data, training = settings.data, settings.training
    assert (data.dataset, data.image_size, data.auxiliary, data.standard) == ("multipie", 96, 200, None)
    assert data.order == "name"
    assert data.views == tuple(str(15 * n) for n in range(-4, 5))
    assert (training.batch_size, training.learning_rate_factor, training.width) == (64, 1.0, 1.0)
    assert (training.generator_steps, training.attribute_weight) == (4, 1.0)
    assert settings.evaluation.nc == (20, 50, 80, 120)


def test_the_views_of_faces_on_rendered_cars_are_otherwise_quick() -> None:
    nine, quick = profile("nine_views", PARAMS), profile("quick", PARAMS)
    assert nine.data.views == NINE == profile("multipie", PARAMS).data.views
    assert nine.fewshot.shots == ()
    own = {"name", "models", "fewshot", "data.views", "data.rendered.views", "data.rendered.images", "training.images"}
    changes = {
        "training.generator_steps": profile("multipie", PARAMS).training.generator_steps,
        "training.attribute_weight": profile("multipie", PARAMS).training.attribute_weight,
        **nine.values_of(own - {"name"}),
        "data": {**quick.data.model_dump(), "views": NINE, "rendered": nine.data.rendered.model_dump()},
    }
    changes = {key: value for key, value in changes.items() if not key.startswith("data.")}
    assert override(quick, changes).model_dump() | {"name": "nine_views"} == nine.model_dump()


@pytest.mark.parametrize("name", ["smoke", "quick", "nine_views", "cpu", "gpu"])
def test_profiles_that_need_no_download(name: str) -> None:
    settings = profile(name, PARAMS)
    assert settings.data.dataset == "rendered"
    assert settings.data.standard is not None
    assert max(settings.evaluation.nc) <= settings.data.standard
    made = settings.data.rendered
    assert settings.data.auxiliary + settings.data.standard <= made.identities - made.scarce
    assert {20, 50, 80} <= set(settings.evaluation.nc) or name == "smoke"


@pytest.mark.parametrize(("name", "others"), [("quick", set()), ("cpu", {"unet"})])
def test_short_profiles_say_what_they_leave_out(name: str, others: set[str]) -> None:
    short = profile(name, PARAMS)
    assert set(short.models) - set(short.fewshot.skip) == {"dr_gan", "cr_gan", "two_step", "ours"} | others
    assert {"no_augmentation", "copy", "shuffled_labels"} <= set(short.fewshot.controls)


def test_a_long_profile_measures_every_control() -> None:
    assert len(profile("gpu", PARAMS).fewshot.controls) == 6


def test_numbers_of_shots_are_sorted_and_stand_once() -> None:
    assert override(profile("smoke", PARAMS), {"fewshot.shots": [5, 2, 5]}).fewshot.shots == (2, 5)


def test_a_single_number_is_no_list() -> None:
    with pytest.raises(BenchmarkError, match=r"--set: fewshot.shots: .*\[5, 10\], got 5"):
        override(profile("smoke", PARAMS), {"fewshot.shots": 5})


def test_more_ways_than_identities_are_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"fewshot.ways is 20, .* 9 identities .* fewshot.shots=\[\]"):
        override(profile("quick", PARAMS), {"data.standard": 9})
    changes = {"data.standard": 9, "fewshot.shots": []}
    assert override(profile("quick", PARAMS), changes).fewshot.shots == ()


def test_settings_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        profile("smoke", PARAMS).seeds = 7


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


def written(params: Path, *keys: str, value: Any) -> Path:
    """Write the project's settings with one value of the profile smoke replaced."""
    content = yaml.safe_load(PARAMS.read_text(encoding="utf-8"))
    section = content["profiles"]["smoke"]
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    params.write_text(yaml.safe_dump(content), encoding="utf-8")
    return params


def refusal(params: Path, name: str | None = "smoke") -> str:
    with pytest.raises(BenchmarkError) as error:
        profile(name, params)
    message = str(error.value)
    assert str(params) in message
    assert "\n" not in message
    return message


WHERE = "profile smoke: "


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("training", "imagse"), 5, "training.imagse is not a setting; did you mean images?"),
        (("sedes",), 5, "sedes is not a setting; did you mean seeds?"),
        (
            ("training", "checkpoint_every"),
            5,
            "training.checkpoint_every is not a setting; use training.checkpoint_minutes",
        ),
        (("training", "zzz"), 5, "training.zzz is not a setting"),
        (("data", "rendered", "siez"), 5, "data.rendered.siez is not a setting; did you mean size?"),
        (("training", "images"), -5, "training.images: Input should be greater than or equal to 1, got -5"),
        (("training", "images"), "2e4", "training.images: Input should be a valid integer, got '2e4'"),
        (("training", "images"), 2.5, "training.images: "),
        (("training", "images"), None, "training.images: "),
        (("training", "learning_rate_factor"), "2e-4", "training.learning_rate_factor: Input should be a valid number"),
        (("training", "learning_rate_factor"), float("nan"), "training.learning_rate_factor: "),
        (("training", "precision"), "fp8", "training.precision: "),
        (("training",), [], "training: "),
        (("evaluation", "nc"), [], "evaluation.nc: "),
        (("evaluation", "nc"), [5, "x"], "evaluation.nc.1: "),
        (("evaluation", "test_share"), 1.0, "evaluation.test_share: "),
        (("seeds",), 0, "seeds: "),
        (("seeds",), True, "seeds: "),
        (("models",), [], "models: "),
        (("models",), "ours", "models: "),
        (("data", "views"), ["left", "left"], "data: views names a view twice"),
        (("data", "dataset"), "imagenet", "data.dataset: "),
        (("data", "dataset"), "compcars", "data: root is missing: the data set compcars needs the folder of its"),
        (("data", "image_size"), 8, "data.image_size: "),
        (("data", "root"), "photos", "data: root must be null for rendered cars"),
        pytest.param(
            ("data", "annotations"), "K\udcf6ln", "data.annotations: the name has bytes that are no", id="bytes"
        ),
        (("data", "auxiliary"), 1.0, "data: auxiliary is a share and must be below 1"),
        (("data", "rendered", "views"), "nine", "data: where rendered.views is nine, views must be among -60, -45,"),
        (("data", "views"), ["0", "15"], "data: the views -60, -45, -30, -15, 0, 15, 30, 45, 60 of rendered cars need"),
        (("data", "rendered", "views"), "faces", "data.rendered.views: Input should be 'cars' or 'nine'"),
        (("data", "rendered", "images"), [34, 22], "data.rendered: images must be two growing numbers"),
        (("data", "rendered", "scarce"), 99, "data.rendered: scarce is 99, more than the 26 identities"),
        (("evaluation", "nc"), [1], "evaluation.nc.0: "),
        (("training", "learning_rate_factor"), float("inf"), "training.learning_rate_factor: "),
    ],
)
def test_wrong_values(params: Path, keys: tuple[str, ...], value: Any, words: str) -> None:
    assert refusal(written(params, *keys, value=value)).startswith(f"{params}, {WHERE}{words}")


def test_the_name_must_be_the_key(params: Path) -> None:
    message = refusal(written(params, "name", value="smok"))
    assert message.endswith("got 'smok'")


def test_unknown_profile(params: Path) -> None:
    written(params, "seeds", value=1)
    message = refusal(params, "smoek")
    assert message == f"{params} has no profile smoek: it has {', '.join(sorted(NAMES))}; did you mean smoke?"


def test_missing_file(params: Path) -> None:
    assert refusal(params).endswith("is missing; run the command in the project's folder")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"profiles: [", "is no valid YAML"),
        (b"profiles: {smoke: *gone}", "is no valid YAML"),
        (b"\xff\xfe\x00", "is no valid YAML"),
        (b"", "has no mapping `profiles`"),
        (b"profiles: 3", "has no mapping `profiles`"),
        (b"[1]", "has no mapping `profiles`"),
    ],
)
def test_broken_files(params: Path, text: bytes, words: str) -> None:
    params.write_bytes(text)
    assert words in refusal(params)


def test_all_stands_for_the_list_of_the_file(params: Path) -> None:
    smoke = load(PARAMS)["profiles"]["smoke"] | {"models": "all"}
    params.write_text(yaml.safe_dump({"models": ["unet", "ours"], "profiles": {"smoke": smoke}}), encoding="utf-8")
    assert profile("smoke", params).models == ("unet", "ours")
    params.write_text(yaml.safe_dump({"profiles": {"smoke": smoke}}), encoding="utf-8")
    assert "profile smoke: models" in refusal(params, "smoke")


@pytest.mark.parametrize("active", ["", "active: 3", "active: {name: smoke}"])
def test_active_must_be_a_name(params: Path, active: str) -> None:
    params.write_text(f"profiles: {{smoke: {{name: smoke}}}}\n{active}\n", encoding="utf-8")
    assert "active must name a profile" in refusal(params, None)


def test_load_returns_all() -> None:
    assert list(load(PARAMS)["profiles"]) == NAMES


@pytest.fixture
def smoke() -> Profile:
    return profile("smoke", PARAMS)


VALUES = {  # another value of every setting, as people write it
    "models": "[unet]",
    "seeds": "3",
    "threads": "2",
    "data.dataset": "table",
    "data.root": "2024",
    "data.annotations": "'my labels.csv'",
    "data.side_confidence": "0.75",
    "data.image_size": "64",
    "data.views": "[-60, 0, 22.5, side]",
    "data.other_views": "leave_out",
    "data.margin": "0",
    "data.minimum_images": "3",
    "data.auxiliary": "0.5",
    "data.standard": "7",
    "data.order": "name",
    "data.validation": "0.25",
    "data.azimuth_bins": "{q0: [315, 45], 90: [45, 135.5]}",
    "data.camera_boxes": "{'05_1': [1, 2, 30, 40], 51: [-1, 2, 30, 40]}",
    "data.rendered.identities": "40",
    "data.rendered.scarce": "0",
    "data.rendered.images": "[12, 13]",
    "data.rendered.views": "nine",
    "data.rendered.size": "96",
    "data.rendered.seed": "7",
    "training.images": "64",
    "training.batch_size": "8",
    "training.width": "1",
    "training.learning_rate_factor": "2.0e-1",
    "training.generator_steps": "4",
    "training.attribute_weight": "1",
    "training.initialisation": "published",
    "training.average": "0",
    "training.noise": "0",
    "training.warm_up.steps": "0",
    "training.warm_up.view_weight": "1",
    "training.refresh_batches": "7",
    "training.precision": "bf16-mixed",
    "training.compile": "true",
    "training.log_every": "3",
    "training.checkpoint_minutes": "0",
    "training.tensorboard": "yes",
    "training.samples_every": "3",
    "extractor.epochs": "3",
    "extractor.view_epochs": "5",
    "extractor.batch_size": "16",
    "extractor.learning_rate": "1",
    "extractor.stem": "small",
    "extractor.held_out": "0.2",
    "evaluation.nc": "[3]",
    "evaluation.draws": "3",
    "evaluation.neighbours": "1",
    "evaluation.test_share": "0.3",
    "evaluation.batch_size": "16",
    "fewshot.ways": "3",
    "fewshot.shots": "[]",
    "fewshot.episodes": "3",
    "fewshot.generated": "3",
    "fewshot.controls": "[copy]",
    "fewshot.skip": "[unet, ours]",
    "fewshot.steps": "7",
    "fewshot.batch_size": "8",
    "fewshot.learning_rate": "1",
}
WITH: dict[str, dict[str, Any]] = {  # what a value needs beside it
    "data.dataset": {"data.root": "."},
    "data.root": {"data.dataset": "table"},
    "data.rendered.views": {"data.views": ["-15", "0"]},
}


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_no_setting_is_left_out() -> None:
    assert [*keys(Profile)] == ["name", *VALUES]  # the name is the key of the profile


def plain(value: Any) -> Any:
    """Return a value as YAML would give it, with the names that numbers stand for."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("key", VALUES)
def test_every_setting_can_be_set(key: str, smoke: Profile, params: Path) -> None:
    on_command_line = override(smoke, {**WITH.get(key, {}), key: parse(VALUES[key])})
    content = load(PARAMS)
    for name, value in {**WITH.get(key, {}), key: parse(VALUES[key])}.items():
        *sections, last = name.split(".")
        target = content["profiles"]["smoke"]
        for section in sections:
            target = target.setdefault(section, {})
        target[last] = value
    params.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert profile("smoke", params) == on_command_line
    told, before = on_command_line.values_of([key])[key], smoke.values_of([key])[key]
    expected = [str(view) for view in parse(VALUES[key])] if key == "data.views" else parse(VALUES[key])
    assert told == (str(expected) if key == "data.root" else plain(expected))
    assert told != before


@pytest.mark.parametrize("section", ["data.rendered", "training.warm_up", "extractor", "evaluation", "fewshot"])
def test_a_whole_section_can_be_set(section: str, smoke: Profile) -> None:
    inner = {key.removeprefix(f"{section}."): parse(VALUES[key]) for key in VALUES if key.startswith(f"{section}.")}
    beside = WITH["data.rendered.views"] if section == "data.rendered" else {}
    changed = override(smoke, {**beside, section: inner})
    assert all(changed.values_of([f"{section}.{key}"])[f"{section}.{key}"] == value for key, value in inner.items())


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_being_written_and_read(name: str) -> None:
    settings = profile(name, PARAMS)
    assert validated(parse(yaml.safe_dump(settings.model_dump(mode="json"))), "here", name) == settings


@pytest.mark.parametrize("views", ["[045, 090]", "[-015, 0]", "{05_1: [1, 2, 3, 4]}"])
def test_a_number_that_yaml_takes_for_octal_is_no_name(views: str) -> None:
    with pytest.raises(PlainYAMLError, match=r"line 1: YAML reads .* as octal; put a name in quotes"):
        parse(views)


def test_override_replaces_the_named_values_alone(smoke: Profile) -> None:
    changed = override(smoke, {"training.images": 64, "data.rendered.seed": 3, "seeds": 2, "evaluation.nc": [2, 3]})
    assert (changed.training.images, changed.data.rendered.seed, changed.seeds) == (64, 3, 2)
    assert changed.evaluation.nc == (2, 3)
    back = {"training.images": 320, "data.rendered.seed": 0, "seeds": 1, "evaluation.nc": list(smoke.evaluation.nc)}
    assert override(changed, back) == smoke
    assert override(smoke, {}) == smoke


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("training.imagse", 5, "--set training.imagse: there is no such setting; did you mean images?"),
        ("training.checkpoint_every", 5, "--set training.checkpoint_every: there is no such setting; use training"),
        ("trainnig.images", 5, "--set trainnig.images: there is no such setting"),
        ("training.images.more", 5, "--set training.images.more: there is no such setting"),
        ("", 5, "--set : there is no such setting"),
        ("training.images", "many", "--set: training.images: Input should be a valid integer, got 'many'"),
        ("training.images", -1, "--set: training.images: "),
        ("training", 3, "--set: training: "),
    ],
)
def test_override_refuses(smoke: Profile, key: str, value: Any, words: str) -> None:
    with pytest.raises(BenchmarkError) as error:
        override(smoke, {key: value})
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


def test_the_same_data_set_changes_nothing(smoke: Profile) -> None:
    assert with_dataset(smoke, "rendered") is smoke


def test_another_data_set_keeps_only_the_image_size() -> None:
    settings = with_dataset(profile("multipie", PARAMS), "compcars")
    assert settings.data.image_size == 96
    assert settings.data.views == profile("compcars", PARAMS).data.views
    assert settings.data.order == "random"
    assert settings.data.auxiliary == 0.8
    assert settings.training == profile("multipie", PARAMS).training


@pytest.mark.parametrize(("name", "hint"), [("imags", "; did you mean images?"), ("zzzz", "")])
def test_did_you_mean(name: str, hint: str) -> None:
    assert did_you_mean(name, ["images", "seeds"]) == hint
