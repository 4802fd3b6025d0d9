"""The one filter language: nodes, readers, writers, and what evaluates them."""
