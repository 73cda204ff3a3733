"""How a tagger reads the words around one: the size of its network."""

WIDTH = 128
KERNEL_SIZE = 3
DILATIONS = (1, 2, 4)  # words that count: 7 on each side
