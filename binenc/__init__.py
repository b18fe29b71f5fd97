"""Emergence of latent binary encoding: models, loss, metrics, and the records they leave."""

__version__ = "0.1.0"
