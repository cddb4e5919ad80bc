"""Files of an evaluation: tables, plots and a contact sheet."""
