"""The steps that bring a database to the tables of `schema`, oldest first, in `versions`. They run at every start.

A step is never changed once it is released, and never imports `schema`: it says what was true when it was written. It
must leave the tables usable for the version before it, because nodes are replaced one after the other.
"""
