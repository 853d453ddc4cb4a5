"""Differences between a run and the paper."""

from typing import Any

import pytest

from benchmark.config.settings import override
from benchmark.reporting.references import column, counterpart, differs, no_faces, setting_notes
from tests.reporting.made import profile


def test_the_paper_s_settings_are_a_reproduction() -> None:
    for name, exhibits in {
        "compcars": ("table_1", "table_2", "figure_4", "figure_8"),
        "multipie": ("figure_5",),
    }.items():
        assert differs(profile(name)) == []
        assert {column(profile(name), exhibit) for exhibit in exhibits} == {"reproduced"}
        assert not any("Not a reproduction" in note for note in setting_notes(profile(name)))


def test_the_nine_views_of_faces_have_the_setting_of_faces_beside_them() -> None:
    nine = profile("nine_views")
    assert differs(nine) == [
        "data set rendered instead of multipie",
        "images of 32 px instead of 96",
        "auxiliary identities: 340 instead of 200",
        "standard identities: 80 instead of 137",
        "identities dealt to the two sets by random instead of name",
        "batches of 32 instead of 64",
        "0.25 times the published channels instead of 1",
        "10 times the published learning rates instead of 1",
        "the discriminator first trained on real images, for at most 1,500 steps instead of 0",
        "noise times 0.25 instead of 1",
        "N_c 20, 50, 80 instead of 20, 50, 80, 120",
    ]
    assert counterpart(override(nine, {"data.views": nine.data.views[1:]}).data) == "compcars"
    assert counterpart(profile("quick").data) == counterpart(profile("compcars").data) == "compcars"
    assert counterpart(profile("multipie", data__views=["0", "15"]).data) == "multipie"
    assert [no_faces(profile(name), "figure_5") for name in ("quick", "compcars", "multipie")] == [""] * 3
    faces_elsewhere = override(nine, {"data": {"dataset": "table", "root": "faces", "views": nine.data.views}})
    assert "these are images of the data set table, seen from the same nine views." in no_faces(faces_elsewhere)


@pytest.mark.parametrize("name", ["smoke", "quick", "cpu", "gpu"])
def test_rendered_cars_are_none(name: str) -> None:
    assert differs(profile(name))[0] == "data set rendered instead of compcars"
    assert column(profile(name), "table_1") == column(profile(name), "table_2") == "this run"


def test_what_differs_in_smoke() -> None:
    same = [
        "data set rendered instead of compcars",
        "images of 32 px instead of 224",
        "auxiliary identities: 12 instead of 1,181",
        "standard identities: 12 instead of 296",
        "batches of 16 instead of 64",
        "0.125 times the published channels instead of 1",
        "10 times the published learning rates instead of 1",
        "the discriminator first trained on real images, for at most 20 steps instead of 0",
    ]
    few = ["5 ways instead of 20", "2, 5 shots instead of 5, 10", "5 generated images for each real one instead of 20"]
    assert differs(profile("smoke"), "table_1") == [*same, *few]
    assert differs(profile("smoke"), "table_2") == [*same, "N_c 5, 12 instead of 20, 50, 80"]
    assert differs(profile("smoke")) == [*same, "N_c 5, 12 instead of 20, 50, 80, 120, 200", *few]
    first, second = setting_notes(profile("smoke"))
    assert first.startswith(
        "Not a reproduction: data set rendered instead of compcars; images of 32 px instead of 224;"
    )
    assert "a budget of 320 images" in second


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"average": 0.0}, "the weights that are measured are those of the last cycle."),
        ({"average": 0.95}, "are exponential moving averages (EMA) over the training run (decay up to 0.95)."),
        ({"initialisation": "published"}, "Convolutions start as published where a model's file says nothing else;"),
        ({"initialisation": "fan_in"}, "Convolutions start by the number of their inputs where a model's file"),
    ],
)
def test_where_weights_begin_and_which_are_measured(changes: dict[str, Any], said: str) -> None:
    made = override(profile("smoke"), {f"training.{key}": value for key, value in changes.items()})
    assert said in setting_notes(made)[1]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("data__image_size", 128, "images of 128 px instead of 224"),
        ("data__views", ["left", "right"], "views left, right instead of left, front_left, front, front_right, right"),
        ("data__minimum_images", 5, "classes of at least 5 images instead of 10"),
        ("data__auxiliary", 0.5, "auxiliary identities: 738 instead of 1,181; standard identities: 739 instead of 296"),
        ("data__standard", 200, "standard identities: 200 instead of 296"),
        ("training__batch_size", 32, "batches of 32 instead of 64"),
        ("training__width", 0.5, "0.5 times the published channels instead of 1"),
        ("training__learning_rate_factor", 2.0, "2 times the published learning rates instead of 1"),
        ("training__generator_steps", 4, "generator steps in a cycle: 4 instead of 1"),
        ("training__attribute_weight", 1.0, "lambda 1 instead of 5"),
        ("extractor__stem", "small", "ResNet18 with the small stem instead of stock"),
        ("evaluation__test_share", 0.3, "a test part of 0.3 instead of 0.2"),
        ("evaluation__nc", [20, 50], "N_c 20, 50 instead of 20, 50, 80, 120, 200"),
        ("fewshot__ways", 10, "10 ways instead of 20"),
        ("fewshot__generated", 10, "10 generated images for each real one instead of 20"),
    ],
)
def test_one_changed_setting_is_named(key: str, value: object, said: str) -> None:
    assert "; ".join(differs(profile("compcars", **{key: value}))) == said


def test_the_sizes_that_came_out_count() -> None:
    wanted = {"auxiliary": 1063, "validation": 118, "standard": 296}
    counts = {part: {"identities": number, "images": 20 * number} for part, number in wanted.items()}
    assert differs(profile("compcars"), counts=counts) == []
    counts["standard"]["identities"] = 290
    assert differs(profile("compcars"), counts=counts) == ["standard identities: 290 instead of 296"]
    assert column(profile("compcars"), "table_2", counts) == "this run"


def test_what_the_paper_does_not_state_is_not_compared() -> None:
    changed = profile(
        "compcars", training__images=64, evaluation__draws=3, fewshot__steps=3, extractor__epochs=1, seeds=5
    )
    assert differs(changed) == []


def test_settings_of_the_other_measurement_do_not_count() -> None:
    other = profile("compcars", extractor__stem="small", evaluation__nc=[30])
    assert differs(other, "table_1") == []
    assert differs(profile("compcars", fewshot__ways=5), "table_2") == []


def test_more_classes_and_shots_are_no_difference() -> None:
    more = profile("compcars", evaluation__nc=[10, 20, 50, 80, 120, 200], fewshot__shots=[1, 5, 10])
    assert differs(more) == []


def test_faces_are_no_reproduction_of_the_tables_of_cars() -> None:
    assert differs(profile("multipie"), "table_2")[:2] == [
        "data set multipie instead of compcars",
        "images of 96 px instead of 224",
    ]
