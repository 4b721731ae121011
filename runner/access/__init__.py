"""Data sources: who may see what, one login per run, and the SQL that keeps both true.

No Django here: the database decides, and this package only asks it.
"""
