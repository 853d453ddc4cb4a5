"""The paper's claims on planted outcomes."""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.reporting.claims import claims_sheet, claims_table, summary
from benchmark.reporting.references import load
from benchmark.reporting.sheets import latex, markdown
from benchmark.results.rows import QUALITY_COLUMNS, Rows
from tests.reporting.made import made_identity, made_rows, profile

ONE_NC = profile("quick", evaluation__nc=[20])
BASELINES = ("dr_gan", "cr_gan", "two_step")
ABOVE = "The full model is above DR-GAN, CR-GAN and Two-Step"
MARGIN = f"{ABOVE} by more than 5 points"
LEVEL = [0.5, 0.52, 0.51]


@pytest.fixture(autouse=True, scope="module")
def collected_once() -> Iterator[None]:
    """Statsmodels collects all garbage at each call, which takes longer than the rest of a test."""
    gc.freeze()
    yield
    gc.unfreeze()


def against_baselines(ours: Sequence[float], others: Sequence[float] = LEVEL) -> Rows:
    return made_rows({"ours": ours, **dict.fromkeys(BASELINES, others)}, settings=ONE_NC)


def verdicts(table: pd.DataFrame, exhibit: str = "Figure 4") -> dict[str, tuple[str, str]]:
    claims = summary(table)
    own = claims[claims["exhibit"] == exhibit]
    return dict(zip(own["claim"], zip(own["verdict"], own["reason"], strict=True), strict=True))


@pytest.mark.parametrize(
    ("ours", "above", "margin"),
    [
        ([0.8, 0.81, 0.82], ("supported", ""), ("supported", "")),
        ([0.53, 0.55, 0.545], ("supported", ""), ("contradicted", "")),
        ([0.2, 0.21, 0.22], ("contradicted", ""), ("contradicted", "")),
        (LEVEL, ("cannot tell", "no difference shown (6)"), ("cannot tell", "the seeds do not vary (6)")),
        ([0.4, 0.9, 0.5], ("cannot tell", "no difference shown (6)"), ("cannot tell", "no difference shown (6)")),
        ([0.8], ("cannot tell", "needs 3 seeds, has 1 (6)"), ("cannot tell", "needs 3 seeds, has 1 (6)")),
    ],
)
def test_planted_orders_get_their_verdict(ours: list[float], above: tuple[str, str], margin: tuple[str, str]) -> None:
    assert verdicts(claims_table(against_baselines(ours))) == {ABOVE: above, MARGIN: margin}


def test_a_missing_model_leaves_the_claim_open() -> None:
    rows = made_rows({"ours": [0.8, 0.81, 0.82], "dr_gan": LEVEL, "cr_gan": LEVEL}, settings=ONE_NC)
    parts = claims_table(rows)
    assert verdicts(parts)[ABOVE] == ("cannot tell", "not measured: two_step (2)")
    own = parts[(parts["claim"] == ABOVE) & (parts["metric"] == "top1")]
    assert own["verdict"].tolist() == ["supported", "supported", "cannot tell"]
    assert own["reason"].tolist() == ["", "", "not measured: two_step"]


def test_one_contradicted_part_contradicts_the_claim() -> None:
    rates = {"ours": [0.8, 0.81, 0.82], "dr_gan": LEVEL, "cr_gan": [0.9, 0.92, 0.91]}
    assert verdicts(claims_table(made_rows(rates, settings=ONE_NC)))[ABOVE] == ("contradicted", "")


def test_means_in_the_claimed_order_are_counted_without_a_test() -> None:
    claims = summary(claims_table(made_rows({"ours": [0.8], "dr_gan": [0.7], "cr_gan": [0.9]}, settings=ONE_NC)))
    row = claims.set_index("claim").loc[ABOVE]
    assert row[["parts", "measured", "in_order", "cannot tell"]].tolist() == [6, 4, 2, 6]


RATES = {
    "ours": [0.8, 0.82, 0.805],
    "dr_gan": [0.5, 0.51, 0.545],
    "cr_gan": [0.6, 0.655, 0.64],
    "two_step": [0.775, 0.77, 0.78],
}


@pytest.fixture(scope="module")
def figure_4() -> pd.DataFrame:
    """The parts of Figure 4 in top-1, with two N_c."""
    table = claims_table(made_rows(RATES, settings=profile("quick", evaluation__nc=[20, 50])))
    return table[(table["exhibit"] == "Figure 4") & (table["metric"] == "top1")]


