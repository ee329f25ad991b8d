//! The command `treewright`.

fn main() {}
