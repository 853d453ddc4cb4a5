"""Tests of the paper's claims: each order that it claims, tested on the same images."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import factorial
from types import MappingProxyType
from typing import Any

import pandas as pd
from scipy import stats

from benchmark.config.settings import FewShot
from benchmark.evaluation.comparison import POWER, SIGNIFICANT, detectable, difference, holm, verdict
from benchmark.evaluation.controls import OF_FEWSHOT, OF_IDENTITY
from benchmark.evaluation.statistics import CLUSTERS, SEEDS_FOR_T, Totals
from benchmark.reporting.differences import OVER_IMAGES, OVER_SEEDS
from benchmark.reporting.exhibits import printed
from benchmark.reporting.gaps import COMPLETE, Footnotes, Gaps
from benchmark.reporting.order import place
from benchmark.reporting.references import (
    FACES,
    TAU,
    Claim,
    Correlation,
    Exhibit,
    column,
    counterpart,
    differs,
    load,
    no_faces,
    setting_notes,
)
from benchmark.reporting.sheets import Grid, Sheet
from benchmark.reporting.tables import HEADS
from benchmark.results.rates import ACCURACY, SHARPNESS
from benchmark.results.records import Facts, Part
from benchmark.results.rows import Rows

SUPPORTED, CONTRADICTED, CANNOT_TELL = "supported", "contradicted", "cannot tell"
MEANING = {"higher": SUPPORTED, "lower": CONTRADICTED}  # of the verdicts of `comparison`
MISSING = "not measured: "
SIZE = ["nc", "way", "shot"]
NUMBERS = ["margin", "published", "difference", "ci_low", "ci_high", "n_seeds", "p"]
COLUMNS = ["profile", "exhibit", "claim", "family", "metric", *SIZE, "higher", "lower", "lower_metric", "models"]
COLUMNS += [*NUMBERS, "p_holm", "detectable", "verdict", "reason"]
ENOUGH = 5  # models, from which on a correlation can have a p below SIGNIFICANT

Outcomes = dict[tuple[str, str, int | None], Totals]  # by measurement (or `quality`), model, and N_c or number of shots
Missing = Mapping[str, Gaps]  # by measurement
NOTHING: Missing = MappingProxyType({})
DETECTABLE = "detectable, points"
HEAD = ["exhibit", "claim", "verdict", "in this order", SUPPORTED, CONTRADICTED, CANNOT_TELL, "why", DETECTABLE]
PARTS = ["claimed above", "claimed below", "rate", "with", "published, points"]
TESTS = ["seeds", "p", "p (Holm)", "verdict"]
CORRELATED = ["models", "with", "Kendall's tau", *TESTS]
RULE = (
    "A part is one pair of models in one rate with one number of classes (random split) or shots, measured on the same "
    f"images. It is supported or contradicted where p (Holm) is below {100 * SIGNIFICANT:.0f} %; Holm's method adjusts "
    "p for all parts of the same family: those of one exhibit in one rate. A claim is supported if all its parts are, "
    "and contradicted if any is. In this order: the measured parts whose means have the order of the claim, whatever "
    "the test says; alone it shows nothing."
)
OF_POWER = (
    f"Detectable is the smallest true difference, beyond the margin, that the test would have shown in {POWER:.0%} of "
    "repetitions, given this number of seeds and their spread, at 5 % divided by the number of tests in the family. "
    "Where nothing is shown, a smaller one may well be there; the interval says which differences remain possible."
)
OF_TAU = (
    "A rank correlation (Kendall's tau) is over all models that have both: top-1, by which the paper speaks of "
    "preserving identity, with the N_c nearest to the few-shot ways, and the gain over no augmentation in few-shot "
    "accuracy, both as means over the training seeds. Its p is exact, over all orders of the models, and two-sided; it "
    "cannot be below 2 / n! with n models: 0.083 with four and 0.017 with five. Versions of one model count as "
    "models, though they are not independent of each other."
)
ALIKE = "A control is not trained and is the same beside every training seed."
NOT_THE_PAPER = "A verdict is about these data, and not about those of the paper."


@dataclass(frozen=True)
class ClaimPart:
    """A claim about one pair of models in one measurement; `size` is the N_c or the number of shots."""

    claim: Claim
    measurement: str
    metric: str
    size: int | None
    higher: str
    lower: str


def claims_table(rows: Rows) -> pd.DataFrame:
    """Return every part of every claim: a row for each metric, N_c (random split) or shots, and pair of models.

    `difference`, with its 95 % interval, is `higher` less `lower` in the results; `published` is the same in the paper,
    where it prints both for as many classes and shots. The difference is tested against `margin`, zero but where the
    claim names one: with three common training seeds or more by a paired t test over the seeds, with p adjusted by
    Holm's method for all rows of the same `family`, as `references.yaml` has them. With fewer seeds the interval is the
    paired bootstrap over classes and images, and there is no p; of sharpness, a number of each seed, there is no
    interval either. `detectable` is that of `comparison.detectable`, for as many tests as the family has.

    The rate of `lower` is `lower_metric`. A correlation has a row for each number of shots: `difference` is Kendall's
    tau over the `models`, `nc` the number of classes of the identity measurement, and p that of `_correlated`.

    Returns:
        The COLUMNS. `verdict` is SUPPORTED, CONTRADICTED or CANNOT_TELL, `reason` why it cannot be told.
    """
    outcomes, settings = _outcomes(rows), rows.facts.settings
    parts = list(_parts(outcomes, counterpart(settings.data)))
    by_images = sorted(parts, key=lambda part: (part.measurement, part.size or 0))  # they share their resamples
    found = {part: _found(part, outcomes) for part in by_images}
    lines = [_named(part, settings.fewshot.ways) | found[part] for part in parts]
    for each in load().correlations:
        if each.exhibit in load().exhibits_for(counterpart(settings.data)):
            lines += _correlated(each, outcomes, settings.fewshot)
    exhibits = [each.name for each in load().exhibits.values()]
    lines.sort(key=lambda line: exhibits.index(str(line["exhibit"])))
    table = pd.DataFrame(lines, columns=COLUMNS).assign(profile=rows.facts.name).astype(dict.fromkeys(NUMBERS, float))
    table["p_holm"] = table.groupby("family")["p"].transform(holm)
    tests = table.groupby("family")["p"].transform("count")
    given = zip(table["ci_low"], table["ci_high"], table["n_seeds"].fillna(0), tests, strict=True)
    table["detectable"] = [detectable(low, high, int(seeds), count) for low, high, seeds, count in given]
    judged = []
    for row in table.to_dict("records"):
        said, reason = CANNOT_TELL, row["reason"]
        if not isinstance(reason, str):
            shown = verdict(row["difference"] - row["margin"], int(row["n_seeds"]), row["p_holm"])
            if row["metric"] == TAU and shown not in MEANING:
                shown = "no correlation shown"
            said, reason = (MEANING[shown], "") if shown in MEANING else (CANNOT_TELL, shown)
        judged.append((said, reason))
    table = table.assign(verdict=[said for said, _ in judged], reason=[reason for _, reason in judged])
    return table.astype(dict.fromkeys([*SIZE, "n_seeds"], "Int64"))


def _outcomes(rows: Rows) -> Outcomes:
    """Return the outcomes of all; those of a control, where nothing is trained, stand for each training seed."""
    random, shots = [each for each in rows.identity if each.split == "random"], rows.facts.settings.fewshot.shots
    seeds = sorted({int(seed) for each in random for seed in each.outcomes["seed"].unique()})
    outcomes: Outcomes = {("fewshot", each.model, shot): each.totals(shot) for each in rows.fewshot for shot in shots}
    for each in random:
        own = each.totals
        if each.model in OF_IDENTITY:
            alike = ({seed: table.droplevel("seed") for seed in seeds} for table in (own.sums, own.counts))
            own = Totals(*(pd.concat(tables, names=["seed"]) for tables in alike))
        outcomes["identity", each.model, each.nc] = own
    for model, scores in rows.quality.dropna(subset=SHARPNESS).groupby("model"):
        index = pd.MultiIndex.from_product([scores["seed"], [""], [""]], names=CLUSTERS)
        values = pd.DataFrame({SHARPNESS: scores[SHARPNESS].to_numpy(float)}, index)
        outcomes["quality", str(model), None] = Totals(values, values.notna().astype(int))
    return outcomes


def _parts(outcomes: Outcomes, dataset: str) -> Iterator[ClaimPart]:
    """Yield the parts of all claims; of a measurement that was not made there is one for each pair, without a size."""
    shown = load().exhibits_for(dataset)
    for claim in load().claims:
        if claim.exhibit in shown:
            for metric in claim.metrics:
                kind = "quality" if metric == SHARPNESS else str(shown[claim.exhibit].measurement)
                measured = sorted({size for measurement, _, size in outcomes if measurement == kind and size})
                sizes: Sequence[int | None] = claim.at or measured or [None]
                for size, *pair in product(sizes, claim.higher, claim.lower):
                    yield ClaimPart(claim, kind, metric, size, *map(str, pair))


def _named(part: ClaimPart, ways: int) -> dict[str, object]:
    claim = part.claim
    sizes = {"identity": {"nc": part.size}, "fewshot": {"way": ways, "shot": part.size}, "quality": {}}
    size: dict[str, int | None] = sizes[part.measurement]
    numbers = printed(claim.exhibit)
    higher, lower = (numbers.get((model, part.metric, *size.values())) for model in (part.higher, part.lower))
    return {
        "exhibit": load().exhibits[claim.exhibit].name,
        "claim": claim.claim,
        "family": load().family(claim.exhibit, part.metric),
        **{"metric": part.metric, "higher": part.higher, "lower": part.lower, "margin": claim.margin / 100},
        "lower_metric": claim.lower_metric or part.metric,
        **size,
        "published": None if higher is None or lower is None else higher - lower,
    }


def _found(part: ClaimPart, outcomes: Outcomes) -> dict[str, Any]:
    """Return difference, ci_low, ci_high, n_seeds and p of the pair, or the reason why there are none."""
    rates = {}
    for model, metric in ((part.higher, part.metric), (part.lower, part.claim.lower_metric or part.metric)):
        measured = outcomes.get((part.measurement, model, part.size))
        if measured and measured.counts[metric].sum():  # otherwise the rate applies to nothing
            rates[model] = measured.of(metric)
    missing = [model for model in (part.higher, part.lower) if model not in rates]
    if missing:
        return {"reason": MISSING + ", ".join(missing)}
    higher, lower, margin = rates[part.higher], rates[part.lower], part.claim.margin / 100
    if part.claim.lower_metric:  # of other outcomes, or of weighted ones: as many as in `higher`, with the same mean
        many, few = (each.counts.iloc[:, 0].groupby("seed").sum() for each in (higher, lower))
        sums = lower.sums.iloc[:, 0].mul(many / few, level="seed").reindex(higher.counts.index).dropna()
        lower = Totals(sums.to_frame(part.metric), higher.counts.loc[sums.index])
    found = difference(higher, Totals(lower.sums + margin * lower.counts, lower.counts))
    if part.measurement == "quality" and found["n_seeds"] < SEEDS_FOR_T:
        found = {name: found[name] for name in ("difference", "n_seeds")}
    return found | {name: found[name] + margin for name in ("difference", "ci_low", "ci_high") if name in found}


def _correlated(claim: Correlation, outcomes: Outcomes, settings: FewShot) -> Iterator[dict[str, Any]]:
    """Yield a row for each number of shots: Kendall's tau over the models, with its exact two-sided p.

    A model's identity and its gain are means over the training seeds that it has in both measurements, the gain beside
    the same seeds of `start`. There is no p where fewer seeds or models would decide than are enough.
    """
    sizes = sorted({size for kind, _, size in outcomes if kind == "identity" and size})
    nc = min(sizes, key=lambda size: abs(size - settings.ways), default=None)
    for shot in settings.shots or [None]:
        identity, gain, seeds = {}, {}, []
        start = outcomes.get(("fewshot", claim.start, shot))
        for kind, model, size in outcomes:
            other = outcomes.get(("identity", model, nc))
            if start and other and kind == "fewshot" and size == shot and model not in {*OF_IDENTITY, *OF_FEWSHOT}:
                helped, kept = outcomes[kind, model, size].seed_means[ACCURACY], other.seed_means[claim.identity]
                more = (helped - start.seed_means[ACCURACY]).dropna()
                common = more.index.intersection(kept.dropna().index)
                if len(common):
                    identity[model], gain[model] = kept[common].mean(), more[common].mean()
                    seeds.append(len(common))
        line: dict[str, Any] = {
            "exhibit": load().exhibits[claim.exhibit].name,
            **{"claim": claim.claim, "family": load().family(claim.exhibit, TAU), "metric": TAU, "margin": 0.0},
            **{"nc": nc, "way": settings.ways, "shot": shot, "models": ", ".join(sorted(identity, key=place))},
        }
        if start is None:
            yield line | {"reason": MISSING + claim.start}
            continue
        values = [[each[model] for model in identity] for each in (identity, gain)]
        found = stats.kendalltau(*values) if len(identity) > 1 else None
        line |= {"difference": found.statistic if found else None, "n_seeds": min(seeds, default=0)}
        if len(identity) < ENOUGH:
            least = f", of which p is {2 / factorial(len(identity)):.3f} at best" if found else ""
            yield line | {"reason": f"needs {ENOUGH} models, has {len(identity)}{least}"}
        elif min(seeds) < SEEDS_FOR_T:
            yield line | {"reason": f"needs {SEEDS_FOR_T} seeds, has {min(seeds)}"}
        elif min(len(set(each)) for each in values) < len(identity):
            yield line | {"reason": "models that are level have no exact p"}
        else:
            yield line | {"p": stats.kendalltau(*values, method="exact").pvalue}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each claim of `claims_table`, in its order.

    `parts` counts its rows, `measured` those with a difference, `in_order` those whose difference is above the margin,
    whatever the test says; SUPPORTED, CONTRADICTED and CANNOT_TELL count their verdicts. `verdict` is CONTRADICTED if
    any part is, SUPPORTED if all are, otherwise CANNOT_TELL, and `reason` then says why, with the number of parts.
    `least` and `most` are the range of `detectable` over the parts that cannot be told.
    """
    rows = []
    for key, parts in table.groupby(["profile", "exhibit", "claim"], sort=False):
        verdicts = {name: int((parts["verdict"] == name).sum()) for name in (SUPPORTED, CONTRADICTED, CANNOT_TELL)}
        said = CONTRADICTED if verdicts[CONTRADICTED] else CANNOT_TELL if verdicts[CANNOT_TELL] else SUPPORTED
        in_order = int((parts["difference"] > parts["margin"]).sum())
        counts = {"parts": len(parts), "measured": int(parts["difference"].count()), "in_order": in_order}
        reason = _why(parts["reason"]) if said == CANNOT_TELL else ""
        named = dict(zip(("profile", "exhibit", "claim"), key, strict=True))
        open_ = parts.loc[parts["verdict"] == CANNOT_TELL, "detectable"]
        found = {"least": open_.min(), "most": open_.max()}
        rows.append({**named, **counts, **verdicts, "verdict": said, "reason": reason, **found})
    return pd.DataFrame(rows)


