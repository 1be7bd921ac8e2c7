"""The words of EMC: skeletons, records and geometry, with no input or output."""
