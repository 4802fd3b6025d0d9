"""The product as a person meets it: real pages in a real Chromium."""
