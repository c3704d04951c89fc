//! Parts for tests: a fixed clock, seeded dice, lakes in temporary directories.
