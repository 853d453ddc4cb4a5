"""Failures in every table for reading: a dash, a mark at the name, and a footnote."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.evaluation import statistics
from benchmark.reporting import differences, exhibits, fewshot, render, tables
from benchmark.reporting.claims import claims_sheet, claims_table
from benchmark.reporting.gaps import fewshot_gaps, identity_gaps
from benchmark.reporting.sheets import Sheet, latex, markdown
from benchmark.reporting.tidy import tidy
from benchmark.results.records import LONGEST, Failure, causes
from benchmark.results.rows import Rows
from tests.reporting import drawn
from tests.reporting.made import made_facts, made_fewshot, made_identity, made_rows, profile
from tests.reporting.paged import HOSTILE

NAN = "the loss discriminator is nan in cycle 12"
NASTY = f"{HOSTILE} | a\\b *y* [here](javascript:alert(1)) &amp; 5 % _x_\n\n# no heading\n{{}}$^~\x00"


VIEW = "<script>alert(1)"  # a view becomes part of file names, and has no slash


@pytest.fixture(scope="module", autouse=True)
def few_resamples() -> Iterator[None]:
    """Intervals are not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", statistics.CHUNKS)
        statistics.resamples.cache_clear()
        yield
    statistics.resamples.cache_clear()


def failure(cell: str, reason: str = NAN, status: str = "diverged") -> Failure:
    return Failure(cell=cell, status=status, reason=reason)


def without(rows: Rows, *failed: Failure) -> Rows:
    """Return rows to which such failures belong."""
    return replace(rows, facts=made_facts(rows.facts.settings).model_copy(update={"failed": failed}))


def sheets(rows: Rows) -> dict[str, Sheet]:
    """Return every table for reading, by a short name."""
    made, facts, said = tidy(rows), rows.facts, claims_table(rows)
    identity, recognition = identity_gaps(rows), fewshot_gaps(rows)
    missing = {"identity": identity, "fewshot": recognition}
    family = "few-shot recognition"
    return {
        "identity": tables.identity_sheet(made.identity, identity),
        "diagnostics": tables.diagnostics_sheet(made.identity, identity),
        "headline": tables.headline(made.identity, identity),
        "curves": exhibits.curves_sheet(exhibits.curves_table(made.identity, facts.settings.data)[1], facts, identity),
        "ablation": exhibits.ablation_sheet(made.ablation, identity),
        "table_2": exhibits.sheet_2(exhibits.table_2(made.identity, facts), facts, identity),
        "differences": differences.sheet(made.differences, differences.IDENTITY_KEYS, "identity", identity),
        "fewshot": fewshot.fewshot_sheet(made.fewshot, facts.settings.fewshot, recognition),
        "table_1": exhibits.sheet_1(exhibits.table_1(made.fewshot, facts), facts, recognition),
        "fewshot_differences": differences.sheet(made.fewshot_differences, fewshot.FAMILY, family, recognition),
        "claims": claims_sheet(said, facts, missing),
    }


def lines(sheet: Sheet, name: str) -> list[list[str]]:
    """Return the rows that have a name in their first or second cell, marked or not."""
    rows = [list(map(str, row)) for grid in sheet.grids for row in grid.rows]
    return [row for row in rows if any(re.fullmatch(re.escape(name) + r"( \[\d+\])*", cell) for cell in row[:2])]


def footnotes(sheet: Sheet) -> list[str]:
    return [note for note in sheet.notes if re.match(r"\[\d+\] ", note)]


QUICK = profile("quick", evaluation__nc=[20, 50], fewshot__shots=[5], fewshot__skip=["unet"])
CONTROLS = {"copy": [1.0], "real": [1.0]}
TWO_LEFT = {"ours": [0.6, 0.7, 0.5], "vanilla": [0.4], "dr_gan": [0.3, 0.3, 0.4]}


@pytest.fixture(scope="module")
def some() -> dict[str, Sheet]:
    """Sheets of a run in which cnc28 has nothing, ours lacks a seed, and dr_gan lacks its measurement with 50 classes.

    The failed training runs have left measurements of an earlier setting.
    """
    rows = made_rows(CONTROLS | TWO_LEFT, {"no_augmentation": [0.3]} | TWO_LEFT, QUICK)
    there = [each for each in rows.identity if (each.model, each.nc) != ("dr_gan", 50)]
    failed = causes(
        [
            failure("models/cnc28/seed0"),
            failure("models/cnc28/seed1", "RuntimeError: no", "failed"),
            failure("identity/cnc28/seed0/random/nc20", "changed since", "out of date"),
            failure("models/ours/seed3"),
            *(failure(f"identity/dr_gan/seed{seed}/random/nc50", "MemoryError", "failed") for seed in range(3)),
            failure("fewshot/vanilla/seed1", "", "running"),
            failure("models/unet/seed0"),
            failure("extractor/identity/seed0"),
        ]
    )
    return sheets(without(replace(rows, identity=there), *failed))