def _why(reasons: "pd.Series[str]") -> str:
    """Return the reasons with the number of parts that each holds for; the models that are missing stand once."""
    missing = reasons[reasons.str.startswith(MISSING)]
    models = dict.fromkeys(model for names in missing.str.removeprefix(MISSING) for model in names.split(", "))
    counts: dict[Hashable, int] = {MISSING + ", ".join(models): len(missing)} if len(missing) else {}
    counts |= reasons[(reasons != "") & ~reasons.isin(missing)].value_counts(sort=False).to_dict()
    return "; ".join(f"{reason} ({count})" for reason, count in counts.items())


def claims_sheet(table: pd.DataFrame, facts: Facts, missing: Missing = NOTHING) -> Sheet:
    """Return the claims for reading: the verdict of each, what the paper says, then a grid of its parts.

    Args:
        table: the rows of `claims_table`.
        facts: where they come from.
        missing: what is missing of `identity` and of `fewshot`.
    """
    shown, footnotes = load().exhibits_for(counterpart(facts.settings.data)), Footnotes()
    records = {key: own.to_dict("records") for key, own in table.groupby(["exhibit", "claim"])}
    lines = []
    for row in summary(table).to_dict("records"):
        places: dict[str, list[Part]] = {}
        for part in records[row["exhibit"], row["claim"]]:
            gaps, place = _place(part, missing)  # all of them of the same measurement
            for model in (part["higher"], part["lower"]):
                places.setdefault(model, []).append(place)
        said = {model: gaps.footnote(model, *own) for model, own in places.items()}
        claim = footnotes.mark_all(row["claim"], [f"{model}: {text}" for model, text in said.items() if text])
        counts = [row[name] for name in (SUPPORTED, CONTRADICTED, CANNOT_TELL)]
        order = f"{row['in_order']} of {row['measured']}" if row["measured"] else "-"
        ends = dict.fromkeys(f"{100 * row[end]:.1f}" for end in ("least", "most") if pd.notna(row[end]))
        lines.append(
            [row["exhibit"], claim, row["verdict"], order, *counts, row["reason"] or "-", " to ".join(ends) or "-"]
        )
    claims = [claim for claim in load().all_claims if claim.exhibit in shown]
    words = [[shown[claim.exhibit].name, claim.claim, claim.says] for claim in claims]
    grids = [Grid(HEAD, lines, "Verdicts"), Grid(["exhibit", "claim", "in the paper"], words, "What the paper says")]
    for key, exhibit in shown.items():
        for name, own in table[table["exhibit"] == exhibit.name].groupby("claim", sort=False):
            correlated = own["metric"].iloc[0] == TAU
            measured = f"{column(facts.settings, key, facts.counts)}, points"
            head = CORRELATED if correlated else [*PARTS, measured, *TESTS, DETECTABLE]
            cells = [_cells(row, missing, footnotes) for row in own.to_dict("records")]
            grids.append(Grid(head, cells, f"{exhibit.name}: {name}"))
    title = f"Claims of the paper, profile {facts.name}"
    return Sheet(title, grids, [*footnotes.notes, *_notes(table, facts, shown)])


