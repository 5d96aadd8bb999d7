//! What the program `storagedriver` is made of and other programs may want too: the copying of one
//! storage to another ([`sync`]), the check of a storage ([`verify`]) and the text by which a
//! storage is named on a command line ([`storage_argument`]).
//!
//! The program itself, its command line and its output are in the binary.

pub mod registry;
pub mod storage_argument;
pub mod sync;
pub mod transfer;
pub mod verify;
