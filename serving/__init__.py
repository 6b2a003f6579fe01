"""The prediction service: `service.py` is what BentoML serves."""
