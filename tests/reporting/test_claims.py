"""The paper's claims on planted outcomes."""

import gc
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmark.reporting.claims import claims_sheet, claims_table, summary
from benchmark.reporting.references import load
from benchmark.reporting.sheets import latex, markdown
from benchmark.results.rows import Rows
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


TURNS = "The full model has the wanted view right more often than the U-net"
JOINT = "The full model has identity and view right more often than the U-net"
U_NET = ("The U-net ignores the wanted view", "The U-net copies its input", "The U-net keeps the identity")


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
    own = table[table["exhibit"].str.startswith("Table")]
    assert len(own) == 104
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


def test_every_claim_has_a_line_and_every_part_one() -> None:
    rows = against_baselines([0.8, 0.81, 0.82])
    table = claims_table(rows)
    claims = claims_sheet(table, rows.facts)
    own = [claim for claim in load().claims if claim.exhibit != "figure_5"]
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
