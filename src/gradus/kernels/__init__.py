"""The hot loops, a folder each: ``reference.py`` (torch), ``cpu.py`` (numba), ``cuda.py`` (triton)."""
