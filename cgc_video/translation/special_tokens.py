"""Indices that every dictionary begins with: beginning of sentence, padding, end of sentence, unknown."""

__all__ = ["BOS", "EOS", "PAD", "UNK"]

BOS, PAD, EOS, UNK = range(4)
