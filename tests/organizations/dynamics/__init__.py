"""Tests of the Dynamics twin."""
