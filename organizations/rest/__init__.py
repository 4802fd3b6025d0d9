"""The REST services of a hosted organization: data and metadata, in XML (resco.md §1, §2).

What the sheet leaves open follows its §8; every such choice stands in one function and is marked
"assumed" there.
"""
