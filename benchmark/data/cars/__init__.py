"""Cars as points in a space of shapes and styles, and pictures of them by ray casting.

`identity` draws makes and models, `body` and `parts` give their surface, `styling` and `face` paint it, `scene` draws
what differs from picture to picture, and `raycast` turns a car and a scene into a picture. Lengths are in metres; a
car stands on z = 0, its nose at x = 0, its tail at x = length, its middle at y = 0.
"""
