"""Physical tables: one typed table per enabled entity, in one PostgreSQL schema per organization.

`names` quotes and shortens, `types` says what is stored, `ddl` makes and alters, `database` runs.
"""
