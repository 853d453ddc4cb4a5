"""Makes and models: a make is a family look, a model is one car of it."""

from dataclasses import dataclass

import numpy as np

from benchmark.data.cars import shapes
from benchmark.data.cars.draws import between, generator, one_of
from benchmark.data.cars.materials import Material
from benchmark.data.cars.styles import STYLES, Style

PATTERNS = ("plain", "horizontal", "vertical", "mesh", "bar")
RIMS = ("five", "ten", "disc", "mesh", "three", "ring")
TAILS = ("block", "bar", "tall", "round", "strip", "hook")
PILLARS = ("none", "forward", "upright", "backward")
SHORTEST_ROOF = 0.17  # share of the length


@dataclass(frozen=True)
class Make:
    """What every model of a make shares."""

    grille: str
    pattern: str
    frame: Material
    lamp: str
    tail: str
    rims: tuple[str, str]
    pillar: str
    window_trim: Material
    belt_rise: float  # of the window line, metres from the front pillar to the tail
    nose_rake: float  # metres by which the top of the nose lies behind the bumper
    nose_curve: float  # metres by which the corners of the nose lie behind its middle
    tumble: float  # metres by which a side window leans inwards for each metre of height
    wheel: float  # factor of the wheel radius


@dataclass(frozen=True)
class Proportions:
    """The measures of one model in metres."""

    length: float
    width: float
    height: float
    clearance: float  # height of the sill
    nose: float  # height of the front edge of the hood
    hood: float  # x of the foot of the windshield
    cowl: float  # height of the foot of the windshield
    windshield: float  # horizontal run of the windshield
    backlight: float  # horizontal run of the rear window
    deck: float  # length behind the foot of the rear window
    deck_height: float
    roof_drop: float  # from the crest of the roof to its end
    front_axle: float
    rear_axle: float
    wheel_radius: float
    rim: float  # radius of the rim as a share of the wheel's


@dataclass(frozen=True)
class Trim:
    """The styling of one model."""

    lamp_width: float  # half sizes and heights in shares of the front's half width and height
    lamp_height: float
    lamp_level: float
    grille_width: float
    grille_height: float
    grille_level: float
    intake: str
    intake_height: float
    fog: bool
    bumper: Material
    roof: Material
    lower: Material  # cladding between sill and `lower_height`
    lower_height: float
    stripe: Material | None
    stripe_level: float
    pillars: Material
    doors: int
    glazed: bool  # windows behind the front doors
    rails: bool
    spoiler: bool
    hood_mark: str
    sunroof: bool
    rim: str
    whitewall: bool
    flares: bool
    plate_offset: float
    pillar_at: float  # where the solid rear pillar starts, as a share of the glass


@dataclass(frozen=True)
class Car:
    """One identity."""

    make_id: int
    model_id: int
    style: Style
    make: Make
    proportions: Proportions
    trim: Trim


def draw_make(seed: int, make_id: int) -> Make:
    """Return the family look of make `make_id`."""
    rng = generator(seed, "make", make_id)
    rims = rng.permutation(RIMS)
    return Make(
        grille=one_of(rng, list(shapes.GRILLES)),
        pattern=one_of(rng, PATTERNS),
        frame=one_of(rng, (Material.CHROME, Material.CHROME, Material.BLACK, Material.PAINT)),
        lamp=one_of(rng, list(shapes.LAMPS)),
        tail=one_of(rng, TAILS),
        rims=(str(rims[0]), str(rims[1])),
        pillar=one_of(rng, PILLARS),
        window_trim=one_of(rng, (Material.CHROME, Material.BLACK, Material.PAINT)),
        belt_rise=between(rng, -0.02, 0.14),
        nose_rake=between(rng, -0.05, 0.22),
        nose_curve=between(rng, 0.12, 0.38),
        tumble=between(rng, 0.18, 0.5),
        wheel=between(rng, 0.95, 1.08),
    )


def _proportions(rng: np.random.Generator, style: Style, make: Make) -> Proportions:
    values = {name: between(rng, *limits) for name, limits in style.ranges.items()}
    front, rear = values.pop("front_overhang"), values.pop("rear_overhang")
    values["wheel_radius"] *= make.wheel
    parts = ("hood", "windshield", "backlight", "deck")
    room = values["length"] * (1 - SHORTEST_ROOF) / sum(values[part] for part in parts)
    values |= {part: values[part] * min(room, 1.0) for part in parts}
    return Proportions(front_axle=front, rear_axle=values["length"] - rear, rim=between(rng, 0.58, 0.8), **values)


def _face(rng: np.random.Generator) -> dict[str, float | str | bool]:
    return {
        "lamp_width": between(rng, 0.17, 0.32),
        "lamp_height": between(rng, 0.10, 0.21),
        "lamp_level": between(rng, 0.58, 0.8),
        "grille_width": between(rng, 0.24, 0.5),
        "grille_height": between(rng, 0.13, 0.3),
        "grille_level": between(rng, 0.55, 0.74),
        "intake": one_of(rng, list(shapes.INTAKES)),
        "intake_height": between(rng, 0.05, 0.14),
        "fog": bool(rng.random() < 0.35),
        "plate_offset": one_of(rng, (0.0, 0.0, 0.0, -0.35)),
    }


def _trim(rng: np.random.Generator, style: Style, make: Make) -> Trim:
    paint, black, white, silver = Material.PAINT, Material.BLACK, Material.WHITE, Material.SILVER
    rugged = style.name in ("suv", "pickup")
    return Trim(
        **_face(rng),  # type: ignore[arg-type]
        bumper=one_of(rng, (paint, paint, black, silver, Material.CHROME)),
        roof=one_of(rng, (paint, paint, paint, black, white)),
        lower=one_of(rng, (black, silver, paint) if rugged else (paint, paint, black, silver)),
        lower_height=between(rng, 0.08, 0.26),
        stripe=one_of(rng, (None, None, None, black, Material.CHROME, white)),
        stripe_level=between(rng, 0.25, 0.7),
        pillars=one_of(rng, (paint, black, black)),
        doors=one_of(rng, style.doors),
        glazed=bool(rng.random() >= style.panelled),
        rails=bool(rng.random() < style.railed),
        spoiler=bool(rng.random() < 0.25),
        hood_mark=one_of(rng, ("none", "none", "none", "stripes", "scoop", "black")),
        sunroof=bool(rng.random() < 0.25),
        rim=one_of(rng, make.rims),
        whitewall=bool(rng.random() < 0.06),
        flares=bool(rng.random() < (0.7 if rugged else 0.12)),
        pillar_at=between(rng, 0.62, 0.9),
    )


def draw_car(seed: int, make_id: int, model_id: int, rank: int) -> Car:
    """Return the `rank`-th model (from 0) of a make; body styles of a make repeat only once all were used."""
    order = generator(seed, "styles", make_id).permutation(len(STYLES))
    rng = generator(seed, "model", model_id)
    style, make = STYLES[int(order[rank % len(STYLES)])], draw_make(seed, make_id)
    return Car(make_id, model_id, style, make, _proportions(rng, style, make), _trim(rng, style, make))