def test_differences_and_p_are_those_of_a_paired_t_test(figure_4: pd.DataFrame) -> None:
    assert figure_4["nc"].value_counts().to_dict() == {20: 6, 50: 6}
    for row in figure_4.itertuples():
        apart = np.subtract(RATES[str(row.higher)], RATES[str(row.lower)])
        test = stats.ttest_1samp(apart, row.margin)
        low, high = test.confidence_interval()
        assert row.difference == pytest.approx(apart.mean())
        assert (row.ci_low, row.ci_high) == pytest.approx((low, high))
        assert row.p == pytest.approx(test.pvalue)


def test_p_is_adjusted_over_all_parts_of_an_exhibit_and_metric(figure_4: pd.DataFrame) -> None:
    own = figure_4.sort_values("p")
    stepped = own["p"] * np.arange(len(own), 0, -1)
    assert own["p_holm"].tolist() == pytest.approx(stepped.cummax().clip(upper=1).tolist())
    assert len(own) == 12


def test_the_detectable_difference_is_that_of_a_simulated_test(figure_4: pd.DataFrame) -> None:
    """Seeds are drawn with this difference and the spread at hand: the strictest of Holm's steps shows 80 % of them."""
    random = np.random.default_rng(0)
    for row in figure_4.drop_duplicates("lower").itertuples():
        spread = np.subtract(RATES[str(row.higher)], RATES[str(row.lower)]).std(ddof=1)
        drawn = row.detectable + spread * random.standard_normal((20_000, 3))
        shown = stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05 / len(figure_4)
        assert shown.mean() == pytest.approx(0.8, abs=0.01)


def test_without_a_test_nothing_is_detectable() -> None:
    level = claims_table(against_baselines(LEVEL))
    for table in (claims_table(against_baselines([0.8], [0.5])), level):
        assert table["detectable"].isna().all()
    sheet = claims_sheet(level, against_baselines(LEVEL).facts)
    assert {row[-1] for row in sheet.grids[0].rows} == {"-"}


def test_tests_of_different_families_are_adjusted_apart() -> None:
    table = claims_table(made_rows(RATES, {model: rates for model, rates in RATES.items() if model != "ours"}))
    tested = table.dropna(subset="p")
    families = tested.groupby("family")[["exhibit", "metric"]].nunique()
    assert (families == 1).all(axis=None)
    assert {"Figure 4, top-1", "Figure 4, top-5", "Table 1, accuracy"} <= set(families.index)
    for _, own in tested.groupby("family"):
        assert own["p_holm"].min() == pytest.approx(min(1, own["p"].min() * len(own)))


def test_one_seed_has_an_interval_and_no_p() -> None:
    table = claims_table(against_baselines([0.8], [0.5]))
    own = table[table["exhibit"] == "Figure 4"]
    assert own[["p", "p_holm"]].isna().all(axis=None)
    assert ((own["ci_low"] < 0.3) & (own["ci_high"] > 0.3)).all()


def test_the_grouped_split_is_left_out() -> None:
    rows = made_rows({}, settings=ONE_NC)
    grouped = [made_identity(model, LEVEL, 20, "grouped") for model in ("ours", *BASELINES)]
    rows = Rows(rows.facts, grouped, [], rows.models, rows.costs, rows.learning, rows.samples)
    assert verdicts(claims_table(rows))[ABOVE] == ("cannot tell", "not measured: ours, dr_gan, cr_gan, two_step (6)")


def test_with_ten_classes_top5_is_not_measured() -> None:
    rows = made_rows(RATES, settings=profile("quick", evaluation__nc=[10]))
    table = claims_table(rows)
    own = table[table["claim"] == ABOVE]
    assert own[own["metric"] == "top1"]["difference"].notna().all()
    assert own[own["metric"] == "top5"]["reason"].str.startswith("not measured: ours, ").all()


def test_a_measurement_that_was_not_made_has_parts_without_a_size() -> None:
    table = claims_table(made_rows({"ours": [0.5]}, settings=profile("quick", fewshot__shots=[])))
    own = table[(table["exhibit"] == "Table 1") & (table["claim"] == "DR-GAN helps")]
    assert own[["nc", "shot"]].isna().all(axis=None)
    assert own["reason"].tolist() == ["not measured: dr_gan, no_augmentation"]


