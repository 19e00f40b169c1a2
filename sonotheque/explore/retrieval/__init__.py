"""Measure how well a library's tracks are found by similarity: precision, mean average precision, hubs and orphans."""