CNC28 = "training seed 0 diverged: the loss discriminator is nan in cycle 12; training seed 1 failed: RuntimeError: no"
OURS = "over seeds 0, 1 and 2; training seed 3 diverged: the loss discriminator is nan in cycle 12"
DR_GAN = "measuring seeds 0, 1 and 2 (random split, 50 classes) failed: MemoryError"
UNET = "training seed 0 diverged: the loss discriminator is nan in cycle 12"
VANILLA = "over seed 0; few-shot recognition with seed 1 running: begun and not finished; the same command resumes it"


@pytest.mark.parametrize(
    ("cell", "model", "seed", "measurement", "part"),
    [
        ("models/ours/seed0", "ours", 0, "", None),
        ("identity/a|b/seed12/outputs", "a|b", 12, "identity", None),
        ("identity/ours/seed1/grouped/nc80", "ours", 1, "identity", ("grouped", 80)),
        ("fewshot/copy/seed0", "copy", 0, "fewshot", None),
        ("extractor/identity/seed0", "", -1, "", None),
        ("models/ours", "", -1, "", None),
    ],
)
def test_a_cell_says_what_is_missing(
    cell: str, model: str, seed: int, measurement: str, part: tuple[str, int] | None
) -> None:
    found = failure(cell)
    assert (found.model, found.seed, found.measurement, found.part) == (model, seed, measurement, part)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("two\nlines\r\n\tof\u2028it", "two lines of it"),
        ("\x1b[31mred\x00 \u202eback \ud800", "[31mred back"),
        ("x" * 10_000, "x" * (LONGEST - 1) + "…"),
        ("y" * LONGEST, "y" * LONGEST),
    ],
)
def test_a_reason_is_one_line_that_can_be_shown(reason: str, shown: str) -> None:
    found = failure("models/ours/seed0", reason)
    assert found.reason == shown
    assert Failure.model_validate_json(found.model_dump_json()) == found


def test_what_follows_from_another_failure_is_not_listed() -> None:
    training, other = failure("models/ours/seed0"), failure("identity/ours/seed1/random/nc20")
    outputs, few = failure("identity/unet/seed0/outputs"), failure("fewshot/unet/seed0")
    follow = [failure(f"identity/ours/seed0/random/nc{nc}") for nc in (20, 50)]
    follow += [failure("fewshot/ours/seed0"), failure("identity/unet/seed0/random/nc20")]
    data = failure("extractor/identity/seed0")
    listed = (training, other, outputs, few, data)
    assert causes([*follow, *listed]) == listed
    facts = made_facts(QUICK)
    stored = facts.model_validate(facts.model_dump() | {"failed": [training, *follow]})
    assert stored.failed == (training, follow[-1])


@pytest.mark.parametrize("sheet", ["identity", "diagnostics"])
def test_a_model_without_a_measurement_has_dashes_in_its_place(some: dict[str, Sheet], sheet: str) -> None:
    twenty, fifty = some[sheet].grids
    assert [row[0] for row in twenty.rows] == [
        "ours [1]",
        "dr_gan",
        "unet [2]",
        "vanilla",
        "cnc28 [3]",
        "real",
        "copy",
    ]
    assert twenty.rows[4][1:] == ["-"] * (len(twenty.head) - 1)
    assert str(twenty.rows[0][-1]) == "3"
    assert [row[0] for row in fifty.rows][1] == "dr_gan [4]"
    assert set(fifty.rows[1][1:]) == {"-"}
    assert footnotes(some[sheet]) == [f"[1] {OURS}", f"[2] {UNET}", f"[3] {CNC28}", f"[4] {DR_GAN}"]


def test_a_table_over_n_c_has_a_dash_where_one_is_missing(some: dict[str, Sheet]) -> None:
    models, controls = some["headline"].grids
    names = [str(row[0]).partition(" ")[0] for row in models.rows]
    assert names == ["ours", "dr_gan", "unet", "vanilla", "cnc28"]
    by_name = dict(zip(names, models.rows, strict=True))
    assert by_name["dr_gan"][2] == "-"
    assert set(by_name["cnc28"][1:]) == {"-"}
    assert all("[" not in str(row[0]) for row in controls.rows)
    ((_, twenty, fifty),) = {tuple(row) for row in lines(some["curves"], "dr_gan")[:1]}
    assert fifty == "-" != twenty
    assert not lines(some["curves"], "cnc28")  # a version of Table 2
    assert footnotes(some["curves"])[1] == f"[2] {DR_GAN}"


