"""A small, strict Dataverse with records: it refuses whatever the documents do not allow.

Its metadata are real definitions. It shares no code with the product, so it reads requests the
way the documents say and not the way the connector or the twin happen to.
"""
