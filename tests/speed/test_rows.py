"""What is measured, as a table for reading and as CSV."""

from benchmark.speed.rows import Goal, Row, Section, table, tidy

SHARE = Goal("share", 0.6, least=True)
FOUND = Section(
    "feeding",
    "two models",
    [
        Row("ours", {"seconds": 0.123456, "share": 0.6}, SHARE),
        Row("unet", {"seconds": 12345.6, "share": 0.59}, SHARE),
        Row("mine", {"seconds": 1.0, "share": None}, SHARE),
        Row("other", {"seconds": 1.0, "share": 0.1}),
    ],
    ["The best counts."],
)


def test_the_table() -> None:
    assert table(FOUND).splitlines() == [
        "# feeding: two models",
        "",
        "|  | seconds | share | goal |",
        "|---|---|---|---|",
        "| ours | 0.123 | 0.6 | share at least 0.6: met |",
        "| unet | 12,346 | 0.59 | share at least 0.6: missed |",
        "| mine | 1 | - | share at least 0.6: not measured |",
        "| other | 1 | 0.1 |  |",
        "",
        "The best counts.",
    ]


def test_a_goal_that_is_a_bound_from_above() -> None:
    goal = Goal("seconds", 1.0, least=False)
    assert [goal.met(value) for value in (0.9, 1.0, 1.1)] == [True, True, False]
    assert goal.said(1.1) == "seconds at most 1: missed"


def test_tidy_csv() -> None:
    assert tidy([FOUND]).splitlines() == [
        "section,what,quantity,value,goal,met",
        "feeding,ours,seconds,0.123456,,",
        "feeding,ours,share,0.6,0.6,1",
        "feeding,unet,seconds,12345.6,,",
        "feeding,unet,share,0.59,0.6,0",
        "feeding,mine,seconds,1,,",
        "feeding,mine,share,,0.6,",
        "feeding,other,seconds,1,,",
        "feeding,other,share,0.1,,",
    ]
