"""cx360: one audited profile per customer of a bank, every day."""