def u_net(cross_view: float, copied: float, seeds: int = 3) -> dict[str, str]:
    """Return the verdicts on a U-net whose other views are right, and copies of its input, so often."""
    rates = {"unet": [0.9, 0.91, 0.92][:seeds], "ours": LEVEL[:seeds], "copy": [0.93]}
    rows = made_rows(rates, settings=ONE_NC)
    random = np.random.default_rng(0)
    for each in rows.identity:
        cross = each.outcomes["source"] != each.outcomes["target"]
        shares = {"unet": (cross_view, copied), "ours": (0.6, 0.1), "copy": (0.01, 1.0)}[each.model]
        for column, share in zip(("view_right", "copied_pixels"), shares, strict=True):
            right = pd.Series(random.random(len(cross)) < share, cross.index)
            own_view = each.outcomes[column]
            each.outcomes[column] = right.where(cross, own_view).astype(own_view.dtype)
    found = verdicts(claims_table(rows), "Figure 8")
    return {claim.partition(", ")[0]: verdict for claim, (verdict, _) in found.items()}


TURNS = "The full model has the target view right more often than the U-net"
JOINT = "The full model has identity and view right more often than the U-net"
U_NET = ("The U-net ignores the target view", "The U-net copies its input", "The U-net keeps the identity")


@pytest.mark.parametrize(
    ("cross_view", "copied", "said", "turns"),
    [
        (0.03, 0.97, ("supported", "supported", "supported"), "supported"),
        (0.25, 0.4, ("contradicted", "contradicted", "supported"), "supported"),  # above ours is not enough
        (0.95, 0.05, ("contradicted", "contradicted", "supported"), "contradicted"),
    ],
)
def test_a_u_net_that_copies_is_one_that_is_close_to_a_copy(
    cross_view: float, copied: float, said: tuple[str, ...], turns: str
) -> None:
    found = u_net(cross_view, copied)
    assert set(found) == {*U_NET, TURNS, JOINT}
    assert tuple(found[claim] for claim in U_NET) == said
    assert found[TURNS] == turns


MODELS = ("ours", *BASELINES)
VIEWS = "All models generate the correct viewpoints"
SHARP = "Two-Step is less sharp than the full model, DR-GAN and CR-GAN"


def turned(shares: dict[str, Sequence[float]], of_real: float = 0.96) -> Rows:
    """Return rows of models whose cross-view outputs have so often the right view, and of real images likewise."""
    rows = made_rows({**{model: [0.5] * len(own) for model, own in shares.items()}, "real": [0.9]}, settings=ONE_NC)
    for each in rows.identity:
        table = each.outcomes
        number = table["image"].str.removesuffix(".png").astype(int) / 200  # of so many images
        share = table["seed"].map(dict(enumerate(shares.get(each.model, [of_real]))))
        own_view = table["source"] == table["target"]
        table["view_right"] = (number < share) | (own_view if each.model != "real" else False)
    real = next(n for n, each in enumerate(rows.identity) if each.model == "real")
    own = rows.identity[real].outcomes[lambda table: table["source"] == table["target"]]
    others = [each for each in rows.identity if each.model != "real"]
    return replace(rows, identity=[*others, replace(rows.identity[real], outcomes=own.reset_index(drop=True))])


@pytest.mark.parametrize(
    ("two_step", "said"),
    [
        ([0.94, 0.95, 0.945], "supported"),  # close to the real images' 0.96
        ([0.9, 0.9, 0.905], "supported"),  # below them by less than 10 points
        ([0.5, 0.51, 0.52], "contradicted"),
        ([0.84, 0.86, 0.9], "cannot tell"),
    ],
)
def test_views_are_right_where_they_are_as_often_as_on_real_images(two_step: list[float], said: str) -> None:
    rows = turned({**dict.fromkeys(MODELS, (0.94, 0.95, 0.96)), "two_step": two_step})
    table = claims_table(rows)
    assert {key.partition(",")[0]: verdict for key, (verdict, _) in verdicts(table, "Figure 6").items()}[VIEWS] == said
    own = table[(table["exhibit"] == "Figure 6") & (table["metric"] == "view_cross")].set_index("higher")
    assert own["lower"].unique().tolist() == ["real"]
    assert own["lower_metric"].unique().tolist() == ["view"]
    apart = np.subtract(two_step, 0.96)  # though the model is right on all of the inputs' own views
    assert own.loc["two_step", "difference"] == pytest.approx(apart.mean())
    assert own.loc["two_step", "p"] == pytest.approx(stats.ttest_1samp(apart, -0.1).pvalue)


