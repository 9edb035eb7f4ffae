"""Measurements of what DLAE costs over the bare engine. Never part of the tests."""