def _place(row: Mapping[Hashable, Any], missing: Missing) -> tuple[Gaps, Part]:
    """Return what is missing of the measurement of a row, and its part of that measurement."""
    if row["metric"] == SHARPNESS:
        return COMPLETE, None
    if pd.isna(row["nc"]):
        return missing.get("fewshot", COMPLETE), None
    return missing.get("identity", COMPLETE), ("random", int(row["nc"]))


def _cells(row: Mapping[Hashable, Any], missing: Missing, footnotes: Footnotes) -> list[object]:
    """Return the cells of one part of a claim."""
    seeds: object = "-" if pd.isna(row["n_seeds"]) else row["n_seeds"]
    ps = ["-" if pd.isna(p) else f"{p:.4f}" for p in (row["p"], row["p_holm"])]
    said = f"{row['verdict']}: {row['reason']}" if row["reason"] else row["verdict"]
    if row["metric"] == TAU:
        sizes = [f"{row['nc']} classes"] * pd.notna(row["nc"])
        sizes += [f"{row['way']}-way {row['shot']}-shot"] * pd.notna(row["shot"])
        tau = "n/a" if pd.isna(row["difference"]) else f"{row['difference']:+z.2f}"
        return [row["models"] or "-", ", ".join(sizes) or "-", tau, seeds, *ps, said]
    gaps, part = _place(row, missing)
    said_of = {model: gaps.footnote(model, part) for model in (row["higher"], row["lower"])}
    models = [footnotes.mark(model, f"{model}: {text}" if text else "") for model, text in said_of.items()]
    size = "-" if pd.isna(row["nc"]) else f"{row['nc']} classes"
    if not pd.isna(row["shot"]):
        size = f"{row['way']}-way {row['shot']}-shot"
    published, points, low, high = (
        "-" if pd.isna(row[name]) else f"{100 * row[name]:+z.1f}"
        for name in ("published", "difference", "ci_low", "ci_high")
    )
    found = "n/a" if points == "-" else points if low == "-" else f"{points} [{low}, {high}]"
    rates = [HEADS.get(metric, metric) for metric in dict.fromkeys([row["metric"], row["lower_metric"]])]
    least = "-" if pd.isna(row["detectable"]) else f"{100 * row['detectable']:.1f}"
    return [*models, "; below: ".join(rates), size, published, found, seeds, *ps, said, least]


