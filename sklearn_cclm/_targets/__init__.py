"""What is to be learnt of texts: labels, and entities as spans and as tags."""