def test_with_one_seed_right_views_have_an_interval_over_images() -> None:
    table = claims_table(turned(dict.fromkeys(MODELS, (0.9,))))
    own = table[table["lower_metric"] == "view"].set_index("higher").loc["ours"]
    assert own["reason"] == "needs 3 seeds, has 1"
    assert own["difference"] == pytest.approx(-0.06)
    assert own["ci_low"] < own["difference"] < own["ci_high"]


def test_right_views_are_compared_with_the_rate_of_real_in_the_tables() -> None:
    rows = turned(dict.fromkeys(MODELS, (0.9, 0.91, 0.92)))
    real = rows.identity[-1]
    image = real.outcomes["image"].str.removesuffix(".png").astype(int)
    view = (image % 4 == 0).astype(int)  # a quarter of the images show the second view, none of which is seen right
    outcomes = real.outcomes.assign(source=view, target=view, view_right=view == 0)
    rows = replace(rows, identity=[*rows.identity[:-1], replace(real, outcomes=outcomes)])
    table = claims_table(rows)
    of_real = rows.identity[-1].totals.seed_means["view"].item()
    assert of_real == pytest.approx(0.5)  # both views count the same
    own = table[table["lower_metric"] == "view"]
    assert own["difference"].tolist() == pytest.approx([0.91 - of_real] * 4)
    one_seed = claims_table(
        replace(
            rows, identity=[replace(each, outcomes=each.outcomes[each.outcomes["seed"] == 0]) for each in rows.identity]
        )
    )
    own = one_seed[one_seed["lower_metric"] == "view"]
    assert own["difference"].tolist() == pytest.approx([0.9 - of_real] * 4)
    assert ((own["ci_low"] < own["difference"]) & (own["difference"] < own["ci_high"])).all()


@pytest.mark.parametrize(
    ("two_step", "said"),
    [
        ([0.4, 0.41, 0.42], ("supported", "")),
        ([0.9, 0.91, 0.92], ("contradicted", "")),
        ([0.4], ("cannot tell", "needs 3 seeds, has 1 (3)")),
        ([], ("cannot tell", "not measured: two_step (3)")),
    ],
)
def test_two_step_is_less_sharp_than_each_other_model(two_step: Sequence[float], said: tuple[str, str]) -> None:
    sharp = {**dict.fromkeys(MODELS, (0.8, 0.82, 0.81)), "two_step": two_step}
    rows = [(model, seed, value, 0.01, 0.001) for model, own in sharp.items() for seed, value in enumerate(own)]
    quality = pd.DataFrame(rows, columns=QUALITY_COLUMNS)
    rows = replace(made_rows({"ours": [0.5]}, settings=ONE_NC), quality=quality)
    table = claims_table(rows)
    assert verdicts(table, "Figure 6")[SHARP] == said
    own = table[table["metric"] == "sharpness"]
    assert own["ci_low"].notna().all() == (len(two_step) > 2)
    assert own[["nc", "shot"]].isna().all(axis=None)
    if len(two_step) == 1:
        assert own["difference"].tolist() == pytest.approx([0.4] * 3)
        assert "| ours | two_step | sharpness, of real images' | - | - | +40.0 | 1 |" in markdown(
            claims_sheet(table, rows.facts)
        )


TOGETHER = "Models that preserve identity better help more"
FIVE = ("ours", "dr_gan", "cr_gan", "two_step", "vanilla")


