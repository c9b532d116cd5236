"""One module per provider: its events -> responses, activities and rejections.

Each module offers `recognises(event)` and `read(event, source, classify)`; registry.py names them.
"""
