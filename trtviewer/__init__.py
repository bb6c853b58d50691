"""See what INT8 loses: a reference and a candidate detector side by side on the same frames."""

__version__ = "0.1.0"
