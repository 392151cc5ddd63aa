"""One file per step, named `NNNN_what_it_does.py`; `NNNN` is its place in the order.

A new step is the next number, with the last one as its `down_revision`.
There is no way back: restore the backup.
"""