def test_the_ablation_shows_what_it_lacks(some: dict[str, Sheet]) -> None:
    grid = some["ablation"].grids[0]
    assert [row[0] for row in grid.rows] == ["vanilla", "vanilla + CNC(28) [1]", "vanilla + CNC(28) + AIM [2]"]
    assert set(grid.rows[1][1:]) == {"-"}
    assert footnotes(some["ablation"]) == [f"[1] {CNC28}", f"[2] {OURS}"]


def test_few_shot_tables_speak_of_trainings_and_of_few_shot_alone(some: dict[str, Sheet]) -> None:
    rows = some["fewshot"].grids[0].rows
    assert [row[0] for row in rows] == [
        "real and generated by ours [1]",
        "real and generated by dr_gan",
        "real and generated by vanilla [2]",
        "real and generated by cnc28 [3]",
        "no_augmentation: the real images alone",
    ]  # unet is skipped
    assert set(rows[3][1:]) == {"-"}
    assert footnotes(some["fewshot"]) == [f"[1] {OURS}", f"[2] {VANILLA}", f"[3] {CNC28}"]


@pytest.mark.parametrize(("shots", "reasons"), [([5], [f"dr_gan: {UNET}"]), ([], [])])
def test_a_few_shot_table_without_rows_says_why(shots: list[int], reasons: list[str]) -> None:
    settings = profile("quick", evaluation__nc=[20], fewshot__shots=shots)
    rows = without(made_rows(CONTROLS, {}, settings), failure("models/dr_gan/seed0"))
    sheet = fewshot.fewshot_sheet(tidy(rows).fewshot, settings.fewshot, fewshot_gaps(rows))
    assert sheet.notes == ["Few-shot recognition is not measured.", *reasons]


def test_a_model_that_cannot_be_compared_is_named(some: dict[str, Sheet]) -> None:
    for grid in some["differences"].grids:
        gone = [str(row[0]).partition(" ")[0] for row in grid.rows if row[1] == "-"]
        assert gone == ["unet", "cnc28"] if grid.title.endswith("20") else ["dr_gan", "unet", "cnc28"]
    (grid,) = some["fewshot_differences"].grids
    assert [row[:2] for row in grid.rows][:2] == [["ours [1]", "no_augmentation"], ["dr_gan", "no_augmentation"]]
    assert ["dr_gan", "vanilla [2]"] in [row[:2] for row in grid.rows]
    assert grid.rows[-1][0] == "cnc28 [3]"
    assert footnotes(some["fewshot_differences"]) == [f"[1] {OURS}", f"[2] {VANILLA}", f"[3] {CNC28}"]


def test_the_paper_s_tables_and_claims_say_what_is_missing(some: dict[str, Sheet]) -> None:
    twenty, fifty, eighty = lines(some["table_2"], "cnc28")
    assert twenty[1].startswith("cnc28 [")
    assert twenty[2:] == ["55.05", "-", "-", "80.16", "-", "-", "-"]
    assert fifty[2:5] == ["42.24", "-", "-"]
    assert eighty[1:5] == ["cnc28", "34.68", "n/a", "n/a"]  # with 80 classes nothing is measured
    assert f"[1] {CNC28}" in footnotes(some["table_2"])
    (five, ten) = lines(some["table_1"], "ours")
    assert five[1] == ten[1] == "ours [1]"
    assert footnotes(some["table_1"]) == [f"[1] {OURS}"]
    (line,) = (row for row in some["claims"].grids[0].rows if str(row[1]).startswith("AIM adds to CNC(28)"))
    assert line[1] == "AIM adds to CNC(28) [1] [3]"
    assert footnotes(some["claims"])[0] == f"[1] ours: {OURS}"
    assert footnotes(some["claims"])[2] == f"[3] cnc28: {CNC28}"
    assert line[2] == "cannot tell"
    assert str(line[-2]).startswith("not measured: cnc28")
    (row, *_) = (row for row in lines(some["claims"], "cnc28") if row[0].startswith("ours"))
    assert row[-2:] == ["cannot tell: not measured: cnc28", "-"]


def test_nothing_is_said_where_nothing_failed() -> None:
    settings = profile("quick", evaluation__nc=[20], fewshot__shots=[5])
    rows = made_rows(CONTROLS | {"ours": [0.5], "vanilla": [0.4]}, {"ours": [0.5]}, settings)
    assert not any(map(footnotes, sheets(without(rows, failure("data/split"))).values()))


