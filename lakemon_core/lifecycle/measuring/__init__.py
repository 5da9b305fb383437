"""What is measured of a group of rows besides its columns: slices, custom metrics and fairness."""
