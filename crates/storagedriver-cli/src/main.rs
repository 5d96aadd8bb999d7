//! The program `storagedriver`.

fn main() {}
