//! All machines as one.
