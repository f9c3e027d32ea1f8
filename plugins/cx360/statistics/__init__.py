"""Statistics: formulas with a source, as pure functions.

Here belongs what is computed from counts, sums and rows that are handed in; no function reads a table or a setting.
Which rows count, and from how many a figure is told, belongs to the models and seeds that call.
"""
