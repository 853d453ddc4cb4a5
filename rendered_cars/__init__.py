"""Pictures of invented cars by ray casting, all drawn from a seed; nothing of the benchmark is needed for them.

`folder` writes a data set in the layout of CompCars, and shows its cars from other views. `identity` draws makes and
models within the limits of `styles`; `body` and `parts` give their surface; `side`, `upper`, `face` and `parts` paint
it; `scene` draws what differs from picture to picture; `raycast` turns a car and a scene into a picture; `roster` lists
the models and their pictures; `labels` writes labels and names.

Lengths are in metres; a car stands on z = 0, its nose at x = 0, its tail at x = length, its middle at y = 0.
"""