def _notes(table: pd.DataFrame, facts: Facts, shown: Mapping[str, Exhibit]) -> list[str]:
    """Return what differs from the paper's setting, which exhibits are about other data, and what verdicts rest on."""
    first, *others = setting_notes(facts.settings, counts=facts.counts)
    faces = counterpart(facts.settings.data) == FACES
    cars = [each.name for each in shown.values() if faces and each.data != FACES and each.measurement]
    of_cars = f" In the paper {', '.join(cars)} are of CompCars alone." if cars else ""
    other = f" {NOT_THE_PAPER}" if cars or differs(facts.settings, counts=facts.counts) else ""
    seeds = table["n_seeds"].dropna()
    kinds = [OVER_SEEDS] * bool((seeds >= SEEDS_FOR_T).any()) + [OVER_IMAGES] * bool((seeds < SEEDS_FOR_T).any())
    brackets = f"In brackets: {'; '.join(kinds)}. {ALIKE}" if kinds else "None of the pairs is measured."
    pictures = "; ".join(f"{each.name}: {each.shows}" for each in shown.values() if not each.rows)
    published = f"Published: the printed difference, which tables alone have. {pictures}."
    note = no_faces(facts.settings)
    return [f"{note} {first}{of_cars}{other}".lstrip(), *others, RULE, OF_POWER, OF_TAU, brackets, published]
