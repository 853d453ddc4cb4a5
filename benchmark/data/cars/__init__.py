"""Cars as points in a space of shapes and styles, and pictures of them by ray casting.

`identity` draws makes and models within the limits of `styles`; `body` and `parts` give their surface; `side`, `upper`,
`face` and `wheel` paint it; `scene` draws what differs from picture to picture; `raycast` turns a car and a scene into
a picture; `roster` lists the models and their pictures; `compcars_files` writes labels and names.

Lengths are in metres; a car stands on z = 0, its nose at x = 0, its tail at x = length, its middle at y = 0.
"""
