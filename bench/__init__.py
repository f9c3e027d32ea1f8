"""What cx360 costs, beside what a user would use instead, in the same run on the same machine.

Here belongs the measuring of whole steps. ``python -m bench --help`` says how to run it; docs/benchmarks.md what the
figures mean.
"""
