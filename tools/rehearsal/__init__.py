"""A rehearsal with data sets of the real size and layout, of other pictures. It takes many minutes and is run by hand.

python -m tools.rehearsal compcars --store-at 32
"""
