"""The OData v4 service of a hosted organization (resco.md §3).

What the sheet leaves open is answered with 501 or decided in one function marked "assumed".
"""
