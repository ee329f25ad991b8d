//! Integration tests of the root package: one binary, a module per subject.

mod dependencies;
mod layers;
mod portable;
