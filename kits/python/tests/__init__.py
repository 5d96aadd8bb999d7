"""The kit's own tests. `python -m unittest` in the kit's directory runs them."""
