"""The part of a report that says what a model goes by: collected, put into words, drawn, and set into tables."""
