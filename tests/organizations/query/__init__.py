"""Tests of organizations.query."""
