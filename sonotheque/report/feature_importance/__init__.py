"""Feature importance in the report: data, text, figures and tables."""