def ranked(gains: Sequence[float], models: Sequence[str] = FIVE, seeds: int = 3) -> pd.DataFrame:
    """Return the rows of the correlation for models whose identity falls in this order, and their few-shot gains."""
    steps = [0.01 * seed for seed in range(seeds)]
    identity = {model: [0.9 - 0.1 * n + step for step in steps] for n, model in enumerate(models)}
    helped = {model: [0.4 + gain + step for step in steps] for model, gain in zip(models, gains, strict=True)}
    controls = {"copy": [0.95]}, {"no_augmentation": [0.4 + step for step in steps], "copy": [0.1] * seeds}
    rows = made_rows({**identity, **controls[0]}, {**helped, **controls[1]})
    table = claims_table(rows)
    text = markdown(claims_sheet(table, rows.facts))
    assert text.count("| models | with | Kendall's tau | seeds |") == 1
    return table[table["claim"] == TOGETHER]


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ((0.3, 0.2, 0.1, 0.0, -0.1), "supported"),
        ((-0.3, -0.2, -0.1, 0.0, 0.1), "contradicted"),
        ((0.2, 0.3, 0.0, 0.1, -0.1), "cannot tell"),
    ],
)
def test_five_models_show_a_rank_correlation_in_full_order_alone(gains: tuple[float, ...], verdict: str) -> None:
    own = ranked(gains)
    assert own["shot"].tolist() == [5, 10]
    assert own["nc"].tolist() == [20, 20]
    assert own["models"].unique().tolist() == [", ".join(FIVE)]  # no control
    orders = [stats.kendalltau(range(5), order).statistic for order in permutations(gains)]
    tau = stats.kendalltau(range(5), [-gain for gain in gains]).statistic
    exact = np.mean(np.abs(orders) >= abs(tau) - 1e-9)
    assert own["difference"].tolist() == pytest.approx([tau, tau])
    assert own["p"].tolist() == pytest.approx([exact, exact])
    assert own["p_holm"].tolist() == pytest.approx([min(1, 2 * exact)] * 2)
    assert own["verdict"].unique().tolist() == [verdict]
    assert own["reason"].unique().tolist() == ["" if verdict != "cannot tell" else "no correlation shown"]


@pytest.mark.parametrize(
    ("models", "seeds", "reason"),
    [
        (FIVE[:4], 3, "needs 5 models, has 4, of which p is 0.083 at best"),
        (FIVE[:1], 3, "needs 5 models, has 1"),
        (FIVE, 2, "needs 3 seeds, has 2"),
    ],
)
def test_few_models_or_seeds_show_no_correlation(models: tuple[str, ...], seeds: int, reason: str) -> None:
    own = ranked([0.3, 0.2, 0.1, 0.0, -0.1][: len(models)], models, seeds)
    assert own["reason"].unique().tolist() == [reason]
    assert own["p"].isna().all()
    assert own["verdict"].unique().tolist() == ["cannot tell"]


def test_without_few_shot_there_is_no_correlation() -> None:
    table = claims_table(made_rows({"ours": [0.5]}, settings=profile("quick", fewshot__shots=[])))
    assert table.loc[table["claim"] == TOGETHER, "reason"].tolist() == ["not measured: no_augmentation"]


def test_a_control_has_one_seed_and_stands_beside_all() -> None:
    rows = made_rows({"unet": [0.7, 0.72, 0.75], "copy": [0.9]}, settings=ONE_NC)
    table = claims_table(rows)
    (row,) = table[(table["exhibit"] == "Figure 8") & (table["metric"] == "top1")].to_dict("records")
    apart = np.subtract([0.7, 0.72, 0.75], 0.9)
    assert row["n_seeds"] == 3
    assert row["difference"] == pytest.approx(apart.mean())
    assert row["p"] == pytest.approx(stats.ttest_1samp(apart, -0.1).pvalue)
    assert set(u_net(0.03, 0.97, seeds=1).values()) == {"cannot tell"}


def test_the_paper_s_own_difference_stands_beside() -> None:
    table = claims_table(made_rows({"ours": [0.5]}, {"ours": [0.5]}))
    printed = table.set_index(["higher", "lower", "metric", table["nc"].fillna(table["shot"])])["published"]
    assert printed["cnc28", "global_nc28", "top1", 50] == pytest.approx(0.4224 - 0.3830)
    assert printed["cnc28_im", "cnc28", "top5", 80] == pytest.approx(0.5680 - 0.5609)
    assert printed["ours", "no_augmentation", "accuracy", 10] == pytest.approx(0.6693 - 0.5586)
    assert printed["no_augmentation", "two_step", "accuracy", 10] == pytest.approx(0.5586 - 0.5253)
    assert table.loc[table["exhibit"].str.startswith("Figure"), "published"].isna().all()