def test_equal_footnotes_are_one() -> None:
    models = ("cnc28", "unet", "two_step")
    rows = without(made_rows(CONTROLS, {}, QUICK), *(failure(f"models/{model}/seed0") for model in models))
    sheet = tables.identity_sheet(tidy(rows).identity, identity_gaps(rows))
    assert [lines(sheet, model)[0][0] for model in models] == ["cnc28 [1]", "unet [1]", "two_step [1]"]
    assert footnotes(sheet) == [f"[1] {UNET}"]


def written(rows: Rows, names: Sequence[str], results: Path) -> dict[str, str]:
    """Render everything; return the texts by suffix."""
    shown = drawn.samples(names, side=16, views=rows.facts.settings.data.views)
    inputs = shown.inputs.assign(identity=[HOSTILE, "a|b", "car"])
    spent = {"models": drawn.sizes(names), "costs": drawn.costs(names), "learning": drawn.learning(names)}
    render.render(replace(rows, samples=replace(shown, inputs=inputs), **spent), results)
    kinds = ("md", "tex", "html")
    return {kind: "\n".join(path.read_text() for path in sorted(results.rglob(f"*.{kind}"))) for kind in kinds}


def test_a_run_whose_models_all_failed_has_tables_and_figures(tmp_path: Path) -> None:
    models = ("ours", "vanilla", "unet")
    rows = without(
        made_rows(CONTROLS, {"no_augmentation": [0.3]}, profile("quick", evaluation__nc=[20], fewshot__shots=[5])),
        *(failure(f"models/{model}/seed0") for model in models),
    )
    texts = written(rows, [], tmp_path)
    assert "| ours [1] | - | - | - | - | - | - |" in texts["md"]
    assert "| vanilla + CNC(28) + AIM [1] | - | - | - |" in texts["md"]
    assert "No version of Table 2 is measured." in texts["md"]
    assert "No two models are measured that could be compared." in texts["md"]
    assert "<span>ours [1]</span>" in texts["html"]
    assert (tmp_path / "paper/figure_4.png").exists()
    assert "ours" not in (tmp_path / "identity.csv").read_text()


def test_names_and_reasons_show_as_text_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "draw_all", lambda *_: [])
    settings = profile("quick", evaluation__nc=[20], fewshot__shots=[5], data__views=[VIEW, "a|b", "right"])
    odd = [made_identity(name, [0.5], 20) for name in (HOSTILE, "a|b", "[x]*")]
    rows = made_rows({"ours": [0.5], "vanilla": [0.4]} | CONTROLS, {"ours": [0.5], "no_augmentation": [0.3]}, settings)
    rows = replace(rows, identity=[*rows.identity, *odd], fewshot=[*rows.fewshot, made_fewshot(HOSTILE, [0.5], [5])])
    failed = [failure(f"models/{name}/seed1", NASTY) for name in (HOSTILE, "a|b", "cnc28")]
    texts = written(without(rows, *failed), ["ours", "a|b"], tmp_path)
    shown = f"training seed 1 diverged: {HOSTILE} | a"
    assert f"| {escaped(HOSTILE)} [" in texts["md"]
    assert escaped(shown) in texts["md"]
    assert r"a\\b \*y\* [here]\(javascript:alert(1)) &amp;amp; 5 % \_x\_ # no heading {}$^~" in texts["md"]
    assert "<" not in texts["md"]
    assert not re.search(r"^# no heading", texts["md"], re.MULTILINE)
    assert r"| a\|b [" in texts["md"]
    for line in texts["md"].splitlines():
        assert not line.startswith("|") or line.endswith(" |") or set(line) <= {"|", "-"}
    script = r"\textless{}script\textgreater{}alert(1)\textless{}/script\textgreater{}"
    assert f"{script} [" in texts["tex"]
    assert r"a\textbar{}b [" in texts["tex"]
    assert "{}[x]*" in texts["tex"]
    assert r"5 \% \_x\_ \# no heading \{\}\$\textasciicircum{}\textasciitilde{}" in texts["tex"]
    assert not set("<>|") & set(texts["tex"])
    html = texts["html"]
    assert HOSTILE not in html
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | a" in html


def escaped(text: str) -> str:
    return text.replace("<", "&lt;")


def test_markdown_and_latex_of_every_sheet_keep_their_columns(some: dict[str, Sheet]) -> None:
    for sheet in some.values():
        for grid in sheet.grids:
            assert {len(row) for row in grid.rows} <= {len(grid.head)}
        rows = sum(len(grid.rows) for grid in sheet.grids)
        table = [line for line in markdown(sheet).splitlines() if line.startswith("|")]
        assert len(table) == rows + 2 * len(sheet.grids)
        assert latex(sheet).count(r"\begin{table}") == len(sheet.grids)
