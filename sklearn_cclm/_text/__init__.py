"""What users hand in becomes texts and codes."""
