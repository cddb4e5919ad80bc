"""Evaluation of anonymised photos, made by any tool."""
