//! What the world of the tree shows.
