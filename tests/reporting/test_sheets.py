"""Tables for reading as Markdown and LaTeX."""

from benchmark.reporting.sheets import Grid, Sheet, latex, markdown, numeric
from tests.reporting.paged import CELLS


def test_columns_of_numbers_are_known_by_every_cell() -> None:
    assert numeric(Grid([""] * 5, CELLS)) == [False, True, True, True, True]
    assert numeric(Grid(["map", "empty"], [["8", "-"], ["all", "n/a"]])) == [False, False]


ODD = Sheet("50 % of a_b", [Grid(["model", "why"], [["a|b", r"\x & ~^"]])], [r"C:\x ~ 5 % #{}"])


def test_a_bar_or_a_line_end_does_not_split_a_cell_of_markdown() -> None:
    assert r"| a\|b | \\x &amp; ~^ |" in markdown(ODD)
    assert "| a b |" in markdown(Sheet("", [Grid(["a\nb"], [])]))


def test_what_markdown_would_take_as_markup_is_escaped() -> None:
    text = markdown(Sheet("<b>", [Grid(["[a](b)"], [["<i>*"]], "&lt;")], [r"![x](y) \* `code` [1, 2] __a__ b_c"]))
    assert text.startswith("# &lt;b>\n\n## &amp;lt;\n\n" + r"| [a]\(b) |")
    assert r"| &lt;i>\* |" in text
    assert text.endswith(r"![x]\(y) \\\* `code` [1, 2] \_\_a\_\_ b_c" + "\n")


def test_what_latex_would_take_as_a_command_is_escaped() -> None:
    text = latex(ODD)
    assert r"\caption{50 \% of a\_b}" in text
    assert r"a\textbar{}b & \textbackslash x \& \textasciitilde \textasciicircum" in text
    assert r"{\footnotesize C:\textbackslash{}x \textasciitilde{} 5 \% \#\{\}\par}" in text


def test_a_row_of_latex_does_not_begin_with_an_option() -> None:
    text = latex(Sheet("", [Grid(["model", "<p>"], [["[x]", "a\n\nb"], ["*", "|"]])], ["> [1]"]))
    assert "{}[x] & a  b \\\\\n{}* & \\textbar{} \\\\\n" in text
    assert r"model & \textless{}p\textgreater{} \\" in text
    assert r"{\footnotesize \textgreater{} [1]\par}" in text


def test_latex_aligns_numbers_breaks_long_texts_and_fits_the_page() -> None:
    rows = [["ours", "12.3 [10.1, 14.0]", "x" * 31], ["unet", "n/a", "-"]]
    text = latex(Sheet("Title", [Grid(["model", "rate", "why"], rows, "part")]))
    assert r"\begin{tabular}{lrp{0.4\linewidth}}" in text
    assert text.index(r"\begin{adjustbox}{max width=\linewidth}") < text.index(r"\begin{tabular}")
    assert text.index(r"\end{tabular}") < text.index(r"\end{adjustbox}") < text.index(r"\end{table}")
    assert r"\caption{Title. part}" in text
