"""Tests of DLAE."""
