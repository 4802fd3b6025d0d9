"""A strict Resco Cloud server, written from the sheet of its protocols alone.

It shares no code with the product: metadata, FetchXML, Execute and their answers are its own.
"""
