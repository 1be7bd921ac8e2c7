"""Functions from records to records, one file per arrow of the data flow."""
