"""Tests of the sample organizations."""
