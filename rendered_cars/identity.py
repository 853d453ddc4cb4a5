"""Makes and models: a make is a family look, a model is one car of it."""

from dataclasses import dataclass

import numpy as np

from rendered_cars import shapes
from rendered_cars.draws import apart, between, generator, one_of
from rendered_cars.materials import Material
from rendered_cars.styles import STYLES, Style

PATTERNS = ("plain", "horizontal", "vertical", "mesh", "bar")
RIMS = ("five", "ten", "disc", "mesh", "three", "ring")
TAILS = ("block", "bar", "tall", "round", "strip", "hook")
FLANKS = ("none", "none", "rear", "sweep", "doors", "fender")
LOADS = ("none", "none", "none", "none", "box", "lamps")
HOODS = ("none", "none", "stripes", "band", "scoop", "black")
PILLARS = ("none", "forward", "upright", "backward")
SHORTEST_ROOF = 0.17  # share of the length


@dataclass(frozen=True)
class Make:
    """The properties that all models of a make share."""

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
    stripe_height: float
    flank: str  # a part of the side in the material `contrast`
    contrast: Material
    mask: Material  # band of the front that carries lamps and grille
    pillars: Material
    doors: int
    glazed: bool  # windows behind the front doors
    rails: bool
    spoiler: bool
    hood_mark: str
    sunroof: bool
    load: str  # on the roof
    rim: str
    rim_finish: Material
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
    values = {name: apart(rng, *limits) for name, limits in style.ranges.items()}
    front, rear = values.pop("front_overhang"), values.pop("rear_overhang")
    values["wheel_radius"] *= make.wheel
    parts = ("hood", "windshield", "backlight", "deck")
    room = values["length"] * (1 - SHORTEST_ROOF) / sum(values[part] for part in parts)
    values |= {part: values[part] * min(room, 1.0) for part in parts}
    return Proportions(front_axle=front, rear_axle=values["length"] - rear, rim=apart(rng, 0.52, 0.84), **values)


def _trim(rng: np.random.Generator, style: Style, make: Make) -> Trim:
    paint, black, white, silver = Material.PAINT, Material.BLACK, Material.WHITE, Material.SILVER
    rugged = style.name in ("suv", "pickup")
    return Trim(
        lamp_width=apart(rng, 0.16, 0.34),
        lamp_height=apart(rng, 0.09, 0.24),
        lamp_level=apart(rng, 0.52, 0.82),
        grille_width=apart(rng, 0.2, 0.55),
        grille_height=apart(rng, 0.1, 0.36),
        grille_level=apart(rng, 0.5, 0.74),
        intake=one_of(rng, list(shapes.INTAKES)),
        intake_height=apart(rng, 0.04, 0.16),
        fog=bool(rng.random() < 0.35),
        plate_offset=one_of(rng, (0.0, 0.0, 0.0, -0.35)),
        bumper=one_of(rng, (paint, paint, black, white, silver)),
        roof=one_of(rng, (paint, paint, black, white)),
        lower=one_of(rng, (black, silver, white) if rugged else (paint, black, silver, white)),
        lower_height=apart(rng, 0.08, 0.3),
        stripe=one_of(rng, (None, None, black, Material.CHROME, white)),
        stripe_level=apart(rng, 0.25, 0.75),
        stripe_height=apart(rng, 0.05, 0.14),
        flank=one_of(rng, FLANKS),
        contrast=one_of(rng, (black, white)),
        mask=one_of(rng, (paint, paint, black, white)),
        load=one_of(rng, LOADS),
        rim_finish=one_of(rng, (Material.RIM, Material.DARK_RIM, white)),
        pillars=one_of(rng, (paint, black, black)),
        doors=one_of(rng, style.doors),
        glazed=bool(rng.random() >= style.panelled),
        rails=bool(rng.random() < style.railed),
        spoiler=bool(rng.random() < 0.25),
        hood_mark=one_of(rng, HOODS),
        sunroof=bool(rng.random() < 0.25),
        rim=one_of(rng, make.rims),
        whitewall=bool(rng.random() < 0.1),
        flares=bool(rng.random() < (0.7 if rugged else 0.12)),
        pillar_at=apart(rng, 0.55, 0.9),
    )


def draw_car(seed: int, make_id: int, model_id: int, rank: int) -> Car:
    """Return the `rank`-th model (from 0) of a make; body styles of a make repeat only once all were used."""
    order = generator(seed, "styles", make_id).permutation(len(STYLES))
    rng = generator(seed, "model", model_id)
    style, make = STYLES[int(order[rank % len(STYLES)])], draw_make(seed, make_id)
    return Car(make_id, model_id, style, make, _proportions(rng, style, make), _trim(rng, style, make))