def test_the_printed_numbers_have_the_claimed_order() -> None:
    table = claims_table(made_rows({"ours": [0.5]}, {"ours": [0.5]}))
    own = table[table["exhibit"].str.startswith("Table") & (table["metric"] != "rank_correlation")]
    assert len(own) == 116
    assert (own["published"] > 0).all()


def test_other_ways_or_classes_have_no_published_difference() -> None:
    changed = profile("quick", fewshot__ways=5, evaluation__nc=[30])
    assert claims_table(made_rows({"ours": [0.5]}, {"ours": [0.5]}, changed))["published"].isna().all()


def test_few_shot_claims_that_hold_with_some_shots_alone() -> None:
    table = claims_table(made_rows({}, {"two_step": LEVEL, "no_augmentation": [0.3, 0.31, 0.32]}))
    two_step = table[(table["exhibit"] == "Table 1") & table["difference"].notna()]
    found = dict(zip(two_step["claim"], zip(two_step["shot"], two_step["verdict"], strict=True), strict=True))
    assert found == {
        "Two-Step helps a little with 5 shots": (5, "supported"),
        "Two-Step hurts with 10 shots": (10, "contradicted"),
    }


def test_on_faces_figure_5_takes_the_place_of_figure_4() -> None:
    rows = made_rows({"ours": [0.5]}, settings=profile("multipie"))
    table = claims_table(rows)
    assert set(table["exhibit"]) == {"Figure 5", "Table 1", "Table 2", "Figure 8"}
    assert list(verdicts(table, "Figure 5")) == [ABOVE]
    note = claims_sheet(table, rows.facts).notes[0]
    assert "Not a reproduction" not in note
    assert "In the paper Table 1, Table 2, Figure 8 are of CompCars alone. A verdict is about these data" in note


def test_on_rendered_cars_from_the_views_of_faces_figure_5_is_tested() -> None:
    settings = profile("nine_views", evaluation__nc=[20])
    rows = made_rows({"ours": [0.8, 0.81, 0.82], **dict.fromkeys(BASELINES, LEVEL)}, settings=settings)
    table = claims_table(rows)
    assert set(table["exhibit"]) == {"Figure 5", "Table 1", "Table 2", "Figure 8"}
    assert verdicts(table, "Figure 5") == {ABOVE: ("supported", "")}
    note = claims_sheet(table, rows.facts).notes[0]
    assert note.startswith("In the paper Figures 5 and 7 are of faces (Multi-PIE); these are rendered cars, not faces")
    assert "Not a reproduction: data set rendered instead of multipie" in note


def test_every_claim_has_a_line_and_every_part_one() -> None:
    rows = against_baselines([0.8, 0.81, 0.82])
    table = claims_table(rows)
    claims = claims_sheet(table, rows.facts)
    own = [claim for claim in load().all_claims if claim.exhibit != "figure_5"]
    assert [row[1] for row in claims.grids[0].rows] == [claim.claim for claim in own]
    assert [row[1] for row in claims.grids[1].rows] == [claim.claim for claim in own]
    assert [grid.title.split(": ", 1)[1] for grid in claims.grids[2:]] == [claim.claim for claim in own]
    assert sum(len(grid.rows) for grid in claims.grids[2:]) == len(table)
    text = markdown(claims)
    assert f"| Figure 4 | {ABOVE} | supported | 6 of 6 | 6 | 0 | 0 | - |" in text
    assert "A verdict is about these data, and not about those of the paper." in text
    assert "Not a reproduction: data set rendered" in text
    assert "| ours | dr_gan | top-1 | 20 classes | - | +30.0 [" in text
    assert "| this run, points |" in text
    assert "a paired t test over" in text
    assert "bootstrap" not in text
    assert latex(claims).count(r"\begin{table}") == 2 + len(own)


def test_a_reproduction_is_called_one() -> None:
    rows = made_rows({"ours": [0.5]}, settings=profile("compcars"))
    table = claims_table(rows)
    text = markdown(claims_sheet(table, rows.facts))
    assert "| reproduced, points |" in text
    assert "this run" not in text
    assert "Not a reproduction" not in text
    assert "A verdict is about these data" not in text


def test_the_same_rows_give_the_same_table() -> None:
    rows = made_rows({"ours": [0.5], "dr_gan": [0.4]}, {"ours": [0.5], "dr_gan": [0.4]}, ONE_NC)
    pd.testing.assert_frame_equal(claims_table(rows), claims_table(rows))
