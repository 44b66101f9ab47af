//! Scenarios across the functions: everything is in `tests/`.
