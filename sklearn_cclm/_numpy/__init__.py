"""What serves without torch, in plain numpy: the base "ngram", the tower "pooled", and heads."""
