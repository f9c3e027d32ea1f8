"""Identity: who is whom.

Which records may be linked and what an identifier means on a day is SQL, in ``dbt_project/models/identity``. Here is
what SQL does badly, between two calls of dbt:

    blocked     values that are nobody's
    decisions   what people said of two records
    resolve     the step: from links to people, households and their ids
    links       pairs of records that a rule proposes, and what refuses a pair
    partition   the algebra of it
    fixed_lines numbers that ring in a home
    changes     merges and splits since the last publication
    explain     why records are one person
"""
