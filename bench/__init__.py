"""Side-by-side benchmarks: each figure is a ratio against a yardstick measured in the same run."""
