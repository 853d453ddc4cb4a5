"""The number of cases."""

from collections.abc import Callable

from tests.hostile import parameters, pictures, tables, test_command_line, test_compcars, test_multipie, test_results
from tests.hostile.made_up import EXAMPLES

LEAST = 200


def test_there_are_enough_cases(say: Callable[[str], None]) -> None:
    corpus = {
        "pictures": [pictures.LEGAL, pictures.UNREADABLE],
        "tables": [tables.LEGAL, tables.REFUSED],
        "CompCars": [test_compcars.WRONG_LABELS, test_compcars.SIDES, test_compcars.WRONG_NAMES],
        "Multi-PIE": [test_multipie.WRONG_BOXES, test_multipie.SPOILT],
        "params.yaml": [parameters.LEGAL, parameters.REFUSED, parameters.NAMES],
        "options": [test_command_line.OPTIONS],
        "results": [test_results.ROWS, test_results.REPORT, test_results.TABLES],
    }
    counts = {name: sum(map(len, parts)) for name, parts in corpus.items()}
    listed = ", ".join(f"{count} {name}" for name, count in counts.items())
    say(f"hostile input: {sum(counts.values())} cases ({listed}), and up to {EXAMPLES} made up in each of ten tests")
    assert sum(counts.values()) >= LEAST
