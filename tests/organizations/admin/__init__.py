"""Tests of the admin's pages of organizations."""
