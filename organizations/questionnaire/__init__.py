"""The Questionnaire OData service: answered questionnaires as flat records, read-only.

A set for each version of a template, and one for all versions together (resco.md §3.6).
"""
