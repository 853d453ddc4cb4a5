"""Invented names of makes and models."""

from itertools import product

from benchmark.data.cars.draws import generator

MAKES = (
    "Bri Dal Fen Gal Hel Jor Kel Lor Mer Nor Pel Quin Ral Sel Tor Ul Vel Wen Yor Zan",
    "bara dax gard lund mond mora phen quist tessa tra vani vik wick zari",
)
MODELS = (
    "Bel Cas Dav Dro Fal Gri Hov Jun Kor Lim Lyr Mir Nav Orl Pax Pol Ril Sab Tam Tes Ven Wex Yar Zel",
    "ado ax el eo in ista ium ix ora une anto ekra",
)


def _name(seed: int, kind: str, syllables: tuple[str, str], number: int) -> str:
    words = ["".join(pair) for pair in product(*(part.split() for part in syllables))]
    word = words[int(generator(seed, kind).permutation(len(words))[number % len(words)])]
    return word if number < len(words) else f"{word} {number // len(words) + 1}"


def make_name(seed: int, make_id: int) -> str:
    """Return the name of a make, such as `Veltra`; no two makes of a seed share one."""
    return _name(seed, "make names", MAKES, make_id)


def model_name(seed: int, model_id: int) -> str:
    """Return the name of a model, such as `Korin`; no two models of a seed share one."""
    return _name(seed, "model names", MODELS, model_id)
