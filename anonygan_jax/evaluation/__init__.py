"""Measures of hidden faces, on pictures alone: whatever made them is measured alike."""
