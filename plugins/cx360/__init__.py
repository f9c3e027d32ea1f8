"""cx360: one audited profile per customer of a bank, every day. Importing it keeps libraries from calling home."""

from cx360 import offline

offline.apply()
