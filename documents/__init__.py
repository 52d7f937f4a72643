"""The shop's papers: what each says (`content.py`) and how it is drawn as PDF (`sheet.py`). See DLV-4."""
