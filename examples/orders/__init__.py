"""
An order service: one HTTP function that places orders, one queue worker that confirms them.
"""
