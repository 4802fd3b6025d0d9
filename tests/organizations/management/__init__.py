"""Tests of the commands that make organizations."""
